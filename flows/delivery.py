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
from packshot.figures import counted
from packshot.naming import batch_id
from tasks.batches.approved import approved_shots
from tasks.batches.product_sets import close
from tasks.deliveries.delivering import deliver, finish_open_deliveries
from tasks.runs.parts import Stage
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

    If an earlier run began a delivery and did not finish it, that delivery is finished first, with the same content.
    Shots that are approved later are delivered in a further, supplementary delivery. If the client takes complete
    products only, the shots of an incomplete product wait until the batch is closed. The run fails if an approved shot
    could not be exported or delivered; the others are delivered.
    """
    which = batch_id(client, batch)
    if closes:
        close(which)
    finished = finish_open_deliveries(which)
    approved = approved_shots(which, only=shots)
    exported = share(Stage.EXPORT, which, cut(approved), export_each, BatchProgress(which).of("exported"))
    handover = deliver(which, only=[shot.name for shot in exported])
    failed = len(approved) - len(exported) + len(handover.failed)
    sentence = f"finished: {finished}; {handover.sentence}" if finished else handover.sentence
    if failed:
        return Failed(message=f"{failed} of {counted(len(approved), 'approved shot')} not delivered; {sentence}")
    return Completed(message=sentence)
