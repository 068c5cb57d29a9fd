"""The shots that wait for people, kept in memory, so that no page reads all records.

The waiting runs in Prefect tell which shots wait. A shot's record is read if its run is new or has another state than
before, at most a few hundred in one round. In each round a few of the other records are read, too, in turn: some
changes show in no run, such as a job that somebody took. A page reads no record.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import PurePosixPath

from prefect.client.schemas.objects import FlowRun

from desk.roles import Person
from packshot.errors import RecordDamagedError
from packshot.handoff.board import Wait, wait_of
from packshot.handoff.sla import Urgency, urgency
from packshot.learning.audits import is_blind
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from packshot.specs.handoff import HandoffConfig
from packshot.types import weight_of
from tasks.lives import now
from tasks.records import find_record, load_records
from tasks.resuming import shot_of_run, waiting_run_of, waiting_runs
from tasks.style_guides import promise_shown

AT_ONCE = 200
"""Records that are read before what they say is shown."""
LOOKED_AT_AGAIN = 20
"""Records per round that are read although their run is the same as before."""
PATIENCE_S = 1.0
NOTHING_TOLD = 4
"""Weight of a shot whose checks all passed."""


class Queue(StrEnum):
    """A list of waiting shots."""

    REVIEW = "review"
    SIGN_OFF = "sign-off"
    EDITOR_JOBS = "editor-jobs"
    ON_HOLD = "on-hold"
    OVERDUE = "overdue"


STATES: Mapping[Queue, frozenset[State]] = {
    Queue.REVIEW: frozenset({State.IN_REVIEW}),
    Queue.SIGN_OFF: frozenset({State.AWAITING_SIGNOFF}),
    Queue.EDITOR_JOBS: frozenset({State.AWAITING_EDITOR}),
    Queue.ON_HOLD: frozenset({State.ON_HOLD}),
    Queue.OVERDUE: frozenset({State.IN_REVIEW, State.AWAITING_SIGNOFF, State.AWAITING_EDITOR, State.ON_HOLD}),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting shot, as a list shows it.

    Attributes:
        names: the texts that a search looks at, in small letters.
        version: ids of its run and of the run's state when its record was read.
        worst, worst_code: the weightiest finding, as a sentence and as its code; empty in a blind review.
        weight: the rank of that finding; the smallest comes first in the list. A blind review has the rank of the
            weightiest findings, so that its place in the list gives nothing away.
        stops: whether that finding stops approval.
        soon_hours: how many hours before its due time the shot counts as soon due.
    """

    shot: ShotId
    version: tuple[str, str]
    wait: Wait
    category: str
    product: str
    names: str
    worst: str
    worst_code: str
    weight: int
    stops: bool
    soon_hours: float

    @property
    def name(self) -> str:
        return str(self.shot)

    def urgency_at(self, at: datetime) -> Urgency:
        """Return whether the due time is far, near or past at a moment."""
        return urgency(self.wait.due, at=at, soon_hours=self.soon_hours)


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a list. An empty one lets all shots pass.

    Attributes:
        person: somebody who edited the shot, who has taken the job, or who has the shot open.
    """

    client: str = ""
    batch: str = ""
    category: str = ""
    finding: str = ""
    person: str = ""

    def takes(self, one: Waiting, *, opened_by: str = "") -> bool:
        """Return whether a shot passes the filters."""
        people = {*one.wait.editors, one.wait.with_whom, opened_by}
        return (
            self.client in ("", one.shot.client)
            and self.batch in ("", one.shot.batch)
            and self.category in ("", one.category)
            and self.finding in ("", one.worst_code)
            and (not self.person or self.person in people)
        )


class WaitingShots:
    """All shots that wait, as of the last round."""

    def __init__(self) -> None:
        """Begin empty; `refresh` fills it."""
        self._rounds = threading.Lock()
        self._found: dict[str, Waiting | None] = {}
        self._versions: dict[str, tuple[str, str]] = {}
        self._next = 0
        self.refreshed_at: datetime | None = None

    def refresh(self) -> int:
        """Update the list from Prefect and from the records that may have changed. Return how many were read."""
        with self._rounds:
            newest: dict[str, FlowRun] = {}
            for run in waiting_runs():
                name = str(shot_of_run(run))
                newest[name] = max(newest.get(name, run), run, key=_age)
            runs = {name: (shot_of_run(run), (str(run.id), str(run.state_id))) for name, run in newest.items()}
            self._found = {name: one for name, one in self._found.items() if name in runs}
            changed = [name for name, (_, version) in runs.items() if self._versions.get(name) != version]
            names = [*changed, *self._in_turn(set(runs) - set(changed))]
            promises: dict[str, HandoffConfig] = {}
            for some in _by(AT_ONCE, names):
                self._read({name: runs[name] for name in some}, promises)
            self._versions = {name: version for name, (_, version) in runs.items()}
            self.refreshed_at = now()
            return len(names)

    def look_again(self, shot: ShotId) -> None:
        """Read one shot again, because somebody has answered."""
        with self._rounds:
            run = waiting_run_of(shot)
            if run is None:
                self._found = {name: one for name, one in self._found.items() if name != str(shot)}
                self._versions.pop(str(shot), None)
            else:
                version = (str(run.id), str(run.state_id))
                self._read({str(shot): (shot, version)}, {})
                self._versions[str(shot)] = version

    def read_again(self, shot: ShotId) -> None:
        """Read the record of a waiting shot again. Use it for a change that shows in no run, such as who took the job.

        If a round is going on that takes long, a later round reads the record.
        """
        if not self._rounds.acquire(timeout=PATIENCE_S):
            return
        try:
            if str(shot) in self._found:
                self._read({str(shot): (shot, self._versions.get(str(shot), ("", "")))}, {})
        finally:
            self._rounds.release()

    def all(self) -> list[Waiting]:
        """Return every waiting shot, in no order."""
        return [one for one in self._found.values() if one is not None]

    def find(self, shot: ShotId) -> Waiting | None:
        """Return a waiting shot; None if it doesn't wait, or if no round has seen it yet."""
        return self._found.get(str(shot))

    def _in_turn(self, names: Collection[str]) -> list[str]:
        order = sorted(names)
        some = [order[(self._next + step) % len(order)] for step in range(min(LOOKED_AT_AGAIN, len(order)))]
        self._next = (self._next + len(some)) % max(1, len(order))
        return some

    def _read(self, runs: Mapping[str, tuple[ShotId, tuple[str, str]]], promises: dict[str, HandoffConfig]) -> None:
        """Read some records and show what they say."""
        found: dict[str, Waiting | None] = dict.fromkeys(runs)
        for record in load_records(shot for shot, _ in runs.values()):
            client = record.shot.client
            if client not in promises:
                promises[client] = promise_shown(client)
            found[str(record.shot)] = waiting(record, version=runs[str(record.shot)][1], promise=promises[client])
        self._found = {**self._found, **found}


