"""Processes die in the middle of a night; it is taken up again by itself, and later nights run.

Without servers and workers that die, `tests/tasks/runs/test_lost_runs.py`, `test_leases.py`, `test_crash_points.py` and
`test_batches.py` (of a run that died) hold the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from infra.local.processes import free_ports
from infra.local.s3 import S3Access
from infra.local.stack import Ports, Stack, running, start_worker, wait_for_worker
from packshot.naming import BatchId, batch_id
from tasks.batches.summing_up import survey
from tasks.records.stored import find_batch, load_batch
from tasks.runs.lost_runs import WHY
from tasks.storage.bucket import open_storage
from tests.flows.line import Line, poll
from tests.servers import open_folder
from tests.tasks.shots import photograph, submitted

pytestmark = pytest.mark.slow

CLIENT = "deaths"
RESTARTED, KILLED = batch_id(CLIENT, "restarted"), batch_id("killed", "killed")
NAMES = [f"VAS{n}_MAIN" for n in range(2)]
QUICK = {"PACKSHOT_LEASE_S": "20", "PACKSHOT_COLLECT_EVERY_S": "30", "PACKSHOT_RUNS_AT_ONCE": "3"}
"""Three runs at once are as many as die: what is dead holds every slot."""


def filled(batch: BatchId) -> None:
    """A closed batch of glass, which goes to people: no network is loaded."""
    rows = "".join(f"{name}.jpg,{name},B0PACK{n:04},glassware,MAIN,shopify\n" for n, name in enumerate(NAMES))
    submitted(batch, {f"{name}.jpg": photograph(radius_ratio=0.3 + n / 20) for n, name in enumerate(NAMES)}, rows=rows)


def run_of(batch: BatchId) -> FlowRun | None:
    """The newest run of a batch that has begun to work."""
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=["process-batch"])),
            flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=["packshot"])),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=50,
        )
    mine = (run for run in runs if run.parameters["batch"] == batch.batch)
    return next((run for run in mine if run.state and run.state.is_running()), None)


def at_work(batch: BatchId) -> FlowRun | None:
    run, record = run_of(batch), find_batch(batch)
    return run if run and record and record.claimed_by == str(run.id) else None


def states(run_id: UUID) -> list[tuple[str, str | None]]:
    with get_client(sync_client=True) as client:
        return [(one.name, one.message) for one in client.read_flow_run_states(run_id)]


def kill(process_id: int) -> None:
    """Kill a process and all that it started, at once."""
    whole = psutil.Process(process_id)
    for one in [whole, *whole.children(recursive=True)]:
        one.kill()


class Healed(NamedTuple):
    """What was going on when everything died, and what became of it.

    Attributes:
        night, next_night: runs of `nightly`; the first was at work when its worker was killed and the servers stopped.
        run: of a batch, at work when it and its worker were killed; the servers went on.
    """

    night: FlowRun
    next_night: FlowRun
    run: FlowRun


@pytest.fixture(scope="module")
def healed(s3_server: S3Access, line_environment: dict[str, str]) -> Iterator[Healed]:
    ports = Ports(prefect=free_ports(1)[0])
    with open_folder() as folder:
        variables = {**line_environment, **QUICK}
        with running(folder / "state", s3_server=s3_server, ports=ports) as stack:
            settings = settings_of(stack, variables)
            with environment(settings):
                open_storage().ensure_bucket()
                register()
                filled(KILLED)
                worker = started_worker(stack, settings)
                line = Line(stack.prefect_api_url)
                line.start("process-batch/process-batch", {"client": KILLED.client, "batch": KILLED.batch})
                run = poll(lambda: at_work(KILLED), until="a batch is being worked on")
                kill(worker)
                filled(RESTARTED)
                night = line.start("nightly/nightly", {"clients": [CLIENT]})
                worker = started_worker(stack, settings)
                poll(lambda: at_work(RESTARTED), until="the night is working on the other batch")
                kill(worker)
        with running(folder / "state", s3_server=s3_server, ports=ports) as stack:
            settings = settings_of(stack, variables)
            with environment(settings):
                line = Line(stack.prefect_api_url)
                register()
                worker = started_worker(stack, settings)
                night = poll(lambda: completed(line, night.id), until="the night has come to its end")
                run = poll(lambda: completed(line, run.id), until="the batch is done")
                yield Healed(night, line.run("nightly/nightly", {"clients": [CLIENT]}), run)
                kill(worker)


def settings_of(stack: Stack, variables: dict[str, str]) -> dict[str, str]:
    return {**variables, **{name: value for name, value in stack.environment().items() if name.startswith("PREFECT_")}}


def started_worker(stack: Stack, settings: dict[str, str]) -> int:
    """A worker, as a machine starts it again by itself."""
    worker = start_worker(stack, work_pool=WORK_POOL, environment={**settings, "PREFECT_WORKER_QUERY_SECONDS": "0.5"})
    wait_for_worker(stack, worker, work_pool=WORK_POOL)
    return worker.pid


def completed(line: Line, run_id: UUID) -> FlowRun | None:
    run = line.read(run_id)
    return run if run.state and run.state.is_completed() else None


@pytest.mark.parametrize("batch", [RESTARTED, KILLED])
def test_each_photograph_is_where_it_would_be_without_the_deaths(healed: Healed, batch: BatchId) -> None:
    summary = survey(batch)
    assert summary.counts == {"delivered": 0, "waiting": len(NAMES), "refused": 0, "failed": 0}
    assert [run.parameters["shot"] for run in waiting(batch)] == NAMES
    record = load_batch(batch)
    assert record.finished_at
    assert not record.claimed_by


def waiting(batch: BatchId) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        tags = FlowRunFilterTags(all_=[f"client:{batch.client}", f"batch:{batch.batch}"])
        return client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=tags), sort=FlowRunSort.NAME_ASC, limit=50)


def test_a_night_that_died_says_so_and_is_started_again(healed: Healed) -> None:
    seen = states(healed.night.id)
    assert ("Crashed", WHY) in seen
    assert [name for name, _ in seen].count("Running") >= 2
    assert seen[-1][0] == "Completed"


def test_the_next_night_runs(healed: Healed) -> None:
    assert healed.next_night.state
    assert healed.next_night.state.message == "No closed batch was waiting"


def test_a_run_that_was_killed_with_its_worker_says_so_and_is_started_again(healed: Healed) -> None:
    assert ("Crashed", WHY) in states(healed.run.id)
    assert healed.run.state
    assert healed.run.state.message == survey(KILLED).sentence
