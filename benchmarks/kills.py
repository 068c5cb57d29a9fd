"""A night in which processes are killed at random, the disk fills and the storage fails.

What recovers, and how fast?

    python -m benchmarks.kills --shots 200 --kills 30 --faults 0.01
    python -m benchmarks.kills --shots 50 --kills 10 --faults 0.2 --kinds 503 truncated reset "answer lost"

Servers are started in a temporary folder, supervised as by `packshot serve`. The same photographs are processed twice,
as two batches. The first batch is not disturbed. During the second one these are killed with signal 9: flow processes,
the children that open files, the worker, Prefect, PostgreSQL and S3. Also, the disk that all of them write to is full
for a while. In both batches, requests of the worker meet 503, cut bodies, resets, delays and lost answers. No person
helps. If a night ends and something is not done, the next night follows, as by the schedule.

A table of recovery times is printed. Each runs from a kill, or from the moment when the disk has space again, until all
parts work and a record of the batch has changed. The exit status is 0 only if each file of the second batch is like
that of the first, and was delivered once.

Filling a disk needs root and a loop device. Without them it is left out, and the report says so.
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import psutil
from PIL import Image
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import PrefectHTTPStatusError

from benchmarks.full_disk import Disk, disk_of_its_own
from benchmarks.machine import described
from benchmarks.storage_faults import KINDS as FAULTS
from benchmarks.storage_faults import Faults, faulty
from deployments.demo import SAMPLES, environment
from deployments.registry import WORK_POOL, register
from infra.local.processes import free_ports
from infra.local.stack import Ports, Stack, keep_worker, running
from infra.local.supervisor import Supervisor
from infra.local.watchdog import MARK
from packshot.errors import PackshotError
from packshot.keys import deliveries_prefix
from packshot.naming import BatchId, batch_id
from tasks.batches.fates import Summary
from tasks.batches.submitting import submit_folder
from tasks.batches.summing_up import survey
from tasks.records.stored import find_batch, load_batch
from tasks.results.block import ENVIRONMENT
from tasks.storage.bucket import open_storage

CALM, STORM = batch_id("demo", "calm"), batch_id("demo", "storm")
CHILD, DISK = "child", "disk"
LATER = ("flow", "worker", "prefect", "postgres", "s3", DISK)
KINDS = (CHILD, *LATER)
"""A child comes first each time: there is none once all photographs are mastered."""
COMMANDS = {"flow": "prefect.engine", CHILD: "tasks.processing.child"}
"""What the command line of such a process holds."""
HEALED_S, NIGHT_S, POLL_S = 600.0, 6 * 3600.0, 0.5
FULL_S = 30.0
"""How long the disk stays full."""


class Kill(NamedTuple):
    """One disturbance of the system, and how long it took to recover.

    Attributes:
        kind: one of `KINDS`: the kind of process that was killed, or the full disk.
        recovery_s: seconds until all parts worked and the batch had progressed; None if that took longer than
            `HEALED_S`.
    """

    kind: str
    recovery_s: float | None


class Storm(NamedTuple):
    """The result of the batch that was processed while processes were killed.

    Attributes:
        kills: its disturbances, in order.
        nights: number of nights until it was finished.
        seconds: how long that took.
    """

    kills: list[Kill]
    nights: int
    seconds: float


def main() -> int:
    """Process both batches and print the figures; return the exit status, which `report` decides."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=200)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--long-side", type=int, default=0, help="of the photographs, in pixels; 0: as they are")
    parser.add_argument("--faults", type=float, default=0.01, help="share of requests to the storage that meet one")
    parser.add_argument("--kinds", nargs="+", choices=FAULTS, default=FAULTS, help="of faults, each an equal part")
    parser.add_argument("--pause", type=float, nargs=2, default=(5, 30), help="seconds between recovery and next kill")
    parser.add_argument("--disk", type=int, default=60, help="size of the disk that is filled, in gigabytes; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    wishes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="packshot-kills-") as temporary:
        outer = Path(temporary)
        outer.chmod(0o711)
        photographs(outer / "photographs", wishes.shots, long_side=wishes.long_side)
        faults = Faults(wishes.faults, wishes.seed, wishes.kinds)
        with (
            disk_of_its_own(outer / "disk", gigabytes=wishes.disk) as disk,
            line(disk.folder if disk else outer, faults) as stack,
        ):
            calm_s = undisturbed(outer / "photographs")
            storm = disturbed(stack, disk, outer / "photographs", wishes)
            return report(storm, faults, calm_s=calm_s, shots=wishes.shots, with_disk=disk is not None)


def photographs(folder: Path, count: int, *, long_side: int) -> None:
    """Write many photographs, copies of those in the sample batch, with a manifest that states their categories.

    Without a category the machine approves nothing, so nothing would be delivered.

    Args:
        folder: it must not exist yet.
        count: number of photographs.
        long_side: of each photograph, in pixels; 0: as they are.
    """
    folder.mkdir()
    samples = sorted(SAMPLES.glob("*_MAIN.jpg"))
    categories = {row["file"]: row["category"] for row in csv.DictReader((SAMPLES / "manifest.csv").open())}
    rows = ["file,sku,asin,category"]
    for number in range(count):
        sample = samples[number % len(samples)]
        target = folder / f"K{number:04}_MAIN.jpg"
        rows.append(f"{target.name},K{number:04},B0KILL{number:04},{categories.get(sample.name, '')}")
        if not long_side:
            target.write_bytes(sample.read_bytes())
            continue
        try:
            with Image.open(sample) as picture:
                picture.thumbnail((long_side, long_side))
                picture.save(target, quality=95, icc_profile=picture.info.get("icc_profile"))
        except OSError:  # one is damaged, to be refused
            target.write_bytes(sample.read_bytes())
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")


@contextmanager
def line(folder: Path, faults: Faults) -> Iterator[Stack]:
    """Run servers, deployments and a worker behind a storage that fails, and yield the servers.

    A thread restarts those that die.

    Args:
        folder: for the servers' data and temporary files.
        faults: which requests of the worker to the storage fail.
    """
    stop, state, temporary = threading.Event(), folder / "state", folder / "tmp"
    temporary.mkdir()
    with running(state, ports=Ports(prefect=free_ports(1)[0])) as stack:
        here = urlsplit(stack.s3.endpoint_url)
        quiet = {"PACKSHOT_NIGHTLY_CRON": "0 2 29 2 *", "PACKSHOT_SCRATCH_DIR": str(state / "scratch")}
        variables = {**stack.environment(), **ENVIRONMENT, **quiet}
        with environment(variables), faulty((here.hostname or "", here.port or 0), faults) as address:
            open_storage().ensure_bucket()
            register()
            theirs = {**variables, "PACKSHOT_S3_ENDPOINT_URL": address, "TMPDIR": str(temporary)}
            keep_worker(stack, work_pool=WORK_POOL, environment=theirs).wait()
            supervisor = Supervisor(stack.family.parts, stack.state_dir, say=log)
            thread = threading.Thread(target=supervisor.run, args=(stop,))
            thread.start()
            try:
                yield stack
            finally:
                stop.set()
                thread.join()


def log(sentence: str) -> None:
    """Print a sentence about progress with the time, on standard error, where it does not mix with the figures."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {sentence}\n")


def undisturbed(folder: Path) -> float:
    """Process the photographs as a batch without kills, and return how many seconds that took.

    Args:
        folder: the photographs with their manifest.

    Raises:
        SystemExit: nothing was delivered, or it took too long.
    """
    began = time.monotonic()
    submit(folder, CALM)
    run = start("process-batch/process-batch", {"client": CALM.client, "batch": CALM.batch})
    until(lambda: is_final(run) or None, what="the undisturbed batch is done", timeout_s=NIGHT_S)
    log(survey(CALM).sentence)
    if not delivered_files(CALM):
        raise SystemExit(
            f"Undisturbed, nothing was delivered: {survey(CALM).sentence}. There would be nothing to compare. "
            "Take more photographs, or larger ones: --shots, --long-side."
        )
    return time.monotonic() - began


def disturbed(stack: Stack, disk: Disk | None, folder: Path, wishes: argparse.Namespace) -> Storm:
    """Process the photographs in nights with kills, and return the result.

    It ends when the batch is finished or `NIGHT_S` is over.

    Args:
        stack: the running servers.
        disk: the disk that is filled; None means that none is.
        folder: the photographs with their manifest.
        wishes: the options of the command line.
    """
    draw, kills, began = random.Random(wishes.seed), list[Kill](), time.monotonic()
    submit(folder, STORM)
    nights = [begin_night()]
    until(lambda: bool(find_batch(STORM)) or None, what="the batch was begun", timeout_s=HEALED_S)
    kinds: list[str] = []
    while not finished() and time.monotonic() < began + NIGHT_S:
        time.sleep(draw.uniform(*wishes.pause))
        if not finished() and is_final(nights[-1]):
            log(f"night {len(nights)} has ended: {survey(STORM).sentence}; the next one begins")
            nights.append(begin_night())
        if len(kills) < wishes.kills and not finished():
            kinds = kinds or [*draw.sample(LATER, len(LATER)), CHILD]
            kind = kinds.pop()
            if killed := filled(disk) if kind == DISK else kill(stack, kind, draw):
                kills.append(Kill(killed, recovered(stack)))
                log(f"{killed}: {kills[-1].recovery_s or HEALED_S:.0f} s")
    return Storm(kills, len(nights), time.monotonic() - began)


def begin_night() -> UUID:
    """Start a nightly run for the disturbed batch's client, and return the run's id."""
    return start("nightly/nightly", {"clients": [STORM.client]})


def filled(disk: Disk | None) -> str:
    """Fill the disk for `FULL_S` seconds; return the kind of disturbance, empty if there is no disk to fill."""
    if disk is None:
        return ""
    disk.fill()
    time.sleep(FULL_S)
    disk.make_room()
    return DISK


def kill(stack: Stack, kind: str, draw: random.Random) -> str:
    """Kill a process of one kind; return the kind, or an empty text if there is no such process now.

    Args:
        stack: the running servers.
        kind: name of a part, or a key of `COMMANDS`.
        draw: chooses among several processes.
    """
    parts = {part.name: part for part in stack.family.parts}
    if kind in parts:
        parts[kind].kill()
        return kind
    found = [one for one in psutil.process_iter() if _is(one, COMMANDS[kind], str(stack.state_dir))]
    if found:
        draw.choice(found).kill()
    return kind if found else ""


def _is(process: psutil.Process, command: str, mark: str) -> bool:
    try:
        ours = any(command in word for word in process.cmdline())
        return ours and any(_carries(one, mark) for one in (process, *process.parents()))
    except psutil.Error:
        return False


def _carries(process: psutil.Process, mark: str) -> bool:
    """Whether a process has the line's mark; a child that opens files has none, but its parent does."""
    try:
        return bool(process.environ().get(MARK) == mark)
    except psutil.Error:
        return False


def recovered(stack: Stack) -> float | None:
    """Wait until all parts work and the batch has progressed, and return the seconds.

    None if it took longer than `HEALED_S`. If the night of the batch has ended and something is not done, the batch
    progresses only in the next night.

    Args:
        stack: the running servers.
    """
    began, before = time.monotonic(), progress()
    while time.monotonic() < began + HEALED_S:
        time.sleep(POLL_S)
        working = not any(part.what_is_wrong() for part in stack.family.parts)
        if working and (finished() or (progress() or before) != before):
            return time.monotonic() - began
    return None


def progress() -> Counter[str] | None:
    """Return the state of each shot of the disturbed batch: "NAME STATE" -> 1. None if the storage can't be read now.

    Two equal results mean that nothing has happened between them.
    """
    try:
        return Counter(f"{fate.shot} {fate.state}" for fate in survey(STORM).fates)
    except PackshotError:
        return None


def finished() -> bool:
    """Return whether the disturbed batch is finished: each of its shots is delivered, refused or waits for a person.

    It is False if the storage can't be read now.
    """
    try:
        record = find_batch(STORM)
        return bool(record and record.finished_at) and not survey(STORM).failed
    except PackshotError:
        return False


def submit(folder: Path, batch: BatchId) -> None:
    """Upload a folder of photographs as a batch, without any output.

    Args:
        folder: the photographs with their manifest.
        batch: the batch.
    """
    submit_folder(folder, batch, on_progress=lambda *_: None, on_left_out=lambda *_: None)


def start(deployment: str, parameters: dict[str, object]) -> UUID:
    """Start a flow run of a deployment, and return the run's id without waiting for its end.

    Args:
        deployment: name of the deployment, such as ``nightly/nightly``.
        parameters: the flow's parameters, by name.
    """
    return cast(FlowRun, run_deployment(deployment, parameters=parameters, timeout=0)).id


def is_final(run_id: UUID) -> bool:
    """Return whether a flow run has ended. False also if Prefect's server can't be asked now.

    Args:
        run_id: the run's id.
    """
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run_id).state
    except (httpx.HTTPError, PrefectHTTPStatusError):  # the server is being started again
        return False
    return bool(state and state.is_final())


