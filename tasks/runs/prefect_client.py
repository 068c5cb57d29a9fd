"""Share one client for Prefect's server among everything in a process that asks all day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.context import SyncClientContext
from prefect.settings import (
    PREFECT_API_REQUEST_TIMEOUT,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    temporary_settings,
)


@contextmanager
def one_prefect_client(*, longest_wait_s: float | None = None) -> Iterator[None]:
    """Return a context manager. Everything in its block asks Prefect's server through one client, which saves time.

    Threads share the client too, if they get a copy of the block's context. Making a client takes some 40 ms of
    processor time, most of it for certificates. The block may begin while Prefect is away: nothing is asked here.

    Args:
        longest_wait_s: how long an answer may take, in seconds; None means as long as Prefect's settings say.
    """
    settings = {PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False}
    waits = {} if longest_wait_s is None else {PREFECT_API_REQUEST_TIMEOUT: longest_wait_s}
    with temporary_settings({**settings, **waits}), SyncClientContext.get_or_create():
        yield
