"""Measure what the review desk's pictures cost in time and memory: ``python -m benchmarks.desk``.

A photograph of 24 megapixels with a camera's grain is drawn, and edited. From the stored files, tiles and overlays are
made. Their processor time, wall time and size in bytes are printed, and then the memory of a process that makes the
tiles of one shot after another.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.machine import described
from packshot.colour.transform import srgb8_to_working
from packshot.ingest.master import read_master, write_working_tiff
from packshot.ingest.metadata import Metadata
from packshot.looking import overlays
from packshot.looking.overlays import Overlay, Shown
from packshot.looking.pack import Pack
from packshot.looking.pyramid import pack_of, picture_pack, value_levels
from packshot.looking.shades import encode_overlay
from packshot.specs.rules import Shadow
from packshot.types import Matte, Pixels16
from tests import drawn_products

WIDTH, HEIGHT = 6000, 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shots", type=int, default=30, help="shots one after the other, for memory")
    arguments = parser.parse_args()
    print(described())
    photograph = drawn_products.pixels(WIDTH, HEIGHT)
    matte = drawn_products.coverage(WIDTH, HEIGHT)
    white = np.where(matte[..., None] == 0, 255, photograph).astype(np.uint8)
    master, edit = srgb8_to_working(photograph), srgb8_to_working(white)
    print("| what | processor | wall | bytes |\n|---|---:|---:|---:|")
    for name, picture in (("master", master), ("edit", edit)):
        stored = write_working_tiff(picture, metadata=Metadata())
        _row(f"tiles of the {name}", lambda stored=stored: picture_pack(read_master(stored)))  # type: ignore[misc]
    for overlay, shown in _overlays(edit, master, matte):
        _row(f"overlay `{overlay}`", lambda shown=shown, overlay=overlay: _packed(shown(), overlay))  # type: ignore[misc]
    stored = write_working_tiff(edit, metadata=Metadata())
    del master, edit, photograph, white
    held = []
    for _ in range(arguments.shots):
        picture_pack(read_master(stored))
        held.append(_memory_mib())
    early = len(held) // 10
    print(f"\nMemory held after {early + 1} shots: {held[early]:.0f} MiB; after {len(held)}: {held[-1]:.0f} MiB")


def _memory_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def _overlays(edit: Pixels16, master: Pixels16, matte: Matte) -> Iterator[tuple[Overlay, Callable[[], Shown]]]:
    yield Overlay.OFF_WHITE, lambda: overlays.off_white(edit, matte, shadow=Shadow.DROP)
    yield Overlay.MATTE_EDGE, lambda: overlays.matte_edge(matte)
    yield Overlay.HALO, lambda: overlays.halo(edit, matte)
    yield Overlay.COLOUR, lambda: overlays.colour((edit // 2).astype(np.uint16), master, matte)


def _packed(shown: Shown, overlay: Overlay) -> Pack:
    levels = value_levels(shown.values, spread=overlay is Overlay.OFF_WHITE)
    return pack_of(levels, lambda tile: encode_overlay(tile, overlay))


def _row(name: str, make: Callable[[], Pack]) -> None:
    """Print the median of five turns."""
    make()
    turns = []
    for _ in range(5):
        began = time.process_time(), time.perf_counter()
        pack = make()
        turns.append((time.process_time() - began[0], time.perf_counter() - began[1], len(pack.data)))
    processor, wall, size = np.median(turns, axis=0)
    print(f"| {name} | {processor:.2f} s | {wall:.2f} s | {size / 1e6:.1f} MB |")


if __name__ == "__main__":
    main()