def until(ask: Callable[[], bool | None], *, what: str, timeout_s: float) -> None:
    """Wait until a question has an answer.

    Args:
        ask: called again and again without arguments; None means that there is no answer yet.
        what: what is waited for, in words, for the message.
        timeout_s: longest wait, in seconds.

    Raises:
        SystemExit: the time is up.
    """
    deadline = time.monotonic() + timeout_s
    while ask() is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(POLL_S)


def delivered_files(batch: BatchId) -> Counter[tuple[str, str]]:
    """Return how often each picture of a batch was delivered: (name, SHA-256) -> number of deliveries.

    The name is the path below the delivery's folder.

    Args:
        batch: the batch.
    """
    prefix = deliveries_prefix(batch)
    storage, found = open_storage(), Counter[tuple[str, str]]()
    for one in storage.list(prefix):
        name = one.key.removeprefix(prefix).partition("/")[2]
        if Path(name).suffix in (".jpg", ".png", ".tif", ".webp"):
            found[name, storage.head(one.key).sha256] += 1
    return found


def report(storm: Storm, faults: Faults, *, calm_s: float, shots: int, with_disk: bool) -> int:
    """Print the figures; return 0 if the disturbed batch is complete and like the undisturbed one, else 1.

    It is 1 too if the system did not recover in time from a disturbance.

    Args:
        storm: the result of the disturbed batch.
        faults: the storage's faults.
        calm_s: seconds of the undisturbed batch.
        shots: number of photographs.
        with_disk: whether a disk was filled.
    """
    calm, stormy, kills = delivered_files(CALM), delivered_files(STORM), storm.kills
    summary: Summary = survey(STORM)
    deliveries = Counter(shot for one in load_batch(STORM).deliveries for shot in one.shots)
    lost = shots - len(summary.fates) + len(summary.of("failed"))
    doubled = sum(count - 1 for count in (*deliveries.values(), *stormy.values()))
    out = [
        described(),
        f"{shots} shots: {calm_s:.0f} s undisturbed; {storm.seconds:.0f} s and {storm.nights} nights with ",
    ]
    out[-1] += f"{len(kills)} kills and full disks"
    out += ["", "| killed | times | recovery, median s | longest s | not in 600 s |", "|---|---|---|---|---|"]
    for kind in KINDS:
        times = [one.recovery_s for one in kills if one.kind == kind]
        healed = [one for one in times if one is not None]
        figures = f"{statistics.median(healed):.0f} | {max(healed):.0f}" if healed else "- | -"
        words = f"disk full for {FULL_S:.0f} s" if kind == DISK else kind
        out.append(f"| {words} | {len(times)} | {figures} | {len(times) - len(healed)} |")
    if not with_disk:
        out += ["", "No disk was filled: that takes root, a loop device and --disk."]
    met = ", ".join(f"{kind} {count}" for kind, count in faults.met.items() if kind)
    out += ["", f"storage faults met: {met or 'none'}", f"batch: {summary.sentence}"]
    out += [f"files as undisturbed: {len(calm & stormy)} of {len(calm)}; others: {len(stormy - calm)}"]
    out += [f"doubled: {doubled}; lost: {lost}"]
    sys.stdout.write("\n".join(out) + "\n")
    whole = bool(calm) and calm.keys() == stormy.keys() and not doubled and not lost
    return 0 if whole and all(one.recovery_s is not None for one in kills) else 1


if __name__ == "__main__":
    sys.exit(main())
