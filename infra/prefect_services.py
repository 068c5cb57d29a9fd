"""Do the background work of several Prefect servers: ``python -m infra.prefect_services``.

It schedules runs, marks late ones, stores events and removes old runs. The servers run with ``--without-services``
(`infra.prefect_app`). All of them share a database and a Redis. Start one of these processes, not several.
"""

from __future__ import annotations

import os
import sys

from infra.prefect_app import set_defaults


def main() -> None:
    """Replace this process by Prefect's command ``prefect server services start``, with Packshot's default settings."""
    set_defaults()
    os.execv(sys.executable, [sys.executable, "-m", "prefect", "server", "services", "start"])  # noqa: S606


if __name__ == "__main__":
    main()
