"""Hold what the desk remembers while it runs, such as sessions and claims, and run its background work."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Self

from anyio import to_thread

from desk.access.accounts import Accounts
from desk.access.attempts import Attempts
from desk.access.sessions import Sessions
from desk.pictures.packs import own_pictures
from desk.pictures.previews import Pictures
from desk.work.claims import Claims
from desk.work.counted import Counts
from desk.work.glances import Glances
from desk.work.guests import Guests
from desk.work.outbox import Outbox
from desk.work.rates import Rates
from desk.work.seen import PicturesSeen
from desk.work.shoot_groups import ShootGroups
from desk.work.showing import kinds_of
from desk.work.waiting import WaitingShots, record_of
from desk.work.workbench import Workbench
from packshot.naming import ShotId
from tasks.environment.settings import Settings
from tasks.environment.troubles import AWAY, Troubles
from tasks.people.uploads import KEPT, abort_broken_off
from tasks.records.bookkeeping import now

SHORTEST_ROUND_S = 5.0
SHARE_OF_TIME = 6
"""A round that took a second is followed by a pause of so many seconds."""
LATE_S = 60.0
TICK_S = 1.0
SWEPT_EVERY_S = 6 * 3600.0
MADE_AHEAD = 4
"""Of each list, the tiles of so many shots are made before anybody opens them."""
UNFORESEEN = "an error that nobody foresaw; the desk's log has it"
_LOG = logging.getLogger("packshot.desk")


@dataclasses.dataclass
class Desk:
    """What one running desk keeps in memory, and its background work. Nothing of it is stored.

    Attributes:
        accounts: people's accounts at the desk, which are kept in a file.
        sessions: the browsers in which people are signed in.
        attempts: counts attempts to sign in, so that nobody can try many passwords.
        claims: which person has which shot open.
        waiting: the waiting shots, as they were last read.
        outbox: people's decisions that are not in a shot's record yet.
        seen: the pictures that each person has had on their screen.
        work: files that editors have uploaded and not handed in yet.
        rates: each editor's rate of first-time approval.
        counted: the last count of each batch.
        guests: what the desk remembers of people with share links.
        groups: which shots of a batch were taken in the same light, as it was read last.
        glances: what is shown of the shots that stand beside another one, as it was read last.
        pictures: the shots' pictures, and their tiles on this machine's disk.
        away: why the lists could not be refreshed in the last round; empty if they were.
        round_s: how long the last round took, in seconds.
        troubles: which background jobs fail now. Each is logged when it begins to fail, and when it works again.
    """

    accounts: Accounts
    sessions: Sessions
    attempts: Attempts
    claims: Claims
    waiting: WaitingShots
    outbox: Outbox
    seen: PicturesSeen
    work: Workbench
    rates: Rates
    counted: Counts
    guests: Guests
    groups: ShootGroups
    glances: Glances
    pictures: Pictures
    away: str = ""
    round_s: float = 0.0
    troubles: Troubles = dataclasses.field(default_factory=lambda: Troubles(_LOG))

    def stale_at(self, at: datetime) -> str:
        """Return a sentence that warns people of old lists; empty if the lists of waiting shots are fresh.

        The lists are read in rounds. The pause after a round grows with the time that the round took. Lists are old
        if the next round is late, or the last one failed.

        Args:
            at: the present time.
        """
        read = self.waiting.refreshed_at
        old = read is not None and (at - read).total_seconds() > LATE_S + (1 + SHARE_OF_TIME) * self.round_s
        if not self.away and not old:
            return ""
        why = self.away or "the line answers slowly"
        since = f"These lists are of {read:%Y-%m-%d %H:%M} UTC" if read else "There are no lists yet"
        return f"{since}: {why}. Shots may wait that are not shown, and some that are shown may be done."

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return a desk with an empty memory.

        Args:
            settings: where the accounts are, and how long a decision can be taken back.
        """
        waiting = WaitingShots()
        return cls(
            accounts=Accounts(settings.desk_accounts_file),
            sessions=Sessions(),
            attempts=Attempts(),
            claims=Claims(),
            waiting=waiting,
            seen=PicturesSeen(),
            work=Workbench(),
            rates=Rates(),
            counted=Counts(),
            guests=Guests(),
            groups=ShootGroups(),
            glances=Glances(),
            pictures=own_pictures(),
            outbox=Outbox(undo_s=settings.desk_undo_s, on_settled=waiting.look_again),
        )

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Do the desk's background work while the block runs.

        It keeps the lists of waiting shots fresh, makes the tiles of the first shots of each list, sends people's
        decisions, asks about pictures that clients have sent back, and removes broken-off uploads. When the block ends,
        the decisions that are still held are sent.
        """
        work = (self._refresh(), self._tick(), self._finish(), self._sweep(), self._prepare())
        jobs = [asyncio.create_task(one) for one in work]
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
                self.away = ""
                self.troubles.over("refresh the lists")
            except Exception as error:  # noqa: BLE001  (the line may be away for a while; the lists stay as they are)
                is_away = isinstance(error, AWAY)
                self.away = f"the line cannot be reached ({type(error).__name__})" if is_away else UNFORESEEN
                self.troubles.say("refresh the lists", error)
            self.round_s = time.monotonic() - began
            await asyncio.sleep(max(SHORTEST_ROUND_S, SHARE_OF_TIME * self.round_s))

    async def _prepare(self) -> None:
        """Have tiles of the first shots of each list, so that nobody waits for them. It costs nothing while the lists
        stay as they are.
        """
        made, made_for = set[tuple[str, datetime]](), None
        while True:
            decided = self.outbox.shots
            if (self.waiting.version, decided) != made_for:
                made_for = self.waiting.version, decided
                first = {(one.name, one.wait.since): one.shot for one in self.waiting.first(MADE_AHEAD, but=decided)}
                made &= first.keys()
                for which in [one for one in first if one not in made]:
                    try:
                        await to_thread.run_sync(self._make_tiles, first[which])
                        made.add(which)
                        self.troubles.over("make tiles ahead")
                    except Exception as error:  # noqa: BLE001  (whoever opens the shot is told)
                        self.troubles.say("make tiles ahead", error)
            await asyncio.sleep(SHORTEST_ROUND_S)

    def _make_tiles(self, shot: ShotId) -> None:
        record = record_of(shot)
        if record is not None:
            self.pictures.make_ahead(record, kinds_of(record))

    async def _sweep(self) -> None:
        """Remove what editors' broken-off uploads have left, now and then."""
        while True:
            try:
                gone = await to_thread.run_sync(lambda: abort_broken_off(before=now() - KEPT))
                if gone:
                    _LOG.info("uploads that broke off were removed: %d", gone)
                self.troubles.over("remove broken-off uploads")
            except Exception as error:  # noqa: BLE001  (the next round does it)
                self.troubles.say("remove broken-off uploads", error)
            await asyncio.sleep(SWEPT_EVERY_S)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self.outbox.is_empty:
                continue
            try:
                await to_thread.run_sync(self.outbox.tick)
                self.troubles.over("send decisions")
            except Exception as error:  # noqa: BLE001  (what is held is tried again)
                self.troubles.say("send decisions", error)

    async def _finish(self) -> None:
        """Ask people about pictures that clients have sent back, where that failed at first."""
        while True:
            await asyncio.sleep(SHORTEST_ROUND_S)
            if not len(self.guests.unfinished):
                continue
            try:
                await to_thread.run_sync(self.guests.unfinished.finish)
                self.troubles.over("ask about pictures that were sent back")
            except Exception as error:  # noqa: BLE001  (what is left is tried again)
                self.troubles.say("ask about pictures that were sent back", error)
