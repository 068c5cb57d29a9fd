"""A batch is cancelled while a worker's process is at it: the process ends, nothing is delivered, and it goes on later.

Slow: two runs of a worker over photographs. With `make test` the same is held by
`tests/tasks/batches/test_cancelling.py` (what becomes of runs and questions) and `tests/tasks/test_crash_points.py`
(a cancellation after the writes of a night).
"""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from packshot.keys import batch_lease, deliveries_prefix
from packshot.naming import batch_id
from tasks.batches.cancelling import cancel_batch
from tasks.batches.summing_up import survey
from tasks.records.stored import load_batch
from tasks.storage.bucket import open_storage
from tasks.storage.leases import look
from tests.flows.line import Line, poll, read_all, sample_folder

pytestmark = pytest.mark.slow

BATCH = batch_id("acme", "cancelled-at-work")
NAMES = {"client": BATCH.client, "batch": BATCH.batch}
PROCESS = "process-batch/process-batch"


def processes_of(run: str) -> list[psutil.Process]:
    found = []
    for one in psutil.process_iter():
        try:
            if run in one.environ().values():
                found.append(one)
        except psutil.Error:
            continue
    return found


def is_at_work() -> bool:
    lease = look(batch_lease(BATCH))
    return lease is not None and lease.is_alive


def test_the_process_that_is_at_work_ends_and_the_batch_can_be_taken_up_again(line: Line, tmp_path: Path) -> None:
    folder = sample_folder(tmp_path / "photographs", ["BOX101_MAIN.jpg", "BTL201_MAIN.jpg"])
    line.submit(BATCH, folder)
    inbox = read_all(f"inbox/{BATCH.client}/{BATCH.batch}/")
    run = line.start(PROCESS, NAMES)
    poll(lambda: is_at_work() or None, until="the batch's process is at work")
    assert processes_of(str(run.id))
    done = cancel_batch(BATCH, person="Max", reason="the client has withdrawn it")
    assert done.runs >= 1
    ended = line.ended(run.id)
    assert ended.state
    assert ended.state.is_cancelled(), ended.state
    poll(lambda: not processes_of(str(run.id)) or None, until="its process is gone")
    assert not list(open_storage().list(deliveries_prefix(BATCH)))
    assert load_batch(BATCH).cancelled

    line.submit(BATCH, folder)
    again = line.run(PROCESS, NAMES)
    assert again.state
    assert again.state.is_completed(), again.state.message
    assert {fate.kind for fate in survey(BATCH).fates} <= {"delivered", "waiting"}
    assert read_all(f"inbox/{BATCH.client}/{BATCH.batch}/") == inbox
