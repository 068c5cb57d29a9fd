"""Real servers for tests: one S3 server and one Prefect for the whole session, both started when first asked for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import certifi
import pytest

from infra.local import postgres
from infra.local.processes import Family, free_ports, only_one
from infra.local.s3 import S3Access
from infra.local.stack import Ports, Stack, running

USERS_OWN = {
    **dict.fromkeys(("PREFECT_API_KEY", "PREFECT_PROFILE", "AWS_SESSION_TOKEN", "GITHUB_TOKEN"), "not for the servers"),
    "PREFECT_SERVER_DATABASE_HOST": "elsewhere.example",
    "PREFECT_SERVER_API_BASE_PATH": "/elsewhere",
}
"""What a user's terminal may hold and no server of ours may get; the session's Prefect server starts beside it."""
USERS_WISHES = {
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "17",
    "PACKSHOT_ALLOWED_HOSTS": "prefect.example",
    **dict.fromkeys(
        (
            "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS",
            "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS",
            "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS",
            "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS",
        ),
        "60",  # no test waits for these: an idle server takes half as much
    ),
}
"""What a user may set for the server."""


CERTIFICATES = "PREFECT_API_SSL_CERT_FILE"


@pytest.fixture(scope="session", autouse=True)
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let Prefect's clients read one certificate instead of all that there are.

    Each client that is made reads the file, which takes 20 ms, though the servers here speak plain HTTP.
    """
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(f"{first}{end}\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(CERTIFICATES, str(file))
        yield


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
def index_server() -> Iterator[str]:
    """The URL of an index, on a PostgreSQL of its own: it starts in a second, and may be stopped and damaged."""
    with open_folder() as folder, only_one(folder) as lock, Family(str(folder), lock=lock) as family:
        yield postgres.index_url(folder, postgres.start(family, folder))


@pytest.fixture(scope="session")
def prefect_stack(s3_server: S3Access) -> Iterator[Stack]:
    """Prefect on PostgreSQL, with the session's S3 server; `Stack.environment` points a process at them."""
    ports = Ports(prefect=free_ports(1)[0])  # not the usual one: somebody may be running the line on this machine
    with open_folder() as folder, ExitStack() as servers:
        with pytest.MonkeyPatch.context() as patched:
            for name, value in {**USERS_OWN, **USERS_WISHES}.items():
                patched.setenv(name, value)
            stack = servers.enter_context(running(folder / "state", s3_server=s3_server, ports=ports))
        yield stack
