"""Two worker processes share one batch; a killed one is replaced, and a cancelled run takes its parts along.

That a run and another process share the parts of a stage, and do none twice, is held cheaply in
`tests/tasks/runs/test_parts.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling

from infra.local.stack import WORKER, Stack, start_worker, wait_for_worker
from packshot.naming import BatchId, batch_id
from tasks.batches.summing_up import survey
from tasks.runs.parts import PARTS_POOL
from tasks.runs.resuming import runs_of
from tests.flows.line import Line, poll
from tests.flows.test_deaths import kill
from tests.tasks.shots import photograph, submitted

pytestmark = pytest.mark.slow

SHARED, KILLED, CANCELLED = (batch_id("two-workers", name) for name in ("shared", "killed", "cancelled"))
SHOTS = 10


def filled(batch: BatchId, *, first_px: int = 1000) -> None:
    """A closed batch of glass, which goes to people.

    Args:
        first_px: side of the first two photographs, which are the first part.
    """
    names = [f"VAS{n:02}_MAIN" for n in range(SHOTS)]
    rows = "".join(f"{name}.jpg,{name},B0PACK{n:04},glassware,MAIN,shopify\n" for n, name in enumerate(names))
    sides = [first_px] * 2 + [1000] * (SHOTS - 2)
    pictures = {
        f"{name}.jpg": photograph(side, side, radius_ratio=0.2 + n / 100)
        for n, (name, side) in enumerate(zip(names, sides, strict=True))
    }
    submitted(batch, pictures, rows=rows)


@pytest.fixture
def helper(line: Line, prefect_stack: Stack, line_environment: Mapping[str, str]) -> Iterator[int]:
    """A second worker, which takes parts, one at a time."""
    quick = {**line_environment, "PREFECT_WORKER_QUERY_SECONDS": "0.5"}
    worker = start_worker(prefect_stack, work_pool=PARTS_POOL, environment=quick, limit=1)
    wait_for_worker(prefect_stack, worker, work_pool=PARTS_POOL)
    yield worker.pid
    if psutil.pid_exists(worker.pid):
        kill(worker.pid)
    with get_client(sync_client=True) as client:  # else the server takes it for alive for a while
        place = {"work_pool_name": PARTS_POOL, "name": WORKER}
        client.request("DELETE", "/work_pools/{work_pool_name}/workers/{name}", path_params=place)


def begun(line: Line, batch: BatchId, *, first_px: int = 1000) -> UUID:
    filled(batch, first_px=first_px)
    return line.start("process-batch/process-batch", {"client": batch.client, "batch": batch.batch}).id


def parts_of(batch: BatchId) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"part-of:{batch}"]))
        return list(runs_of(client, wanted, flow="work-on-part"))


def at_work(batch: BatchId) -> FlowRun | None:
    """A part on which another worker works now."""
    return next((run for run in parts_of(batch) if run.state and run.state.is_running()), None)


def handed_out(batch: BatchId) -> bool | None:
    """Whether there are parts that are not done."""
    return any(run.state and not run.state.is_final() for run in parts_of(batch)) or None


def outcome(batch: BatchId) -> dict[str, int]:
    return {kind: count for kind, count in survey(batch).counts.items() if count}


def ended(runs: Callable[[], list[FlowRun]]) -> list[FlowRun] | None:
    found = runs()
    return found if all(run.state and run.state.is_final() for run in found) else None


def test_both_workers_work_on_one_batch(line: Line, helper: int) -> None:
    run = line.ended(begun(line, SHARED))
    assert run.state
    assert run.state.is_completed(), run.state.message
    assert outcome(SHARED) == {"waiting": SHOTS}
    parts = parts_of(SHARED)
    elsewhere = {
        part.id for part in parts if part.state and "done" in str(part.state.message) and part.state.is_completed()
    }
    tasks = line.task_runs(run.id)
    done = Counter(one.flow_run_id in elsewhere for one in tasks if one.name.startswith(("master", "route")))
    assert done[True] >= 2, "the other worker took at least a part"
    assert done[False] >= 2, "and so did the run that handed the parts out"
    assert sum(done.values()) == 2 * SHOTS, "nothing was done twice"


def test_a_part_whose_worker_is_killed_is_done_by_others(line: Line, helper: int) -> None:
    run_id = begun(line, KILLED, first_px=3000)  # so that the worker is killed in the middle of it
    victim = poll(lambda: at_work(KILLED), until="the other worker is at work on a part")
    kill(helper)
    run = line.ended(run_id)
    assert run.state
    assert run.state.is_completed(), run.state.message
    assert outcome(KILLED) == {"waiting": SHOTS}
    left = line.read(victim.id).state
    assert left
    assert left.is_final()


def test_a_cancelled_run_takes_its_parts_along(line: Line, helper: int) -> None:
    run_id = begun(line, CANCELLED)
    poll(lambda: handed_out(CANCELLED), until="parts are handed out")
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, Cancelling())
    cancelled = line.ended(run_id)
    assert cancelled.state
    assert cancelled.state.is_cancelled()
    parts = poll(lambda: ended(lambda: parts_of(CANCELLED)), until="no part is left")
    assert any("was cancelled" in str(part.state.message) for part in parts if part.state)
    run = line.retry(run_id)
    assert run.state
    assert run.state.is_completed(), run.state.message
    assert outcome(CANCELLED) == {"waiting": SHOTS}
