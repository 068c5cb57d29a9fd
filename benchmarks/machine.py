"""Describe the conditions of a measurement in one line for the head of a table: machine, Python, libraries, date."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("numpy", "opencv-python-headless", "onnxruntime", "openvino", "pymatting", "rembg", "pillow")


def described(*, engine: str = "") -> str:
    """Return the conditions of a measurement in one line, for the head of a table.

    They are processor, cores, memory, Python, the versions of the important libraries, and the day. Example:
    ``Xeon, 2 cores, 8 GiB, Linux, Python 3.12.3, numpy 2.1.0; 2026-03-01``.

    Args:
        engine: the program that runs the segmentation network, to be named too; empty: none.
    """
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    engine = f", engine {engine}" if engine else ""
    today = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    return (
        f"{_processor()}, {cores} cores, {_memory_gib():.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, {', '.join(found)}{engine}; {today}"
    )


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


if __name__ == "__main__":
    print(described())
