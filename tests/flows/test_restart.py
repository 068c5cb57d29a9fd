"""Everything goes down while a shot waits: worker killed, servers stopped and started again; then it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from infra.local.processes import free_ports
from infra.local.s3 import S3Access
from infra.local.stack import Ports, running, start_worker, wait_for_worker
from packshot.decision import Choice
from packshot.keys import job_returned_prefix
from packshot.naming import batch_id
from packshot.record import State
from tasks.records.stored import load_record
from tasks.storage.bucket import open_storage
from tests.flows.line import Line
from tests.flows.people import answered, form_of
from tests.servers import open_folder
from tests.tasks.shots import photograph, submitted

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "restart")
SHOT = BATCH.shot("VAS100_MAIN")
ROWS = "VAS100_MAIN.jpg,VAS100,B0PACK0100,glassware,MAIN,shopify\n"


@contextmanager
def whole_line(folder: Path, s3: S3Access, variables: dict[str, str], ports: Ports) -> Iterator[Line]:
    """Servers and a worker of their own, with the data that they had before; the worker is killed at the end."""
    with running(folder / "state", s3_server=s3, ports=ports) as stack:
        settings = {**variables, **{k: v for k, v in stack.environment().items() if k.startswith("PREFECT_")}}
        with environment(settings):
            register()
            worker = start_worker(
                stack, work_pool=WORK_POOL, environment={**settings, "PREFECT_WORKER_QUERY_SECONDS": "0.5"}
            )
            wait_for_worker(stack, worker, work_pool=WORK_POOL)
            try:
                yield Line(stack.prefect_api_url)
            finally:
                worker.kill()


@pytest.fixture(scope="module")
def resumed(s3_server: S3Access, line_environment: dict[str, str]) -> Iterator[None]:
    """A shot that was suspended before everything went down, and answered after it came back."""
    ports = Ports(prefect=free_ports(1)[0])
    with open_folder() as folder:
        with whole_line(folder, s3_server, line_environment, ports) as line:
            open_storage().ensure_bucket()
            submitted(BATCH, {"VAS100_MAIN.jpg": photograph(radius_ratio=0.43)}, rows=ROWS)
            run = line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch})
            assert run.state
            assert run.state.is_completed(), run.state.message
            (waiting,) = line.waiting_runs(BATCH)
            form = form_of(waiting)
        with whole_line(folder, s3_server, line_environment, ports) as line:
            after = line.read(waiting.id)
            assert after.state
            assert (after.state.name, after.state_id) == ("Suspended", waiting.state_id)
            assert form_of(after) == form
            answer(line, waiting.id)
            yield


def answer(line: Line, run_id: UUID) -> None:
    """Reject the photograph, as the UI's form does."""
    run = answered(line, run_id, Choice.REJECT, person="Ada Editor", note="the vase is cracked")
    assert run.state
    assert run.state.is_completed(), run.state.message


def test_a_waiting_shot_outlives_worker_and_servers(resumed: None) -> None:
    record = load_record(SHOT)
    assert record.state is State.REFUSED
    assert record.decisions[-1].by == "Ada Editor"
    assert "the vase is cracked" in record.events[-1].why
    assert not list(open_storage().list(job_returned_prefix(SHOT)))
