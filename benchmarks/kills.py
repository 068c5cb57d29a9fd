"""Run a night in which processes are killed at random, the disk fills and the storage fails.

Measure what recovers, and how fast.

    python -m benchmarks.kills --shots 200 --kills 30 --faults 0.01
    python -m benchmarks.kills --shots 24 --kills 12 --faults 0.2 --kinds 503 truncated reset "answer lost"

Servers, worker and watch are started in a temporary folder, supervised as by `packshot serve`. The same photographs are
processed twice, as two batches. What the machine leaves to a reviewer is approved by a script, which answers the same
form: so there is enough to deliver, however careful the machine is. Then two runs deliver the batch at the same time.

The first batch is not disturbed. During the second one these are killed with signal 9: flow processes, the children
that open files, the worker, the watch, Prefect, PostgreSQL and S3; a third of the kills is kept for the time after the
night. Also, the disk that all of them write to is full for a while. In both batches, requests of the worker and the
watch meet 503, cut bodies, resets, delays and lost answers. No person mends anything. If a night ends and something is
not done, the next night follows, as by the schedule. If both deliveries have ended and something approved is not
delivered, two more are started, and that counts as an act of a person.

A table of recovery times is printed. Each runs from a kill, or from the moment when the disk has space again, until all
parts work and a record of the batch has changed. The exit status is 0 only if each file of the second batch is like
that of the first and was delivered once, each answer was followed once, and no person had to act.

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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import psutil
from PIL import Image
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.exceptions import PrefectException, PrefectHTTPStatusError

from benchmarks.full_disk import Disk, disk_of_its_own
from benchmarks.machine import described
from benchmarks.storage_faults import KINDS as FAULTS
from benchmarks.storage_faults import Faults, faulty
from deployments.demo import SAMPLES, environment
from deployments.registry import WORK_POOL, register
from deployments.watch_process import keep_watch
from infra.local.processes import free_ports
from infra.local.stack import Ports, Stack, keep_worker, running
from infra.local.supervisor import Supervisor
from infra.local.watchdog import MARK
from packshot.decision import REASONS, Choice
from packshot.errors import DecisionRefusedError, PackshotError
from packshot.handoff.deciding import picture_shown
from packshot.keys import deliveries_prefix
from packshot.naming import BatchId, batch_id
from packshot.record import DONE, State
from tasks.batches.fates import Summary
from tasks.batches.submitting import submit_folder
from tasks.batches.summing_up import survey
from tasks.people.sent_answers import checked_answer, send
from tasks.records.stored import find_batch, load_batch, load_record, load_records
from tasks.results.block import ENVIRONMENT
from tasks.runs.resuming import runs_of
from tasks.storage.bucket import open_storage

REVIEWER = "A reviewer"
CALM, STORM = batch_id("demo", "calm"), batch_id("demo", "storm")
CHILD, DISK = "child", "disk"
LATER = ("flow", "worker", "watch", "prefect", "postgres", "s3", DISK)
KINDS = (CHILD, *LATER)
"""A child comes first each time: there is none once all photographs are mastered."""
COMMANDS = {"flow": "prefect.engine", CHILD: "tasks.processing.child"}
"""What the command line of such a process holds."""
HEALED_S, NIGHT_S, POLL_S = 600.0, 6 * 3600.0, 0.5
FULL_S = 30.0
"""How long the disk stays full."""
LOOK_S = 5.0
"""Time between two looks at what the studio has to do next."""
NIGHTS_RATIO = 2 / 3
"""So many of the kills at most happen before the nights are over."""
AT_REST = frozenset({*DONE, State.REFUSED, State.AWAITING_EDITOR, State.AWAITING_SIGNOFF, State.ON_HOLD})
AWAY = (PackshotError, httpx.HTTPError, PrefectException, OSError)
"""What is raised while a server that was killed is being started again."""


class Kill(NamedTuple):
    """One disturbance of the system, and how long it took to recover.

    Attributes:
        kind: the kind of process that was killed: ``flow``, ``child`` (opens files), ``worker``, ``watch``,
            ``prefect``, ``postgres`` or ``s3``. Or ``disk``: the disk was full.
        recovery_s: seconds until all parts worked and the batch had progressed; None if that took longer than 600 s.
        after_the_night: whether it happened while reviewers answered and deliveries ran.
    """

    kind: str
    recovery_s: float | None
    after_the_night: bool = False


class Storm(NamedTuple):
    """The result of the batch that was processed while processes were killed.

    Attributes:
        kills: its disturbances, in order.
        nights: number of nights until the batch was finished.
        deliveries: how many times the batch's delivery was started, each time by two runs at once. More than 1 means
            that a person had to start it again.
        seconds: how long all nights and deliveries took together.
    """

    kills: list[Kill]
    nights: int
    deliveries: int
    seconds: float


def main() -> int:
    """Process a batch undisturbed and another one with kills, and print the numbers; return the exit status.

    It is 0 if the second batch ended like the first, each file was delivered once, and no person had to act; else 1.
    """
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

    They are ``K0000_MAIN.jpg``, ``K0001_MAIN.jpg`` and so on; the samples are copied in turn. Without a category the
    machine approves nothing, so nothing would be delivered.

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

    A server or process that dies is started again.

    Args:
        folder: for the servers' data and temporary files.
        faults: which requests of the worker and the watch to the storage fail.
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
            keep_watch(stack, environment=theirs)
            supervisor = Supervisor(stack.family.parts, stack.state_dir, say=log)
            thread = threading.Thread(target=supervisor.run, args=(stop,))
            thread.start()
            try:
                yield stack
            finally:
                stop.set()
                thread.join()


def log(sentence: str) -> None:
    """Print a sentence about progress with the time, on standard error, where it does not mix with the numbers."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {sentence}\n")


