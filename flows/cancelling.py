"""Cancel a batch, because a person asked for it."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.pace import PACE
from flows.parameters import BatchName, ClientName, PersonName, Reason
from flows.presence import present
from packshot.naming import batch_id
from tasks.batches.cancelling import cancel_batch as cancel


@flow(name="cancel-batch", flow_run_name="cancel · {client}/{batch}", task_runner=PACE, persist_result=False)
@present
def cancel_batch(client: ClientName, batch: BatchName, person: PersonName, reason: Reason) -> State[Any]:
    """Cancel a batch: end its runs and its questions to people. Nothing more is delivered.

    If the batch is submitted again, it continues. Originals and earlier deliveries stay. The batch's record keeps your
    name and reason. The run fails if nobody has uploaded such a batch, or if everything in it is delivered or refused
    already.
    """
    return Completed(message=cancel(batch_id(client, batch), person=person, reason=reason).sentence)
