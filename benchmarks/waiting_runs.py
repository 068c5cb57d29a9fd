"""Measure what waiting for people costs: many waiting runs are created, and some of them resumed.

    python -m benchmarks.waiting_runs --runs 2000 --resume 200

Servers and one worker are started in a temporary folder. The results are printed; nothing is asserted.

| figure | how |
|---|---|
| create | `open_waiting_run` as in production: ticket and page in storage, the run, its form |
| processes, memory | of the worker and all its processes, of Prefect's server, before and while everything waits |
| API latency | the waiting runs of a batch, their number, one run's form: median and 95th percentile of 20 |
| resume to running, to done | from the answer's acceptance to the run's own start and end times on the server |
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from infra.local.processes import free_ports
from infra.local.stack import Ports, running, start_worker, wait_for_worker
from packshot.batch import BatchRecord
from packshot.decision import Choice, Reason
from packshot.handoff.deciding import picture_shown
from packshot.naming import batch_id
from packshot.record import ShotRecord, Source, State
from packshot.specs.resolve import resolve
from packshot.types import Sourced
from tasks.environment.configs import configs_in_force
from tasks.people.jobs import open_waiting_run
from tasks.records.bookkeeping import now
from tasks.records.stored import create_batch, create_record, load_record
from tasks.reports.board import waits
from tasks.results.block import ENVIRONMENT
from tasks.runs.resuming import resume, shot_of_run, waiting_runs
from tasks.storage import shot_objects
from tasks.storage.bucket import open_storage

BATCH = batch_id("bench", "waiting")
TIMEOUT_S = 3600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--resume", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4, help="Runs the worker starts at once.")
    given = parser.parse_args()
    with _servers(at_once=given.at_once) as worker:
        _measure(worker, runs=given.runs, answers=given.resume)


@contextmanager
def _servers(*, at_once: int) -> Iterator[psutil.Process]:
    folder = Path(tempfile.mkdtemp(prefix="packshot-waiting-"))
    folder.chmod(0o711)
    ports = Ports(prefect=free_ports(1)[0])
    with running(folder / "state", ports=ports) as stack:
        variables = {
            **stack.environment(),
            **ENVIRONMENT,
            "PACKSHOT_SCRATCH_DIR": str(folder / "scratch"),
            "PACKSHOT_RUNS_AT_ONCE": str(max(2, at_once)),
            "PACKSHOT_COLLECT_EVERY_S": "86400",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        with environment(variables):
            open_storage().ensure_bucket()
            register()
            process = start_worker(stack, work_pool=WORK_POOL, environment=variables)
            wait_for_worker(stack, process, work_pool=WORK_POOL)
            yield psutil.Process(process.pid)


def _measure(worker: psutil.Process, *, runs: int, answers: int) -> None:
    """Measure, and print each result as soon as it is known."""
    before = _held(worker)
    seconds = create_waiting(runs)
    _say(f"create {runs} waiting runs", f"{seconds:.0f} s, {1000 * seconds / runs:.0f} ms each")
    after = _held(worker)
    _say("processes of the worker, before -> after", f"{before[0]} -> {after[0]}")
    _say("memory of the worker, before -> after", f"{before[1]:.0f} -> {after[1]:.0f} MB")
    _say("CPU of the worker while all wait, over 20 s", f"{_idle_cpu(worker):.1f} %")
    for what, measured in _latencies():
        _say(what, measured)
    started = time.monotonic()
    _say("the board, every record read", f"{len(waits())} rows in {time.monotonic() - started:.1f} s")
    for what, measured in _answer(answers):
        _say(what, measured)
    _say("load average over the last 15 minutes", f"{os.getloadavg()[2]:.1f} on {os.cpu_count()} cores")


def _say(what: str, measured: str) -> None:
    print(f"{what:<48} {measured}", flush=True)


@flow(name="create-waiting-runs", persist_result=False)
def create_waiting(count: int) -> float:
    """Store shots that wait for an editor, each with its waiting run; return the seconds that the runs took.

    The time for the records is not counted.

    Args:
        count: number of shots.
    """
    create_batch(BatchRecord(batch=BATCH, received_at=now()))
    taken = 0.0
    for number in range(count):
        record = waiting_shot(number)
        started = time.monotonic()
        open_waiting_run(record, generation=0, category="jewelry")
        taken += time.monotonic() - started
    return taken


@cache
def _files() -> tuple[dict[str, bytes], str]:
    """The files of each shot, and its plan's fingerprint."""
    plan = resolve(configs_in_force(), client=BATCH.client, category="rings", view="MAIN")
    files = {"master.tif": b"a master" * 1000, "preview.webp": b"a preview" * 1000}
    return {**files, "plan.json": plan.model_dump_json().encode()}, plan.fingerprint


