"""What the desk keeps in memory while it runs, and what it does meanwhile by itself."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator
from typing import Self

from anyio import to_thread

from desk.accounts import Accounts
from desk.attempts import Attempts
from desk.claims import Claims
from desk.outbox import AWAY, Outbox
from desk.sessions import Sessions
from desk.waiting import WaitingShots
from tasks.settings import Settings

SHORTEST_ROUND_S = 5.0
SHARE_OF_TIME = 6
"""A round that took a second is followed by a pause of so many seconds."""
TICK_S = 1.0
_LOG = logging.getLogger("packshot.desk")


@dataclasses.dataclass
class Desk:
    """The desk's memory."""

    accounts: Accounts
    sessions: Sessions
    attempts: Attempts
    claims: Claims
    waiting: WaitingShots
    outbox: Outbox

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return an empty memory for these settings."""
        waiting = WaitingShots()
        return cls(
            accounts=Accounts(settings.desk_accounts_file),
            sessions=Sessions(),
            attempts=Attempts(),
            claims=Claims(),
            waiting=waiting,
            outbox=Outbox(undo_s=settings.desk_undo_s, on_settled=waiting.look_again),
        )

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Keep the lists fresh and send decisions while the block runs; then send what is still held."""
        jobs = [asyncio.create_task(self._refresh()), asyncio.create_task(self._tick())]
        try:
            yield
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await to_thread.run_sync(lambda: self.outbox.tick(at_once=True))

    async def _refresh(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await to_thread.run_sync(self.waiting.refresh)
            except Exception as error:  # noqa: BLE001  (the line may be away for a while; the lists stay as they are)
                trace = None if isinstance(error, AWAY) else error
                _LOG.warning("the lists could not be refreshed: %s: %s", type(error).__name__, error, exc_info=trace)
            await asyncio.sleep(max(SHORTEST_ROUND_S, SHARE_OF_TIME * (time.monotonic() - began)))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self.outbox.is_empty:
                continue
            try:
                await to_thread.run_sync(self.outbox.tick)
            except Exception as error:  # noqa: BLE001  (what is held is tried again)
                trace = None if isinstance(error, AWAY) else error
                _LOG.warning("decisions could not be sent: %s: %s", type(error).__name__, error, exc_info=trace)