class Course:
    """What a studio does with a batch: nights until nothing has failed, approvals, then two deliveries at once.

    A thread looks every five seconds how the batch stands, and starts the next thing to do. It runs while the object is
    used as a context manager.

    Attributes:
        nights: ids of the runs that process the batch, in order.
        nights_are_over: True if the batch was finished, so that only reviewers and deliveries are left.
        deliveries: one list for each try to deliver what is approved, with the ids of its two runs.
        over: an event that is set when each shot is delivered, refused or with an editor.
    """

    def __init__(self, batch: BatchId, night: Callable[[], UUID]) -> None:
        """Begin the first night.

        Args:
            night: starts a run that processes the batch and returns its id.
        """
        self._batch, self._night, self._stop = batch, night, threading.Event()
        self.nights, self.deliveries = [night()], list[list[UUID]]()
        self.nights_are_over, self.over = False, threading.Event()
        self._thread = threading.Thread(target=copy_context().run, args=(self._go,), daemon=True)

    def __enter__(self) -> Course:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go(self) -> None:
        while not self._stop.wait(LOOK_S) and not self.over.is_set():
            try:
                self._look()
            except AWAY as error:
                log(f"the studio looks again later: {type(error).__name__}")

    def _look(self) -> None:
        states = {fate.state for fate in survey(self._batch).fates}
        if not self.nights_are_over:
            self.nights_are_over = finished(self._batch)
            if self.nights_are_over:
                log(f"{len(self.nights)} nights: {survey(self._batch).sentence}")
            elif is_final(self.nights[-1]):
                log(f"night {len(self.nights)} has ended: {survey(self._batch).sentence}; the next one begins")
                self.nights.append(self._night())
        elif State.IN_REVIEW in states:
            approve(self._batch)
        elif states <= AT_REST:
            self.over.set()
        elif not self.deliveries or all(map(is_final, self.deliveries[-1])):
            names = {"client": self._batch.client, "batch": self._batch.batch}
            self.deliveries.append([start("deliver-batch/deliver-batch", names) for _ in range(2)])
            log(f"two deliveries at once begin, for the {len(self.deliveries)}. time")


