"""A real S3 server for the whole session, and an empty bucket for every test."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from packshot.errors import StorageUnavailableError
from tasks.settings import Settings, get_settings
from tasks.storage import Storage, open_storage

ACCESS_KEY, SECRET_KEY = "test-access", "test-secret"  # of a server that lives for one test session


class S3Server(NamedTuple):
    endpoint_url: str
    access_key: str
    secret_key: str


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _command(folder: Path, ports: list[int]) -> list[str]:
    names = ["master", "volume", "filer", "s3"]
    options = [f"-{name}.port={port}" for name, port in zip(names, ports[:4], strict=True)]
    options += [f"-{name}.port.grpc={port}" for name, port in zip(names, ports[4:], strict=True)]
    return [
        str(Path(sys.executable).parent / "weed"),
        f"-logdir={folder}",
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *options,
        "-filer",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=2000",
    ]


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    folder = tmp_path_factory.mktemp("s3")
    keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    identity = {"name": "test", "credentials": keys, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = _free_ports(8)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(_command(folder, ports), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not _answers(ports[3]):
                assert server.poll() is None, (folder / "log").read_text()[-2000:]
                assert time.monotonic() < deadline, "the S3 server did not come up"
            yield S3Server(f"http://127.0.0.1:{ports[3]}", ACCESS_KEY, SECRET_KEY)
        finally:
            server.kill()
            server.wait()


@pytest.fixture
def s3_settings(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a worker: the server, a bucket, folders of its own."""
    environment = {
        "S3_ENDPOINT_URL": s3_server.endpoint_url,
        "S3_ACCESS_KEY": s3_server.access_key,
        "S3_SECRET_KEY": s3_server.secret_key,
        "S3_BUCKET": "packshot-test",
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
    deadline = time.monotonic() + 30
    while True:
        try:
            opened.ensure_bucket()
            break
        except StorageUnavailableError:  # the server listens before it can serve
            assert time.monotonic() < deadline, "the S3 server does not serve"
    for info in opened.list(""):
        opened._client.delete_object(Bucket=opened.bucket, Key=info.key)
    return opened
