"""PostgreSQL goes away just as a run begins: the run lives on, or is started again, and nobody has to touch it.

Slow: servers of its own, and a worker. With `make test`, `tests/infra/test_prefect_app.py` holds that the server then
asks its clients to try again, and `tests/tasks/runs/test_lost_runs.py` that a run without a process is started again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError

from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from deployments.watch_process import keep_watch
from infra.local.processes import free_ports
from infra.local.s3 import S3Access
from infra.local.stack import Ports, Stack, keep_worker, running
from packshot.naming import BatchId, batch_id
from tasks.batches.summing_up import survey
from tasks.storage.bucket import open_storage
from tests.flows.line import Line, poll
from tests.flows.test_deaths import NAMES, QUICK, filled, settings_of
from tests.servers import open_folder

pytestmark = pytest.mark.slow

SHORT_S, LONG_S = 20.0, 75.0
"""Longer than the start of a run's process; longer than its requests are tried again."""


@pytest.fixture(scope="module")
def stack(s3_server: S3Access, line_environment: dict[str, str]) -> Iterator[Stack]:
    with (
        open_folder() as folder,
        running(folder / "state", s3_server=s3_server, ports=Ports(prefect=free_ports(1)[0])) as stack,
    ):
        settings = settings_of(stack, {**line_environment, **QUICK, "PREFECT_WORKER_QUERY_SECONDS": "0.5"})
        with environment(settings):
            open_storage().ensure_bucket()
            register()
            keep_worker(stack, work_pool=WORK_POOL, environment=settings).wait()
            keep_watch(stack, environment=settings)
            yield stack


@pytest.mark.parametrize("away_s", [SHORT_S, LONG_S])
def test_a_run_that_begins_while_postgresql_is_away_comes_back_by_itself(stack: Stack, away_s: float) -> None:
    """Kind of test that was missing: a server is away before the first line of the flow, which waits for servers."""
    batch, line = batch_id("away", f"for-{away_s:.0f}"), Line(stack.prefect_api_url)
    filled(batch)
    (database,) = (part for part in stack.family.parts if part.name == "postgres")
    run = line.start("process-batch/process-batch", {"client": batch.client, "batch": batch.batch})
    poll(lambda: begins(line, run.id), until="the worker starts a process for it")
    database.kill()
    time.sleep(away_s)
    database.start()
    ended = poll(lambda: completed(line, run.id), until="it is done")
    assert ended.state
    assert ended.state.message == survey(batch).sentence
    assert counted(batch) == {"waiting": len(NAMES)}


def begins(line: Line, run_id: UUID) -> bool | None:
    state = line.read(run_id).state
    return (state and (state.is_pending() or state.is_running())) or None


def completed(line: Line, run_id: UUID) -> FlowRun | None:
    try:
        run = line.read(run_id)
    except (httpx.HTTPError, PrefectHTTPStatusError):
        return None
    return run if run.state and run.state.is_completed() else None


def counted(batch: BatchId) -> dict[str, int]:
    return {kind: count for kind, count in survey(batch).counts.items() if count}
