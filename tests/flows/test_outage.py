"""The storage goes away from a run, for longer than all tries of a task: the run ends well, nothing is lost."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import (
    LogFilter,
    LogFilterFlowRunId,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType, TaskRun
from prefect.client.schemas.sorting import TaskRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

from deployments.registry import JOB_TEMPLATE
from flows.batch import process_batch
from infra.local.s3 import S3Access
from infra.local.stack import Stack, start_worker, wait_for_worker
from packshot.keys import delivery_prefix, shot_key
from packshot.naming import batch_id
from packshot.record import State
from tasks.batches.summing_up import survey
from tasks.records.stored import find_record, load_batch, load_records
from tasks.results.cache_keys import RETRIES
from tasks.storage.bucket import Storage
from tasks.storage.connection import ATTEMPTS
from tests.flows.line import Line, poll, read_all, sample_folder
from tests.flows.proxy import Proxy, proxy

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "outage")
APART = "outage"
FILES = ("BOX101_MAIN.jpg", "BOX102_MAIN.jpg")
PAUSE_S = "3"
"""Before the run takes up again what failed."""
LEASE_S = "10"
"""The run's leases run out while the storage is away."""
OF_A_TASK = ATTEMPTS * (1 + RETRIES)
"""Requests in vain that a task makes at most with all its tries."""
OF_ALL = 4 * OF_A_TASK
"""So many that two tasks and the renewals of the leases make in half a minute or more."""


class Survived(NamedTuple):
    run: FlowRun
    task_runs: list[TaskRun]
    dropped: int


@pytest.fixture(scope="module")
def survived(
    line: Line,
    s3_server: S3Access,
    prefect_stack: Stack,
    line_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Survived:
    """A batch whose storage is away as its run begins, then has no masters, then is away again."""
    address = urlsplit(s3_server.endpoint_url)
    if address.scheme != "http" or not address.hostname or not address.port:
        pytest.skip(f"the storage at {s3_server.endpoint_url} cannot be reached through a TCP proxy")
    line.submit(BATCH, sample_folder(tmp_path_factory.mktemp("outage"), FILES))
    with proxy((address.hostname, address.port)) as wire:
        # Without local copies: an edit begins with the storage, and fails before it has cost anything.
        apart = {
            "PACKSHOT_S3_ENDPOINT_URL": wire.url,
            "PACKSHOT_SCRATCH_MAX_BYTES": "0",
            "PACKSHOT_AGAIN_AFTER_S": PAUSE_S,
            "PACKSHOT_LEASE_S": LEASE_S,
        }
        worker = _worker_apart(prefect_stack, {**line_environment, **apart})
        wire.cut()
        run = line.start(f"process-batch/{APART}", {"client": BATCH.client, "batch": BATCH.batch})
        poll(lambda: says_that_it_waits(run.id), until="the run itself waits for the storage")
        _wait(wire, OF_A_TASK)
        wire.mend()
        poll(is_being_edited, until="a shot is being edited")
        wire.cut_off(".tif")  # the storage answers everything else: so the task gives up, and the run goes on
        poll(lambda: gave_up(run.id), until="a task has failed at its last try")
        wire.cut()
        _wait(wire, OF_ALL)
        wire.mend()
        ended = line.ended(run.id)
        worker.terminate()
        return Survived(ended, line.task_runs(run.id), wire.refused)


def _wait(wire: Proxy, requests: int) -> None:
    enough = wire.refused + requests
    poll(lambda: wire.refused > enough or None, until="the storage has been away for longer than a task tries")


def says_that_it_waits(run_id: UUID) -> bool | None:
    """Whether the flow has said in its log, outside its tasks, that it waits for the storage."""
    with get_client(sync_client=True) as client:
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
        lines = client.read_logs(wanted, limit=200, offset=0)
    return any(one.task_run_id is None and one.message.startswith("waiting for the storage") for one in lines) or None


def _worker_apart(stack: Stack, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    """A pool, a deployment and a worker that reach the storage by the wire that will be cut; nobody else does."""
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=APART, type="process", base_job_template=JOB_TEMPLATE))
    deployment = process_batch.to_deployment(APART, work_pool_name=APART, entrypoint_type=EntrypointType.MODULE_PATH)
    assert isinstance(deployment, RunnerDeployment)
    deployment.apply()
    worker = start_worker(stack, work_pool=APART, environment={**variables, "PREFECT_WORKER_QUERY_SECONDS": "0.5"})
    wait_for_worker(stack, worker, work_pool=APART)
    return worker


def is_being_edited() -> bool | None:
    records = (find_record(BATCH.shot(Path(name).stem)) for name in FILES)
    return any(record and record.state is State.EDITING_AUTO for record in records) or None


def gave_up(run_id: UUID) -> bool | None:
    wanted = TaskRunFilter(
        flow_run_id=TaskRunFilterFlowRunId(any_=[run_id]),
        state=TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.FAILED])),
    )
    with get_client(sync_client=True) as client:
        return bool(client.read_task_runs(task_run_filter=wanted, sort=TaskRunSort.NAME_ASC, limit=1)) or None


def test_the_run_ends_well(survived: Survived) -> None:
    assert survived.run.state
    assert survived.run.state.is_completed(), survived.run.state.message
    assert survived.run.run_count == 1  # nobody had to touch it
    assert survived.dropped > OF_A_TASK + OF_ALL


def test_tasks_were_tried_again_within_their_limit(survived: Survived) -> None:
    tried_again = {run.name: run.run_count for run in survived.task_runs if run.run_count > 1}
    assert tried_again
    assert max(tried_again.values()) == 1 + RETRIES


def test_what_failed_at_last_was_taken_up_again_by_the_same_run(survived: Survived) -> None:
    failed = {run.name for run in survived.task_runs if run.state and run.state.is_failed()}
    assert failed
    assert failed <= {run.name for run in survived.task_runs if run.state and run.state.is_completed()}


def test_nothing_is_lost(survived: Survived, storage: Storage) -> None:
    summary = survey(BATCH)
    assert sorted(fate.file for fate in summary.fates) == sorted(FILES)
    assert {fate.kind for fate in summary.fates} <= {"delivered", "waiting"}
    assert load_batch(BATCH).finished_at
    for record in load_records([BATCH.shot(fate.shot) for fate in summary.fates]):
        for name, sha256 in record.objects.items():
            assert hashlib.sha256(storage.get(shot_key(record.shot, name))).hexdigest() == sha256, name
        arrivals = [event.to_state for event in record.events if event.to_state is not State.FAILED]
        assert arrivals.count(State.APPROVED) <= 1
        assert arrivals.count(State.DELIVERED) <= 1


def test_it_is_delivered_once_and_whole(survived: Survived) -> None:
    delivered = {fate.shot for fate in survey(BATCH).of("delivered")}
    assert delivered
    (delivery,) = load_batch(BATCH).deliveries
    files = read_all(delivery_prefix(BATCH, delivery.number))
    certificate = json.loads(files["certificate.json"])
    assert set(delivery.shots) == delivered == {one["shot"] for one in certificate["shots"]}
    for one in certificate["files"]:
        assert hashlib.sha256(files[one["path"]]).hexdigest() == one["sha256"], one["path"]