def _age(run: FlowRun) -> tuple[str, str]:
    """Return what the runs of one shot are ordered by; the last one is the one that is answered."""
    return (str(run.created or ""), str(run.id))


def waiting(record: ShotRecord, *, version: tuple[str, str], promise: HandoffConfig) -> Waiting | None:
    """Return a shot as a list shows it; None if it doesn't wait for a person."""
    wait = wait_of(record, at=now(), promise=promise)
    if wait is None:
        return None
    blind = record.state is State.IN_REVIEW and is_blind(record)
    worst = None if blind else record.worst_finding
    return Waiting(
        shot=record.shot,
        version=version,
        wait=wait,
        category=record.fact("category"),
        product=record.product,
        names=_names_of(record),
        worst=worst.message if worst else "",
        worst_code=worst.code if worst else "",
        weight=0 if blind else weight_of(worst) if worst else NOTHING_TOLD,
        stops=worst is not None and worst.stops_approval,
        soon_hours=promise.soon_hours,
    )


def _names_of(record: ShotRecord) -> str:
    facts = (record.fact(name) for name in ("sku", "asin", "gtin"))
    return " ".join([str(record.shot), PurePosixPath(record.source.key).name, *filter(None, facts)]).casefold()


def in_order(shots: Iterable[Waiting]) -> list[Waiting]:
    """Return shots sorted by the hour in which they are due, then by their weightiest finding, then by name."""
    return sorted(
        shots,
        key=lambda one: (one.wait.due.replace(minute=0, second=0, microsecond=0), one.weight, one.wait.due, one.name),
    )


def in_queue(shots: Iterable[Waiting], queue: Queue, *, person: Person, at: datetime) -> list[Waiting]:
    """Return those shots of a queue that a person may see, in no order."""
    return [
        one
        for one in shots
        if one.wait.state in STATES[queue]
        and person.sees(one.wait.state)
        and (queue is not Queue.OVERDUE or one.urgency_at(at) is Urgency.OVERDUE)
    ]


def queues_of(person: Person) -> tuple[Queue, ...]:
    """Return the queues in which a person can see anything."""
    return tuple(queue for queue, states in STATES.items() if any(person.sees(state) for state in states))


def values_of(shots: Iterable[Waiting]) -> Mapping[str, list[str]]:
    """Return what each filter can be set to, the most frequent first."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("client", "batch", "category", "finding", "person")}
    for one in shots:
        counts["client"][one.shot.client] += 1
        counts["batch"][one.shot.batch] += 1
        counts["category"][one.category] += 1
        counts["finding"][one.worst_code] += 1
        counts["person"].update({*one.wait.editors})
    return {name: [value for value, _ in found.most_common() if value] for name, found in counts.items()}


def record_of(shot: ShotId) -> ShotRecord | None:
    """Return a shot's record as it is now; None if there is none that can be read."""
    try:
        return find_record(shot)
    except RecordDamagedError:
        return None


def _by(count: int, names: Iterable[str]) -> Iterator[list[str]]:
    left = iter(names)
    while some := list(islice(left, count)):
        yield some
