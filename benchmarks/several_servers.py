"""Run a batch on several Prefect servers, which share a Redis, and kill one of them in the middle.

    python -m benchmarks.several_servers --photographs 24

It needs the program ``redis-server`` and the package ``prefect-redis`` (``pip install 'packshot[several-servers]'``).
It starts PostgreSQL, S3, Redis, two servers without background services, and one process with these services. Two
workers work on the batch. The one that has the batch's run asks the first server. The one that helps with parts asks
the second. The second server is killed while parts run, and started again.

Printed are the state in which the batch ended, the task runs that Prefect knows, and each process's processor time.
Task runs are known only if both servers' events reach the services through Redis.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast
from uuid import UUID

import psutil
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort, TaskRunSort
from prefect.deployments import run_deployment

from benchmarks.machine import described
from benchmarks.night import drawn, processor_s, worker
from deployments.demo import environment
from deployments.registry import register
from infra.local import postgres, prefect_server, s3
from infra.local.parts import Part
from infra.local.processes import PYTHONS, Family, answers, free_ports, only_one, wait_until
from infra.local.stack import RESULTS_KEY, Stack
from packshot.naming import batch_id
from tasks.results.block import ENVIRONMENT
from tasks.runs.ends import end_of
from tasks.storage.bucket import open_storage
from tasks.storage.inbox import open_inbox

SHARED_BY_SERVERS = {
    "PREFECT_SERVER_EVENTS_MESSAGING_BROKER": "prefect_redis.messaging",
    "PREFECT_SERVER_EVENTS_MESSAGING_CACHE": "prefect_redis.messaging",
    "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
}
"""What Prefect's servers share through Redis. By default each keeps it in its own memory."""
PARTS = 8
"""The batch is cut into so many parts."""
SETTLING_S = 10.0


class Line(NamedTuple):
    """A running Packshot (storage, database, services, workers) with two Prefect servers.

    Attributes:
        stack: the addresses of storage, database and the first Prefect server.
        second_url: address of the second Prefect server's API.
        second: the second Prefect server, as a process that can be stopped and started.
        processes: name of a process, such as ``worker`` -> the process.
    """

    stack: Stack
    second_url: str
    second: Part
    processes: Mapping[str, Part]


