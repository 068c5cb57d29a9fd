"""Measure how fast a photograph becomes its files, and how much memory that takes, without Prefect and storage.

    python -m benchmarks.throughput [--engine onnxruntime|openvino] [--megapixels 12 24 50] [--repeats N] [--json FILE]

From the bytes of a JPEG, a master TIFF, a JPEG of 2000 px (quality 95, 4:4:4) and a WebP of 2048 px are made. There are
four ways:

* packshot: our own functions in their order, with measuring, routing and quality control. Each delivered file is
  decoded again and verified.
* rembg: the same work with `rembg.remove` and Pillow: decode; convert to Adobe RGB for an uncompressed TIFF (8 bits,
  because Pillow has no more); remove the background with decontaminated colours; blend with white; crop and resize
  (Lanczos); save JPEG and WebP with their profiles; open both again and check that the background is white. There is no
  score, no routing and no refined edge.
* rembg bare: decode, remove, blend with white, crop, resize, save. There is no colour management, no decontamination
  and no check.
* floor: the least that everybody must do: decode with the fastest decoder, one prediction, and encode the same three
  files from unchanged pixels. Our own writer encodes the master in 16 bits.

All ways use the same loaded network. They take turns. A ratio is the median of the rounds' own ratios, so other work of
the machine affects all ways alike. Wall time and processor time (all threads) are reported. On a busy machine,
processor time varies less. For each way and size, peak memory is measured in a process of its own, beyond the memory
that it takes with everything loaded.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import hashlib
import io
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import deployments  # noqa: F401  # first: it sets the threads of linear algebra, as for every process of the line

# isort: split
import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from benchmarks.machine import described
from benchmarks.photographs import large_photograph
from packshot import pipeline
from packshot.colour.spaces import srgb_profile, working_profile
from packshot.cutout import Segmenter, load_segmenter
from packshot.export.labels import Labels
from packshot.ingest.master import write_working_tiff
from packshot.ingest.metadata import Metadata
from packshot.pipeline import editing, exporting, mastering
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import Configs

SCENES = ("bottlelabel-colour", "chromekettle-lightgrey", "basket-midgrey", "ring-lightgrey")
MODELS = Path.home() / ".cache" / "packshot" / "models"
BARS = {"rembg": 0.65, "rembg bare": None, "floor": 1.5}
"""What the line is held against; at 12 megapixels the greatest ratio that is wanted, where one is."""
JPEG_PX, WEBP_PX, FILL_RATIO = 2000, 2048, 0.86
JPEG_QUALITY, WEBP_QUALITY, WEBP_METHOD = 95, 85, 2
_ROW = {"sku": "A1", "asin": "B0PACK0101", "category": "boxes", "view": "MAIN", "platforms": "amazon_main,shopify"}
_LABELS = Labels(copyright="Studio")
_SIXTEEN_BITS: NDArray[np.uint16] = np.arange(256, dtype=np.uint16) * np.uint16(257)

Way = Callable[[bytes], tuple[bytes, ...]]
"""From a photograph's bytes to its files."""


def packshot_way(segmenter: Segmenter, configs: Configs) -> Way:
    """Return a function that makes a JPEG's files as Packshot does, with the functions of `packshot.pipeline`.

    The function is called with the JPEG's bytes, and returns the bytes of the master TIFF and of the verified
    renditions.

    Args:
        segmenter: the segmentation network.
        configs: all configs.
    """

    def run(data: bytes) -> tuple[bytes, ...]:
        taken = pipeline.master(data, path="A1.jpg", shot="A1", row=_ROW, client="default", configs=configs)
        pipeline.route(taken.features, taken.plan, category_source=taken.category_source)
        edit = pipeline.edit(taken.master.pixels16, segmenter, taken.plan)
        known = {"shot": "A1", **{name: fact.value for name, fact in taken.facts.items()}}
        done = pipeline.export(edit.composite, edit.matte, taken.plan, known=known, labels=_LABELS, framed=edit.framed)
        files = [one.rendered.encoded.data for one in done.verified]
        return taken.tiff, *files

    return run


def two_files(configs: Configs) -> Configs:
    """Return configs in which the platform Shopify gets a WebP only, and no JPEG.

    So every way that is compared writes the same three files: the master TIFF, a JPEG and a WebP.

    Args:
        configs: all configs.
    """
    shopify = configs.platforms["shopify"].model_copy(update={"fallback": None})
    return configs.model_copy(update={"platforms": {**configs.platforms, "shopify": shopify}})


