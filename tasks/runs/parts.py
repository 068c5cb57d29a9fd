"""Hand out a batch in parts: each is a group of shots that one flow run, on any machine, takes through one stage.

A part's work and its results are objects below ``prefect-results/``, with Packshot's seal (an HMAC that proves that
Packshot wrote them). The part's name contains a hash of everything its results depend on. So a later run finds the
results of a part that was done before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import cast
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType, Worker
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling
from pydantic import TypeAdapter, ValidationError

from packshot import PIPELINE_VERSION
from packshot.batch import ShotRef
from packshot.errors import ObjectMissingError
from packshot.ingest.shoot_groups import GroupDecision
from packshot.keys import part_lease, part_result_name, result_key, run_lease
from packshot.naming import BatchId
from packshot.types import Value
from tasks.environment.logs import log
from tasks.processing.networks import network_in_use
from tasks.results.cache_keys import fingerprint_of
from tasks.results.handovers import ApprovedShot, EditedShot, ExportedShot, Handover, MasteredShot, RoutedShot
from tasks.runs.resuming import runs_of
from tasks.storage.bucket import open_storage
from tasks.storage.leases import is_held, run_of_process
from tasks.storage.seals import seal, unseal

WORK_ON_PART = "work-on-part"
PARTS_POOL = "packshot-parts"
"""Work pool of the parts. The runs that hand out parts are in another one, so that they can never be in their way."""
EXPEDITED, ORDINARY = "expedited", "default"
"""Queues of both pools. The first is emptied first; parts go into the queue of the run that hands them out."""

POLL_S = 2.0
_NOT_ENDED = FlowRunFilterState(
    type=FlowRunFilterStateType(
        any_=[StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING]
    )
)
_NOT_NEEDED = "the run that handed it out does this part itself"


class Stage(StrEnum):
    """The stages whose shots are shared out among workers, in parts.

    Values:
        MASTER: convert the original to a master (stage 1).
        ROUTE: correct the master's colours and decide who edits it (stage 2).
        EDIT: the machine's edit (stage 3).
        EXPORT: make the renditions for each platform (stage 4).
    """

    MASTER = "master"
    ROUTE = "route"
    EDIT = "edit"
    EXPORT = "export"


class ToMaster(Value):
    """A shot that stage 1 shall make a master of.

    Attributes:
        ref: the shot's entry in its batch's record: its file and its row in the manifest.
        configs_fingerprint: hash of the configs of the batch's client (`tasks.environment.configs.fingerprint`).
    """

    ref: ShotRef
    configs_fingerprint: str


class ToRoute(Value):
    """A shot for which stage 2 shall decide who edits it.

    Attributes:
        mastered: the shot, as stage 1 left it.
        group: what was decided about its shoot group (shots in the same light), with the correction of its colours.
    """

    mastered: MasteredShot
    group: GroupDecision


WORK: Mapping[Stage, type[Value]] = MappingProxyType(
    {Stage.MASTER: ToMaster, Stage.ROUTE: ToRoute, Stage.EDIT: RoutedShot, Stage.EXPORT: ApprovedShot}
)
DONE: Mapping[Stage, type[Handover]] = MappingProxyType(
    {Stage.MASTER: MasteredShot, Stage.ROUTE: RoutedShot, Stage.EDIT: EditedShot, Stage.EXPORT: ExportedShot}
)
"""What a stage gets for each shot, and what comes out of it."""


def part_name(stage: Stage, items: Sequence[Value]) -> str:
    """Return the name of a part: some shots of a batch that one worker takes through one stage.

    Example: ``edit-14-`` and 32 hex digits, which are stage, pipeline version, and a hash of everything that the part's
    results depend on. So equal work has an equal name, and its results are found again.

    Args:
        stage: the stage.
        items: the part's work, one item for each shot: a `ToMaster`, `ToRoute`, `RoutedShot` (for EDIT) or
            `ApprovedShot` (for EXPORT), as `WORK` says.
    """
    knows = network_in_use() if stage is Stage.EDIT else ""
    return f"{stage.value}-{PIPELINE_VERSION}-{fingerprint_of(items, knows)}"


def store_work(batch: BatchId, part: str, items: Sequence[Value]) -> None:
    """Store what a part of a batch (some of its shots) has to work on, for the worker that will take it.

    Args:
        part: name of the part, from `part_name`.
        items: the part's work, with which `part_name` was called: one item for each shot.
    """
    _store(part_result_name(batch, part, "work"), items)


def work_of(batch: BatchId, part: str, stage: Stage) -> tuple[Value, ...]:
    """Return what a part of a batch has to work on: one item for each of its shots.

    Args:
        part: name of the part, from `part_name`.
        stage: the stage through which the part goes. The items are, in the order of the stages, `ToMaster`, `ToRoute`,
            `RoutedShot` or `ApprovedShot`.
    Raises:
        ObjectMissingError: there is no such part, or it has no valid seal (the HMAC by which Packshot marks its own
            objects).
    """
    found = _read(part_result_name(batch, part, "work"), WORK[stage])
    if found is None:
        raise ObjectMissingError(
            "there is no such part of this batch",
            f"{batch}: {part}",
            next_step="Only process-batch and deliver-batch make parts: start one of them.",
        )
    return found


def store_done(batch: BatchId, part: str, results: Sequence[Handover]) -> None:
    """Store the results of a part of a batch (some of its shots). Call it only if none of the part's shots failed.

    Args:
        part: name of the part, from `part_name`.
        results: one for each shot: a `MasteredShot`, `RoutedShot`, `EditedShot` or `ExportedShot`, by the part's stage.
    """
    _store(part_result_name(batch, part, "done"), results)


def done_of(batch: BatchId, part: str, stage: Stage) -> tuple[Handover, ...] | None:
    """Return the results of a part of a batch, one for each of its shots; None if there are none.

    There are none if the part is not done yet, if one of its shots failed, or if the stored results have no valid seal
    (the HMAC by which Packshot marks its own objects).

    Args:
        part: name of the part, from `part_name`.
        stage: the stage through which the part went. The results are, in the order of the stages, `MasteredShot`,
            `RoutedShot`, `EditedShot` or `ExportedShot`.
    """
    return cast("tuple[Handover, ...] | None", _read(part_result_name(batch, part, "done"), DONE[stage]))


def _store(name: str, values: Iterable[Value]) -> None:
    key = result_key(name)
    content = json.dumps([one.model_dump(mode="json") for one in values]).encode()
    open_storage().put(key, seal(key, content), content_type="application/octet-stream")


def _read(name: str, kind: type[Value]) -> tuple[Value, ...] | None:
    key = result_key(name)
    sealed = open_storage().get_if_there(key)
    content = None if sealed is None else unseal(key, sealed)
    if content is None:
        return None
    try:
        return TypeAdapter(tuple[kind, ...]).validate_json(content)  # type: ignore[valid-type]
    except ValidationError:
        return None  # an earlier version of the line wrote it, with other fields; it is done or handed out anew


def helpers() -> int:
    """Return how many workers are online that can help with a batch: they take parts of it (some of its shots each).

    These are the workers of the pool ``packshot-parts`` that report to Prefect's server. The number is 0 if the pool is
    not registered or the server does not answer (no error is raised); then a run does everything itself.
    """
    with get_client(sync_client=True) as client:
        try:
            workers: list[Worker] = client.read_workers_for_work_pool(PARTS_POOL, offset=0, limit=200)
        except (ObjectNotFound, httpx.HTTPError) as error:  # not registered, or away: everything is done here
            log().warning("nobody can help with this stage: %s", type(error).__name__)
            return 0
    return sum(one.status is not None and one.status.value == "ONLINE" for one in workers)


def hand_out(batch: BatchId, stage: Stage, part: str, *, place: str) -> UUID:
    """Create a flow run for a part of a batch, which any worker of the parts' pool can take; return the run's id.

    Call it in a flow run. If the calling run has handed out this part before, in its present try, no other run is
    created, and the id of that part's run is returned.

    Args:
        part: name of the part, from `part_name`. Its work must be stored already.
        place: which part of how many, for the run's name, such as "3 of 12".
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    asking = run_of_process()
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(asking))
    created = run_deployment(
        f"{WORK_ON_PART}/{WORK_ON_PART}",
        parameters={"client": batch.client, "batch": batch.batch, "stage": stage.value, "part": part, "place": place},
        flow_run_name=f"{stage.value} · {batch} · part {place}",
        timeout=0,
        tags=[_handed_out_by(asking), _part_of(batch)],
        idempotency_key=f"{asking}-{run.run_count}-{part}",
        work_queue_name=EXPEDITED if run.work_queue_name == EXPEDITED else ORDINARY,
    )
    return cast(FlowRun, created).id


