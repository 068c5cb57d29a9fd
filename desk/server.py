"""Run the desk on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from prefect.context import SyncClientContext
from prefect.settings import (
    PREFECT_API_REQUEST_TIMEOUT,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    temporary_settings,
)

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
    with one_prefect_client():
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


@contextmanager
def one_prefect_client() -> Iterator[None]:
    """In the block, all requests to Prefect use one client.

    Making a client takes about 40 ms of processor time, most of it for certificates, and a decision would make two. The
    desk also starts while Prefect is away: nothing is asked here.
    """
    settings = {
        PREFECT_API_REQUEST_TIMEOUT: LONGEST_WAIT_S,
        PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,
    }
    with temporary_settings(settings), SyncClientContext.get_or_create():
        yield
