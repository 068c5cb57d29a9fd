"""Run the desk as a web server on this machine."""

from __future__ import annotations

import logging

import uvicorn

from desk.app import application
from infra.web_server import serve as serve_seldom_ticking
from tasks.runs.prefect_client import one_prefect_client

LONGEST_WAIT_S = 10.0
"""How long a page waits for Prefect before it says that the line cannot be reached."""
END_S = 20
"""How long requests may take after the desk was told to end."""


def serve(port: int, *, host: str) -> None:
    """Serve the review desk until Ctrl-C or SIGTERM; then send the decisions that it still holds, and end.

    Args:
        port: the TCP port to listen on.
        host: the address to listen on, such as ``127.0.0.1``.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("packshot.desk").setLevel(logging.INFO)
    with one_prefect_client(longest_wait_s=LONGEST_WAIT_S):
        serve_seldom_ticking(
            uvicorn.Config(
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
        )
