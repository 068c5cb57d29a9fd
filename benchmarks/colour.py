"""Measure what decoding, converting and writing cost by library, and a 24 MP TIFF from file to master and print file.

    python -m benchmarks.colour [--megapixels 24] [--markdown table.md]

The picture is drawn: a shaded disc on a backdrop that falls off, with the noise of a sensor, 16 bits deep. Each step is
the best of three runs. Each library has its own process, with two threads at most. Peak memory is given in two ways:
the whole process, and without the interpreter and libraries as they are before the first byte is read. Libraries that
are not installed are left out. pyvips is only for comparison.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRIES = 3
REC_2020 = (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
Timed = Callable[[], object]


def main(argv: list[str] | None = None) -> int:
    """Measure each step in a process of its own, and print a table of time and memory; return 0, the exit status.

    A library that can't be measured is left out, with the reason on standard error.

    Args:
        argv: arguments of the command line; None means those of this process.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=24)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.only:
        _measure(options.only, options.folder)
        return 0
    lines = [_machine(), ""]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _draw(folder, options.megapixels)
        lines += [
            "| step | library | s | s of processor | MB over the start | MB in all |",
            "|---|---|---:|---:|---:|---:|",
        ]
        for name in STEPS:
            command = [sys.executable, "-m", "benchmarks.colour", "--only", name, "--folder", place]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                continue
            said = json.loads(done.stdout)
            step, library = name.split(" by ")
            lines.append(
                f"| {step} | {library} | {said['seconds']:.2f} | {said['processor']:.2f} "
                f"| {said['megabytes']:.0f} | {said['peak']:.0f} |"
            )
            print(lines[-1], flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")
    return 0


def _machine() -> str:
    names = ("numpy", "tifffile", "imagecodecs", "opencv-python-headless", "pillow", "rawpy")
    from importlib.metadata import version

    versions = ", ".join(f"{name} {version(name)}" for name in names)
    python, day = platform.python_version(), time.strftime("%Y-%m-%d")
    return f"{_processor()}, {os.cpu_count()} cores, Python {python}, {versions}, {day}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def picture(megapixels: float) -> NDArray[np.uint16]:
    """Return a drawn photograph of a product on a backdrop, with a camera's noise: (rows, columns, 3) uint16.

    It is always the same for one size. Its width is to its height as 3 to 2.

    Args:
        megapixels: size, in millions of pixels.
    """
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    random = np.random.default_rng(1)
    rows, columns = np.ogrid[-1 : 1 : height * 1j, -1.5 : 1.5 : width * 1j]
    radius = np.hypot(rows, columns)
    pixels = np.empty((height, width, 3), np.uint16)
    for channel, (product, backdrop) in enumerate(((0.55, 0.9), (0.2, 0.89), (0.15, 0.88))):
        light = np.where(radius < 0.7, product * (1.2 - radius), backdrop * (1 - 0.1 * radius))
        light = light + random.normal(0, 0.004, light.shape).astype(np.float32)
        pixels[..., channel] = np.clip(light * 65535, 0, 65535)
    return pixels


def _draw(folder: Path, megapixels: float) -> None:
    import tifffile

    from packshot.colour.spaces import profile_of_figures, working_profile

    pixels = picture(megapixels)
    for name, icc in (("adobe", working_profile()), ("wide", profile_of_figures(REC_2020, gamma=2.2))):
        for compression in ("none", "lzw", "adobe_deflate"):
            tifffile.imwrite(
                folder / f"{name}-{compression}.tif",
                pixels,
                photometric="rgb",
                metadata=None,
                compression=None if compression == "none" else compression,
                predictor=compression != "none",
                rowsperstrip=256,
                maxworkers=2,
                iccprofile=icc,
            )
            if name == "wide":
                break


def _measure(name: str, folder: Path) -> None:
    prepared = STEPS[name](folder)
    at_start = _memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the preparation
    took = [_timed(prepared) for _ in range(TRIES)]
    seconds, of_processor = (min(one) for one in zip(*took, strict=True))
    peak = _memory_mb("VmHWM")
    print(json.dumps({"seconds": seconds, "processor": of_processor, "megabytes": peak - at_start, "peak": peak}))


def _timed(step: Timed) -> tuple[float, float]:
    """Seconds by the clock, and of processor time, in all threads."""
    started, used = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - started, time.process_time() - used


def _memory_mb(field: str) -> float:
    """From Linux's account of this process (kB)."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(rf"^{field}:\s+(\d+)", status, re.MULTILINE)[0]) / 1024


# --- decode ---


def _decode_by_packshot(folder: Path, file: str = "adobe-none.tif") -> Timed:
    from packshot.ingest.decode import open_photo
    from packshot.specs.models import IngestConfig

    return lambda: open_photo((folder / file).read_bytes(), name=file, limits=IngestConfig())


def _decode_by_tifffile(folder: Path, file: str) -> Timed:
    import tifffile

    return lambda: tifffile.imread(folder / file, maxworkers=2)


def _decode_by_opencv(folder: Path, file: str) -> Timed:
    import cv2

    cv2.setNumThreads(2)
    return lambda: cv2.imread(str(folder / file), cv2.IMREAD_UNCHANGED)


def _decode_by_pillow(folder: Path, file: str) -> Timed:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    return lambda: np.asarray(Image.open(folder / file))


def _decode_by_vips(folder: Path, file: str) -> Timed:
    return lambda: _vips().Image.new_from_file(str(folder / file), access="sequential").write_to_memory()


def _vips() -> Any:
    if importlib.util.find_spec("pyvips") is None:
        raise SystemExit("pyvips is not installed")
    return importlib.import_module("pyvips")


# --- transform ---


def _wide() -> tuple[NDArray[np.uint16], bytes]:
    from packshot.colour.spaces import profile_of_figures

    return picture(MEGAPIXELS_OF_A_TRANSFORM), profile_of_figures(REC_2020, gamma=2.2)


MEGAPIXELS_OF_A_TRANSFORM = 24.0


def _transform_by_packshot(_: Path) -> Timed:
    from packshot.colour.spaces import working_profile
    from packshot.colour.transform import convert

    pixels, icc = _wide()
    return lambda: convert(pixels, source=icc, target=working_profile(), bit_depth=16)


def _transform_by_lcms(_: Path, *, optimised: bool) -> Timed:
    import imagecodecs

    from packshot.colour.spaces import working_profile

    pixels, icc = _wide()
    flags = 0 if optimised else int(imagecodecs.CMS.FLAGS.NOOPTIMIZE)
    return lambda: imagecodecs.cms_transform(
        pixels, icc, working_profile(), colorspace="rgb", outcolorspace="rgb", outdtype="uint16", intent=1, flags=flags
    )


# --- write ---


def _write_by_tifffile(_: Path, compression: str, *, predictor: bool = True) -> Timed:
    import tifffile

    pixels = picture(MEGAPIXELS_OF_A_TRANSFORM)

    def write() -> int:
        stream = io.BytesIO()
        tifffile.imwrite(
            stream,
            pixels,
            photometric="rgb",
            metadata=None,
            compression=None if compression == "none" else compression,
            compressionargs={"level": 1} if compression in ("adobe_deflate", "zstd") else None,
            predictor=predictor and compression != "none",
            rowsperstrip=None if compression == "none" else 256,
            maxworkers=2,
        )
        return stream.tell()

    print(f"{compression}: {write() / 1e6:.0f} MB", file=sys.stderr)
    return write


def _write_by_opencv(_: Path) -> Timed:
    import cv2

    pixels = picture(MEGAPIXELS_OF_A_TRANSFORM)
    return lambda: cv2.imencode(".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 8])


# --- the whole way ---


def _whole(folder: Path, file: str) -> Timed:
    """A client's TIFF to the master's TIFF and to the print catalogue's, as the line does it, verification aside."""
    from packshot.export.codecs import settings_of, write
    from packshot.export.encode import delivered_pixels
    from packshot.export.labels import Labels
    from packshot.ingest.decode import open_photo
    from packshot.ingest.master import develop, write_master
    from packshot.specs.load import default_folder, load_configs
    from packshot.specs.models import Profile

    configs = load_configs(default_folder())
    encoding = configs.platforms["print_catalog"].encoding
    from packshot.colour.spaces import working_profile

    def go() -> tuple[int, int]:
        master = develop(open_photo((folder / file).read_bytes(), name=file, limits=configs.ingest))
        kept = len(write_master(master))
        pixels = delivered_pixels(master.pixels16, profile=Profile.ADOBE_RGB, bit_depth=16)
        labels = Labels(copyright="Acme", sku="KTL-301")
        return kept, len(write(pixels, settings_of(encoding), icc=working_profile(), dpi=300, labels=labels))

    return go


STEPS: dict[str, Callable[[Path], Timed]] = {
    "decode, uncompressed by Packshot (tifffile, all checks)": _decode_by_packshot,
    "decode, uncompressed by tifffile": lambda f: _decode_by_tifffile(f, "adobe-none.tif"),
    "decode, uncompressed by OpenCV (drops the profile)": lambda f: _decode_by_opencv(f, "adobe-none.tif"),
    "decode, uncompressed by Pillow (8 bits, wrong)": lambda f: _decode_by_pillow(f, "adobe-none.tif"),
    "decode, uncompressed by pyvips": lambda f: _decode_by_vips(f, "adobe-none.tif"),
    "decode, LZW by Packshot (tifffile, all checks)": lambda f: _decode_by_packshot(f, "adobe-lzw.tif"),
    "decode, LZW by OpenCV (drops the profile)": lambda f: _decode_by_opencv(f, "adobe-lzw.tif"),
    "decode, LZW by pyvips": lambda f: _decode_by_vips(f, "adobe-lzw.tif"),
    "decode, Deflate by Packshot (tifffile, all checks)": lambda f: _decode_by_packshot(f, "adobe-adobe_deflate.tif"),
    "transform, wide gamut to working by Packshot (table, matrix, power)": _transform_by_packshot,
    "transform, wide gamut to working by Little CMS, exact": lambda f: _transform_by_lcms(f, optimised=False),
    "transform, wide gamut to working by Little CMS, coarse tables": lambda f: _transform_by_lcms(f, optimised=True),
    "write, uncompressed by tifffile": lambda f: _write_by_tifffile(f, "none"),
    "write, Deflate 1 by tifffile": lambda f: _write_by_tifffile(f, "adobe_deflate", predictor=False),
    "write, Deflate 1 with predictor by tifffile": lambda f: _write_by_tifffile(f, "adobe_deflate"),
    "write, LZW with predictor by tifffile": lambda f: _write_by_tifffile(f, "lzw"),
    "write, ZSTD 1 with predictor by tifffile": lambda f: _write_by_tifffile(f, "zstd"),
    "write, Deflate by OpenCV (no profile)": _write_by_opencv,
    "TIFF in to master and print TIFF, Adobe RGB by Packshot": lambda f: _whole(f, "adobe-none.tif"),
    "TIFF in to master and print TIFF, wide gamut by Packshot": lambda f: _whole(f, "wide-none.tif"),
    "TIFF in (LZW) to master and print TIFF by Packshot": lambda f: _whole(f, "adobe-lzw.tif"),
}


if __name__ == "__main__":
    sys.exit(main())