class _RembgNetwork:
    """The loaded network as rembg's session wants it."""

    def __init__(self, segmenter: Any) -> None:
        self._segmenter = segmenter

    def get_inputs(self) -> list[Any]:
        return [argparse.Namespace(name="input")]

    def run(self, _: object, feed: dict[str, Any]) -> list[Any]:
        return [self._segmenter._run(np.asarray(feed["input"], np.float32))]


def _rembg_session(segmenter: Segmenter) -> Any:
    from rembg.sessions.dis_general_use import DisSession

    session = DisSession.__new__(DisSession)
    session.inner_session = _RembgNetwork(segmenter)
    return session


def bare_rembg_way(segmenter: Segmenter) -> Way:
    """Return a function that makes a JPEG's files in the shortest way that people write with rembg and Pillow.

    The function is called with the JPEG's bytes, and returns the bytes of a TIFF, a JPEG and a WebP.

    Args:
        segmenter: the network; rembg uses the same one.
    """
    from rembg import remove

    session = _rembg_session(segmenter)

    def run(data: bytes) -> tuple[bytes, ...]:
        photo = Image.open(io.BytesIO(data)).convert("RGB")
        master = _saved(photo, "TIFF", dpi=(300, 300))
        return master, *_on_white(remove(photo, session=session))

    return run


def rembg_way(segmenter: Segmenter) -> Way:
    """Return a function that makes a JPEG's files with rembg and Pillow.

    It does as much of Packshot's work as the two can. The function is called with the JPEG's bytes, and returns the
    bytes of a TIFF, a JPEG and a WebP.

    Args:
        segmenter: the network; rembg uses the same one.
    """
    from rembg import remove

    session = _rembg_session(segmenter)
    srgb, working = (ImageCms.ImageCmsProfile(io.BytesIO(icc)) for icc in (srgb_profile(), working_profile()))
    to_working = ImageCms.buildTransform(srgb, working, "RGB", "RGB")
    to_srgb = ImageCms.buildTransform(working, srgb, "RGB", "RGB")

    def run(data: bytes) -> tuple[bytes, ...]:
        photo = _converted(Image.open(io.BytesIO(data)).convert("RGB"), to_working)
        master = _saved(photo, "TIFF", dpi=(300, 300), icc_profile=working_profile())
        shown = _converted(photo, to_srgb)
        files = _on_white(remove(shown, session=session, decontaminate=True), icc_profile=srgb_profile())
        for file in files:
            _check_corners(file)
        return master, *files

    return run


def _converted(picture: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    made = ImageCms.applyTransform(picture, transform)
    assert made is not None  # Pillow returns nothing only where it is told to change the picture itself
    return made


def _on_white(cut: Image.Image, **options: Any) -> tuple[bytes, bytes]:
    """A transparent picture on white, cropped, as JPEG and as WebP."""
    box = cut.getchannel("A").point(lambda alpha: 255 * (alpha > 127)).getbbox()
    if box is None:
        raise ValueError("rembg found no product in the photograph: there is nothing to crop to")
    white = Image.new("RGB", cut.size, "white")
    white.paste(cut, mask=cut.getchannel("A"))
    jpeg = _saved(_square(white, box, JPEG_PX), "JPEG", quality=JPEG_QUALITY, subsampling=0, **options)
    return jpeg, _saved(_square(white, box, WEBP_PX), "WEBP", quality=WEBP_QUALITY, **options)


def _check_corners(file: bytes) -> None:
    """Open a file again and see that it has white in its corners: the least a check can be."""
    pixels = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] >= 250).all()


