"""Change a shot's record while a stage works on the shot.

Each state that the shot reaches becomes an event in its record. An error becomes an event, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, TypedDict

from prefect import Task
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State as PrefectState
from prefect.client.schemas.objects import TaskRun
from prefect.runtime import flow_run
from prefect.tasks import exponential_backoff

from packshot import PIPELINE_VERSION
from packshot.errors import PackshotError
from packshot.naming import ShotId
from packshot.record import MACHINE, ShotRecord, State
from packshot.types import Finding, Sourced
from tasks.records.stored import Held, change_held, change_record
from tasks.results.cache_keys import FIRST_PAUSE_S, JITTER, RETRIES, is_transient, may_pass


class BookkeepingOptions(TypedDict):
    """Options of Prefect's ``@task`` for tasks that read or write the current state of records.

    Such tasks are never cached: they run each time. Transient errors are retried. The one instance is `ALWAYS`; the
    fields are parameters of Prefect's ``task``.
    """

    retries: int
    retry_delay_seconds: Callable[[int], list[float]]
    retry_jitter_factor: float
    retry_condition_fn: Callable[[Task[..., Any], TaskRun, PrefectState[Any]], bool]
    cache_policy: CachePolicy
    persist_result: bool


ALWAYS = BookkeepingOptions(
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(FIRST_PAUSE_S),
    retry_jitter_factor=JITTER,
    retry_condition_fn=is_transient,
    cache_policy=NO_CACHE,
    persist_result=False,
)
"""Options for tasks that depend on the current state: never cached, retried for transient errors."""

_RANKS = {
    State.RECEIVED: 0,
    State.MASTERED: 1,
    State.ROUTED: 2,
    State.ON_HOLD: 3,
    State.EDITING_AUTO: 4,
    State.SCORED: 5,
    State.IN_REVIEW: 6,
    State.REDO: 6,
    State.AWAITING_EDITOR: 7,
    State.RETURNED: 8,
    State.AWAITING_SIGNOFF: 9,
    State.APPROVED: 10,
    State.EXPORTED: 11,
    State.VERIFIED: 12,
    State.DELIVERED: 13,
}
"""Position of each state on the line. A repeated stage finds its shot further on, and then adds no event."""


def now() -> datetime:
    """Return the present time, with the time zone UTC."""
    return datetime.now(UTC)


def actor() -> str:
    """Return who acts now, as the events of records name it: ``flow run <id>``, or ``command line`` outside a run."""
    return f"flow run {flow_run.id}" if flow_run.id else "command line"


class Life:
    """One shot's record while one stage works on the shot. `living` makes it.

    Attributes:
        shot: the shot.
        known: the record with its ETag, as this object last read or wrote it; None before that. With it, the next
            change needs no read.
    """

    def __init__(self, shot: ShotId, *, stage: str = "", known: Held | None = None) -> None:
        """Begin, and start to measure the stage's time. Nothing is read yet.

        Args:
            shot: the shot whose record will be changed.
            stage: name under which the record keeps the time taken, such as ``edit``; empty: no time is kept.
            known: the shot's record with its ETag, if it was just read; None: it is read when it is needed.
        """
        self.shot = shot
        self.known = known
        self._stage, self._begun_s = stage, time.monotonic()
        self._held = ExitStack()

    def hold(self, what: AbstractContextManager[None]) -> None:
        """Enter a context manager now, and stay in it until the stage ends, or until `let_go` is called.

        Args:
            what: the context manager; for example `room_for`, which holds memory for the shot.
        """
        self._held.enter_context(what)

    def let_go(self) -> None:
        """Leave all context managers that `hold` has entered, the last one first."""
        self._held.close()

    @property
    def record(self) -> ShotRecord:
        """The shot's record as this object last read or wrote it. At the first use it is read from storage."""
        return self._changed(lambda record: record) if self.known is None else self.known.record

    def revive(self) -> None:
        """Put a failed shot's record back into the state in which it failed.

        A shot that has not failed stays as it is.

        Raises:
            ObjectMissingError: the shot has no record.
            RecordDamagedError: the record can't be read.
            LeaseLostError: this run worked on the batch, and another run has taken it over.
        """
        self._changed(lambda record: revived(record, by=actor()))

    def _changed(self, change: Callable[[ShotRecord], ShotRecord]) -> ShotRecord:
        self.known = change_held(self.shot, change, self.known)
        return self.known.record

    def reach(
        self,
        *states: State,
        why: str,
        facts: Mapping[str, Sourced] | None = None,
        source_sha256: str = "",
        plan_fingerprint: str = "",
        findings: tuple[Finding, ...] = (),
        reports: Mapping[str, Mapping[str, Any]] | None = None,
        objects: Mapping[str, str] | None = None,
        who: str = "",
    ) -> ShotRecord:
        """Move the record through some states in one conditional write, and return the record as it is then.

        If the shot had failed, its record is first put back into the state in which it failed. A state that the shot is
        in or has passed is left out, because a repeated stage must not write an event twice; everything else is always
        stored.

        Args:
            states: the states to reach, in order.
            why: reason in words, for people.
            facts: what is known about the photograph, each with its source, in place of the record's own; None: those
                stay.
            source_sha256: hash of the client's original, in place of the record's own; empty: that stays.
            plan_fingerprint: hash of the shot's plan, in place of the record's own; empty: that stays.
            findings: added to those of the record.
            reports: what stages found, as plain JSON by the report's name; a report of the same name is replaced.
            objects: SHA-256 of stored objects by name, such as ``edit.tif``; added to those of the record.
            who: name of the person who acts; empty means Packshot itself.
        Raises:
            IllegalTransitionError: one of `states` may not follow the state before it.
            LeaseLostError: this run worked on the batch, and another run has taken it over.
            RecordConflictError: others kept changing the record for a minute.
        """

        def change(record: ShotRecord) -> ShotRecord:
            written: dict[str, Any] = {"pipeline_version": PIPELINE_VERSION}
            if facts is not None:
                written["facts"] = facts
            if source_sha256:
                written["source"] = record.source.model_copy(update={"sha256": source_sha256})
            if plan_fingerprint:
                written["plan_fingerprint"] = plan_fingerprint
            changed = revived(record, by=who or actor()).model_copy(update=written)
            for state in states:
                if _is_past(changed.state, state):
                    continue
                changed = changed.advance(state, at=now(), actor=who or actor(), why=why)
            return changed.model_copy(
                update={
                    "findings": tuple(dict.fromkeys((*changed.findings, *findings))),
                    "reports": {**changed.reports, **(reports or {}), **self._time_taken(changed)},
                    "objects": {**changed.objects, **(objects or {})},
                }
            )

        return self._changed(change)

    def _time_taken(self, record: ShotRecord) -> dict[str, Any]:
        """Return the record's report on times, with this stage's time so far, in seconds."""
        if not self._stage:
            return {}
        taken = {"seconds": round(time.monotonic() - self._begun_s, 3), "at": now().isoformat()}
        return {MACHINE: {**record.reports.get(MACHINE, {}), self._stage: taken}}


