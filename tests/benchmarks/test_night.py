"""What the bookkeeping of a night asks of storage: at n and at 4n shots, and what the table says of it."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.night import WAITS_EVERY, Cost, bookkeeping, table
from packshot.naming import batch_id
from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage
from tests.tasks.conftest import s3_settings, storage  # noqa: F401

N = 2 * WAITS_EVERY
ONCE = ("batch status", "look for closed batches", "rows of the desk and the board", "find")
"""Steps that ask as much whatever the number of shots."""


def test_no_step_asks_more_of_storage_for_each_shot_when_there_are_more(
    storage: Storage,  # noqa: F811
    s3_settings: Settings,  # noqa: F811
    index_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PACKSHOT_INDEX_URL", index_server)
    few = bookkeeping(batch_id("bench", "few"), N, reports=False)
    many = bookkeeping(batch_id("bench", "many"), 4 * N, reports=False)
    for step, cost in few.items():
        grown = many[step].requests.total() / max(1, cost.requests.total())
        assert grown <= (1.5 if step in ONCE else 4.4), (step, cost.requests, many[step].requests)
    assert many["survey"].requests["GetObject"] == 4 * N + 1


def test_the_table_says_requests_and_time_of_a_shot() -> None:
    costs = {10: {"find": Cost(Counter(GetObject=5), 0.1)}, 20: {"find": Cost(Counter(GetObject=5), 0.1)}}
    assert table(costs).splitlines() == [
        "| step | 10 | 20 |",
        "|---|---:|---:|",
        "| find | 0.50, 10.00 ms | 0.25, 5.00 ms |",
    ]
