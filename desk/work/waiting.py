"""Keep the shots that wait for people in memory, so that no page waits for the index or for Prefect.

The index is the table of all shots. The index returns the waiting shots with the ETag of each record
(`tasks.queries.asking`). Only rows whose ETag has changed are read. Prefect returns the waiting runs. A shot without a
waiting run cannot be answered, so it is in no list. The runs are read again if a row has changed, or the number of
runs, or the newest one. Without any change they are still read from time to time.
"""

from __future__ import annotations

import dataclasses
import heapq
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath

from prefect.client.schemas.objects import FlowRun

from desk.access.roles import Person
from desk.work.showing import in_words, sent_back_of
from packshot.blind import is_blind
from packshot.errors import RecordDamagedError
from packshot.handoff.board import Wait, wait_of
from packshot.handoff.sla import Urgency, urgency
from packshot.naming import ShotId
from packshot.record import WAITING, ShotRecord, State
from packshot.specs.handoff import HandoffConfig
from packshot.types import weight_of
from tasks.environment.style_guides import promise_shown
from tasks.index.database import shared
from tasks.queries.asking import changed_records, mark_of
from tasks.records.bookkeeping import now
from tasks.records.stored import find_record
from tasks.runs.resuming import how_many_wait, shot_of_run, waiting_run_of, waiting_runs

ALL_ANEW = timedelta(minutes=30)
"""So often all is read anew, whatever has changed: clients' promises change, and runs may change in pairs."""
RUNS_ASKED = timedelta(seconds=60)
"""So often Prefect is asked whether other runs wait, if no row has changed: a run may have ended by itself."""
SETTLING = timedelta(seconds=60)
"""For so long after a row has changed Prefect is asked in every round: a shot's run comes and goes beside its row."""
COMPARED = timedelta(seconds=60)
"""So often a desk without a shared index compares its own, if no other runs wait: that costs a listing."""
PATIENCE_S = 1.0
NOTHING_TOLD = 4
"""Weight of a shot whose checks all passed."""


AGES: Mapping[str, str] = {
    "4": "over 4 hours",
    "24": "over a day",
    "72": "over 3 days",
    "168": "over a week",
}
"""Ages by which lists can be filtered: hours in an address -> how a page words them; the daily report counts so."""


class Queue(StrEnum):
    """A list of waiting shots.

    Values:
        REVIEW: shots whose edit by the machine a reviewer has to judge.
        SIGN_OFF: shots whose work by an editor a senior has to judge.
        EDITOR_JOBS: shots that wait for an editor.
        ON_HOLD: shots that wait for something from their client.
        OVERDUE: shots of all other lists whose due time is past.
    """

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
LOOKED_AT = (Queue.REVIEW, Queue.SIGN_OFF, Queue.EDITOR_JOBS)
"""Lists whose pictures people look at closely."""


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting shot, as a list at the desk shows it.

    Attributes:
        shot: the shot.
        wait: who has to act, since when and until when.
        category: product category; empty if it is not known.
        product: SKU, ASIN or GTIN; empty if it is not known.
        names: what a search looks through, as one text in small letters, with blanks between: CLIENT/BATCH/SHOT, name
            of the client's file, SKU, ASIN and GTIN.
        worst, worst_code: the most important finding, as a sentence and as its code; empty in a blind review.
        weight: rank of that finding; the smallest number is the most important. A blind review gets the smallest, so
            that its place in the list reveals nothing.
        stops: True if that finding stops approval.
        todo: what an editor has to do, as one text: the services of the job with commas, or the reason and the words of
            the last decision. Empty unless the shot waits for an editor.
        soon_hours: the shot counts as "soon due" from this many hours before its due time.
        blind: True in a blind review.
        run: id of Prefect's run that waits for the answer; empty if it is not known.
    """

    shot: ShotId
    wait: Wait
    category: str
    product: str
    names: str
    worst: str
    worst_code: str
    weight: int
    stops: bool
    soon_hours: float
    blind: bool = False
    run: str = ""
    todo: str = ""

    @property
    def name(self) -> str:
        """The shot's id as text: CLIENT/BATCH/SHOT."""
        return str(self.shot)

    def urgency_at(self, at: datetime) -> Urgency:
        """Return how near the shot's due time is at a moment: far (in time), near (soon due) or past (overdue).

        Args:
            at: the moment.
        """
        return urgency(self.wait.due, at=at, soon_hours=self.soon_hours)


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """The filters that a person has set for a list of waiting shots. An empty filter lets all shots pass.

    Attributes:
        client, batch: only shots of the client, and of the batch, with this name.
        category: only shots of this product category.
        finding: only shots whose most important finding has this code, such as ``fringe_width``. Blind reviews, whose
            findings are hidden, are always in the list. If they were missing, people could tell which shots they are.
        person: only shots that this person edited, whose job the person has taken, or that the person has open. The
            name must be spelled exactly as in the record.
        age: only shots that have waited in their present state for at least so many hours: ``4``, ``24``, ``72`` or
            ``168``.
    """

    client: str = ""
    batch: str = ""
    category: str = ""
    finding: str = ""
    person: str = ""
    age: str = ""

    def takes(self, one: Waiting, *, at: datetime, opened_by: str = "") -> bool:
        """Return whether a waiting shot passes all filters at a moment.

        Args:
            one: the waiting shot.
            at: the moment.
            opened_by: the person who has the shot open; empty if nobody has.
        """
        people = {*one.wait.editors, one.wait.with_whom, opened_by}
        return (
            self.client in ("", one.shot.client)
            and self.batch in ("", one.shot.batch)
            and self.category in ("", one.category)
            and (one.blind or self.finding in ("", one.worst_code))
            and (not self.person or self.person in people)
            and (not self.age or at - one.wait.since >= timedelta(hours=float(self.age)))
        )


