"""Measure how long a reviewer at the desk waits for pictures: ``python -m benchmarks.reviewing``.

S3, PostgreSQL, Prefect, a worker and the desk are started in a temporary folder, each as its own process. A drawn
photograph is processed until it waits for a reviewer. Copies of it wait too. Then they are reviewed in Chromium, by
keyboard alone:

| part | measurement |
|---|---|
| memory | the desk's memory while page after page is opened, each with a tile of each picture |
| large pictures | time from the key until the next shot is shown, and until it is sharp at 1:1; 24 megapixels each |
| decisions | the same times, if the reviewer decides as soon as a picture is sharp; how many decisions each shot got |

Times are wall times. The processor time of desk and browser stands beside them, because it does not depend on other
work of the machine.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

import httpx
import psutil
from playwright.sync_api import sync_playwright
from prefect import flow

from benchmarks.machine import described
from deployments.demo import environment
from deployments.desk_process import keep_desk
from deployments.registry import WORK_POOL, register
from desk.access.accounts import Accounts
from desk.access.roles import Role
from infra.local.processes import free_ports
from infra.local.stack import Ports, running, start_worker, wait_for_worker
from packshot.keys import shot_key
from packshot.naming import BatchId, batch_id
from packshot.record import EDIT, ShotRecord
from packshot.types import Verdict
from tasks.people.jobs import open_waiting_run
from tasks.records.stored import change_batch, create_record, load_record
from tasks.results.block import ENVIRONMENT
from tasks.runs.resuming import shot_of_run, waiting_runs
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot, route_shot
from tasks.storage.bucket import open_storage
from tasks.storage.shot_objects import keep
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.drawn_products import photograph
from tests.tasks.shots import edited, submitted

REVIEWER, PASSWORD = "Bench Mark", "for the benchmark alone"
LAPTOP: Any = {"width": 1280, "height": 720}
PATIENCE_S = 3600.0
WATCHING = """
const at = () => performance.timeOrigin + performance.now();
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
addEventListener("keydown", () => sessionStorage.setItem("pressed", String(at())), true);
const watch = async () => {
  if (!document.querySelector(".shot")) return;
  const { shot } = document.querySelector(".shot").dataset;
  await frame(); await frame();
  const shown = at();
  while (!window.packshotViewer) await frame();
  if (sessionStorage.getItem("at once")) await window.packshotViewer.zoom(Number(sessionStorage.getItem("at once")));
  await window.packshotViewer.whenSharp();
  const pressed = Number(sessionStorage.getItem("pressed"));
  window.measured = { shot, shown: shown - pressed, sharp: at() - pressed };
};
document.addEventListener("DOMContentLoaded", watch);
addEventListener("packshot-arrived", watch);
"""
"""Runs in each page, and for each shot that takes the last one's place on it: `shown` is when it has been painted,
`sharp` when every tile of the view has; both since the last key was pressed, in ms. With `at once` in the session's
storage, the picture is magnified as soon as it can be."""


class Turn(NamedTuple):
    """One decision of a reviewer, timed from the key that was pressed.

    Attributes:
        shown: time until the next shot is shown, in ms.
        sharp: time until the next shot is sharp at 1:1, in ms.
    """

    shown: float
    sharp: float


class Line(NamedTuple):
    """The review desk that is measured, as it runs.

    Attributes:
        desk: its address.
        process: its process.
    """

    desk: str
    process: psutil.Process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", type=int, default=12, help="photographs of 24 megapixels")
    parser.add_argument("--looks", type=float, default=4.0, help="seconds for which a large one is looked at")
    parser.add_argument("--decisions", type=int, default=300)
    parser.add_argument("--pages", type=int, default=5000, help="shots that are opened for the figure of memory")
    parser.add_argument("--at-once", type=int, default=2, help="runs that the worker starts at once")
    parser.add_argument("--folder", type=Path, help="where the servers keep their data; default: a temporary folder")
    given = parser.parse_args()
    print(described(), flush=True)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="packshot-reviewing-"))
    folder.chmod(0o711)
    with _line(folder, at_once=given.at_once) as line:
        large = batch_id("bench", "large")
        small = batch_id("bench", "small")
        _say("waiting", f"{_wait(large, given.large, (6000, 4000), own=True)} of 24 megapixels")
        _say("waiting", f"{_wait(small, given.decisions + 1, (1500, 1500), own=False)} small ones")
        _until_listed(line, given.large + given.decisions + 1)
        _say("memory", _memory(line, small, given.pages))
        with _reviewer(line) as page:
            looked_at = partial(_review, page, large, given.large - 1, at_once=1, looks_s=given.looks)
            _report("large pictures, 1:1", line, looked_at)
            _report("decisions", line, lambda: _review(page, small, given.decisions))
        _say("followed", _followed(small, given.decisions))


@contextmanager
def _line(folder: Path, *, at_once: int) -> Iterator[Line]:
    accounts = folder / "accounts.json"
    variables = {
        **ENVIRONMENT,
        "PACKSHOT_SCRATCH_DIR": str(folder / "scratch"),
        "PACKSHOT_DESK_ACCOUNTS_FILE": str(accounts),
        "PACKSHOT_DESK_PORT": str(free_ports(1)[0]),
        "PACKSHOT_RUNS_AT_ONCE": str(at_once),
        "PACKSHOT_COLLECT_EVERY_S": "86400",
    }
    with (
        running(folder / "state", ports=Ports(prefect=free_ports(1)[0])) as stack,
        environment({**stack.environment(), **variables}),
    ):
        open_storage().ensure_bucket()
        register()
        Accounts(accounts).add(REVIEWER, {Role.REVIEWER, Role.SENIOR}, PASSWORD)
        worker = start_worker(stack, work_pool=WORK_POOL, environment=variables)
        wait_for_worker(stack, worker, work_pool=WORK_POOL)
        part, address = keep_desk(stack, environment=variables)
        part.wait()
        assert part.child is not None
        yield Line(address, psutil.Process(part.child.pid))


# What waits


def _wait(batch: BatchId, count: int, size: tuple[int, int], *, own: bool) -> int:
    """Have so many shots wait for a reviewer, and return how many do.

    Args:
        size: width and height of the photograph.
        own: whether each copy has pictures of its own, so that the desk makes tiles for each.
    """
    name = "ONE00000"
    rows = f"{name}.jpg,{name},B0BENCH001,boxes,MAIN,shopify\n"
    stock = submitted(batch, {f"{name}.jpg": photograph(*size)}, rows=rows)
    mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    groups = group_shots.fn(batch, mastered)
    (routed,) = (route_shot.fn(one, group=groups[one.name]) for one in mastered)
    edited(routed.shot, verdict=Verdict.HUMAN_REVIEW)
    first = load_record(routed.shot)
    records = [first, *(_copy(first, f"ONE{number:05}", number=number if own else 0) for number in range(1, count))]
    change_batch(batch, lambda one: one.model_copy(update=_with_copies(one, records)))

    @flow(name="have shots wait", persist_result=False)
    def ask() -> int:
        return len([open_waiting_run(one, generation=0, category="boxes") for one in records])

    return ask()


def _copy(record: ShotRecord, name: str, *, number: int) -> ShotRecord:
    """Store a copy of a shot under another name, and return its record.

    Args:
        number: if it is not 0, so many bytes are added at the end of the picture's files. No reader looks at them, but
            the pictures are others then.
    """
    storage, shot = open_storage(), record.shot.in_batch.shot(name)
    text = record.model_dump_json().replace(record.shot.shot, name)
    for file, sha256 in record.objects.items():
        source, target = shot_key(record.shot, file), shot_key(shot, file)
        if number and file in (EDIT, "master.tif"):
            kept = keep(shot, {file: storage.get(source) + bytes(number)})
            text = text.replace(sha256, kept[file])
        else:
            storage.copy_verified(source, target, sha256=sha256, is_new=True)
    return create_record(ShotRecord.model_validate_json(text))


def _with_copies(batch: Any, records: Sequence[ShotRecord]) -> dict[str, Any]:
    (ref,) = batch.shots
    group = batch.groups.get(ref.shot.shot, "")
    return {
        "shots": tuple(ref.model_copy(update={"shot": one.shot, "path": f"{one.shot.shot}.jpg"}) for one in records),
        "groups": {one.shot.shot: group for one in records} if group else batch.groups,
    }


def _until_listed(line: Line, count: int) -> None:
    with _signed_in(line) as client:
        deadline = time.monotonic() + PATIENCE_S
        while client.get("/counts").json()["lists"]["review"] < count:
            if time.monotonic() > deadline:
                raise TimeoutError("the desk does not list what waits")
            time.sleep(1.0)


# At the desk


@contextmanager
def _reviewer(line: Line) -> Iterator[Any]:
    """Yield a page in Chromium in which the reviewer is signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, "--force-color-profile=srgb"])
        page = browser.new_context(viewport=LAPTOP).new_page()
        page.set_default_timeout(120_000)
        page.add_init_script(WATCHING)
        page.goto(f"{line.desk}/sign-in")
        page.fill("input[name=name]", REVIEWER)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Sign out")
        yield page
        browser.close()


