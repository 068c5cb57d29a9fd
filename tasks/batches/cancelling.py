"""Cancel a batch: it is not processed or delivered any more, until it is submitted again.

First the batch's record is marked as cancelled. From then on no run can write about the batch, and none can open or
close a delivery: each of these is a conditional write of the same record. Then the batch's runs are ended, also those
that wait for people. If a process dies in the middle, the call can be repeated. Originals, records and earlier
deliveries stay.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelled, Cancelling

from packshot.batch import BatchRecord, Cancellation
from packshot.errors import TerminalError
from packshot.figures import counted
from packshot.keys import inbox_key
from packshot.naming import READY, BatchId
from packshot.record import DONE, State
from packshot.types import Value
from tasks.batches.claiming import is_worked_on
from tasks.batches.status import standing_of
from tasks.queries.asking import batch_records
from tasks.records.bookkeeping import now
from tasks.records.stored import change_batch, create_batch, find_batch
from tasks.runs.resuming import HUMAN_FLOW, runs_of
from tasks.storage.bucket import ObjectInfo, open_storage

AT_WORK = ("process-batch", "deliver-batch", "reprocess-shot", "work-on-part")
"""Flows that work on a batch."""
PATIENCE_S = 60.0
"""How long to wait until the processes of ended runs are gone."""
_POLL_S = 1.0
_NOT_ENDED = FlowRunFilterState(
    type=FlowRunFilterStateType(
        any_=[StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
    )
)


class CancelledBatch(Value):
    """What `cancel_batch` has done to a batch.

    Attributes:
        cancellation: who cancelled it, when and why.
        runs: number of runs that worked on the batch, or were going to, and were ended.
        questions: number of runs that waited for people's answers about its shots, and were ended.
        at_work: True if a process is still at work on the batch. That process can't write about the batch any more.
    """

    cancellation: Cancellation
    runs: int = 0
    questions: int = 0
    at_work: bool = False

    @property
    def sentence(self) -> str:
        """In words: who cancelled the batch, when and why, what was ended, and whether a process is still at work.

        Example: ``Cancelled by Ana López at 2026-05-01 09:30 UTC: wrong photographs; 1 run and 3 questions to people
        ended``.
        """
        ended = f"{counted(self.runs, 'run')} and {counted(self.questions, 'question')} to people ended"
        still = "; a process is still at work on it, but can deliver nothing any more" if self.at_work else ""
        return f"{self.cancellation.sentence}; {ended}{still}"


def cancel_batch(batch: BatchId, *, person: str, reason: str, patience_s: float = PATIENCE_S) -> CancelledBatch:
    """Cancel a batch and end its runs; return how many runs were ended, and whether a process is still at work.

    A cancelled batch is neither processed nor delivered until it is submitted again. A second call ends the runs that
    are left; the record keeps the name and the reason of the first call.

    Args:
        person: name of the person who cancels the batch.
        reason: why, in words.
        patience_s: how long to wait until a process that is at work on the batch has ended, in seconds; by default 60.
    Raises:
        ObjectMissingError: nobody has uploaded such a batch.
        TerminalError: everything in it is delivered or refused already.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    _require_something_left(batch)
    ready = find_ready(batch)
    closed_at = ready.modified if ready is not None else None

    def cancel(record: BatchRecord) -> BatchRecord:
        if record.cancelled is not None:
            return record
        new = Cancellation(at=now(), by=person, why=reason, closed_at=closed_at)
        return record.model_copy(update={"cancellations": (*record.cancellations, new), "finished_at": None})

    noted = change_batch(batch, cancel).cancelled
    assert noted is not None, "it has just been noted, or was before"
    return _with_its_runs_ended(CancelledBatch(cancellation=noted), batch, patience_s)


def _require_something_left(batch: BatchId) -> None:
    record = find_batch(batch)
    if record is None:
        standing_of(batch)  # which says so if nobody has uploaded it
        create_batch(BatchRecord(batch=batch, received_at=now()))
        return
    over = {one.shot.shot for one in batch_records(batch) if one.state in (*DONE, State.REFUSED)}
    if record.cancelled is None and record.shots and all(ref.shot.shot in over for ref in record.shots):
        raise TerminalError(
            "nothing is left to cancel",
            str(batch),
            found="every photograph is delivered or refused",
            next_step="What was delivered stays with the client. See packshot batch status.",
        )


def find_ready(batch: BatchId) -> ObjectInfo | None:
    """Return the metadata of the empty object ``READY`` with which a client has closed a batch; None if it is open.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    key = inbox_key(batch, READY)
    first = next(open_storage().list(key), None)  # the first key with a prefix is itself
    return first if first is not None and first.key == key else None


def take_up_again(batch: BatchId) -> bool:
    """End a batch's cancellation, because it was submitted again; return True if the batch was cancelled.

    The next night then processes it. A batch without a record counts as not cancelled.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = find_batch(batch)
    if record is None or record.cancelled is None:
        return False

    def take_up(known: BatchRecord) -> BatchRecord:
        if known.cancelled is None:
            return known
        *others, last = known.cancellations
        return known.model_copy(update={"cancellations": (*others, last.model_copy(update={"taken_up_at": now()}))})

    change_batch(batch, take_up)
    return True


def _with_its_runs_ended(found: CancelledBatch, batch: BatchId, patience_s: float) -> CancelledBatch:
    """End the runs of a batch until none is left and no process is at work: one may have asked people meanwhile."""
    ended: set[str] = set()
    asked: set[str] = set()
    deadline = time.monotonic() + patience_s
    while True:
        with get_client(sync_client=True) as client:
            ended |= {_ended(client, run, found) for run in list(_runs_at_work(client, batch))}
            asked |= {_ended(client, run, found) for run in list(_questions(client, batch))}
        at_work = is_worked_on(batch)
        if not at_work or time.monotonic() > deadline:
            return found.model_copy(update={"runs": len(ended), "questions": len(asked), "at_work": at_work})
        time.sleep(_POLL_S)


def _runs_at_work(client: SyncPrefectClient, batch: BatchId) -> Iterator[FlowRun]:
    """Yield the runs that work on a batch, or wait to. Subflows end with the process of their parent."""
    for run in runs_of(client, FlowRunFilter(state=_NOT_ENDED), flow=AT_WORK):
        about = (run.parameters.get("client"), run.parameters.get("batch"))
        if about == (batch.client, batch.batch) and run.deployment_id is not None:
            yield run


def _questions(client: SyncPrefectClient, batch: BatchId) -> Iterator[FlowRun]:
    tags = FlowRunFilterTags(all_=[f"client:{batch.client}", f"batch:{batch.batch}"])
    return runs_of(client, FlowRunFilter(state=_NOT_ENDED, tags=tags), flow=HUMAN_FLOW)


def _ended(client: SyncPrefectClient, run: FlowRun, found: CancelledBatch) -> str:
    """End a run, or ask its worker to if a process is at it; return its id."""
    why = found.cancellation.sentence
    running = run.state is not None and (run.state.is_running() or run.state.is_pending())
    if running:
        client.set_flow_run_state(run.id, Cancelling(message=why), force=True)
    elif run.state is None or not run.state.is_cancelling():
        client.set_flow_run_state(run.id, Cancelled(message=why), force=True)
    return str(run.id)