class WaitingShots:
    """The store of all shots that wait for people, as the desk last read them from the index (a database table of all
    shots) and from Prefect. It is in the memory of the desk's process.

    The shots are read again every few seconds, in the background. So no page waits for the index or for Prefect.

    Attributes:
        refreshed_at: when the last round ended that succeeded; None before the first.
        version: a number that grows with each change of the lists.
    """

    def __init__(self) -> None:
        """Begin empty; `refresh` fills it."""
        self._rounds = threading.Lock()
        self._found: dict[str, Waiting] = {}
        self._rows: dict[str, Waiting | None] = {}
        self._etags: Mapping[str, str] = {}
        self._runs: dict[str, str] = {}
        self._asked: object = None
        self._mark: object = None
        self._anew_at = self._asked_at = self._changed_at = self._compared_at = datetime.min.replace(tzinfo=UTC)
        self.refreshed_at: datetime | None = None
        self.version = 0

    def refresh(self) -> int:
        """Read again which shots and runs wait, as far as something has changed; return how many shots were read.

        If the storage or Prefect can't be reached, their errors are raised (TransientError, OSError, httpx.HTTPError or
        PrefectException), and the lists stay as they were.
        """
        with self._rounds:
            at, read = now(), 0
            anew, alone, asked = at - self._anew_at > ALL_ANEW, shared() is None, self._asked
            if anew or alone or at - self._changed_at <= SETTLING or at - self._asked_at > RUNS_ASKED:
                asked, self._asked_at = how_many_wait(), at
            others, mark = anew or asked != self._asked, mark_of(WAITING)
            if others or (mark != self._mark if mark is not None else not alone or at - self._compared_at > COMPARED):
                changed, self._compared_at = changed_records(WAITING, {} if anew else self._etags), at
                self._mark = mark
                if anew or changed.etags != self._etags:
                    others, self._changed_at, read = True, at, len(changed.records)
                    rows = {name: one for name, one in self._rows.items() if name in changed.etags}
                    self._rows, self._etags = {**rows, **_rows(changed.records)}, changed.etags
            if others:
                self._asked = None  # if this fails, the next round asks again
                self._runs, self._asked = _runs(), asked
                self._anew_at = at if anew else self._anew_at
                self._show()
            self.refreshed_at = now()
            return read

    def look_again(self, shot: ShotId) -> None:
        """Read one shot and its run again at once, because somebody has answered.

        The shot leaves the lists if it doesn't wait any more.

        Args:
            shot: the shot.
        """
        with self._rounds:
            run, name = waiting_run_of(shot), str(shot)
            self._runs = {other: one for other, one in self._runs.items() if other != name}
            if run is not None:
                self._runs[name] = str(run.id)
                self._read(shot)
            self._show()

    def read_again(self, shot: ShotId) -> None:
        """Read the record of a waiting shot again at once, because its job was taken or given back.

        If a long round of reading is going on, nothing happens: a later round finds the change.

        Args:
            shot: the shot.
        """
        if not self._rounds.acquire(timeout=PATIENCE_S):
            return
        try:
            if str(shot) in self._found:
                self._read(shot)
                self._show()
        finally:
            self._rounds.release()

    def all(self) -> list[Waiting]:
        """Return every shot that waits for a person, in no order."""
        return list(self._found.values())

    def first(self, many: int, *, but: Collection[str]) -> list[Waiting]:
        """Return the shots with which people begin: the first `many` of each list, most urgent first.

        The lists are those of reviews, sign-offs and editors' jobs, one after the other.

        Args:
            many: number of shots of each list.
            but: shots (CLIENT/BATCH/SHOT) that are left out, because somebody has just decided about them.
        """
        left = [one for one in self._found.values() if one.name not in but]
        return [
            one
            for queue in LOOKED_AT
            for one in heapq.nsmallest(many, (one for one in left if one.wait.state in STATES[queue]), key=_order)
        ]

    def find(self, shot: ShotId) -> Waiting | None:
        """Return a waiting shot; None if it doesn't wait, or if no round of reading has seen it yet.

        Args:
            shot: the shot.
        """
        return self._found.get(str(shot))

    def _read(self, shot: ShotId) -> None:
        """Read a record itself; the next round takes its row again."""
        record, name = record_of(shot), str(shot)
        self._rows = {**self._rows, name: waiting(record, promise=promise_shown(shot.client)) if record else None}
        self._etags, self._mark = {other: etag for other, etag in self._etags.items() if other != name}, None

    def _show(self) -> None:
        self._found = {
            name: dataclasses.replace(one, run=self._runs[name])
            for name, one in self._rows.items()
            if one is not None and name in self._runs
        }
        self.version += 1