def _review(page: Any, batch: BatchId, count: int, *, at_once: int = 0, looks_s: float = 0.0) -> list[Turn]:
    """Decide about so many shots, one after the other, and return how long each took.

    Args:
        at_once: magnification to which each picture is brought as soon as it can be; 0: the whole picture stays.
        looks_s: how long each picture is looked at; meanwhile the desk makes the next one's tiles.
    """
    page.goto(urljoin(page.url, f"/queues/review?batch={batch.batch}"))
    page.evaluate("(to) => to ? sessionStorage.setItem('at once', to) : sessionStorage.removeItem('at once')", at_once)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    _measured(page)
    turns = []
    for number in range(count):
        time.sleep(looks_s)
        turns.append(_decided(page, number))
    return turns


def _decided(page: Any, number: int) -> Turn:
    """Press the keys of one decision; return when the next shot was there. Of ten, one is rejected, one sent on."""
    before, asks = page.evaluate("[window.measured.shot, !document.querySelector('form.panel').dataset.atOnce]")
    with page.expect_navigation(wait_until="commit"):
        if number % 10 == 8:
            page.keyboard.press("x")
            page.keyboard.press("1")
        elif number % 10 == 9:
            page.keyboard.press("e")
            page.keyboard.press("n")
            page.keyboard.type("the rim at the left")
            page.keyboard.press("Enter")
            page.keyboard.press("1")
        else:
            page.keyboard.press("a")
            if asks:  # a finding stops approval
                page.keyboard.press("1")
    after = _measured(page, but=before)
    return Turn(after["shown"], after["sharp"])


