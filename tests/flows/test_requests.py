"""What a batch asks of storage: counted by operation, at n and at 4n shots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deployments.demo import environment
from deployments.registry import register
from flows.batch import process_batch
from packshot.naming import BatchId, batch_id
from tasks.environment.settings import get_settings
from tasks.processing import networks
from tasks.processing.networks import LoadedModel
from tasks.stages import first_edit
from tasks.storage.bucket import open_storage
from tasks.storage.connection import connect
from tests.drawn_products import ContrastNetwork
from tests.tasks.shots import photograph, submitted

N = 2
MOST_A_SHOT = 40


class Asked:
    """The requests of this process, by operation and HTTP status."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self.keys: list[tuple[str, int, str]] = []

    def __call__(self, http_response: Any, model: Any, context: Any, **_: Any) -> None:
        key = http_response.url.split("/", 4)[-1].split("?")[0]
        self.counts[(model.name, http_response.status_code)] += 1
        self.keys.append((model.name, http_response.status_code, key))

    @property
    def total(self) -> int:
        """How many there were, but for leases: they are renewed by the clock."""
        return sum(not key.startswith("leases/") for _, _, key in self.keys)

    def missing(self) -> list[str]:
        """The keys that were asked for and were not there."""
        return [f"{name} {key}" for name, status, key in self.keys if status == 404]


@contextmanager
def counted() -> Iterator[Asked]:
    """Count all requests of this process to storage for the duration of the block."""
    asked = Asked()
    events = connect(get_settings()).meta.events
    events.register("after-call.s3", asked, unique_id="asked")
    try:
        yield asked
    finally:
        events.unregister("after-call.s3", unique_id="asked")


def run(batch: BatchId, shots: int) -> Asked:
    """Process a batch of drawn boxes, and return what it asked of storage."""
    names = [f"BOX{n:02}_MAIN" for n in range(shots)]
    rows = "".join(f"{name}.jpg,{name},B0PACK{n:04},boxes,MAIN,shopify\n" for n, name in enumerate(names))
    submitted(batch, {f"{name}.jpg": photograph(radius_ratio=0.3 + n / 100) for n, name in enumerate(names)}, rows=rows)
    with counted() as asked:
        state = process_batch(client=batch.client, batch=batch.batch, return_state=True)
    assert state.is_completed(), state.message
    return asked


@pytest.fixture(scope="module")
def asked(line_environment: dict[str, str]) -> Iterator[tuple[Asked, Asked]]:
    drawn = LoadedModel("contrast", ContrastNetwork(), ())
    quiet = {"PREFECT_LOGGING_TO_API_ENABLED": "false"}  # what is still to be sent must not outlive the server
    with environment({**line_environment, **quiet}), pytest.MonkeyPatch.context() as patch:
        for module in (networks, first_edit):
            patch.setattr(module, "load_model", lambda: drawn)
        open_storage().ensure_bucket()
        register()
        few, many = (run(batch_id("requests", f"n{shots}"), shots) for shots in (N, 4 * N))
        yield few, many


def test_a_shot_needs_at_most_forty_requests(asked: tuple[Asked, Asked]) -> None:
    """From its mastering to the delivery of its two files, on one machine."""
    few, many = asked
    assert (many.total - few.total) / (3 * N) <= MOST_A_SHOT, many.counts


def test_nothing_is_asked_for_that_is_not_there(asked: tuple[Asked, Asked]) -> None:
    few, many = asked
    assert len(many.missing()) == len(few.missing()), "a constant number a batch, none for each shot"
