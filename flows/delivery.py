"""Export, verify and deliver everything that is approved and not yet delivered."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import Field

from flows.pace import PACE
from flows.parameters import BatchName, ClientName, shown
from flows.part import export_each
from flows.presence import present
from flows.sharing import cancel_its_parts, cut, share
from packshot.errors import TransientError
from packshot.figures import counted
from packshot.naming import BatchId, batch_id
from tasks.batches.approved import approved_shots
from tasks.batches.product_sets import close
from tasks.deliveries.delivering import deliver, finish_open_deliveries
from tasks.deliveries.late_deliveries import deliver_elsewhere
from tasks.environment.logs import log
from tasks.runs.parts import Stage
from tasks.runs.retries import passing, pauses_s, rest
from tasks.telling.progress import BatchProgress

ShotNames = Annotated[
    list[str],
    Field(json_schema_extra=shown("Shots", "Only these shots; empty means all approved ones")),
]

Closes = Annotated[
    bool,
    Field(json_schema_extra=shown("Close the batch", "Also deliver products that are not complete, now and later")),
]


@flow(
    name="deliver-batch",
    flow_run_name="deliver · {client}/{batch}",
    task_runner=PACE,
    persist_result=False,
    on_cancellation=[cancel_its_parts],
)
@present
def deliver_batch(
    client: ClientName,
    batch: BatchName,
    shots: ShotNames = [],  # noqa: B006
    closes: Closes = False,
) -> State[Any]:
    """Export the approved shots, verify their files and deliver them as one package. Nothing is delivered twice.

    If shots are named, only those are delivered. If an earlier run began a delivery and did not finish it, that
    delivery is finished first, with the same content. Shots that are approved later are delivered in a further,
    supplementary delivery. If the client takes complete products only, the shots of an incomplete product wait until
    the rest is approved, in whichever batch it comes, or until the batch is closed (`closes` closes it). Other batches
    that waited for these shots get a delivery of their own. What failed because the storage or a server was away, or
    because a disk was full, is tried twice more, after a pause (`PACKSHOT_AGAIN_AFTER_S`). The run fails if an approved
    shot could not be exported or delivered; the others are delivered.
    """
    which = batch_id(client, batch)
    if closes:
        close(which)
    for pause_s in pauses_s():
        try:
            state, again = _delivered(which, shots)
        except TransientError as error:
            log().warning("%s", error)
            again = ["the whole delivery"]
        if not again:
            return state
        rest(again, pause_s)
    return _delivered(which, shots)[0]


def _delivered(batch: BatchId, shots: ShotNames) -> tuple[State[Any], list[str]]:
    """Deliver once. Return (the final state, names of the shots for which another try may succeed).

    Raises:
        TransientError: a step for all shots failed at its last try.
    """
    finished = finish_open_deliveries(batch)
    approved = approved_shots(batch, only=shots)
    exported = share(Stage.EXPORT, batch, cut(approved), export_each, BatchProgress(batch).of("exported"))
    handover = deliver(batch, only=[shot.name for shot in exported])
    if exported:
        deliver_elsewhere(batch)
    failed = {shot.name for shot in approved} - {shot.name for shot in exported} | set(handover.failed)
    sentence = f"finished: {finished}; {handover.sentence}" if finished else handover.sentence
    if failed:
        told = f"{len(failed)} of {counted(len(approved), 'approved shot')} not delivered; {sentence}"
        return Failed(message=told), passing(batch, failed)
    return Completed(message=sentence), []
