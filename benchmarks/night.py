"""Measure what a night's bookkeeping costs per shot, and how many images an hour one, two and four workers make.

    python -m benchmarks.night --shots 100 1000 7500
    python -m benchmarks.night --shots --workers 1 2 4 --photographs 60

The first part has no pixels: originals and renditions have a few bytes. Real servers run in a temporary folder. So only
storage, records, index and tables are measured. The cost of a step is counted in requests to storage and in processor
time of this process, without that of the servers. Nine of ten shots are delivered.

The second part takes drawn photographs through `process-batch`, with the given number of workers in all. One has the
batch's run, the others help with parts (docs/adr/0032-parts.md). Each worker has its own core if there are enough. With
fewer cores than workers, the result shows the cost of sharing, not the gain of a further machine.

Tables are printed; nothing is asserted.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import psutil
from prefect import flow
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from benchmarks.machine import described
from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from infra.local.processes import free_ports
from infra.local.stack import Ports, Stack, running, start_worker, wait_for_worker
from packshot.batch import BatchRecord
from packshot.export.delivery import DeliveredFile
from packshot.keys import shot_key
from packshot.naming import BatchId, ShotId, batch_id
from packshot.record import WAITING, State
from packshot.types import Size
from tasks.batches.approved import approved_shots
from tasks.batches.closed import closed_batches
from tasks.batches.status import standing_of
from tasks.batches.stock import take_stock
from tasks.batches.summing_up import survey
from tasks.deliveries.delivering import deliver, finish_open_deliveries
from tasks.environment.settings import get_settings
from tasks.queries.asking import changed_records, find_shots
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import create_batch
from tasks.reports.daily import report_day
from tasks.results.block import ENVIRONMENT
from tasks.runs.ends import end_of
from tasks.runs.parts import PARTS_POOL
from tasks.storage.bucket import open_storage
from tasks.storage.connection import connect
from tasks.storage.inbox import open_inbox

WAITS_EVERY = 10
"""One shot in so many waits for a person."""
PHOTOGRAPH_PX = 1100
_AT_ONCE = 16


class Cost(NamedTuple):
    """The cost of a step of a night: requests to storage and processor time.

    Attributes:
        requests: name of the S3 operation, such as ``PutObject`` -> number of requests.
        cpu_s: processor seconds of this process.
    """

    requests: Counter[str]
    cpu_s: float


def main() -> None:
    """Measure as the command line asks, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shots", type=int, nargs="*", default=[100, 1000, 7500])
    parser.add_argument("--workers", type=int, nargs="*", default=[])
    parser.add_argument("--photographs", type=int, default=60)
    given = parser.parse_args()
    print(f"{described()}; load {os.getloadavg()[0]:.0f}", flush=True)
    with _servers() as stack:
        costs = {count: bookkeeping(batch_id("bench", f"n{count}"), count) for count in given.shots}
        if costs:
            print(table(costs), flush=True)
        for count in given.workers:
            print(_with_workers(stack, count, given.photographs), flush=True)


@contextmanager
def _servers() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="packshot-night-"))
    folder.chmod(0o711)
    with running(folder / "state", ports=Ports(prefect=free_ports(1)[0])) as stack:
        variables = {**stack.environment(), **ENVIRONMENT, "PACKSHOT_SCRATCH_DIR": str(folder / "scratch")}
        with environment(variables):
            open_storage().ensure_bucket()
            register()
            yield stack


# --- bookkeeping ---


def bookkeeping(batch: BatchId, count: int, *, reports: bool = True) -> Mapping[str, Cost]:
    """Take a batch of shots without pixels through all steps of a night; return name of the step -> its cost.

    One shot in ten waits for an editor; the others are approved. The first delivery, of half of the approved shots, is
    broken off on purpose and then finished; the others are delivered after it.

    Args:
        batch: its name must be new.
        count: number of shots.
        reports: also make the daily report, which needs Prefect.
    """
    names = [f"S{number:05}" for number in range(count)]
    inbox = open_inbox()

    def upload(name: str) -> None:
        inbox.upload(batch, f"{name}.jpg", name.encode(), content_type="image/jpeg")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(upload, names))
    inbox.close(batch)
    create_batch(BatchRecord(batch=batch, received_at=now()))
    found = {"take stock": measured(lambda: take_stock.fn(batch))}
    waiting = names[::WAITS_EVERY]
    ready = [name for name in names if name not in set(waiting)]
    found["write the records"] = measured(lambda: _to_their_states(batch, waiting, ready))
    some, others = ready[::2], ready[1::2]
    _break_off(lambda: deliver.fn(batch, only=others))
    steps: Mapping[str, Callable[[], object]] = {
        "take stock again": lambda: take_stock.fn(batch),
        "finish a delivery that was broken off": lambda: finish_open_deliveries.fn(batch),
        "look for approved shots": lambda: approved_shots.fn(batch, only=ready),
        "deliver": lambda: deliver.fn(batch, only=some),
        "survey": lambda: survey(batch),
        "batch status": lambda: standing_of(batch),
        "look for closed batches": closed_batches.fn,
        "rows of the desk and the board": lambda: changed_records(WAITING, {}),
        "find": lambda: find_shots([names[-1]]),
        **({"daily report": _a_report} if reports else {}),
    }
    return {**found, **{name: measured(step) for name, step in steps.items()}}


class _BrokenOffError(Exception):
    """The storage's request that was not sent."""


def _break_off(step: Callable[[], object]) -> None:
    """Do a step until it copies a file, as if its process had died there."""
    events = connect(get_settings()).meta.events

    def stop(**_: Any) -> None:
        raise _BrokenOffError

    events.register("before-call.s3.CopyObject", stop, unique_id="broken off")
    try:
        with suppress(_BrokenOffError):
            step()
    finally:
        events.unregister("before-call.s3.CopyObject", unique_id="broken off")


