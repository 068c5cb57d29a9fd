"""S3, PostgreSQL and Prefect together, as a block: they are there inside it and gone after it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local import postgres, prefect_server, s3
from infra.local.processes import Family, only_one
from infra.local.s3 import S3Access

BUCKET = "packshot"
WORKER_POLL_S = 2


@dataclasses.dataclass(frozen=True)
class Stack:
    """The servers that run, and where.

    Attributes:
        prefect_api_url, prefect_ui_url: empty if Prefect was not asked for.
    """

    state_dir: Path
    s3: S3Access
    prefect_api_url: str
    prefect_ui_url: str
    family: Family = dataclasses.field(repr=False)

    def environment(self) -> dict[str, str]:
        """Return the variables by which a process finds these servers."""
        prefect = {"PREFECT_API_URL": self.prefect_api_url} if self.prefect_api_url else {}
        return {
            "PACKSHOT_S3_ENDPOINT_URL": self.s3.endpoint_url,
            "PACKSHOT_S3_ACCESS_KEY": self.s3.access_key,
            "PACKSHOT_S3_SECRET_KEY": self.s3.secret_key,
            "PACKSHOT_S3_REGION": self.s3.region,
            "PACKSHOT_S3_BUCKET": BUCKET,
            **prefect_server.settings(self.state_dir),
            **prefect,
        }


@contextmanager
def running(state_dir: Path, *, prefect: bool = True) -> Iterator[Stack]:
    """Run the servers with their data below `state_dir`; a second time they find it again.

    Args:
        prefect: False starts the S3 server only.
    Raises:
        ServerError: a server does not start, or another process runs those of this folder.
    """
    folder = state_dir.resolve()
    with only_one(folder), Family() as family:
        access = s3.from_environment() or s3.start(family, folder)
        address = prefect_server.PrefectAddress("", "")
        if prefect:
            address = prefect_server.start(family, folder, postgres.start(family, folder))
        yield Stack(folder, access, address.api_url, address.ui_url, family)


def start_worker(stack: Stack, *, work_pool: str, limit: int = 8, environment: dict[str, str] | None = None) -> None:
    """Start a worker that takes runs from a work pool, for as long as the stack runs.

    Args:
        limit: most runs at once, each a process.
        environment: for the worker and its runs, over the stack's own.
    """
    stack.family.start(
        [
            *(sys.executable, "-m", "prefect", "worker", "start", "--type", "process"),
            *("--pool", work_pool, "--limit", str(limit), "--name", "embedded"),
        ],
        log=stack.state_dir / "worker.log",
        environment={
            **stack.environment(),
            "PREFECT_WORKER_QUERY_SECONDS": str(WORKER_POLL_S),
            **(environment or {}),
        },
    )