def main() -> None:
    """Run the batch, and print what became of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=24)
    given = parser.parse_args()
    print(f"{described()}; load {os.getloadavg()[0]:.0f}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="packshot-several-"))
    folder.chmod(0o711)
    with two_servers(folder / "state") as line:
        variables = {**line.stack.environment(), **ENVIRONMENT, "PACKSHOT_SCRATCH_DIR": str(folder / "scratch")}
        with environment(variables):
            open_storage().ensure_bucket()
            register()
            _run(line, given.photographs)


@contextmanager
def two_servers(folder: Path) -> Iterator[Line]:
    """Run S3, PostgreSQL, Redis and two Prefect servers during the block, and yield them as a `Line`.

    Args:
        folder: for their data and logs; made if it is missing.
    """
    if not (redis := shutil.which("redis-server")):
        sys.exit("There is no program redis-server. Install it, for example with: apt-get install redis-server")
    with only_one(folder) as lock, Family(str(folder), lock=lock) as family:
        (folder / RESULTS_KEY).write_text(os.urandom(32).hex())
        access = s3.start(family, folder)
        database_url = postgres.start(family, folder)
        port, password = free_ports(1)[0], os.urandom(20).hex()
        config = folder / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(f'bind 127.0.0.1\nport {port}\ndir {folder}\nsave ""\nrequirepass {password}\n')
        child = family.start([redis, config], log=folder / "redis.log")
        wait_until(
            lambda: "Ready to accept connections" in (folder / "redis.log").read_text(),
            child=child, name="Redis", log=folder / "redis.log", timeout_s=30.0,
        )  # fmt: skip
        shared = {
            **SHARED_BY_SERVERS,
            "PREFECT_REDIS_MESSAGING_URL": f"redis://:{password}@127.0.0.1:{port}/0",
            "PREFECT_SERVER_DOCKET_URL": f"redis://:{password}@127.0.0.1:{port}/1",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url,
            "PREFECT_SERVER_API_AUTH_STRING": password,
            **prefect_server.settings(folder),
        }
        first, second = free_ports(2)
        servers = {f"server {n}": _server(family, folder, n, port, shared) for n, port in ((1, first), (2, second))}
        services = _part(family, folder, "services", ["-m", "infra.prefect_services"], shared, answers(_health(first)))
        stack = Stack(
            state_dir=folder,
            s3=access,
            prefect_api_url=f"http://127.0.0.1:{first}/api",
            prefect_ui_url=f"http://127.0.0.1:{first}",
            prefect_password=password,
            index_url=postgres.index_url(folder, database_url),
            family=family,
        )
        yield Line(stack, f"http://127.0.0.1:{second}/api", servers["server 2"], {**servers, "services": services})


def _health(port: int) -> str:
    return f"http://127.0.0.1:{port}/api/health"


def _server(family: Family, folder: Path, number: int, port: int, shared: Mapping[str, str]) -> Part:
    command = ["-m", "infra.prefect_app", "--host", "127.0.0.1", "--port", str(port), "--without-services"]
    variables = {**shared, "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(folder / f"ui-{number}")}
    return _part(family, folder, f"server-{number}", command, variables, answers(_health(port)))


def _part(
    family: Family, folder: Path, name: str, command: list[str], variables: Mapping[str, str], works: Callable[[], bool]
) -> Part:
    log = folder / f"{name}.log"
    start = partial(
        family.start, [sys.executable, *command], log=log, environment=variables, passed_on=PYTHONS, cwd=folder
    )
    part = family.keep(Part(name, start, lambda _: "" if works() else "it does not answer", log, 300.0))
    part.wait()
    return part


def _run(line: Line, photographs: int) -> None:
    batch = batch_id("bench", "several")
    inbox = open_inbox()
    for number in range(photographs):
        inbox.upload(batch, f"BOX{number:04}_MAIN.jpg", drawn(number), content_type="image/jpeg")
    inbox.close(batch)
    variables = {**os.environ, "PACKSHOT_PART_SIZE": str(max(1, photographs // PARTS))}
    workers = {
        "worker": worker(line.stack, 0, variables),
        "worker of parts": worker(line.stack, 1, {**variables, "PREFECT_API_URL": line.second_url}),
    }
    names = {"client": batch.client, "batch": batch.batch}
    begun = time.monotonic()
    run = cast(FlowRun, run_deployment("process-batch/process-batch", parameters=names, timeout=0))
    while not any(one.start_time for one in _parts()):
        time.sleep(1.0)
    time.sleep(SETTLING_S)
    before = processor_s(psutil.Process(line.second.pid))
    line.second.kill()
    print(f"server 2 killed after {time.monotonic() - begun:.0f} s, {len(_parts())} parts asked for", flush=True)
    time.sleep(SETTLING_S)
    line.second.start()
    line.second.wait()
    print(f"server 2 works again after {time.monotonic() - begun:.0f} s", flush=True)
    state = end_of(run.id)
    print(f"{state.name} after {time.monotonic() - begun:.0f} s: {state.message}")
    time.sleep(SETTLING_S)  # the last events are stored
    for name, part in line.processes.items():
        used = processor_s(psutil.Process(part.pid)) + (before if part is line.second else 0.0)
        print(f"  {name:<16} {used:6.1f} s of the processor")
    for name, process in workers.items():
        print(f"  {name:<16} {processor_s(process):6.1f} s of the processor")
        process.terminate()
    for one in (_read(run.id), *_parts()):
        print(f"  {one.state_name:<12} {_tasks_of(one):>4} tasks  tries {one.run_count}  {one.name}")


def _read(run: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run)


def _parts() -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        of_parts = FlowFilter(name=FlowFilterName(any_=["work-on-part"]))
        return client.read_flow_runs(flow_filter=of_parts, sort=FlowRunSort.NAME_ASC, limit=200)


def _tasks_of(run: FlowRun) -> int:
    with get_client(sync_client=True) as client:
        of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
        return len(client.read_task_runs(flow_run_filter=of_run, sort=TaskRunSort.ID_DESC, limit=200))


if __name__ == "__main__":
    main()
