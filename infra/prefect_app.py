"""Prefect's server behind the guard: ``python -m infra.prefect_app --host 127.0.0.1 --port 4200``.

It replaces ``prefect server start``, which can't add middleware. Its settings are Prefect's own variables, and
``PACKSHOT_ALLOWED_HOSTS``: host names of the server besides 127.0.0.1 and localhost, separated by commas.
"""

from __future__ import annotations

import argparse
import os
import sys

from infra.guard import ALLOWED_HOSTS, Guard


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(prog="python -m infra.prefect_app", description="Prefect's server behind a guard")
    found.add_argument("--host", required=True)
    found.add_argument("--port", type=int, required=True)
    return found


def main() -> int:
    """Serve until a signal to end."""
    given = parser().parse_args()
    from prefect.settings import get_current_settings  # Prefect takes seconds to import, its server some more

    settings = get_current_settings().server
    password = settings.api.auth_string
    if password is None or not password.get_secret_value():
        sys.stderr.write("PREFECT_SERVER_API_AUTH_STRING is empty. Set it: without a password anybody runs the line.\n")
        return 2
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(
        Guard(create_app(final=True), hosts=os.environ.get(ALLOWED_HOSTS, "").split(",")),
        host=given.host,
        port=given.port,
        # Same values as `prefect server start`.
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        log_level=settings.logging_level.lower(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