def approve(batch: BatchId) -> None:
    """Approve each shot of a batch that waits in review, as a reviewer does with the form.

    The answers are only sent. The function does not wait until they are followed.
    """
    for fate in survey(batch).fates:
        if fate.state is State.IN_REVIEW:
            record = load_record(batch.shot(fate.shot))
            answer = {
                "decision": Choice.APPROVE.value,
                "person": REVIEWER,
                "reason": REASONS[Choice.APPROVE][0].value,
                "picture": picture_shown(record),
            }
            with suppress(DecisionRefusedError):  # the run that waits is at work on the answer of the last look
                send(checked_answer(record, answer))


def undisturbed(folder: Path) -> float:
    """Process the photographs as a batch without kills, and return how many seconds that took.

    Args:
        folder: the photographs with their manifest.

    Raises:
        SystemExit: nothing was delivered, or it took too long.
    """
    began = time.monotonic()
    submit(folder, CALM)
    names = {"client": CALM.client, "batch": CALM.batch}
    with Course(CALM, lambda: start("process-batch/process-batch", names)) as course:
        until(course.over.is_set, what="the undisturbed batch is done", timeout_s=NIGHT_S)
    log(survey(CALM).sentence)
    if not delivered_files(CALM):
        raise SystemExit(
            f"Undisturbed, nothing was delivered: {survey(CALM).sentence}. There would be nothing to compare. "
            "Take more photographs, or larger ones: --shots, --long-side."
        )
    return time.monotonic() - began


def disturbed(stack: Stack, disk: Disk | None, folder: Path, wishes: argparse.Namespace) -> Storm:
    """Process the photographs in nights with kills, and return the result.

    It returns when the batch is over, or after 6 hours.

    Args:
        stack: the running servers.
        disk: the disk that is filled; None means that none is.
        folder: the photographs with their manifest.
        wishes: the options of the command line: `seed`, `kills` (their number) and `pause` (the shortest and the
            longest time between a recovery and the next kill, in seconds).
    """
    draw, kills, began = random.Random(wishes.seed), list[Kill](), time.monotonic()
    submit(folder, STORM)
    with Course(STORM, lambda: start("nightly/nightly", {"clients": [STORM.client]})) as course:
        until(lambda: find_batch(STORM) is not None, what="the batch was begun", timeout_s=HEALED_S)
        kinds: list[str] = []
        while not course.over.wait(draw.uniform(*wishes.pause)) and time.monotonic() < began + NIGHT_S:
            late = course.nights_are_over
            if len(kills) >= wishes.kills * (1 if late else NIGHTS_RATIO):
                continue
            kinds = kinds or [*draw.sample(LATER, len(LATER)), CHILD]
            kind = kinds.pop()
            if killed := filled(disk) if kind == DISK else kill(stack, kind, draw):
                kills.append(Kill(killed, recovered(stack, course), late))
                log(f"{killed}: {kills[-1].recovery_s or HEALED_S:.0f} s")
    return Storm(kills, len(course.nights), len(course.deliveries), time.monotonic() - began)


def filled(disk: Disk | None) -> str:
    """Fill the disk for 30 seconds; return "disk", the kind of disturbance. The result is empty if there is no disk to
    fill."""
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
        kind: name of a part, such as ``postgres`` or ``worker``; ``flow`` for the process of a flow run; ``child`` for
            a process that opens files.
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


def recovered(stack: Stack, course: Course) -> float | None:
    """Wait until all parts work and the batch has progressed, and return how many seconds that took.

    None if it took longer than 600 s. If the night of the batch has ended and something is not done, the batch
    progresses only in the next night.

    Args:
        stack: the running servers.
        course: what the studio does with the batch.
    """
    began, before = time.monotonic(), progress()
    while time.monotonic() < began + HEALED_S:
        time.sleep(POLL_S)
        working = not any(part.what_is_wrong() for part in stack.family.parts)
        if working and (course.over.is_set() or (progress() or before) != before):
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


def finished(batch: BatchId) -> bool:
    """Return whether a batch was processed to its end, and none of its shots has failed.

    Raises:
        PackshotError: the records cannot be read now.
    """
    record = find_batch(batch)
    return bool(record and record.finished_at) and not survey(batch).failed


