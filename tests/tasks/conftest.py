"""An empty bucket for every test on the session's S3 server; with Prefect, this process as a worker of the line."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from sqlalchemy import Connection, delete

from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from infra.local.s3 import S3Access
from infra.local.stack import Stack
from packshot.naming import BatchId, batch_id
from tasks.environment.settings import Settings, get_settings
from tasks.index.database import shared
from tasks.index.tables import batches, buckets, shots
from tasks.learning.routing_model import forget_service
from tasks.results.block import ENVIRONMENT
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.seals import draw_key
from tests.remembered import remembered_results
from tests.shared_folder import shared_folder

BUCKET, LINE_BUCKET = (f"packshot-test-{uuid.uuid4().hex[:8]}" for _ in range(2))
"""For the session: on a server that others use too, and because the first write into a new one takes seconds."""


@pytest.fixture(scope="module", autouse=True)
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is slow and pure is done once in a run of tests for each input, by whichever process needs it first."""
    with remembered_results(shared_folder(tmp_path_factory)):
        yield


@pytest.fixture
def s3_settings(s3_server: S3Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a worker: the server, a bucket, folders of its own."""
    environment = {
        "S3_ENDPOINT_URL": s3_server.endpoint_url,
        "S3_ACCESS_KEY": s3_server.access_key,
        "S3_SECRET_KEY": s3_server.secret_key,
        "S3_REGION": s3_server.region,
        "S3_BUCKET": BUCKET,
        "MODELS_DIR": str(tmp_path / "models"),
        "SCRATCH_DIR": str(tmp_path / "scratch"),
        "RESULTS_KEY_FILE": str(tmp_path / "results-key"),
    }
    draw_key(tmp_path / "results-key")
    for name, value in environment.items():
        monkeypatch.setenv(f"PACKSHOT_{name}", value)
    return get_settings()


@pytest.fixture
def storage(s3_settings: Settings) -> Storage:
    """The bucket, empty, and without rows in the index of the line that some modules have."""
    forget_service()
    opened = open_storage()
    opened.ensure_bucket()
    empty(opened)
    index = shared()
    if index is not None:
        index.run(partial(forget_rows, bucket=opened.bucket))
    return opened


def forget_rows(connection: Connection, *, bucket: str) -> None:
    """Delete what the index has of a bucket."""
    for table in (shots, batches, buckets):
        connection.execute(delete(table).where(table.c.bucket == bucket))


def empty(storage: Storage) -> None:
    """Delete every object."""
    keys = [info.key for info in storage.list("")]
    for first in range(0, len(keys), 1_000):
        some = [{"Key": key} for key in keys[first : first + 1_000]]
        storage._client.delete_objects(Bucket=storage.bucket, Delete={"Objects": some, "Quiet": True})


@pytest.fixture(scope="session")
def line_environment(prefect_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a worker: storage with a bucket of its own, Prefect with the line's deployments."""
    variables = {
        **prefect_stack.environment(),
        **ENVIRONMENT,
        "PACKSHOT_S3_BUCKET": LINE_BUCKET,
        "PACKSHOT_SEGMENTER": "u2netp",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",  # what is still to be sent must not outlive the server
        "PACKSHOT_SCRATCH_DIR": str(tmp_path_factory.mktemp("scratch")),
    }
    with environment(variables):
        open_storage().ensure_bucket()
        register()
    return variables


@pytest.fixture(scope="module")
def nobody_takes_runs(line_environment: dict[str, str]) -> Iterator[None]:
    """No worker takes the runs that a module's tests start; other tests of the session may have left one at work."""
    with environment(line_environment):
        _pause_work_pool(True)
        yield
        _pause_work_pool(False)


def _pause_work_pool(paused: bool) -> None:
    with get_client(sync_client=True) as client:
        client.update_work_pool(WORK_POOL, WorkPoolUpdate(is_paused=paused))


@pytest.fixture
def line(nobody_takes_runs: None) -> Storage:
    """The bucket of a line that runs: this process may start runs. What other tests put there stays."""
    return open_storage()


@pytest.fixture
def batch() -> BatchId:
    """A batch that no other test has."""
    return batch_id("acme", f"batch-{uuid.uuid4().hex[:8]}")
