"""A night is thousands of photographs through one process: nothing of one may stay behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc

import psutil
import pytest

from benchmarks.largest import in_a_process
from packshot import pipeline
from packshot.export.labels import Labels
from packshot.ingest.limits import WORKING_BYTES_PER_PIXEL
from packshot.specs.models import Configs
from tests.configs import shipped_configs
from tests.drawn_products import ContrastNetwork, photograph

pytestmark = pytest.mark.slow

ROW = {"sku": "A1", "category": "boxes", "view": "MAIN", "platforms": "shopify"}
WARM_UP, MEASURED = 8, 24
MOST_KEPT_BYTES = 2_000_000
"""Of a photograph of 0.6 megapixels a single array kept each time would be more than ten times as much."""
MOST_GROWTH_MB = 100


def test_photographs_leave_nothing_in_memory() -> None:
    configs = shipped_configs()
    photographs = [photograph(1000, side, seed=side) for side in (840, 880, 920, 960)]
    for turn in range(WARM_UP):
        _through_the_line(photographs[turn % 4], configs)
    gc.collect()
    resident = psutil.Process().memory_info().rss
    tracemalloc.start()
    try:
        for turn in range(MEASURED):
            _through_the_line(photographs[turn % 4], configs)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    grown_mb = (psutil.Process().memory_info().rss - resident) / 2**20
    assert kept < MOST_KEPT_BYTES
    assert grown_mb < MOST_GROWTH_MB


def _through_the_line(data: bytes, configs: Configs) -> None:
    taken = pipeline.master(data, path="A1.jpg", shot="A1", row=ROW, client="default", configs=configs)
    edit = pipeline.edit(taken.master.pixels16, ContrastNetwork(), taken.plan)
    known = {"shot": "A1", **{name: fact.value for name, fact in taken.facts.items()}}
    done = pipeline.export(edit.composite, edit.matte, taken.plan, known=known, labels=Labels())
    assert done.verified


def test_each_pixel_takes_no_more_memory_than_the_limits_count_with() -> None:
    """What a header is refused by is what the whole line really takes, one file at full resolution among its work."""
    small, large = 12_000_000, 36_000_000
    grown = (in_a_process(large, "")["exported"] - in_a_process(small, "")["exported"]) * 1e9
    decoded_bytes = 3
    assert grown / (large - small) <= decoded_bytes + WORKING_BYTES_PER_PIXEL


def test_two_threads_with_photographs_of_the_largest_size_take_no_more_than_one() -> None:
    one, two = (in_a_process(12_000_000, "", threads=threads)["exported"] for threads in (1, 2))
    assert two < one * 1.15


def test_a_large_array_takes_the_place_of_the_one_before_it() -> None:
    """In a process of its own, as the line's processes begin."""
    told = subprocess.run([sys.executable, "-c", _REUSE], capture_output=True, text=True, check=True).stdout
    reused, faults_first, faults_then = (int(word) for word in told.split())
    if not reused:
        pytest.skip("this C library looks after its memory by itself")
    assert faults_then < faults_first / 10


_REUSE = """
import resource
import deployments
import numpy as np
from packshot.memory import reuse_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

counts = [faults()]
for _ in range(2):
    array = np.full(100_000_000, 1, np.uint8)
    del array
    counts.append(faults())
print(int(reuse_freed_memory()), counts[1] - counts[0], counts[2] - counts[1])
"""