def waiting_shot(number: int) -> ShotRecord:
    """Store a shot that waits for an editor, and return its record.

    The record names a master and a draft, but no picture is computed, because imaging is not measured here.

    Args:
        number: gives the shot its name: 12 gives ``RNG00012_MAIN``.
    """
    shot, (files, fingerprint) = BATCH.shot(f"RNG{number:05}_MAIN"), _files()
    objects = shot_objects.keep(shot, files)
    record = ShotRecord(
        shot=shot,
        source=Source(key=f"inbox/{shot}.jpg", sha256="0" * 64, size_bytes=1),
        facts={"sku": Sourced(value=shot.shot, source="manifest")},
        reports={
            "reading": {"size": [4000, 3000]},
            "routing": {"complexity": "complex", "route": "human"},
            "draft": {"master": objects["master.tif"], "knots": 0, "made": False},
        },
        objects=objects,
        plan_fingerprint=fingerprint,
    )
    for state in (State.MASTERED, State.ROUTED, State.AWAITING_EDITOR):
        record = record.advance(state, at=now(), actor="benchmark", why="jewelry is always complex")
    return create_record(record)


def _held(worker: psutil.Process) -> tuple[int, float]:
    """Processes of the worker, itself among them, and their resident memory in MB."""
    family = [worker, *worker.children(recursive=True)]
    return len(family), sum(one.memory_info().rss for one in family) / 1e6


def _idle_cpu(worker: psutil.Process) -> float:
    return float(worker.cpu_percent(interval=20.0))


def _latencies() -> list[tuple[str, str]]:
    tags = {"tags": {"all_": [f"client:{BATCH.client}"]}, "state": {"type": {"any_": ["PAUSED"]}}}
    with get_client(sync_client=True) as client:
        page = {"flow_runs": tags, "limit": 200, "sort": "NAME_ASC"}
        run = client.request("POST", "/flow_runs/filter", json={**page, "limit": 1}).json()[0]
        keyset = run["state"]["state_details"]["run_input_keyset"]
        asked: dict[str, Callable[[], Any]] = {
            "200 of them by tag": lambda: client.request("POST", "/flow_runs/filter", json=page),
            "how many there are": lambda: client.request("POST", "/flow_runs/count", json={"flow_runs": tags}),
            "the UI's page of 10": lambda: client.request(
                "POST", "/flow_runs/paginate", json={"flow_runs": tags, "limit": 10, "page": 1}
            ),
            "one form": lambda: client.request("GET", f"/flow_runs/{run['id']}/input/{keyset['schema']}"),  # type: ignore[arg-type]
        }
        return [(f"API: {what}", _milliseconds(ask)) for what, ask in asked.items()]


def _milliseconds(ask: Callable[[], Any]) -> str:
    taken = []
    for _ in range(20):
        started = time.monotonic()
        ask()
        taken.append(1000 * (time.monotonic() - started))
    return f"median {statistics.median(taken):.0f} ms, 95 % {statistics.quantiles(taken, n=20)[-1]:.0f} ms"


def _answer(count: int) -> list[tuple[str, str]]:
    """Answer some of them at once, and say how long it took until they ran and until they had ended."""
    chosen = list(waiting_runs([f"client:{BATCH.client}"]))[:count]
    accepted: dict[UUID, float] = {}
    calls = []
    for run in chosen:
        started = time.monotonic()
        resume(run, _rejection(run))
        calls.append(1000 * (time.monotonic() - started))
        accepted[run.id] = time.time()
    ended = _ended([run.id for run in chosen])
    starts = [run.start_time.timestamp() - accepted[run.id] for run in ended if run.start_time]
    ends = [run.end_time.timestamp() - accepted[run.id] for run in ended if run.end_time]
    good = sum(bool(run.state and run.state.is_completed()) for run in ended)
    return [
        (f"resume {count}: the call", f"median {statistics.median(calls):.0f} ms"),
        (
            "resume to running",
            f"first {min(starts):.1f} s, median {statistics.median(starts):.0f} s, last {max(starts):.0f} s",
        ),
        ("resume to done", f"first {min(ends):.1f} s, last {max(ends):.0f} s: {max(ends) / len(ends):.1f} s each"),
        ("completed", f"{good} of {len(ended)}"),
    ]


def _rejection(run: FlowRun) -> dict[str, Any]:
    """An answer that needs no picture: what is measured is the waiting, not the work."""
    record = load_record(shot_of_run(run))
    return {
        "decision": Choice.REJECT.value,
        "person": "Bench Mark",
        "reason": Reason.OUT_OF_FOCUS.value,
        "picture": picture_shown(record)[:16],
        "note": "",
    }


def _ended(ids: Sequence[UUID]) -> list[FlowRun]:
    deadline = time.monotonic() + TIMEOUT_S
    with get_client(sync_client=True) as client:
        while True:
            wanted = FlowRunFilter(id=FlowRunFilterId(any_=list(ids)))
            runs = client.read_flow_runs(flow_run_filter=wanted, sort=FlowRunSort.ID_DESC, limit=200)
            if all(run.state and run.state.is_final() for run in runs) or time.monotonic() > deadline:
                return runs
            time.sleep(2.0)


if __name__ == "__main__":
    main()
