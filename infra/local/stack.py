"""Run S3, PostgreSQL and Prefect together while a `with` block runs, and start workers beside them."""

from __future__ import annotations

import dataclasses
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import psutil

from infra.local import postgres, prefect_server, s3
from infra.local.parts import Child, Part
from infra.local.processes import PYTHONS, Family, only_one, wait_until
from infra.local.s3 import S3Access
from infra.local.s3_keys import write_secret

BUCKET = "packshot"
RESULTS_KEY = "results-key"
"""File in the state folder with the key that seals task results."""
WORKER = "embedded"
TO_THE_WORKER = ("PACKSHOT_*", "PREFECT_LOGGING_*", "*_PROXY", "*_proxy", "OMP_*", "OPENBLAS_*", "MKL_*", "NUMBA_*")
"""Variables of this process that a worker and its runs get. No Prefect server, profile or cloud key is among them."""
WORKER_POLL, WORKER_POLL_S = "PREFECT_WORKER_QUERY_SECONDS", 12
"""How often a worker asks for runs; Prefect makes it a third more or less. Each question costs the server 15 ms of
processor time, and an answer waits so long for what it starts.
"""
WORKER_START_S = 120.0
WORKER_SILENCE_S = 120.0
"""Longest time without a heartbeat; a worker sends one every 30 s."""


@dataclasses.dataclass(frozen=True)
class Ports:
    """Port numbers on 127.0.0.1 for the servers that `running` starts.

    None means that the port is not fixed: the server gets the port of the last start, or a free one.

    Attributes:
        s3: port of the S3 interface. Further ports, which only the S3 server itself uses, are never fixed.
        postgres: port of the database.
        prefect: port of Prefect's API and pages.
    """

    s3: int | None = None
    postgres: int | None = None
    prefect: int | None = None


@dataclasses.dataclass(frozen=True)
class Stack:
    """The servers that `running` has started, with their addresses.

    Attributes:
        state_dir: absolute path of the folder with the servers' data and logs.
        s3: address and keys of the S3 server.
        prefect_api_url, prefect_ui_url: addresses of Prefect's API and of Prefect's pages; empty if Prefect was not
            asked for.
        prefect_password: password of Prefect's API and pages; empty if Prefect was not asked for.
        index_url: URL, with its password, of the database that holds the index (a table of all shots and one of all
            batches); empty if Prefect was not asked for.
        family: the servers' processes. Processes that are started by it, such as workers, end with the servers.
    """

    state_dir: Path
    s3: S3Access
    prefect_api_url: str
    prefect_ui_url: str
    prefect_password: str = dataclasses.field(repr=False)
    index_url: str = dataclasses.field(repr=False)
    family: Family = dataclasses.field(repr=False)

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which a client finds these servers: name -> value.

        Example: ``PREFECT_API_URL`` -> its address. Passwords and keys are among the values. Variables of Prefect's
        address are missing if Prefect was not asked for.
        """
        prefect = (
            {
                "PREFECT_API_URL": self.prefect_api_url,
                "PREFECT_API_AUTH_STRING": self.prefect_password,
                "PACKSHOT_INDEX_URL": self.index_url,
            }
            if self.prefect_api_url
            else {}
        )
        return {
            "PACKSHOT_S3_ENDPOINT_URL": self.s3.endpoint_url,
            "PACKSHOT_S3_ACCESS_KEY": self.s3.access_key,
            "PACKSHOT_S3_SECRET_KEY": self.s3.secret_key,
            "PACKSHOT_S3_REGION": self.s3.region,
            "PACKSHOT_S3_BUCKET": BUCKET,
            "PACKSHOT_RESULTS_KEY_FILE": str(self.state_dir / RESULTS_KEY),
            **prefect_server.settings(self.state_dir),
            **prefect,
            **_past_proxies(),
        }


def starting(state_dir: Path) -> str:
    """Return the line to print before the servers start: what starts, and where its data are.

    Args:
        state_dir: folder of the servers' data, as it was named.
    """
    return f"Starting S3, PostgreSQL and Prefect on 127.0.0.1; their data are in {state_dir}/ ..."


@contextmanager
def running(
    state_dir: Path, *, prefect: bool = True, s3_server: S3Access | None = None, ports: Ports | None = None
) -> Iterator[Stack]:
    """Run S3, PostgreSQL and Prefect during the block, and yield their addresses.

    Their data are below `state_dir`; a later call finds them again. The servers end with the block, and also if this
    process is killed.

    An S3 server is started only if none runs already for this purpose. A running one is named by `s3_server`, else by
    the environment variable ``S3_ENDPOINT_URL``. Its data are not below `state_dir`, and it does not end with the
    block.

    Args:
        state_dir: the folder; made if it is missing.
        prefect: False starts neither PostgreSQL nor Prefect.
        s3_server: address and keys of an S3 server that already runs. None means that ``S3_ENDPOINT_URL`` may name one,
            with its keys in ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``.
        ports: fixed ports of the servers; None means that no port is fixed.

    Raises:
        ServerError: a server does not start, another process runs the servers of this folder, or ``S3_ENDPOINT_URL`` is
            used and ``AWS_ACCESS_KEY_ID`` or ``AWS_SECRET_ACCESS_KEY`` is not set.
    """
    folder = state_dir.resolve()
    wanted = ports or Ports()
    with only_one(folder) as lock, Family(str(folder), lock=lock) as family:
        if not (folder / RESULTS_KEY).exists():
            write_secret(folder / RESULTS_KEY, secrets.token_hex(32).encode())
        access, wait_for_s3 = s3_server or s3.from_environment(), None
        if access is None:
            # S3's start is mostly waiting and Prefect's is mostly work, so both start together.
            access, wait_for_s3 = s3.launch(family, folder, port=wanted.s3)
        address, index_url = prefect_server.PrefectAddress("", ""), ""
        if prefect:
            database_url = postgres.start(family, folder, port=wanted.postgres)
            index_url = postgres.index_url(folder, database_url)
            address = prefect_server.start(family, folder, database_url, port=wanted.prefect)
        if wait_for_s3 is not None:
            wait_for_s3()
        yield Stack(folder, access, address.api_url, address.ui_url, address.password, index_url, family)


def start_worker(
    stack: Stack, *, work_pool: str, environment: Mapping[str, str] | None = None, limit: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a Prefect worker for a work pool, and return its process. The worker ends with the stack's servers.

    `wait_for_worker` waits until the worker is ready. The pool limits how many runs execute at once. A limit on the
    worker itself does not work for runs that are retried: in Prefect 3.8 such a worker ends by mistake if the process
    of the first attempt still exists.

    Args:
        stack: the running servers.
        work_pool: name of the pool.
        environment: variables for the worker and its runs. They override those of `Stack.environment`.
        limit: greatest number of runs at once; only for a pool whose runs are never retried. None means no limit.
    """
    return stack.family.start(
        [
            *(sys.executable, "-m", "prefect", "worker", "start", "--type", "process"),
            *("--pool", work_pool, "--name", WORKER),
            *(() if limit is None else ("--limit", str(limit))),
        ],
        log=stack.state_dir / "worker.log",
        passed_on=(*PYTHONS, *TO_THE_WORKER),
        environment={
            **stack.environment(),
            WORKER_POLL: os.environ.get(WORKER_POLL, str(WORKER_POLL_S)),
            **(environment or {}),
        },
    )