def runs_by_id(ids: Collection[UUID]) -> dict[UUID, FlowRun]:
    """Return flow runs as Prefect knows them now: id -> run. Ids that Prefect doesn't know are left out.

    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    with get_client(sync_client=True) as client:
        return {run.id: run for run in runs_of(client, FlowRunFilter(id=FlowRunFilterId(any_=list(ids))))}


def take_back(run_id: UUID) -> None:
    """Cancel the flow run of a part of a batch, because the run that handed the part out does it itself.

    Args:
        run_id: id of the part's run, from `hand_out`.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, Cancelled(message=_NOT_NEEDED), force=True)


def is_deserted(batch: BatchId, part: str) -> bool:
    """Return True if nobody works on a part of a batch now: no process has begun it, or its process has ended or died.

    Args:
        part: name of the part, from `part_name`.
    """
    return not is_held(part_lease(batch, part))


def cancel_parts(run_id: str, *, why: str) -> int:
    """Cancel the runs of all parts of a batch that one run has handed out and that have not ended; return how many.

    A worker that is at work on one is asked to stop.

    Args:
        run_id: id of the flow run that handed out the parts.
        why: the reason, in words; Prefect shows it.
    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    with get_client(sync_client=True) as client:
        found = _not_ended(client, _handed_out_by(run_id))
        for run in found:
            at_work = run.state is not None and run.state.is_running()
            client.set_flow_run_state(run.id, Cancelling(message=why) if at_work else Cancelled(message=why))
    return len(found)


def outlast_parts(batch: BatchId) -> None:
    """Wait until nobody works on a part of this batch (some of its shots) for an earlier run. Nothing is returned.

    Parts that no worker has begun are cancelled. So no shot is ever in two parts at the same time.

    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
    """
    while True:
        with get_client(sync_client=True) as client:
            working = [run for run in _not_ended(client, _part_of(batch)) if not _called_off(client, run)]
        if not any(is_held(run_lease(str(run.id))) for run in working):
            return
        time.sleep(POLL_S)


def _called_off(client: SyncPrefectClient, run: FlowRun) -> bool:
    if run.state is not None and (run.state.is_running() or run.state.is_cancelling()):
        return False
    client.set_flow_run_state(run.id, Cancelled(message="the batch is cut into parts again"), force=True)
    return True


def _not_ended(client: SyncPrefectClient, tag: str) -> list[FlowRun]:
    wanted = FlowRunFilter(state=_NOT_ENDED, tags=FlowRunFilterTags(all_=[tag]))
    return list(runs_of(client, wanted, flow=WORK_ON_PART))


def _handed_out_by(run_id: str) -> str:
    return f"handed-out-by:{run_id}"


def _part_of(batch: BatchId) -> str:
    return f"part-of:{batch}"
