"""Take one part of a batch (some of its shots) through one stage, on any worker that is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import Field

from flows.editing import edit_and_ask
from flows.pace import PACE
from flows.parameters import BatchName, ClientName, shown
from flows.presence import present
from flows.settling import Progress, settle
from packshot.figures import counted
from packshot.keys import part_lease
from packshot.naming import batch_id
from tasks.environment.logs import log
from tasks.records.stored import looks_for_cancellation
from tasks.results.handovers import ApprovedShot, Handover
from tasks.runs.parts import Stage, ToMaster, ToRoute, done_of, store_done, work_of
from tasks.stages.shot_stages import correct_shot, export_shot, master_shot, route_shot
from tasks.storage.leases import holding

StageName = Annotated[
    str,
    Field(
        pattern=f"^({'|'.join(stage.value for stage in Stage)})$",
        json_schema_extra=shown("Stage", "What is done to the shots: master, route, edit or export"),
    ),
]
PartName = Annotated[
    str,
    Field(
        pattern=r"^[a-z]+-[0-9.]+-[0-9a-f]{32}$",
        json_schema_extra=shown("Part", "The part's name, as the run that handed it out gave it"),
    ),
]
Place = Annotated[
    str,
    Field(
        pattern=r"^\d+ of \d+$",
        json_schema_extra=shown("Place", "Which part of how many, such as '3 of 12'; only the run's name needs it"),
    ),
]
Work = Callable[[Sequence[Any], Progress], list[Any]]
"""Takes shots through a stage in this process, and returns the results of those that came through."""


def master_each(items: Sequence[ToMaster], told: Progress) -> list[Any]:
    """Have a master made of each shot; return the results of stage 1, in the given order. Failed shots are left out.

    A result is a shot with its master and what was measured in it, or a shot whose file was refused, with the reason.

    Args:
        items: the shots of the part.
        told: called with (shots that have ended so far, all shots), about 100 times at most. Failed shots have ended.
    """
    mastering = [master_shot.submit(one.ref, configs_fingerprint=one.configs_fingerprint) for one in items]
    return settle(mastering, on_progress=told)


def route_each(items: Sequence[ToRoute], told: Progress) -> list[Any]:
    """Decide for each shot whether the machine or a person edits it; return the results of stage 2.

    A result has the route and the reason for it. Before that, the colours of those shots are corrected whose shoot
    group needs it. Shots that needed no correction come first. Failed shots are left out.

    Args:
        items: the shots of the part, each with what was decided about its shoot group (shots in the same light).
        told: called with (shots routed so far, all shots to route).
    """
    groups = {one.mastered.name: one.group for one in items}
    ready = [one.mastered for one in items if one.group.correction.is_identity]
    wanting = [one for one in items if not one.group.correction.is_identity]
    correcting = [correct_shot.submit(one.mastered, group=one.group) for one in wanting]
    ready += settle(correcting, on_progress=lambda done, total: log().info("%d of %d corrected", done, total))
    return settle([route_shot.submit(shot, group=groups[shot.name]) for shot in ready], on_progress=told)


def export_each(items: Sequence[ApprovedShot], told: Progress) -> list[Any]:
    """Make and verify the renditions of each shot; return the results of the export (stage 4), in the given order.

    A result has the paths of the shot's renditions in the delivery. Failed shots are left out.

    Args:
        items: the approved shots of the part.
        told: called with (shots finished so far, all shots).
    """
    return settle([export_shot.submit(shot) for shot in items], on_progress=told)


WORK: Mapping[Stage, Work] = MappingProxyType(
    {Stage.MASTER: master_each, Stage.ROUTE: route_each, Stage.EDIT: edit_and_ask, Stage.EXPORT: export_each}
)


@flow(
    name="work-on-part",
    flow_run_name="{stage} · {client}/{batch} · part {place}",
    task_runner=PACE,
    persist_result=False,
)
@present
def work_on_part(client: ClientName, batch: BatchName, stage: StageName, part: PartName, place: Place) -> State[Any]:
    """Take a part of a batch (some of its shots) through one stage. Other runs create it, so nobody starts it by hand.

    `process-batch` and `deliver-batch` hand parts out, and name the part. The place, such as ``3 of 12``, is only for
    the run's name. A part that is done already, or that another run works on, is left alone. The run fails if one of
    the part's shots fails; then no result of the part is stored, and only the records of its shots tell what was done.
    If somebody cancels the batch, the run ends as cancelled, even if its worker is not told.
    """
    which, kind = batch_id(client, batch), Stage(stage)
    require_not_cancelled = looks_for_cancellation(which)
    with holding(part_lease(which, part), wanted=require_not_cancelled):
        if done_of(which, part, kind) is not None:
            return Completed(message="it was done already")
        items = work_of(which, part, kind)
        results: list[Handover] = WORK[kind](items, _logged(kind))
        require_not_cancelled()
        failed = len(items) - len(results)
        if failed:
            return Failed(
                message=f"{failed} of {counted(len(items), 'shot')} did not come through: their records say why"
            )
        store_done(which, part, results)
    return Completed(message=f"{counted(len(results), 'shot')}: {kind.value} done")


def _logged(stage: Stage) -> Progress:
    return lambda done, total: log().info("%s: %d of %d", stage.value, done, total)
