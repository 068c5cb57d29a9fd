"""The whole line: registered deployments and one worker, with the tests' process as their client."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort

from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from infra.local import watchdog
from infra.local.stack import Stack, start_worker, wait_for_worker
from tasks.environment.configs import configs_in_force
from tasks.environment.settings import get_settings
from tasks.processing.networks import cached_model
from tasks.results.block import ENVIRONMENT
from tasks.runs.schedules import schedule_runs
from tasks.storage.bucket import Storage, open_storage
from tests.configs import changed_configs
from tests.flows.line import Line
from tests.servers import CERTIFICATES

BUCKET = f"packshot-test-{uuid.uuid4().hex[:8]}"
POLL_S = "1"
RUNS_END_S = 300.0
WORKER_ENDS_S = 60.0
"""A worker waits for its runs when it is told to end; here it has none by then."""
NETWORKS = ("isnet-general-use", "u2netp")
SETTLE_S = 2
"""How long a returned file must lie; with the shipped 20 s, runs of the collection look too early."""

BY_THE_CLOCK = ("daily-report", "return-rate", "train-router", "audit-escapes")
"""They would begin, and write, in the middle of a test that runs at their hour."""


@pytest.fixture(scope="session")
def line_environment(prefect_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of every process of the line: the servers, a bucket of its own, a network that is here."""
    settings = get_settings()
    here = [name for name in NETWORKS if cached_model(configs_in_force().models[name], folder=settings.models_dir)]
    if not here:
        pytest.skip(f"no segmentation network in {settings.models_dir}: run `packshot models fetch`")
    return {
        **prefect_stack.environment(),
        **ENVIRONMENT,
        CERTIFICATES: os.environ[CERTIFICATES],
        "PACKSHOT_S3_BUCKET": BUCKET,
        "PACKSHOT_SEGMENTER": here[0],
        "PACKSHOT_BATCHES_AT_ONCE": "2",
        "PACKSHOT_PART_SIZE": "2",
        "PACKSHOT_AGAIN_AFTER_S": "0",  # here a person retries; `test_outage.py` does without one
        "PACKSHOT_NIGHTLY_CRON": "0 2 29 2 *",  # these tests start their nights themselves, and look into hot folders
        "PACKSHOT_COLLECT_EVERY_S": "86400",
        "PACKSHOT_SCRATCH_DIR": str(tmp_path_factory.mktemp("scratch")),
        "PACKSHOT_CONFIGS": str(configs_of_tests(tmp_path_factory.mktemp("configs") / "configs")),
    }


def configs_of_tests(folder: Path) -> Path:
    """Copy the configs that come with Packshot, but audit nothing, and take a returned file soon.

    Which shot is audited is drawn by the hash of its bytes, and those of a photograph that a test draws may differ in
    the last bit from one processor to the next.
    """
    audit = {"ratio": 0.0, "first_ratio": 0.0}
    return changed_configs(folder, {"routing.yaml": {"audit": audit}, "handoff.yaml": {"settle_s": SETTLE_S}})


@pytest.fixture(scope="package")
def worker(prefect_stack: Stack, line_environment: Mapping[str, str]) -> Iterator[None]:
    """A worker process that takes the runs of all deployments.

    It ends with the tests of flows: a worker that waits asks the server every second.
    """
    with environment(line_environment):
        open_storage().ensure_bucket()
        register()
        for name in BY_THE_CLOCK:
            schedule_runs(f"{name}/{name}", active=False)
        process = start_worker(
            prefect_stack,
            work_pool=WORK_POOL,
            environment={**line_environment, "PREFECT_WORKER_QUERY_SECONDS": POLL_S},
        )
        wait_for_worker(prefect_stack, process, work_pool=WORK_POOL)
    yield
    with environment(line_environment):
        left = left_at_work()
    wait_for_processes_of_runs(psutil.Process(process.pid))
    watchdog.end(psutil.Process(process.pid), signal.SIGTERM, grace_s=WORKER_ENDS_S)
    said = (prefect_stack.state_dir / "worker.log").read_text("utf-8", "replace")[-2000:]
    assert not left, f"these runs did not end within {RUNS_END_S:.0f} s: {left}"
    assert process.wait() != -signal.SIGKILL, f"nothing is at work, and the worker does not end; its log says:\n{said}"


def left_at_work() -> list[str]:
    """Wait until no run is at work or due, and return those that still are, as ``name (state)``.

    A worker that is told to end takes no more runs. A run that waits for another that has not begun would then never
    end, and the worker waits for it. So the runs end first.
    """
    deadline = time.monotonic() + RUNS_END_S
    while (left := _at_work()) and time.monotonic() < deadline:
        time.sleep(1.0)
    return left


def wait_for_processes_of_runs(worker: psutil.Process) -> None:
    """Wait until the worker has no process of a run. A run is completed a second or more before its process has ended.

    A worker of Prefect's that is told to end in that second may never end.
    """
    deadline = time.monotonic() + RUNS_END_S
    while worker.is_running() and worker.children() and time.monotonic() < deadline:
        time.sleep(0.2)


def _at_work() -> list[str]:
    types = [StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    due = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types)),
        expected_start_time=FlowRunFilterExpectedStartTime(before_=datetime.now(UTC)),
    )
    of_pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[WORK_POOL]))
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(
            flow_run_filter=due, work_pool_filter=of_pool, sort=FlowRunSort.NAME_ASC, limit=200
        )
    return [f"{one.name} ({one.state_name})" for one in found]


@pytest.fixture(scope="module")
def line(worker: None, prefect_stack: Stack, line_environment: Mapping[str, str]) -> Iterator[Line]:
    """The running line; this process uses the same servers for as long as the module's tests run."""
    with environment(line_environment):
        yield Line(prefect_stack.prefect_api_url)


@pytest.fixture
def storage(line: Line) -> Storage:
    """The line's bucket."""
    return open_storage()
