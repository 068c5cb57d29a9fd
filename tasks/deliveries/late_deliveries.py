"""Collect the shots that are approved after their batch was delivered, and deliver them together.

The client's rules say when: at the next full hour, at fewer hours, as soon as enough shots wait, or when somebody
closes the batch. A run of `deliver-batch` delivers them. The first late approval creates that run. Further ones find
the run by its idempotency key.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from prefect import task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Scheduled, Suspended

from packshot.batch import BatchRecord
from packshot.errors import ObjectMissingError, RecordDamagedError, TerminalError
from packshot.export.sets import ProductSet
from packshot.handoff import late
from packshot.naming import BatchId, ShotId, batch_id
from packshot.record import DONE, ShotRecord, State
from packshot.specs.handoff import LateDeliveries
from packshot.types import Value
from tasks.batches.approved import TO_DELIVER, is_approved
from tasks.batches.product_sets import held_for_sets, note_closed, sets_of, takes_complete_sets
from tasks.environment.logs import log
from tasks.environment.style_guides import promise_shown
from tasks.queries.asking import batch_records, records_of_products
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import change_batch, find_record, load_batch, load_records
from tasks.runs.resuming import runs_of

DELIVER = "deliver-batch/deliver-batch"
LATE = "late delivery"
PATIENCE_S = 600.0

_SETTLED = frozenset({*DONE, *TO_DELIVER, State.REFUSED, State.FAILED})
_STILL_TO_COME = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PAUSED]))
_POLL_S = 1.0


class Gathered(Value):
    """Whether an approved shot is delivered at once, or waits to be delivered together with others.

    Attributes:
        goes_now: True if it is delivered at once, with all other approved shots of its batch.
        sentence: if the shot is not delivered at once: what it waits for, in words; otherwise empty.
    """

    goes_now: bool
    sentence: str = ""


@task(name="gather", task_run_name="gather · {shot.shot}", **ALWAYS)
def gather(shot: ShotId) -> Gathered:
    """Return whether a shot that was just approved is delivered at once, or waits to be delivered together with others.

    The client's style guide decides. If the shot completes its product, the product's other approved shots are
    delivered with it. Shots of the product that came in another batch go out in a delivery of that batch. If the shot
    waits, the batch's record gets a note of it, with the time of its delivery, and a run of `deliver-batch` is created
    for that time, if there is none. A shot of a cancelled batch or of an incomplete product waits without a time and
    without a run. A shot that is not approved any more counts as delivered at once.

    Raises:
        ObjectMissingError: the batch has no record.
        RecordDamagedError: a record can't be read.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    batch, rule = shot.in_batch, promise_shown(shot.client).late_deliveries
    known, mine = load_batch(batch), find_record(shot)
    # The index says how its neighbours stand: to read all their records for each approval would be n times n requests.
    records = {one.shot.shot: one for one in batch_records(batch)} | ({shot.shot: mine} if mine else {})
    products = sets_of(known, records.values())
    if known.cancelled is not None:
        return Gathered(goes_now=False, sentence=known.cancelled.sentence)
    if mine is None or mine.state not in TO_DELIVER:
        return Gathered(goes_now=True)  # delivered meanwhile, or tried again because it failed
    held = held_for_sets(known, products)
    if shot.shot in held:
        return Gathered(goes_now=False, sentence=f"approved, {held[shot.shot]}")
    now_whole = [name for one in products if shot.shot in one.shots for name in one.shots if is_approved(records[name])]
    waiting = {shot.shot, *now_whole, *_names(known, records)}
    unsettled = len(known.shots) - sum(one.state in _SETTLED for one in records.values())
    if late.goes_now(rule, gathered=len(waiting), unsettled=unsettled):
        return Gathered(goes_now=True)
    due = _run_to_come(batch, rule)

    def note(record: BatchRecord) -> BatchRecord:
        others = {name: record.gathered.get(name, due) for name in now_whole}
        return record.model_copy(update={"gathered": {**record.gathered, **others, shot.shot: due}})

    change_batch(batch, note)
    _plan_elsewhere(batch, [one for one in products if shot.shot in one.shots])
    return Gathered(goes_now=False, sentence=late.in_words(due))


