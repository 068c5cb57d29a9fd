"""What the bookkeeping of a night takes at n and at 4n shots, counted; and what the table says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.night import WAITS_EVERY, Cost, table
from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage
from tests.counted_loops import Count, counted
from tests.tasks.conftest import s3_settings, storage  # noqa: F401

N = 2 * WAITS_EVERY
ONCE = ("batch status", "look for closed batches", "rows of the desk and the board", "find")
"""Steps that ask as much whatever the number of shots."""


@pytest.fixture
def costs(
    storage: Storage,  # noqa: F811
    s3_settings: Settings,  # noqa: F811
    index_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> list[dict[str, tuple[int, int, int]]]:
    """Step -> (requests, things gone through, bytes sent and received), for n shots and for 4n."""
    monkeypatch.setenv("PACKSHOT_INDEX_URL", index_server)
    command = [sys.executable, "-m", "tests.benchmarks.counted_night", str(N), str(4 * N)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[2])
    return json.loads(done.stdout.splitlines()[-1])


def test_no_step_takes_more_for_each_shot_when_there_are_more(costs: list[dict[str, tuple[int, int, int]]]) -> None:
    """Neither requests, nor bytes, nor things that loops, copies and searches in lists go through."""
    few, many = costs
    for step, (requests, seen, sent) in few.items():
        assert many[step][0] <= (1.5 if step in ONCE else 4.4) * max(1, requests), (step, few[step], many[step])
        assert many[step][1] <= 4.4 * seen, (step, few[step], many[step])
        assert many[step][2] <= 4.4 * sent, (step, few[step], many[step])
    assert few["deliver"][1] > 10 * N
    assert many["survey"][0] == 4 * N + 1


@pytest.mark.parametrize(
    ("body", "at_n"),
    [
        ("[one for one in all if one in some]", 20 + 20 * 20),
        ("[one for one in all if one not in set(some)]", 20 + 20 * 20),
        ("[one for one in all if one in known]", 20),
        ("next(one for one in all if one == 3)", 4),
        ("[*all, *some]", 40),
        ("{**known}", 20),
        ("sorted(all)", 20),
        ("all.index(3)", 20),
    ],
)
def test_the_count_sees_what_is_gone_through(body: str, at_n: int) -> None:
    of = counted(f"def work(all, some, known):\n    return {body}\n")
    before = Count.seen
    of("work")(list(range(20)), list(range(20)), dict.fromkeys(range(20)))
    assert Count.seen - before == at_n


def test_the_table_says_requests_and_time_of_a_shot() -> None:
    costs = {10: {"find": Cost(Counter(GetObject=5), 0.1)}, 20: {"find": Cost(Counter(GetObject=5), 0.1)}}
    assert table(costs).splitlines() == [
        "| step | 10 | 20 |",
        "|---|---:|---:|",
        "| find | 0.50, 10.00 ms | 0.25, 5.00 ms |",
    ]
