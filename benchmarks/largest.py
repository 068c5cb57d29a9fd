"""Measure how much memory work on the largest accepted photograph takes.

    python -m benchmarks.largest [--megapixels N] [--width N] [--engine onnxruntime|openvino] [--threads N]

A JPEG is made with as many pixels as the limits allow. In a process of its own, it is taken in, cut out, judged, and
exported for three platforms, one of them at full resolution. The peak of the process's resident memory after each stage
is printed, in GB.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import resource
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from PIL import Image

from benchmarks.machine import described
from benchmarks.throughput import load
from packshot import pipeline
from packshot.export.labels import Labels
from packshot.ingest.limits import most_pixels, working_bytes
from packshot.specs.load import default_folder, load_configs
from tasks.processing.memory import Room
from tests.drawn_products import ContrastNetwork, photograph

ROW = {"category": "boxes", "view": "MAIN", "platforms": "shopify,ebay,print_catalog"}


def drawn(pixels: int, width: int = 0) -> bytes:
    """Return a drawn photograph of one size, as the bytes of a JPEG.

    Args:
        pixels: number of pixels; the result may have a few less.
        width: width of the picture, in pixels; 0 means an aspect ratio of four to three.
    """
    width = width or int((pixels * 4 / 3) ** 0.5)
    small = np.asarray(Image.open(io.BytesIO(photograph(1600, 1200))).convert("RGB"))
    stream = io.BytesIO()
    large = cv2.resize(small, (width, pixels // width), interpolation=cv2.INTER_LINEAR)
    Image.fromarray(large).save(stream, "JPEG", quality=80)
    return stream.getvalue()


def peaks_gb(data: bytes, engine: str) -> dict[str, float]:
    """Take a photograph through all stages; return the peak of memory after each: name of the stage -> GB.

    The stages are "before", "taken in", "edited" and "exported". Each is the peak of the whole process so far.

    Args:
        data: the photograph's file.
        engine: program that runs the segmentation network, "onnxruntime" or "openvino"; empty: a stand-in for the
            network that takes no memory.
    """
    configs = load_configs(default_folder())
    network = load(engine, "isnet-general-use", 0) if engine else ContrastNetwork()
    found = {"before": _peak_gb()}
    taken = pipeline.master(data, path="A1.jpg", shot="A1", row=ROW, client="default", configs=configs)
    found["taken in"] = _peak_gb()
    edit = pipeline.edit(taken.master.pixels16, network, taken.plan)
    found["edited"] = _peak_gb()
    known = {"shot": "A1", **{name: fact.value for name, fact in taken.facts.items()}}
    done = pipeline.export(edit.composite, edit.matte, taken.plan, known=known, labels=Labels(), framed=edit.framed)
    found["exported"] = _peak_gb()
    assert len(done.verified) >= len(taken.plan.renditions), done.left_out
    return found


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # Linux counts in KiB


def in_a_process(pixels: int, engine: str, *, threads: int = 1, width: int = 0) -> dict[str, float]:
    """Return the peaks of memory of a new process that works on photographs of one size: name of the stage -> GB.

    The stages are "before", "taken in", "edited" and "exported". Each is the peak of the whole process so far.

    Args:
        pixels: number of pixels of each photograph.
        engine: program that runs the segmentation network, "onnxruntime" or "openvino"; empty: a stand-in for the
            network that takes no memory.
        threads: number of threads, each with one photograph. As in production, only as many work at the same time as
            the memory allows.
        width: width of the photographs, in pixels; 0 means an aspect ratio of four to three.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_by_threads, (drawn(pixels, width), engine, working_bytes(pixels), threads))


def _by_threads(data: bytes, engine: str, room_bytes: int, threads: int) -> dict[str, float]:
    room = Room()

    def work() -> dict[str, float]:
        with room.taken(room_bytes, of_bytes=room_bytes):
            return peaks_gb(data, engine)

    with ThreadPoolExecutor(threads) as pool:
        return [done.result() for done in [pool.submit(work) for _ in range(threads)]][-1]


def main() -> None:
    """Measure as the command line asks, and print the peak of memory after each stage, in GB."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=None)
    parser.add_argument("--engine", choices=("onnxruntime", "openvino", ""), default="onnxruntime")
    parser.add_argument("--width", type=int, default=0, help="of the photograph, for a very long one; 0: four to three")
    parser.add_argument("--threads", type=int, default=1, help="photographs that are given to the process at once")
    given = parser.parse_args()
    most = most_pixels(load_configs(default_folder()).ingest, channels=3, depth=8)
    pixels = round(given.megapixels * 1e6) if given.megapixels else most
    print(f"{described()}; {pixels / 1e6:.0f} megapixels", flush=True)
    for stage, peak in in_a_process(pixels, given.engine, threads=given.threads, width=given.width).items():
        print(f"{stage:10} {peak:5.2f} GB")


if __name__ == "__main__":
    main()
