"""The disk of S3, PostgreSQL and Prefect is full in the middle of a night; when there is room again, all goes on."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
import pytest
from prefect.exceptions import PrefectHTTPStatusError

from deployments.demo import environment
from deployments.registry import WORK_POOL, register
from infra.local.processes import free_ports
from infra.local.stack import Ports, Stack, keep_worker, running
from infra.local.supervisor import Supervisor
from packshot.errors import PackshotError
from packshot.keys import shot_key
from packshot.naming import batch_id
from tasks.batches.fates import Summary
from tasks.batches.summing_up import survey
from tasks.records.stored import find_batch, load_records
from tasks.storage.bucket import open_storage
from tests.flows.line import Line, poll
from tests.flows.test_deaths import NAMES, QUICK, filled, run_of
from tests.servers import open_folder
from tests.small_disk import fill, make_room, small_disk

pytestmark = pytest.mark.slow

BATCH = batch_id("full", "full")
FULL_S = 30.0
AWAY = (PackshotError, PrefectHTTPStatusError, httpx.HTTPError)


@pytest.fixture(scope="module")
def nights(line_environment: dict[str, str]) -> Iterator[int]:
    """How many nights it took; the line goes on while tests look at what became of the batch."""
    with (
        open_folder() as folder,
        small_disk(folder / "disk", megabytes=1500) as disk,
        running(disk / "state", ports=Ports(prefect=free_ports(1)[0])) as stack,
    ):
        temporary = disk / "tmp"
        temporary.mkdir()
        own = {"PACKSHOT_SCRATCH_DIR": str(disk / "scratch"), "TMPDIR": str(temporary)}
        settings = {**line_environment, **stack.environment(), **QUICK, **own}
        with environment(settings):
            open_storage().ensure_bucket()
            register()
            keep_worker(stack, work_pool=WORK_POOL, environment=settings).wait()
            with supervised(stack):
                line = Line(stack.prefect_api_url)
                filled(BATCH)
                night = start_night(line)
                poll(lambda: run_of(BATCH), until="the batch is being worked on")
                ends = time.monotonic() + FULL_S
                while time.monotonic() < ends:
                    fill(disk)  # again and again: a server frees some of its own
                    time.sleep(1)
                make_room(disk)
                yield finished_after(line, night)


@contextmanager
def supervised(stack: Stack) -> Iterator[None]:
    """Start again what ends, as `packshot serve` does; this must outlive the full disk itself."""
    stop, supervisor = threading.Event(), Supervisor(stack.family.parts, stack.state_dir, say=lambda _: None)
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        yield
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()


def start_night(line: Line) -> UUID:
    return line.start("nightly/nightly", {"clients": [BATCH.client]}).id


def finished_after(line: Line, night: UUID) -> int:
    """The number of nights until the batch is finished: a night that has ended is followed by the next one."""
    nights = [night]

    def finished() -> bool | None:
        try:
            record = find_batch(BATCH)
            if record and record.finished_at:
                return True
            state = line.read(nights[-1]).state
            if state and state.is_final() and len(nights) < 4:
                nights.append(start_night(line))
        except AWAY:
            pass  # servers are being started again
        return None

    poll(finished, until="the batch is finished")
    return len(nights)


def test_nobody_has_to_do_anything_but_make_room(nights: int) -> None:
    assert nights <= 3
    summary: Summary = survey(BATCH)
    assert summary.counts == {"delivered": 0, "waiting": len(NAMES), "refused": 0, "failed": 0}


def test_nothing_is_half_written(nights: int) -> None:
    storage = open_storage()
    for record in load_records([BATCH.shot(name) for name in NAMES]):
        assert record.objects
        for name, sha256 in record.objects.items():
            assert hashlib.sha256(storage.get(shot_key(record.shot, name))).hexdigest() == sha256, name
