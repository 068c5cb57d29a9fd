"""Measure how long the measurements before the cut-out take, at 12 million pixels.

    python -m benchmarks.routing_speed [--runs 15]

The photograph is decoded once, as in production; this time is not counted. Processor time is the time of one core. Wall
time is longer on a machine with other work.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np

from benchmarks.machine import described
from benchmarks.photographs import large_photograph
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.routing.features import measure
from packshot.specs.load import default_folder, load_configs
from packshot.types import Pixels16, size_of

MEGAPIXELS = 12.0
SCENES = ("whitebox-lightgrey", "basket-white", "chromekettle-colour")


def seconds_of(work: Callable[[], object], *, runs: int) -> tuple[list[float], list[float]]:
    """Return (wall seconds of each run, processor seconds of each run) of some work.

    A run before the first one is not counted.

    Args:
        work: called without arguments for each run.
        runs: number of runs that are measured.
    """
    clock, processor = [], []
    work()
    for _ in range(runs):
        began = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - began[0])
        processor.append(time.process_time() - began[1])
    return clock, processor


def _master(scene: str) -> Pixels16:
    data = large_photograph(scene, megapixels=MEGAPIXELS)
    return develop(open_photo(data, name=f"{scene}.jpg", limits=load_configs(default_folder()).ingest)).pixels16


def _row(name: str, figures: Sequence[float]) -> str:
    return f"{name} {min(figures) * 1000:.0f} ms at the least, {np.median(figures) * 1000:.0f} ms in the middle"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    print(described())
    for scene in SCENES:
        master = _master(scene)
        clock, processor = seconds_of(partial(measure, master), runs=args.runs)
        print(f"{scene}, {size_of(master)}: {_row('processor', processor)}; {_row('clock', clock)}")


if __name__ == "__main__":
    main()
