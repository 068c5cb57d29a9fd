"""Run the desk on this machine."""

from __future__ import annotations

import logging

import uvicorn
from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, temporary_settings

from desk.app import application

LONGEST_WAIT_S = 10.0
"""How long a page waits for Prefect before it says that the line cannot be reached."""
END_S = 20
"""How long requests may take after the desk was told to end."""


def serve(port: int, *, host: str) -> None:
    """Serve the desk until Ctrl-C or SIGTERM. Then it sends the decisions that it still holds, and ends.

    Args:
        host: the address to listen on.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("packshot.desk").setLevel(logging.INFO)
    with temporary_settings({PREFECT_API_REQUEST_TIMEOUT: LONGEST_WAIT_S}):
        uvicorn.run(
            application(),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the doorkeeper reads them itself, and only from the proxy
            ws="none",
            timeout_graceful_shutdown=END_S,
        )