def submit(folder: Path, batch: BatchId) -> None:
    """Upload a folder of photographs as a batch, without any output.

    Args:
        folder: the photographs with their manifest.
        batch: the batch.
    """
    submit_folder(folder, batch, on_progress=lambda *_: None, on_left_out=lambda *_: None)


def start(deployment: str, parameters: Mapping[str, object]) -> UUID:
    """Start a flow run of a deployment, and return the run's id without waiting for its end.

    Args:
        deployment: name of the deployment, such as ``nightly/nightly``.
        parameters: the flow's parameters, by name.
    """
    return cast(FlowRun, run_deployment(deployment, parameters=dict(parameters), timeout=0)).id


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


def until(ask: Callable[[], bool], *, what: str, timeout_s: float) -> None:
    """Wait until a function returns True.

    Args:
        ask: called again and again without arguments, until it returns True.
        what: what is waited for, in words, for the message.
        timeout_s: longest wait, in seconds.

    Raises:
        SystemExit: the time is up.
    """
    deadline = time.monotonic() + timeout_s
    while not ask():
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


def answers_followed(batch: BatchId) -> Counter[str]:
    """Return how many times the reviewer's approval of each shot of a batch was followed: name of the shot -> number.

    More than once would be an error. Shots that the reviewer did not approve are left out.
    """
    records = load_records([ref.shot for ref in load_batch(batch).shots])
    return Counter(record.shot.shot for record in records for one in record.decisions if one.by == REVIEWER)


def red_runs() -> list[str]:
    """Return the runs of deployments that ended as failed or crashed, each as ``name (message)``.

    A run that was started again and is no longer failed or crashed is not among them.
    """
    red = FlowRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED])
    with get_client(sync_client=True) as client:
        found = runs_of(client, FlowRunFilter(state=FlowRunFilterState(type=red)))
        return [f"{run.name} ({run.state.message if run.state else ''})" for run in found if run.deployment_id]


def report(storm: Storm, faults: Faults, *, calm_s: float, shots: int, with_disk: bool) -> int:
    """Print the numbers; return 0 if the disturbed batch is complete and like the undisturbed one, else 1.

    It also returns 1 if the system did not recover in time from a disturbance, or if a person had to act.

    Args:
        storm: the result of the disturbed batch.
        faults: the storage's faults, with the numbers of those that requests met.
        calm_s: how long the undisturbed batch took, in seconds.
        shots: number of photographs.
        with_disk: whether a disk was filled.
    """
    calm, stormy, kills = delivered_files(CALM), delivered_files(STORM), storm.kills
    summary: Summary = survey(STORM)
    deliveries = Counter(shot for one in load_batch(STORM).deliveries for shot in one.shots)
    answers = answers_followed(STORM)
    lost = shots - len(summary.fates) + len(summary.of("failed"))
    doubled = sum(count - 1 for count in (*deliveries.values(), *stormy.values()))
    out = [
        described(),
        f"{shots} shots: {calm_s:.0f} s undisturbed; {storm.seconds:.0f} s and {storm.nights} nights with ",
    ]
    out[-1] += f"{len(kills)} kills and full disks, {sum(one.after_the_night for one in kills)} of them after the night"
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
    acts = max(0, storm.deliveries - 1)
    out += [f"deliveries: {len(load_batch(STORM).deliveries)}, by two runs at once; {sum(answers.values())} answers"]
    out += [f"doubled: {doubled}; lost: {lost}; answers followed twice: {sum(answers.values()) - len(answers)}"]
    out += [f"acts of a person: {acts}; runs that ended red: {', '.join(red_runs()) or 'none'}"]
    sys.stdout.write("\n".join(out) + "\n")
    whole = bool(calm) and calm.keys() == stormy.keys() and not doubled and not lost and not acts
    whole = whole and answers == dict.fromkeys(answers, 1)
    return 0 if whole and all(one.recovery_s is not None for one in kills) else 1


if __name__ == "__main__":
    sys.exit(main())
