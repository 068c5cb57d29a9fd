"""Process one shot again from the start, because a person asked for it."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.delivery import deliver_batch
from flows.editing import edit_and_ask
from flows.pace import PACE
from flows.parameters import BatchName, ClientName, PersonName, Reason, ShotName
from flows.presence import present
from packshot.naming import ShotId
from tasks.batches.restarting import restart_shot
from tasks.deliveries.delivering import finish_open_deliveries
from tasks.people.holds import hold_back
from tasks.people.jobs import open_job
from tasks.runs.resuming import cancel_waiting
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import correct_shot, master_shot, route_shot


@flow(
    name="reprocess-shot", flow_run_name="reprocess · {client}/{batch} · {shot}", task_runner=PACE, persist_result=False
)
@present
def reprocess_shot(
    client: ClientName, batch: BatchName, shot: ShotName, person: PersonName, reason: Reason
) -> State[Any]:
    """Process one shot again from its original, through all stages. The new files replace the shot's earlier files.

    The shot's record keeps your name and reason. If the shot has to wait, on hold or for a person, the run ends as
    completed at that point. The run fails if the file is refused, or if a stage or the delivery fails.
    """
    which = ShotId(client=client, batch=batch, shot=shot)
    cancel_waiting(which, why=f"started again by {person}: {reason}")
    finish_open_deliveries(which.in_batch)  # before the restart: they need the approved picture
    started = restart_shot(which, person=person, reason=reason)
    mastered = master_shot(started.ref, configs_fingerprint=started.configs_fingerprint)
    if mastered.refused:
        return Failed(message=f"{shot} is refused: {mastered.refused}")
    group = group_shots(mastered.shot.in_batch, [mastered])[shot]
    ready = mastered if group.correction.is_identity else correct_shot(mastered, group=group)
    routed = route_shot(ready, group=group)
    stopped = hold_back(routed.shot.in_batch, [routed])
    if stopped.failed:
        return Failed(message=f"{shot} failed: its record says why")
    if stopped.on_hold:
        return Completed(message=f"{shot} is on hold")
    if not routed.automated:
        open_job(routed)
        return Completed(message=f"{shot} waits for an editor: {routed.reason}")
    edited = edit_and_ask([routed], lambda done, total: None)
    delivered: State[Any] = deliver_batch(client=client, batch=batch, return_state=True)
    said = f"{edited[0].reason}; {delivered.message}" if edited else f"{shot} could not be edited; {delivered.message}"
    return Completed(message=said) if edited and delivered.is_completed() else Failed(message=said)
