"""Process one batch, from its inbox to its delivery.

    take stock -> master each shot -> group by light, correct each group -> route each
    -> edit the simple ones, open a job for each other -> export and deliver what is approved
    -> report what became of every file

The final state is decided from the shots' records, not from the results of tasks.
"""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.delivery import deliver_batch
from flows.editing import automated_edit, parts
from flows.pace import PACE
from flows.parameters import BatchName, ClientName
from flows.presence import present
from flows.settling import settle
from packshot.naming import BatchId, batch_id
from tasks.batches import at_work_on, summarise, take_stock
from tasks.groups import group_shots
from tasks.holding import hold_back
from tasks.jobs import open_job
from tasks.progress import BatchProgress
from tasks.stages import correct_shot, master_shot, route_shot
from tasks.unasked import ask_who_was_not_asked


@flow(name="process-batch", flow_run_name="process batch · {client}/{batch}", task_runner=PACE, persist_result=False)
@present
def process_batch(client: ClientName, batch: BatchName) -> State[Any]:
    """Take a client's batch through all four stages and hand over what is approved.

    One bad shot never stops the rest. If the flow is run again or retried, only unfinished work is done.
    """
    which = batch_id(client, batch)
    with at_work_on(which):
        delivered = _take_through_the_stages(which)
        summary = summarise(which)
    if summary.failed:
        return Failed(message=f"{summary.failure_sentence} ({delivered.message})")
    return Completed(message=summary.sentence)


def _take_through_the_stages(batch: BatchId) -> State[Any]:
    """Run stages 1 to 4 and return the delivery's state."""
    progress = BatchProgress(batch)
    stock = take_stock(batch)
    mastering = [master_shot.submit(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    mastered = settle(mastering, on_progress=progress.of("mastered", ends=30))
    groups = group_shots(batch, mastered)
    accepted = [shot for shot in mastered if not shot.refused]
    settled = [shot for shot in accepted if groups[shot.name].correction.is_identity]
    to_correct = [shot for shot in accepted if not groups[shot.name].correction.is_identity]
    correcting = [correct_shot.submit(shot, group=groups[shot.name]) for shot in to_correct]
    corrected = settle(correcting, on_progress=progress.of("corrected", begins=30, ends=32))
    ready = settled + corrected
    routing = [route_shot.submit(shot, group=groups[shot.name]) for shot in ready]
    routed = settle(routing, on_progress=progress.of("routed", begins=32, ends=35))

    held = hold_back(batch, routed).names
    free = [shot for shot in routed if shot.name not in held]
    simple = list(parts([shot for shot in free if shot.automated]))
    edited = progress.of("parts edited", begins=35, ends=75)
    for number, part in enumerate(simple, start=1):
        automated_edit(client=batch.client, batch=batch.batch, part=number, shots=part, return_state=True)
        edited(number, len(simple))
    jobs = [open_job.submit(shot) for shot in free if not shot.automated]
    settle(jobs, on_progress=progress.of("handed to people", begins=75, ends=80))
    ask_who_was_not_asked(batch)
    delivered: State[Any] = deliver_batch(client=batch.client, batch=batch.batch, return_state=True)
    progress.done(delivered.message or "handed over")
    return delivered