def _measured(page: Any, *, but: str = "") -> dict[str, Any]:
    deadline = time.monotonic() + 120.0
    while not (found := page.evaluate("window.measured ?? null")) or found["shot"] == but:
        assert time.monotonic() < deadline, page.inner_text("main")
        time.sleep(0.02)
    return dict(found)


def _report(what: str, line: Line, work: Callable[[], list[Turn]]) -> None:
    """Do some decisions, and print how long they took and what processor time they cost."""

    def spent() -> tuple[float, float, float]:
        return time.monotonic(), _processor_s([line.process]), _processor_s(_browsers())

    began = spent()
    turns = work()
    took, desk, browser = (after - before for before, after in zip(began, spent(), strict=True))
    each = f"desk {1000 * desk / len(turns):.0f} ms, browser {1000 * browser / len(turns):.0f} ms"
    _say(what, f"{len(turns)} in {took:.0f} s; processor time of each: {each}")
    for name, values in (
        ("  next shot on the screen", sorted(one.shown for one in turns)),
        ("  and sharp", sorted(one.sharp for one in turns)),
    ):
        late = values[int(0.9 * (len(values) - 1))]
        _say(name, f"median {statistics.median(values):.0f} ms, best {values[0]:.0f}, 9 of 10 within {late:.0f}")
    _say("  load average", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _browsers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if "chrom" in one.name()]


def _processor_s(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for one in processes:
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


# Afterwards


def _followed(batch: BatchId, count: int) -> str:
    """Wait until the line has followed as many decisions as were made; return how often each shot was decided."""
    deadline, found = time.monotonic() + PATIENCE_S, Counter[int]()
    shots = [batch.shot(f"ONE{number:05}") for number in range(count + 1)]
    while time.monotonic() < deadline:
        found = Counter(len(load_record(one).decisions) for one in shots)
        if found[0] <= 1:
            break
        time.sleep(10.0)
    return ", ".join(f"{shots_} shots {times} times" for times, shots_ in sorted(found.items()))


def _memory(line: Line, batch: BatchId, pages: int) -> str:
    """Open shot after shot with a tile of each picture; return what the desk's process holds at ten moments."""
    shots = [str(shot_of_run(run)) for run in waiting_runs([f"batch:{batch.batch}"])]
    held = []
    with _signed_in(line) as client:
        for number in range(pages):
            shot = shots[number % len(shots)]
            answer = client.get(f"/shots/{shot}", headers={"accept": "text/html"})
            (kinds,) = re.findall("data-kinds='([^']*)'", answer.text)
            for kind, digest in json.loads(html.unescape(kinds)).items():
                for file in ("picture.json", "0/0_0.webp"):
                    client.get(f"/pictures/{shot}/{kind}/{digest}/{file}").raise_for_status()
            if (number + 1) % max(1, pages // 10) == 0:
                held.append(line.process.memory_info().rss / 2**20)
    said = ", ".join(f"{one:.0f}" for one in held)
    return f"MiB after each tenth of {pages} pages of {len(shots)} shots: {said}"


@contextmanager
def _signed_in(line: Line) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=line.desk, timeout=60.0) as client:
        answer = client.post("/sign-in", data={"name": REVIEWER, "password": PASSWORD, "to": "/"})
        assert answer.status_code == 303, answer.text
        yield client


def _say(what: str, measured: str) -> None:
    print(f"{what:<32} {measured}", flush=True)


if __name__ == "__main__":
    main()
