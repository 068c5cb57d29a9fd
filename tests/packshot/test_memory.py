"""A night is thousands of photographs through one process: nothing of one may stay behind."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import psutil
import pytest

from packshot import pipeline
from packshot.export.labels import Labels
from packshot.memory import give_back_free_memory
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import Configs
from tests.drawn_products import ContrastNetwork, photograph

ROW = {"sku": "A1", "category": "boxes", "view": "MAIN", "platforms": "shopify"}
WARM_UP, MEASURED = 8, 24
MOST_KEPT_BYTES = 2_000_000
"""Of a photograph of 0.6 megapixels a single array kept each time would be more than ten times as much."""
MOST_GROWTH_MB = 100


def test_photographs_leave_nothing_in_memory() -> None:
    configs = load_configs(default_folder())
    photographs = [photograph(1000, side, seed=side) for side in (600, 700, 760, 860)]
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
    assert done.renditions


def test_memory_freed_between_blocks_in_use_goes_back_to_the_system() -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    blocks = [np.ones(8_000) for _ in range(4_000)]  # 64 kB each: small enough for the C library's own heap
    kept = blocks[::50]
    del blocks
    held_mb = (process.memory_info().rss - before) / 2**20
    if not give_back_free_memory():
        pytest.skip("this C library gives memory back by itself")
    assert (process.memory_info().rss - before) / 2**20 < held_mb / 4
    assert len(kept) == 80
