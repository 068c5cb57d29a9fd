"""Do the regular checks all day in one process, instead of a flow run each minute.

A run each minute would cost a process start, a row and its events, even if nothing has changed. This process makes the
checks of the flow `collect-returned-work` (`flows.collect`), and one more: it compares the index (the table of all
shots) with the shots' records. After each check there is a pause; it is longer if the check took more processor time.
While the process works, the flow's schedule is paused. A thread of its own looks for dead runs, so that they are
started again even if another check takes long.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from packshot.errors import LeaseHeldError, LeaseLostError
from packshot.keys import COLLECTION_LEASE
from tasks.environment.troubles import AWAY, Troubles, in_one_line
from tasks.index.database import IndexAwayError, shared
from tasks.people.hot_folder import collect_returned, release_holds
from tasks.queries.comparing import compare_some
from tasks.reports.board import update_board, waiting_in_short
from tasks.runs.lost_runs import end_lost_runs
from tasks.runs.missing_night import look_for_missing_night
from tasks.runs.prefect_client import one_prefect_client
from tasks.runs.schedules import COLLECT, schedule_runs
from tasks.storage.bucket import open_storage
from tasks.storage.leases import Holder, Patience, holding
from tasks.telling.heartbeat import send_heartbeat
from tasks.telling.notices import FIRST_WAIT_S, send_again

IDLE_RATIO = 1000.0
"""A step rests for so many times the processor time that it took, if nothing has changed: it takes .1 % of a core."""
BUSY_RATIO = 20.0
"""The same if something has changed."""
LONGEST_REST_S = 600.0
LONGEST_BOARD_REST_S = 3600.0
"""The board's step asks whether anything has changed, so it may rest longer than those that have to look."""
SWEEP_S = 15.0
"""Time between two looks for dead runs. With a lease's time, the second look and the worker's next question it adds up
to 109 s; a new process has the rest of 3 minutes to start.
"""
SIGN_S = 60.0
"""Time between two signs of life in the file."""
PAUSED_AGAIN_S = 600.0
"""How often the schedule is paused: `packshot register` switches it on again."""

_log = logging.getLogger("packshot")


class Said(NamedTuple):
    """The result of a regular check that was just made.

    Attributes:
        sentence: the result in words, for the log; empty if there is nothing to say.
        busy: True if more work will come soon; the check's next pause is then short.
    """

    sentence: str
    busy: bool = False


@dataclass
class Step:
    """One of the regular checks, which is done again and again, with a pause after it.

    `steps` and `sweeping` make the steps. The pause is 1,000 times the processor time that the step took, or 20 times
    if something has changed.

    Attributes:
        name: what the step does, for the log.
        work: makes the check, and returns a `Said`: a sentence for the log, and whether something has changed.
        asks: called before each step; returns something that is quickly read and changes when there may be work. If the
            result has changed, the pause is the short one. By default nothing is asked.
        longest_s: the longest pause, in seconds.
    """

    name: str
    work: Callable[[], Said]
    asks: Callable[[], object] = lambda: None
    longest_s: float = LONGEST_REST_S
    _known: object = None
    _taken_at: float = float("-inf")
    _cost_s: float = 0.0
    _busy: bool = False
    _last: str = ""

    def take(self, clock: Callable[[], float], cpu: Callable[[], float]) -> None:
        """Make this check if its pause is over; otherwise do nothing. Nothing is returned.

        If the check has a sentence to say, the sentence is logged, unless it is the same as the last time.

        Args:
            clock: returns a number of seconds that only grows, such as `time.monotonic`.
            cpu: returns the processor seconds that this process has used, such as `time.process_time`.
        Raises:
            Exception: any error of the check or of `asks`, unchanged. The pause does not begin then: the next call
                makes the check again.
        """
        asked = self.asks()
        changed = self._busy or asked != self._known
        rest_s = min(self.longest_s, self._cost_s * (BUSY_RATIO if changed else IDLE_RATIO))
        if clock() - self._taken_at < rest_s:
            return
        begun = cpu()
        said = self.work()
        self._known, self._busy = asked, said.busy
        self._taken_at, self._cost_s = clock(), cpu() - begun
        if said.sentence and said.sentence != self._last:
            _log.info("%s: %s", self.name, said.sentence)
        self._last = said.sentence


def steps() -> tuple[Step, ...]:
    """Return the regular checks that are made one after the other, in their order. None creates a run in Prefect.

    1. Tell people if the last nightly run has not started although it is an hour late (a missing night).
    2. Send the notices again that have not arrived.
    3. Compare the index (the table of all shots) with the shots' records, and repair it.
    4. Take in the files that editors have returned.
    5. Let shots on hold go on for which the client has sent what was missing.
    6. Update the board: the table, in Prefect's pages, of all shots that wait for people. Send notices about those that
       are soon due or overdue.

    The search for dead runs is not in the result, because it has a thread of its own: `sweeping` returns it. `watch`
    makes both.
    """
    told: set[str] = set()
    return (
        Step("look for a night that did not begin", lambda: Said(look_for_missing_night.fn())),
        Step("send notices again", lambda: Said(send_again().sentence), longest_s=FIRST_WAIT_S),
        Step("compare the index with the records", _compare),
        Step("collect returned files", _collect),
        Step("release what has arrived", _release),
        Step("update the board", lambda: Said(update_board.fn(told)), waiting_in_short, LONGEST_BOARD_REST_S),
    )