@flow(name="a benchmark's report", persist_result=False)
def _a_report() -> str:
    return report_day.fn(date="", days=1)


def _to_their_states(batch: BatchId, waiting: Sequence[str], ready: Sequence[str]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: _edited(batch.shot(name), State.IN_REVIEW), waiting))
        list(pool.map(lambda name: _exported(batch.shot(name)), ready))


def _edited(shot: ShotId, verdict: State) -> None:
    Life(shot).reach(State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, verdict, why="a benchmark")


def _exported(shot: ShotId) -> None:
    _edited(shot, State.APPROVED)
    export_one_file(shot)


def export_one_file(shot: ShotId) -> None:
    """Write one rendition of an approved shot without pixels, and record the shot as exported and verified.

    The rendition is a text of a few bytes, for the platform Shopify.

    Args:
        shot: the shot.
    """
    data = f"rendition of {shot.shot}".encode()
    file = DeliveredFile(
        path=f"shopify/{shot.shot}.jpg",
        platform="shopify",
        format="jpeg",
        size=Size(10, 10),
        bit_depth=8,
        profile="sRGB",
        quality=90,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        passed=True,
        fill_ratio=0.85,
        scale=1.0,
        background=None,
        colour=None,
        findings=(),
    )
    open_storage().put(shot_key(shot, f"renditions/{file.path}"), data, content_type="image/jpeg")
    report = {"files": [file.model_dump(mode="json")], "left_out": {}}
    Life(shot).reach(State.EXPORTED, State.VERIFIED, why="verified", reports={"export": report})


def measured(step: Callable[[], object]) -> Cost:
    """Run a step, and return its cost. Requests of other threads to storage count too.

    Args:
        step: called without arguments.
    """
    asked: Counter[str] = Counter()
    events = connect(get_settings()).meta.events

    def count(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    events.register("before-call.s3", count, unique_id="night")
    begun = time.process_time()
    try:
        step()
    finally:
        events.unregister("before-call.s3", unique_id="night")
    return Cost(asked, time.process_time() - begun)


def table(costs: Mapping[int, Mapping[str, Cost]]) -> str:
    """Return costs as a Markdown table: a row for each step, a column for each number of shots.

    A cell has the requests to storage and the processor milliseconds, both per shot.

    Args:
        costs: number of shots -> name of the step -> cost.
    """
    heads = " | ".join(f"{count:,}" for count in costs)
    lines = [f"| step | {heads} |", f"|---|{'---:|' * len(costs)}"]
    for step in next(iter(costs.values())):
        cells = (
            f"{found[step].requests.total() / count:.2f}, {1000 * found[step].cpu_s / count:.2f} ms"
            for count, found in costs.items()
        )
        lines.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(lines)


# --- workers ---


def _with_workers(stack: Stack, count: int, photographs: int) -> str:
    """Take a batch through `process-batch` with so many workers, and return a sentence."""
    batch = batch_id("bench", f"workers-{count}")
    inbox = open_inbox()
    for number in range(photographs):
        inbox.upload(batch, f"BOX{number:04}_MAIN.jpg", drawn(number), content_type="image/jpeg")
    inbox.close(batch)
    variables = {**os.environ, "PACKSHOT_PART_SIZE": str(max(1, photographs // (4 * count)))}
    workers = [worker(stack, number, variables) for number in range(count)]
    try:
        begun = time.monotonic()
        names = {"client": batch.client, "batch": batch.batch}
        run = cast(FlowRun, run_deployment("process-batch/process-batch", parameters=names, timeout=0))
        said = end_of(run.id).message
        seconds = time.monotonic() - begun
        cpu_s = sum(map(processor_s, workers))
    finally:
        for worker in workers:
            worker.terminate()
    rate = 3600 * photographs / seconds
    return (
        f"{count} workers on {os.cpu_count()} cores: {rate:,.0f} photographs an hour by the clock, "
        f"{cpu_s / photographs:.1f} s of the workers' processor time each ({said})"
    )


def drawn(number: int) -> bytes:
    """Return a JPEG of a coloured disc on a grey backdrop with a camera's noise. Each number gives another picture.

    Args:
        number: from 0 on.
    """
    noise = np.random.default_rng(number).normal(0, 2, (PHOTOGRAPH_PX, PHOTOGRAPH_PX, 3))
    picture = np.full_like(noise, 225)
    middle = PHOTOGRAPH_PX // 2
    cv2.circle(picture, (middle, middle), middle // 2 + number % 100, (40, 60, 150), -1, cv2.LINE_AA)
    pixels = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


def worker(stack: Stack, number: int, variables: Mapping[str, str]) -> psutil.Process:
    """Start a worker on a core of its own, and return its process.

    Args:
        stack: the running servers.
        number: worker 0 takes runs of batches; the others take parts of batches. It also says which core.
        variables: environment variables for the worker and its runs.
    """
    pool = PARTS_POOL if number else WORK_POOL
    child = start_worker(stack, work_pool=pool, environment=variables, limit=1 if number else None)
    cores = sorted(os.sched_getaffinity(0))
    process = psutil.Process(child.pid)
    process.cpu_affinity([cores[number % len(cores)]])
    wait_for_worker(stack, child, work_pool=pool)
    return process


def processor_s(worker: psutil.Process) -> float:
    """Return the processor time of a process and all it has started, in seconds.

    Args:
        worker: the process.
    """
    every = [one.cpu_times() for one in (worker, *worker.children(recursive=True))]
    return float(sum(one.user + one.system + one.children_user + one.children_system for one in every))


if __name__ == "__main__":
    main()
