"""Real servers for tests: one S3 server and one Prefect for the whole session, both started when first asked for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.processes import free_ports
from infra.local.s3 import S3Access
from infra.local.stack import Ports, Stack, running


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody can pass through, for the database to live in; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="packshot-tests-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Access]:
    """The S3 server that the environment names, else an embedded one."""
    with running(tmp_path_factory.mktemp("s3-server"), prefect=False) as stack:
        yield stack.s3


@pytest.fixture(scope="session")
def prefect_stack(s3_server: S3Access) -> Iterator[Stack]:
    """Prefect on PostgreSQL, with the session's S3 server; `Stack.environment` points a process at them."""
    ports = Ports(prefect=free_ports(1)[0])  # not the usual one: somebody may be running the line on this machine
    with open_folder() as folder, running(folder / "state", s3_server=s3_server, ports=ports) as stack:
        yield stack