def _runs() -> dict[str, str]:
    """Return the waiting shots with the ids of their runs; of several runs of a shot, the last one is answered."""
    newest: dict[str, FlowRun] = {}
    for run in waiting_runs():
        name = str(shot_of_run(run))
        newest[name] = max(newest.get(name, run), run, key=lambda one: (str(one.created or ""), str(one.id)))
    return {name: str(run.id) for name, run in newest.items()}


def _rows(records: Iterable[ShotRecord]) -> dict[str, Waiting | None]:
    promises: dict[str, HandoffConfig] = {}
    found = {}
    for record in records:
        client = record.shot.client
        if client not in promises:
            promises[client] = promise_shown(client)
        found[str(record.shot)] = waiting(record, promise=promises[client])
    return found


def waiting(record: ShotRecord, *, promise: HandoffConfig) -> Waiting | None:
    """Return a shot's entry in the desk's lists; None if the shot doesn't wait for a person.

    Args:
        record: the shot's record.
        promise: the client's rules of people's work, with the due times.
    """
    wait = wait_of(record, at=now(), promise=promise)
    if wait is None:
        return None
    blind = is_blind(record)
    worst = None if blind else record.worst_finding
    return Waiting(
        shot=record.shot,
        wait=wait,
        category=record.fact("category"),
        product=record.product,
        names=_names_of(record),
        worst=worst.message if worst else "",
        worst_code=worst.code if worst else "",
        weight=0 if blind else weight_of(worst) if worst else NOTHING_TOLD,
        stops=worst is not None and worst.stops_approval,
        soon_hours=promise.soon_hours,
        blind=blind,
        todo=_todo(record),
    )


def _todo(record: ShotRecord) -> str:
    """Return in words what an editor has to do; empty unless the shot waits for one."""
    if record.state is not State.AWAITING_EDITOR:
        return ""
    back = sent_back_of(record)
    if back is None:
        return ", ".join(in_words(one) for one in record.reports.get("job", {}).get("services", ()))
    asked = "; ".join(filter(None, [back.note, *(one.text for one in back.marks)]))
    return f"{in_words(back.reason)}: {asked}" if asked else in_words(back.reason)


def _names_of(record: ShotRecord) -> str:
    facts = (record.fact(name) for name in ("sku", "asin", "gtin"))
    return " ".join([str(record.shot), PurePosixPath(record.source.key).name, *filter(None, facts)]).casefold()


def in_order(shots: Iterable[Waiting]) -> list[Waiting]:
    """Return waiting shots in the order of a list: the most urgent first.

    They are sorted by the hour in which they are due, then by the importance of their worst finding, then by due time
    and name.
    """
    return sorted(shots, key=_order)


def _order(one: Waiting) -> tuple[datetime, int, datetime, str]:
    return one.wait.due.replace(minute=0, second=0, microsecond=0), one.weight, one.wait.due, one.name


def in_queue(shots: Iterable[Waiting], queue: Queue, *, person: Person, at: datetime) -> list[Waiting]:
    """Return those waiting shots that belong to a list and that a person may see, in the given order.

    Args:
        shots: the shots to choose from.
        queue: the list to which the shots must belong.
        person: who is signed in.
        at: the present time; it decides which shots are overdue.
    """
    return [
        one
        for one in shots
        if one.wait.state in STATES[queue]
        and person.sees(one.wait.state)
        and (queue is not Queue.OVERDUE or one.urgency_at(at) is Urgency.OVERDUE)
    ]


def queues_of(person: Person) -> tuple[Queue, ...]:
    """Return the lists (queues) in which a person may see shots, at least one for each role, in the order of `Queue`.

    Args:
        person: who is signed in.
    """
    return tuple(queue for queue, states in STATES.items() if any(person.sees(state) for state in states))


def values_of(shots: Iterable[Waiting]) -> Mapping[str, list[str]]:
    """Return the values that each filter of a list can have: name of the filter -> values, the most frequent first.

    The filters are ``client``, ``batch``, ``category``, ``finding`` and ``person``.

    Args:
        shots: the waiting shots in the list.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("client", "batch", "category", "finding", "person")}
    for one in shots:
        counts["client"][one.shot.client] += 1
        counts["batch"][one.shot.batch] += 1
        counts["category"][one.category] += 1
        counts["finding"][one.worst_code] += 1
        counts["person"].update({*one.wait.editors})
    return {name: [value for value, _ in found.most_common() if value] for name, found in counts.items()}


def record_of(shot: ShotId) -> ShotRecord | None:
    """Return a shot's record as it is now; None if there is none, or if it can't be read.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    try:
        return find_record(shot)
    except RecordDamagedError:
        return None