def revived(record: ShotRecord, *, by: str) -> ShotRecord:
    """Return a failed shot's record in the state in which it failed; any other record unchanged. Nothing is stored.

    Args:
        by: who tries again, as the new event names it: ``flow run <id>``, ``command line``, or a person.
    """
    if record.failed_from is None:
        return record
    return record.advance(record.failed_from, at=now(), actor=by, why="tried again")


def _is_past(present: State, wanted: State) -> bool:
    if present is wanted:
        return True
    return present in _RANKS and wanted in _RANKS and _RANKS[present] > _RANKS[wanted]


@contextmanager
def living(shot: ShotId, *, stage: str = "", known: Held | None = None) -> Iterator[Life]:
    """Return a context manager for one stage's work on a shot.

    The context manager yields a `Life`, which changes the shot's record.

    If the shot has failed before, its record is first put back into the state in which it failed; so a stage never sees
    a failed shot. An error in the block is written into the record as its reason for failing, and is raised again. That
    holds for transient errors too: if a retry succeeds, the shot goes on from the state in which it failed. If another
    run or a person has meanwhile taken the shot to another state, the shot stays in that state, and is not marked as
    failed.

    Args:
        stage: name under which the record keeps the time taken, such as ``edit``; empty: no time is kept.
        known: the shot's record with its ETag, if it was just read; None: it is read.
    Raises:
        ObjectMissingError: the shot has no record.
        RecordDamagedError: the record can't be read.
        LeaseLostError: this run worked on the batch, and another run has taken it over.
    """
    life = Life(shot, stage=stage, known=known)
    try:
        life.revive()
        yield life
    except Exception as error:
        _write_failure(life, error)
        raise
    finally:
        life.let_go()


def _write_failure(life: Life, error: Exception) -> None:
    known = life.known.record.state if life.known else None
    why = str(error) if isinstance(error, PackshotError) else f"{type(error).__name__}: {error}"

    def fail(record: ShotRecord) -> ShotRecord:
        if record.state is State.FAILED:
            return record
        if known is not None and record.state is not known and record.events[-1].actor != actor():
            return record
        return record.advance(State.FAILED, at=now(), actor=actor(), why=why, passing=may_pass(error))

    try:
        change_record(life.shot, fail)
    except PackshotError:
        return  # the storage itself fails; the task run reports the error, the record keeps its state
