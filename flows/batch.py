"""Process one batch, from its inbox to its delivery.

    take stock -> master each shot -> group by light, correct each group -> route each
    -> edit the simple ones, open a job for each other -> export and deliver approved shots
    -> report the result for every file

Some failures have a cause that passes by itself, such as a full disk. Shots with such a failure are tried again before
the delivery. If the delivery itself fails in this way, it is tried again, too.

Stages that work on each shot are shared with other workers, if there are any (`flows.sharing`).

The final state is decided from the shots' records, not from the results of tasks.
"""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.delivery import deliver_batch
from flows.editing import edit_and_ask
from flows.pace import PACE
from flows.parameters import BatchName, ClientName
from flows.part import master_each, route_each
from flows.presence import present
from flows.settling import settle
from flows.sharing import cancel_its_parts, cut, cut_by_group, share
from packshot.naming import BatchId, batch_id
from tasks.batches.claiming import at_work_on
from tasks.batches.stock import take_stock
from tasks.batches.summing_up import summarise
from tasks.people.holds import hold_back
from tasks.people.jobs import open_job
from tasks.people.unasked import ask_who_was_not_asked
from tasks.runs.parts import Stage, ToMaster, ToRoute, outlast_parts
from tasks.runs.retries import passing, pauses_s, rest
from tasks.stages.groups import group_shots
from tasks.telling.progress import BatchProgress


@flow(
    name="process-batch",
    flow_run_name="process batch · {client}/{batch}",
    task_runner=PACE,
    persist_result=False,
    on_cancellation=[cancel_its_parts],
)
@present
def process_batch(client: ClientName, batch: BatchName) -> State[Any]:
    """Take a client's batch through all four stages, and deliver the approved shots.

    One bad shot never stops the rest. If the flow is run again or retried, only unfinished work is done. A shot that
    failed because the storage or a server was away, or because a disk was full, is tried twice more
    (`PACKSHOT_AGAIN_AFTER_S`). The run fails if a shot failed, and names the failed ones. Shots that wait for people
    don't count as failed. While another run works on the batch, this one does nothing: it is completed, with a state
    named Skipped.
    """
    which = batch_id(client, batch)
    with at_work_on(which):
        outlast_parts(which)
        progress = BatchProgress(which)
        for pause_s in (*pauses_s(), None):
            failed = passing(which, _make_pictures(which, progress))
            if pause_s is None or not failed:
                delivered: State[Any] = deliver_batch(client=client, batch=batch, return_state=True)
                progress.done(delivered.message or "handed over")
                summary = summarise(which)
                failed = [fate.shot for fate in summary.passing]
            if pause_s is None or not failed:
                break
            rest(failed, pause_s)
    if summary.failed:
        return Failed(message=f"{summary.failure_sentence} ({delivered.message})")
    return Completed(message=summary.sentence)


def _make_pictures(batch: BatchId, progress: BatchProgress) -> set[str]:
    """Run stages 1 to 3, up to the delivery, and return the names of the shots that did not come through."""
    stock = take_stock(batch)
    to_master = [ToMaster(ref=ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    mastered = share(Stage.MASTER, batch, cut(to_master), master_each, progress.of("mastered", ends=30))
    groups = group_shots(batch, mastered, unedited=stock.unedited)
    to_route = [ToRoute(mastered=shot, group=groups[shot.name]) for shot in mastered if not shot.refused]
    routed = share(Stage.ROUTE, batch, cut(to_route), route_each, progress.of("routed", begins=30, ends=35))

    held = hold_back(batch, routed).names
    free = [shot for shot in routed if shot.name not in held]
    simple = cut_by_group([shot for shot in free if shot.automated])
    edited = share(Stage.EDIT, batch, simple, edit_and_ask, progress.of("edited", begins=35, ends=75))
    for_people = [shot for shot in free if not shot.automated]
    opened = settle(
        [open_job.submit(shot) for shot in for_people], on_progress=progress.of("handed to people", begins=75, ends=80)
    )
    ask_who_was_not_asked(batch, waiting=list(stock.waiting))
    through = [*edited, *(for_people if len(opened) == len(for_people) else [])]
    refused = [shot for shot in mastered if shot.refused]
    return {ref.shot.shot for ref in stock.shots} - {shot.name for shot in (*through, *refused)} - set(held)