def _square(picture: Image.Image, box: tuple[int, int, int, int], side_px: int) -> Image.Image:
    side = round(max(box[2] - box[0], box[3] - box[1]) / FILL_RATIO)
    left, top = (box[0] + box[2] - side) // 2, (box[1] + box[3] - side) // 2
    canvas = Image.new("RGB", (side, side), "white")
    canvas.paste(picture, (-left, -top))
    return canvas.resize((side_px, side_px), Image.Resampling.LANCZOS)


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def floor_way(segmenter: Segmenter) -> Way:
    """Return a function that makes a JPEG's files with the least work: decode, predict once, encode.

    The function is called with the JPEG's bytes, and returns the bytes of a TIFF, a JPEG and a WebP.

    Args:
        segmenter: the segmentation network.
    """

    def run(data: bytes) -> tuple[bytes, ...]:
        pixels = imagecodecs.jpeg8_decode(data)
        segmenter.predict(_reduced(pixels, 1024))
        master = write_working_tiff(np.asarray(cv2.LUT(pixels, _SIXTEEN_BITS), np.uint16), metadata=Metadata())
        rows = min(pixels.shape[:2])
        square = pixels[:rows, (pixels.shape[1] - rows) // 2 :][:, :rows]
        jpeg = Image.fromarray(_reduced(square, JPEG_PX))
        webp = Image.fromarray(_reduced(square, WEBP_PX))
        files = [
            _saved(jpeg, "JPEG", quality=JPEG_QUALITY, subsampling=0),
            _saved(webp, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD),
        ]
        return master, *files

    return run


def _reduced(pixels: Any, side_px: int) -> Any:
    return np.ascontiguousarray(cv2.resize(pixels, (side_px, side_px), interpolation=cv2.INTER_AREA))


@dataclasses.dataclass(frozen=True)
class Turn:
    """The time that one way took for one photograph. A way is a program that makes the same files from a photograph.

    Attributes:
        way: name of the way: ``packshot``, ``rembg``, ``rembg bare`` or ``floor``.
        scene: name of the photograph's scene.
        wall_s: wall seconds.
        cpu_s: processor seconds of all threads.
        stages: name of the stage -> wall seconds; empty unless the way is Packshot's.
    """

    way: str
    scene: str
    wall_s: float
    cpu_s: float
    stages: dict[str, float]


class Stopwatch:
    """Measures how much wall time is spent in some functions, by stage of the work. `watch` names the functions.

    If a measured function calls another one in its thread, each counts only its own part. If functions run in parallel,
    each counts in full. So the sum of the stages can be more than the wall time.
    """

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._threads = threading.local()

    def watch(self, owner: ModuleType | object, name: str, stage: str) -> None:
        """Measure a function from now on, by putting a measured one in its place.

        Args:
            owner: module or object in which callers find the function.
            name: its name there.
            stage: the stage to which its time is added.
        """
        function = getattr(owner, name)

        @functools.wraps(function)
        def watched(*given: Any, **named: Any) -> Any:
            inner = self._threads.__dict__.setdefault("inner", [])
            inner.append(0.0)
            started = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                took = time.perf_counter() - started
                self.spent[stage] += took - inner.pop()
                if inner:
                    inner[-1] += took

        setattr(owner, name, watched)

    def taken(self) -> dict[str, float]:
        """Return the wall seconds of each stage since the last call, stage -> seconds, and start again at zero."""
        spent, self.spent = dict(self.spent), defaultdict(float)
        return spent


def watched_line(segmenter: Segmenter) -> Stopwatch:
    """Return a stopwatch that measures the stages of Packshot's way from now on, in this process.

    The stages are those in which a photograph becomes its files, such as "decode", "network" and "quality control".

    Args:
        segmenter: the network whose predictions are measured.
    """
    watch = Stopwatch()
    render = sys.modules["packshot.export.render"]
    for owner, name, stage in (
        (mastering, "open_photo", "decode"),
        (mastering, "develop", "to the working space"),
        (mastering, "measure", "features for routing"),
        (mastering, "measure_backdrop", "group: backdrop"),
        (mastering, "find_target", "group: colour target"),
        (mastering, "write_master", "write the master"),
        (segmenter, "predict", "network"),
        (editing, "uncut_of", "cut-out without the network"),
        (editing, "cut_out_of", "cut-out without the network"),
        (editing, "compose_on_white", "composite"),
        (editing, "frame", "frame"),
        (exporting, "frame", "frame"),
        (editing, "working_to_srgb8", "frame"),
        (editing, "judge_all", "quality control"),
        (render, "rendition_pixels", "encode"),
        (render, "encode_pixels", "encode"),
        (render, "verify_file", "decode again and verify"),
    ):
        watch.watch(owner, name, stage)
    return watch


def take_turns(ways: dict[str, Way], photographs: dict[str, bytes], *, repeats: int, watch: Stopwatch) -> list[Turn]:
    """Return the time of every way for every photograph, round after round.

    A way is a function that makes the same files from a photograph. Before the first round each way runs once,
    unmeasured.

    Args:
        ways: name -> function from a JPEG's bytes to the bytes of its files.
        photographs: name of the scene -> the JPEG's bytes.
        repeats: number of rounds. In each, every way takes every photograph.
        watch: measures the stages of Packshot's way.
    """
    for run in ways.values():
        run(next(iter(photographs.values())))
    turns: list[Turn] = []
    for _ in range(repeats):
        for scene, data in photographs.items():
            for way, run in ways.items():
                watch.taken()
                wall, cpu = time.perf_counter(), time.process_time()
                files = run(data)
                took = time.perf_counter() - wall, time.process_time() - cpu
                assert len(files) == 3, f"{way} delivered {len(files)} of 3 files of {scene}"
                turns.append(Turn(way, scene, *took, watch.taken() if way == "packshot" else {}))
    return turns


def ratios(turns: Sequence[Turn], *, over: str, figure: str) -> list[float]:
    """Return Packshot's time divided by another way's, one result for each round and photograph.

    The results are in the order of the turns.

    Args:
        turns: the measured times.
        over: name of the other way, such as "rembg".
        figure: which time of a `Turn`: "wall_s" or "cpu_s".
    """
    by_way: dict[str, list[float]] = defaultdict(list)
    for turn in turns:
        by_way[turn.way].append(getattr(turn, figure))
    return [ours / theirs for ours, theirs in zip(by_way["packshot"], by_way[over], strict=True)]


def load(engine: str, model: str, threads: int) -> Segmenter:
    """Return the segmentation network of a model whose file is already on this machine.

    Args:
        engine: "onnxruntime" or "openvino".
        model: its name in ``configs/models.yaml``.
        threads: number of threads of the network; 0 means that the engine decides.

    Raises:
        StopIteration: the model's file is not in ``~/.cache/packshot/models``.
    """
    file = next(path for path in sorted(MODELS.glob(f"{model}-*.onnx")))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return load_segmenter(model, file, sha256=sha256, engine=engine, threads=threads)


def all_ways(segmenter: Segmenter) -> dict[str, Way]:
    """Return the four ways that are compared: name -> function from a JPEG's bytes to the bytes of three files.

    The files are a master TIFF, a JPEG and a WebP. The names are "packshot"; "rembg" (the same work with rembg and
    Pillow); "rembg bare" (that without colour management and checks); and "floor" (decoding, one prediction and
    encoding, the least that everybody must do).

    Args:
        segmenter: the network, the same for all ways.
    """
    configs = two_files(load_configs(default_folder()))
    return {
        "packshot": packshot_way(segmenter, configs),
        "rembg": rembg_way(segmenter),
        "rembg bare": bare_rembg_way(segmenter),
        "floor": floor_way(segmenter),
    }


def peak_memory(way: str, photograph: bytes, given: argparse.Namespace) -> dict[str, float]:
    """Return how much memory a new process takes for one way, in MiB: ``loaded_mb`` and ``peak_mb``.

    ``loaded_mb`` is its memory with everything loaded, ``peak_mb`` the peak after two photographs.

    Args:
        way: name of the way: "packshot", "rembg", "rembg bare" or "floor".
        photograph: the JPEG's bytes.
        given: the options of the command line, for the network: `engine`, `model` and `threads`.
    """
    command = [sys.executable, "-m", "benchmarks.throughput", "--probe", way, "--engine", given.engine]
    command += ["--model", given.model, "--threads", str(given.threads)]
    done = subprocess.run(command, input=photograph, capture_output=True, check=True)
    return dict(json.loads(done.stdout))


def probe(way: str, given: argparse.Namespace) -> None:
    """Print how much memory this process takes for the photograph on standard input, as JSON.

    The JSON has ``loaded_mb`` and ``peak_mb``, as `peak_memory` returns them. `peak_memory` starts a process that calls
    this function.

    Args:
        way: name of the way: "packshot", "rembg", "rembg bare" or "floor".
        given: the options of the command line, for the network: `engine`, `model` and `threads`.
    """
    import psutil

    run = all_ways(load(given.engine, given.model, given.threads))[way]
    photograph = sys.stdin.buffer.read()
    loaded = psutil.Process().memory_info().rss / 2**20
    for _ in range(2):
        run(photograph)
    print(json.dumps({"loaded_mb": round(loaded), "peak_mb": round(_peak_mb())}))


def _peak_mb() -> float:
    """The most memory that this process has held; what its parent held counts into `ru_maxrss` on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure_size(
    megapixels: float, ways: dict[str, Way], given: argparse.Namespace, watch: Stopwatch
) -> dict[str, Any]:
    """Return times, ratios, stages and memory for photographs of one size, as plain JSON.

    The keys are ``megapixels``, ``jpeg_bytes`` (scene -> size of the photograph), ``seconds`` (way -> median times),
    ``ratio`` (another way -> Packshot's time divided by that way's), ``stages_s`` (stage -> median seconds), ``memory``
    (way -> `peak_memory`) and ``turns`` (each measured time).

    Args:
        megapixels: the size, in millions of pixels.
        ways: the ways to measure: name -> function from a JPEG's bytes to the bytes of its files.
        given: the command line's options: `scenes`, `repeats`, `memory` (whether to measure it), `engine`, `model` and
            `threads`.
        watch: measures the stages of Packshot's way.
    """
    photographs = {scene: large_photograph(scene, megapixels=megapixels) for scene in given.scenes}
    turns = take_turns(ways, photographs, repeats=given.repeats, watch=watch)
    first = next(iter(photographs.values()))
    stages: dict[str, list[float]] = defaultdict(list)
    for turn in turns:
        for stage, seconds in turn.stages.items():
            stages[stage].append(seconds)
    return {
        "megapixels": megapixels,
        "jpeg_bytes": {scene: len(data) for scene, data in photographs.items()},
        "seconds": {
            way: {
                figure: round(statistics.median(getattr(turn, figure) for turn in turns if turn.way == way), 3)
                for figure in ("wall_s", "cpu_s")
            }
            for way in ways
        },
        "ratio": {
            over: {
                figure: round(statistics.median(ratios(turns, over=over, figure=figure)), 3)
                for figure in ("wall_s", "cpu_s")
            }
            for over in BARS
        },
        "stages_s": {stage: round(statistics.median(found), 3) for stage, found in stages.items()},
        "memory": {way: peak_memory(way, first, given) for way in ways} if given.memory else {},
        "turns": [dataclasses.asdict(turn) for turn in turns],
    }


def show(result: dict[str, Any]) -> None:
    """Print the tables of times, ratios, stages and memory for photographs of one size.

    Args:
        result: what `measure_size` returned.
    """
    print(
        f"\n{result['megapixels']:g} megapixels, median of {len(result['turns']) // len(result['seconds'])} turns each"
    )
    print(f"  {'way':10}{'wall s':>8}{'cpu s':>8}{'loaded MB':>11}{'peak MB':>9}")
    for way, seconds in result["seconds"].items():
        memory = result["memory"].get(way, {"loaded_mb": "", "peak_mb": ""})
        figures = f"{seconds['wall_s']:8.2f}{seconds['cpu_s']:8.2f}{memory['loaded_mb']:>11}{memory['peak_mb']:>9}"
        print(f"  {way:10}{figures}")
    for over, bar in BARS.items():
        ratio = result["ratio"][over]
        wanted = f" (bar at 12 MP: {bar})" if bar else ""
        print(f"  packshot / {over}: wall {ratio['wall_s']:.2f}, cpu {ratio['cpu_s']:.2f}{wanted}")
    total = sum(result["stages_s"].values())
    for stage, seconds in sorted(result["stages_s"].items(), key=lambda pair: -pair[1]):
        print(f"  {stage:30}{seconds * 1000:7.0f} ms {seconds / total:6.1%}")


def main() -> None:
    """Measure the four ways as the command line asks, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    parser.add_argument("--model", default="isnet-general-use")
    parser.add_argument("--threads", type=int, default=0, help="of the network and of OpenCV; 0: all cores")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12.0])
    parser.add_argument("--scenes", nargs="+", default=list(SCENES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="leave the fresh processes out")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--probe", choices=("packshot", "rembg", "rembg bare", "floor"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.threads:
        cv2.setNumThreads(given.threads)
    if given.probe:
        probe(given.probe, given)
        return
    segmenter = load(given.engine, given.model, given.threads)
    print(f"{described()}; {segmenter.model} on {segmenter.engine} {segmenter.precision}")
    ways, watch = all_ways(segmenter), watched_line(segmenter)
    results = []
    for megapixels in given.megapixels:
        results.append(measure_size(megapixels, ways, given, watch))
        show(results[-1])
    if given.json:
        said = {"machine": described(), "engine": segmenter.engine, "precision": segmenter.precision}
        given.json.write_text(json.dumps({**said, "sizes": results}, indent=1))


if __name__ == "__main__":
    main()