def keep_worker(stack: Stack, *, work_pool: str, environment: Mapping[str, str] | None = None) -> Part:
    """Start a Prefect worker that is kept alive; return it as a `Part`: a process with its start and its check.

    A `Supervisor` that is given the part restarts the worker when it dies. If the worker cannot be started now, no
    error is raised: the supervisor tries again.

    Args:
        stack: the running servers.
        work_pool: name of the pool from which the worker takes runs.
        environment: variables for the worker and its runs. They override those of `Stack.environment`.
    """

    def trouble(child: Child) -> str:
        return worker_trouble(stack, child, work_pool=work_pool)

    start = partial(start_worker, stack, work_pool=work_pool, environment=environment)
    log = stack.state_dir / "worker.log"
    part = Part("worker", start, trouble, log, WORKER_START_S, needs=("prefect",), runs_others=True, needed=False)
    return stack.family.keep(part)


def wait_for_worker(
    stack: Stack, worker: subprocess.Popen[bytes], *, work_pool: str, timeout_s: float = WORKER_START_S
) -> None:
    """Wait until Prefect's server has heard of a worker that was just started.

    Args:
        stack: the running servers.
        worker: the worker's process, from `start_worker`.
        work_pool: name of the pool.
        timeout_s: longest wait on an idle machine, in seconds. On a busy machine the wait may be longer.

    Raises:
        ServerError: the worker ended, or the time is up.
    """
    wait_until(
        lambda: not worker_trouble(stack, worker, work_pool=work_pool),
        child=worker,
        name="The worker",
        log=stack.state_dir / "worker.log",
        timeout_s=timeout_s,
    )


def worker_trouble(stack: Stack, worker: Child, *, work_pool: str) -> str:
    """Return what is wrong with a worker, in words; empty if it works.

    A worker works if Prefect's server has had a sign of life (a heartbeat) from it in the last two minutes.

    Args:
        stack: the running servers.
        worker: the worker's process. A heartbeat from before the start of this process doesn't count.
        work_pool: name of the pool.
    """
    address = prefect_server.PrefectAddress(stack.prefect_api_url, stack.prefect_ui_url, stack.prefect_password)
    heard = prefect_server.last_heartbeat(address, work_pool, WORKER)
    try:
        born = psutil.Process(worker.pid).create_time()
    except psutil.NoSuchProcess:
        return "it has ended"
    # The server still knows an earlier worker of this name: what counts is a heartbeat after this one's start.
    if heard is None or datetime.fromisoformat(heard).timestamp() < born:
        return "the Prefect server has not heard of it"
    silent_s = time.time() - datetime.fromisoformat(heard).timestamp()
    return f"the Prefect server has not heard of it for {silent_s:.0f} s" if silent_s > WORKER_SILENCE_S else ""


def _past_proxies() -> dict[str, str]:
    """Return the variables that exempt this machine from a proxy; empty if no proxy is set."""
    if not any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        return {}
    given = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    hosts = ",".join(filter(None, (given, "127.0.0.1", "localhost")))
    return {"NO_PROXY": hosts, "no_proxy": hosts}