def sweeping() -> Step:
    """Return the regular check that marks runs whose process has died as crashed, and starts them again.

    `watch` makes it in a thread of its own, about every 15 s. The check itself is not a run in Prefect.
    """
    return Step("end lost runs", lambda: Said(end_lost_runs.fn().sentence), longest_s=SWEEP_S)


def _collect() -> Said:
    found = collect_returned.fn()
    return Said(found.sentence, busy=bool(found.resumed or found.waiting))


def _compare() -> Said:
    """Repair the index where it is behind. Whether it answers is not this step's matter: `packshot doctor` says it."""
    index = shared()
    if index is None:
        return Said("")
    try:
        found = compare_some(index, open_storage())
    except IndexAwayError:
        return Said("the index is away")
    return Said(found.sentence if found.behind else "", busy=bool(found.behind))


def _release() -> Said:
    released = release_holds.fn()
    return Said(f"{len(released)} no longer on hold" if released else "", busy=bool(released))


def watch(ended: threading.Event, *, every_s: float, alive: Path | None = None) -> None:
    """Make the regular checks again and again until `ended` is set. Nothing is returned.

    These are the checks that `steps` lists, one after the other, and in a thread of its own the search for runs whose
    process has died (`sweeping`). If another process makes the checks now, this one waits until that one has ended.
    Errors are logged, not raised: while the storage or Prefect's server is away, the process stays and tries again.
    Meanwhile the schedule of the flow `collect-returned-work`, which makes the same checks, is paused.

    Args:
        ended: the caller sets it, in another thread, to end the checks.
        every_s: pause between two looks whether a check is due, in seconds.
        alive: a file that is touched every minute, for a supervisor that checks its age; None: no file.
    """
    with one_prefect_client():
        schedule, troubles = _Schedule(), Troubles(_log)
        while not ended.is_set():
            try:
                with holding(COLLECTION_LEASE, Patience.NONE) as holder:
                    _watch(ended, holder, every_s, alive, schedule, troubles)
                    schedule.go_on()
            except LeaseHeldError:
                _rest(ended, min(every_s, 10.0), alive)
            except LeaseLostError as lost:
                _log.warning("%s", lost)
                schedule.is_paused = False  # the other process has paused it now
            except Exception as error:  # noqa: BLE001  the storage or the server is away: this process stays, and tries again
                troubles.say("look after the line", error)
                _rest(ended, every_s, alive)
        try:
            schedule.go_on()
        except AWAY as error:
            _log.warning("the schedule of %s stays paused: %s", COLLECT, in_one_line(error))


class _Schedule:
    """The schedule of `collect-returned-work`, which is paused while this process looks after the line.

    It stays paused while the storage or the server is away: runs that were started then would only wait.
    """

    def __init__(self) -> None:
        self.is_paused, self._paused_at = False, float("-inf")

    def pause(self) -> None:
        """Pause the schedule of the flow `collect-returned-work`. Call it often.

        If the schedule was paused here a while ago, it is paused again, in case somebody has switched it on.
        """
        if not self.is_paused or time.monotonic() - self._paused_at > PAUSED_AGAIN_S:
            schedule_runs(COLLECT, active=False)
            self.is_paused, self._paused_at = True, time.monotonic()

    def go_on(self) -> None:
        """Switch the schedule of the flow `collect-returned-work` on again, if this object has paused it.

        Call it while this process still holds its lease (its mark in storage). If the process is killed before, the
        lease that was not released shows that the schedule must be switched on.
        """
        if self.is_paused:
            schedule_runs(COLLECT, active=True)
            self.is_paused = False


def _rest(ended: threading.Event, seconds: float, alive: Path | None) -> None:
    until = time.monotonic() + seconds
    while True:
        if alive is not None:
            alive.touch()
        if ended.wait(max(0.0, min(SIGN_S, until - time.monotonic()))) or time.monotonic() >= until:
            return


def _watch(
    ended: threading.Event,
    holder: Holder,
    every_s: float,
    alive: Path | None,
    schedule: _Schedule,
    troubles: Troubles,
) -> None:
    every, over = steps(), threading.Event()
    args = (_sweep, over, holder, troubles)
    sweeper = threading.Thread(target=copy_context().run, args=args, name="sweep", daemon=True)
    sweeper.start()
    try:
        while not ended.is_set():
            holder.require()
            schedule.pause()
            troubles.over("look after the line")
            if look(every, troubles):
                send_heartbeat()
            _rest(ended, every_s, alive)
    finally:
        over.set()
        sweeper.join(timeout=5)


def _sweep(over: threading.Event, holder: Holder, troubles: Troubles) -> None:
    """Look for dead runs until the event is set, or another process looks after the line."""
    step = sweeping()
    while True:
        try:
            holder.require()
            step.take(time.monotonic, time.process_time)
            troubles.over(step.name)
        except LeaseLostError:
            return
        except Exception as error:  # noqa: BLE001  whatever it is, it looks again
            troubles.say(step.name, error)
        if over.wait(SWEEP_S):
            return


def look(
    every: tuple[Step, ...],
    troubles: Troubles,
    *,
    clock: Callable[[], float] = time.monotonic,
    cpu: Callable[[], float] = time.process_time,
) -> bool:
    """Take every step whose pause is over, even if an earlier one fails; return True if none failed.

    Args:
        every: the steps, in order.
        troubles: logs the error of each step that fails.
        clock: returns seconds that only go forward.
        cpu: returns the processor seconds that this process has used.
    Raises:
        LeaseLostError: another process does the regular checks now.
    """
    well = True
    for step in every:
        try:
            step.take(clock, cpu)
            troubles.over(step.name)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the other steps are taken
            troubles.say(step.name, error)
            well = False
    return well
