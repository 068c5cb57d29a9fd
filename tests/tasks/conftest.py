"""A real S3 server for the whole session, and an empty bucket for every test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import stack
from infra.local.s3 import S3Access
from tasks.settings import Settings, get_settings
from tasks.storage import Storage, open_storage

BUCKET = f"packshot-test-{uuid.uuid4().hex[:8]}"
"""One for the session: on a server that others use too, and because the first write into a new one takes seconds."""


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Access]:
    """The server that the environment names, else an embedded one."""
    with stack.running(tmp_path_factory.mktemp("s3"), prefect=False) as servers:
        yield servers.s3


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
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"PACKSHOT_{name}", value)
    return get_settings()


@pytest.fixture
def storage(s3_settings: Settings) -> Storage:
    """The bucket, empty."""
    opened = open_storage()
    opened.ensure_bucket()
    for info in opened.list(""):
        opened._client.delete_object(Bucket=opened.bucket, Key=info.key)
    return opened