@task(name="deliver elsewhere", task_run_name="deliver elsewhere · {batch}", **ALWAYS)
def deliver_elsewhere(batch: BatchId) -> tuple[BatchId, ...]:
    """Return the client's other batches for which a delivery was planned, because this batch completed their products.

    Call it after a delivery. If the shots of a product wait for each other, approved shots of other batches may have
    waited for what was delivered. Each such batch gets a run of `deliver-batch` at the client's next delivery time. The
    batches come in no particular order. The result is empty if nothing waited.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    if not takes_complete_sets(batch.client):
        return ()
    return _plan_elsewhere(batch, sets_of(load_batch(batch), batch_records(batch)))


def _plan_elsewhere(batch: BatchId, products: Iterable[ProductSet]) -> tuple[BatchId, ...]:
    """Plan deliveries of approved shots of these products in other batches, and return the batches."""
    if not takes_complete_sets(batch.client):
        return ()
    whole = {one.product for one in products if one.complete}
    waiting = {
        one.shot.in_batch
        for one in (records_of_products(batch.client, whole) if whole else ())
        if one.shot.in_batch != batch and one.state in TO_DELIVER
    }
    return tuple(one for one in sorted(waiting, key=str) if _plan_for(one))


def _plan_for(batch: BatchId) -> bool:
    """Plan a delivery of the approved shots of a batch whose product is complete. Return True if there are any."""
    known = load_batch(batch)
    if known.cancelled is not None:
        return False
    records = {one.shot.shot: one for one in batch_records(batch)}
    products = sets_of(known, records.values())
    names = [name for one in products if one.complete for name in one.shots if records[name].state in TO_DELIVER]
    new = [name for name in names if name not in known.gathered]
    if not new:
        return False
    due = _run_to_come(batch, promise_shown(batch.client).late_deliveries)
    change_batch(batch, lambda one: one.model_copy(update={"gathered": dict.fromkeys(new, due) | dict(one.gathered)}))
    return True


def _names(batch: BatchRecord, records: dict[str, ShotRecord]) -> list[str]:
    """Return the gathered shots that are not delivered yet."""
    return [name for name in batch.gathered if name in records and is_approved(records[name])]


def _run_to_come(batch: BatchId, rule: LateDeliveries) -> datetime | None:
    """Find or create the run that will deliver what is approved now, and return its time.

    None: the run waits until the batch is closed. A run that has already started may have read the records before this
    approval. Then the next one is used.
    """
    due = late.goes_out_at(rule, after=now())
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(DELIVER).id
        for number in count(load_batch(batch).next_delivery):
            state: Any = Scheduled(scheduled_time=due) if due else Suspended(timeout_seconds=None, pause_key="closed")
            run = client.create_flow_run_from_deployment(
                deployment,
                parameters={"client": batch.client, "batch": batch.batch, **({} if due else {"closes": True})},
                state=state,
                name=f"late delivery · {batch}",
                tags=[LATE, f"client:{batch.client}", _tag(batch)],
                idempotency_key=f"late-{batch}-{due.isoformat() if due else number}",
            )
            if run.state is not None and (run.state.is_scheduled() or run.state.is_paused()):
                return due
            due = late.goes_out_at(rule, after=due) if due else None
    raise AssertionError("some run is always still to come")


def _tag(batch: BatchId) -> str:
    return f"late:{batch}"


def _runs_to_come(client: SyncPrefectClient, tag: str) -> Iterator[FlowRun]:
    wanted = FlowRunFilter(state=_STILL_TO_COME, tags=FlowRunFilterTags(all_=[tag]))
    return runs_of(client, wanted, flow="deliver-batch")


class Waiting(Value):
    """Approved shots of a batch that will be delivered together at a later time.

    Attributes:
        batch: the batch of all these shots.
        shots: names of the approved shots.
        goes_out: when they are delivered; None if they are delivered when somebody closes the batch.
    """

    batch: BatchId
    shots: tuple[str, ...]
    goes_out: datetime | None

    @property
    def sentence(self) -> str:
        """When these shots are delivered, in words: ``approved, goes out at 2026-05-01 14:00 UTC``."""
        return late.in_words(self.goes_out)


def gathered() -> list[Waiting]:
    """Return the approved shots that wait for a later delivery, of all batches: one item for each batch and time.

    The items of a batch stand together; the batches come in no particular order. A batch whose record is missing or
    can't be read is logged and left out. The result is empty if no shot waits.
    """
    with get_client(sync_client=True) as client:
        batches = {
            str(batch): batch
            for run in _runs_to_come(client, LATE)
            for batch in [batch_id(str(run.parameters["client"]), str(run.parameters["batch"]))]
        }
    return [found for batch in batches.values() for found in _waiting_of(batch)]


def _waiting_of(batch: BatchId) -> Iterator[Waiting]:
    try:
        known = load_batch(batch)
    except (ObjectMissingError, RecordDamagedError) as error:
        log().warning("the gathered shots of %s cannot be determined: %s", batch, error)
        return
    records = {one.shot.shot: one for one in load_records([batch.shot(name) for name in known.gathered])}
    names = _names(known, records)
    for due in dict.fromkeys(known.gathered[name] for name in names):
        shots = tuple(name for name in names if known.gathered[name] == due)
        yield Waiting(batch=batch, shots=shots, goes_out=due)


def close_batch(batch: BatchId) -> UUID:
    """Start a run that delivers the approved shots of a batch now, and return the run's id.

    If such a run was planned for later, that run starts now. From now on the batch's shots don't wait for the rest of
    their product.

    Raises:
        ObjectMissingError: there is no such batch.
    """
    note_closed(batch)
    with get_client(sync_client=True) as client:
        for run in list(_runs_to_come(client, _tag(batch))):
            if run.state is not None and run.state.is_paused():
                client.resume_flow_run(run.id)
            else:
                client.set_flow_run_state(run.id, Scheduled(), force=True)
            return run.id
        run = client.create_flow_run_from_deployment(
            client.read_deployment_by_name(DELIVER).id,
            parameters={"client": batch.client, "batch": batch.batch},
            name=f"close · {batch}",
        )
        return run.id


def wait_until_delivered(batch: BatchId, run_id: UUID, *, patience_s: float = PATIENCE_S) -> str:
    """Wait until a run has ended, and return in words what it delivered: "delivery 2: 14 shots in 56 files".

    Args:
        batch: the batch that the run delivers, for the messages.
        run_id: the run from `close_batch`.
        patience_s: how long to wait, in seconds; by default 600.
    Raises:
        TerminalError: the run failed, or has not ended in time.
    """
    deadline = time.monotonic() + patience_s
    while True:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run_id).state
        if state is not None and state.is_completed():
            return state.message or "handed over"
        if state is not None and state.is_final():
            raise TerminalError(
                "not all approved shots were delivered",
                str(batch),
                found=state.message or state.type.value.lower(),
                next_step="See why: packshot batch status. Then close the batch again. Nothing is delivered twice.",
            )
        if time.monotonic() > deadline:
            raise TerminalError(
                f"the delivery has not ended after {patience_s:.0f} s",
                str(batch),
                found=f"the run is {state.type.value.lower()}" if state else "no state",
                next_step="Nothing is lost: a worker continues it. See packshot batch status.",
            )
        time.sleep(_POLL_S)
