"""Publish the board (a table of all shots that wait for people), and send notices about those soon due or overdue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType

from packshot.handoff import late
from packshot.handoff.board import Wait, in_order, wait_of
from packshot.handoff.sla import Urgency
from packshot.naming import ShotId
from packshot.record import WAITING, ShotRecord
from tasks.deliveries.late_deliveries import Waiting, gathered
from tasks.environment.style_guides import promise_shown
from tasks.queries.asking import waiting_records
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import load_records
from tasks.runs.resuming import how_many_wait, human_edits, shot_of_run, waiting_runs
from tasks.runs.suspended import run_name
from tasks.telling.artifacts import table_artifact_if_new
from tasks.telling.notices import tell

BOARD = "board"
_AT_ONCE = 200
_FAILED = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED]))
_TOLD = {Urgency.SOON_DUE: "soon_due", Urgency.OVERDUE: "overdue"}


def waits(*, client: str = "", batch: str = "") -> list[tuple[ShotRecord, Wait]]:
    """Return the shots that wait for a person, the earliest due first, each as (its record, who has to act until when).

    Only shots about which a person is asked are in it: those that have a suspended run. The record is in short form:
    most facts, most measurements and the findings that passed are left out.

    Args:
        client, batch: only shots of this client, or of batches with this name; empty means all.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    tags = [f"{name}:{value}" for name, value in (("client", client), ("batch", batch)) if value]
    asked = {str(shot_of_run(run)) for run in waiting_runs(tags)}
    known = waiting_records(WAITING, client=client, batch=batch) if asked else []
    records = {str(one.shot): one for one in known if str(one.shot) in asked}
    at = now()
    promises = {name: promise_shown(name) for name in {one.shot.client for one in records.values()}}
    found = {
        name: wait
        for name, one in records.items()
        if (wait := wait_of(one, at=at, promise=promises[one.shot.client])) is not None
    }
    return [(records[_name(one)], one) for one in in_order(found.values())]


def stuck(waiting: Collection[str]) -> list[tuple[ShotRecord, FlowRun]]:
    """Return the shots that wait for a person although nobody is asked, each as (its record, its failed run).

    The run that should ask has failed, and must be retried. The shots are sorted by client, batch and name. The result
    is empty if there are none.

    Args:
        waiting: names of the shots that have a waiting run, such as ``acme/spring/BTL201_MAIN``. A failed run of such a
            shot is older and doesn't count.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    unasked = [one.shot for one in waiting_records(WAITING) if str(one.shot) not in waiting]
    runs = {str(shot_of_run(run)): run for run in _failed_runs(unasked)}
    records = load_records(shot for shot in unasked if str(shot) in runs)
    return [(one, runs[str(one.shot)]) for one in records if one.state in WAITING]


def _failed_runs(shots: Sequence[ShotId]) -> Iterator[FlowRun]:
    """Yield the failed runs about some shots: those of all others, which years of nights leave behind, are not read."""
    for start in range(0, len(shots), _AT_ONCE):
        names = [run_name(one) for one in shots[start : start + _AT_ONCE]]
        with get_client(sync_client=True) as client:
            yield from human_edits(client, FlowRunFilter(state=_FAILED, name=FlowRunFilterName(any_=names)))


def waiting_in_short() -> object:
    """Return a value that changes when a shot begins to wait for a person, or stops waiting. Compare it with ``==``.

    It costs two requests, however many shots wait.
    """
    return how_many_wait()


def _name(wait: Wait) -> str:
    return f"{wait.client}/{wait.batch}/{wait.shot}"


@task(name="update the board", task_run_name="update the board", **ALWAYS)
def update_board(told: set[str] | None = None) -> str:
    """Return a summary of the board of waiting shots, such as "5 wait, 1 soon due, 2 overdue".

    The board is a table in Prefect's UI; it is written again if it has changed. Besides the shots that wait for people,
    it lists shots whose run has failed before it could ask, and approved shots that wait for a later delivery. The
    summary counts these too, if there are any. People get one notice about each shot that is soon due, and one when it
    is overdue.

    Args:
        told: pass the same set in each call, empty at first. The function adds a text for each notice that was sent,
            and looks there before it asks the storage. That only saves requests: a mark in storage makes sure that each
            notice is sent once. None: the storage is always asked.
    """
    known = set() if told is None else told
    found = waits()
    failed = stuck({_name(one) for _, one in found})
    approved = gathered()
    rows = [*(_stuck_row(*one) for one in failed), *map(_gathered_row, approved), *(_row(one) for _, one in found)]
    sentence = in_words(one for _, one in found)
    if failed:
        sentence += f"; {len(failed)} whose run failed"
    if approved:
        sentence += f"; {sum(len(one.shots) for one in approved)} approved and gathered for the next delivery"
    table_artifact_if_new(rows, key=BOARD, description=sentence)
    for record, wait in found:
        once = f"{_name(wait)} {wait.urgency} {wait.due:%Y%m%dT%H%M%S}"
        if wait.urgency in _TOLD and once not in known:
            due = f"{wait.due:%Y-%m-%d %H:%M} UTC"
            message = f"Waits for {wait.with_whom} since {wait.since:%Y-%m-%d %H:%M} UTC, due {due}."
            tell(record, _TOLD[wait.urgency], message, due=wait.due.isoformat(), once=f"{wait.due:%Y%m%dT%H%M%S}")
            known.add(once)
    return sentence


def _row(wait: Wait) -> dict[str, object]:
    return {
        "due": f"{wait.due:%Y-%m-%d %H:%M}",
        "urgency": "" if wait.urgency is Urgency.IN_TIME else wait.urgency.value,
        "client": wait.client,
        "batch": wait.batch,
        "shot": wait.shot,
        "with": wait.with_whom,
        "why": wait.why,
        "state": wait.state.value.replace("_", " "),
        "since": f"{wait.since:%Y-%m-%d %H:%M}",
        "tier": wait.tier.replace("_", " "),
        "services": ", ".join(wait.services),
    }


def _stuck_row(record: ShotRecord, run: FlowRun) -> dict[str, object]:
    shot, state = record.shot, run.state
    return {
        "due": "",
        "urgency": "failed",
        "client": shot.client,
        "batch": shot.batch,
        "shot": shot.shot,
        "with": "nobody: its run failed; retry it in the UI",
        "why": (state.message or "") if state else "",
        "state": record.state.value.replace("_", " "),
        "since": f"{state.timestamp:%Y-%m-%d %H:%M}" if state else "",
        "tier": "",
        "services": "",
    }


def _gathered_row(waiting: Waiting) -> dict[str, object]:
    return {
        "due": f"{waiting.goes_out:%Y-%m-%d %H:%M}" if waiting.goes_out else "",
        "urgency": "",
        "client": waiting.batch.client,
        "batch": waiting.batch.batch,
        "shot": ", ".join(waiting.shots),
        "with": late.NEXT_DELIVERY,
        "why": waiting.sentence,
        "state": "approved",
        "since": "",
        "tier": "",
        "services": "",
    }


def in_words(waits: Iterable[Wait]) -> str:
    """Return how many shots wait, and how many of them are urgent: "5 wait, 1 soon due, 2 overdue"."""
    every = list(waits)
    urgent = Counter(one.urgency for one in every)
    return f"{len(every)} wait, {urgent[Urgency.SOON_DUE]} soon due, {urgent[Urgency.OVERDUE]} overdue"
