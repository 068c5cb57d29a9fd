"""Two runs that deliver one batch at once, in a storage that fails in every fifth request."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from urllib.parse import urlsplit

import pytest

from benchmarks.storage_faults import Faults, faulty
from deployments.demo import environment
from packshot.export.certificate import check_files
from packshot.naming import BatchId
from packshot.record import State
from tasks.deliveries.delivering import DeliveryOutcome, deliver
from tasks.environment.settings import get_settings
from tasks.records.stored import load_batch, load_record
from tasks.storage.bucket import Storage, open_storage
from tests.often import few_often
from tests.patience import PATIENCE_S
from tests.tasks.deliveries.test_delivering import OWN, content, verified
from tests.tasks.in_runs import in_a_run

KINDS = ("503", "truncated", "reset", "answer lost")
EACH = 0.05
NAMES = ("A1", "B1", "C1")
TRIES = 20


@pytest.mark.parametrize("seed", few_often(range(5), 1))
def test_two_deliverers_deliver_each_file_once_although_each_fault_meets_every_twentieth_request(
    line: Storage, batch: BatchId, seed: int
) -> None:
    """Kind of test that was missing: two deliverers and a failing storage together."""
    verified(batch, dict.fromkeys(NAMES, 0.43))
    here = urlsplit(get_settings().s3_endpoint_url or "")
    faults = Faults(EACH * len(KINDS), seed, KINDS)
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def one() -> DeliveryOutcome:
        """A run with its tries: Prefect starts a task anew whose error may pass."""
        both.wait()
        for _ in range(TRIES - 1):
            try:
                return deliver.fn(batch, only=list(NAMES))
            except Exception:  # noqa: BLE001  (whatever it is, the next try must get over it)
                continue
        return deliver.fn(batch, only=list(NAMES))

    with (
        faulty((here.hostname or "", here.port or 0), faults) as address,
        environment({"PACKSHOT_S3_ENDPOINT_URL": address}),
        ThreadPoolExecutor(2) as pool,
    ):
        for run in [pool.submit(copy_context().run, in_a_run, one) for _ in range(2)]:
            run.result()
    assert faults.met.total() > 0

    deliveries = load_batch(batch).deliveries
    assert Counter(shot for one in deliveries for shot in one.shots) == dict.fromkeys(NAMES, 1)
    written: Counter[str] = Counter()
    for one in deliveries:
        files = content(batch, one.number)
        own = {name: files.pop(name) for name in OWN}
        check_files(own["certificate.json"], files)
        written.update(files.keys())
    assert set(written.values()) == {1}
    assert len(written) == 2 * len(NAMES)
    assert {load_record(batch.shot(name)).state for name in NAMES} == {State.DELIVERED}
    assert open_storage().bucket == line.bucket
