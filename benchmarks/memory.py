"""Measure whether memory stays constant over a night, in which many photographs go through one process.

    python -m benchmarks.memory [--images 500] [--engine onnxruntime|openvino] [--json FILE]

Each photograph is taken in, cut out, judged and exported. Ten scenes of 2 to 24 megapixels take turns. The process's
resident memory is read after each photograph. In the first third of the readings, buffers reach their size; these are
left out. A straight line is fitted to the others. The result is its slope, in MiB per 100 photographs. It does not
contain the memory that a photograph needs while it is worked on; `benchmarks.throughput` measures that.
"""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import psutil

from benchmarks.machine import described
from benchmarks.photographs import large_photograph
from benchmarks.throughput import load, packshot_way, two_files
from packshot.specs.load import default_folder, load_configs

SIZES = {
    "bottlelabel-colour": 6.0,
    "chromekettle-lightgrey": 12.0,
    "basket-midgrey": 3.0,
    "ring-lightgrey": 6.0,
    "whitebox-midgrey": 24.0,
    "wineglass-colour": 2.0,
    "bottlelabel-white": 4.0,
    "chromekettle-white": 2.0,
    "basket-white": 8.0,
    "ring-white": 3.0,
}
"""Megapixels by scene."""
WARM_UP_SHARE = 1 / 3
BAR_MB_PER_100 = 5.0
"""Of 500 photographs: less than what one of them takes while it is worked on."""


def readings(run: Callable[[bytes], object], photographs: Iterable[bytes]) -> Iterator[float]:
    """Yield this process's resident memory in MiB after each photograph.

    Args:
        run: called with a photograph's bytes; takes it through all stages.
        photographs: the files' bytes.
    """
    process = psutil.Process()
    for photograph in photographs:
        run(photograph)
        gc.collect()
        yield process.memory_info().rss / 2**20


def slope_mb_per_100(resident_mb: list[float]) -> float:
    """Return by how much memory grows after the warm-up, in MiB per 100 photographs, by least squares.

    Args:
        resident_mb: resident memory after each photograph, in MiB.
    """
    settled = resident_mb[round(len(resident_mb) * WARM_UP_SHARE) :]
    return float(np.polyfit(np.arange(len(settled)), settled, 1)[0] * 100)


def main() -> None:
    """Measure as the command line asks, and print by how many MiB memory grows per 100 photographs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument("--model", default="isnet-general-use")
    parser.add_argument("--largest", type=float, default=24.0, help="megapixels: greater scenes are made so large")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    segmenter = load(given.engine, given.model, 0)
    print(f"{described()}; {segmenter.model} on {segmenter.engine} {segmenter.precision}", flush=True)
    run = packshot_way(segmenter, two_files(load_configs(default_folder())))
    photographs = [large_photograph(name, megapixels=min(size, given.largest)) for name, size in SIZES.items()]
    resident_mb: list[float] = []
    for count, resident in enumerate(readings(run, islice(cycle(photographs), given.images)), start=1):
        resident_mb.append(round(resident, 1))
        if count % 10 == 0:
            print(f"{count:5} photographs: {resident:7.0f} MB", flush=True)
    slope = slope_mb_per_100(resident_mb)
    settled = resident_mb[round(len(resident_mb) * WARM_UP_SHARE) :]
    print(f"after the warm-up: {min(settled):.0f} to {max(settled):.0f} MB, {slope:+.1f} MB per 100 photographs")
    print(f"(bar over 500: at most {BAR_MB_PER_100:g})")
    if given.json:
        said = {"machine": described(), "engine": segmenter.engine, "precision": segmenter.precision}
        given.json.write_text(json.dumps({**said, "slope_mb_per_100": slope, "resident_mb": resident_mb}, indent=1))


if __name__ == "__main__":
    main()
