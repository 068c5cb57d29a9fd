"""Measure the quality of cut-outs against exact truth, ours and those of other methods.

    python -m benchmarks.cutout_quality [--model isnet-general-use] [--only PART ...] [--peers] [--json FILE]

A scene is a test photograph whose right matte and edit are known: its truth. Measurements for each scene:

- SAD / 1000, MSE, gradient error (Rhemann et al. 2009, unscaled / 1000), IoU at 0.5, boundary F at 1 and 2 px.
- Mean and 95th percentile of delta E 2000 in a ring of 3 px on each side of the true edge.
- Halo: mean difference in L* in that ring, where the true matte is below 0.95.
- Share of the true background that is exactly 255.

The photograph's noise is part of the delta E, and truth has none. So delta E cannot reach 0.

The network's predictions are kept in .packshot/bench, so that a second run computes only what comes after them.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from benchmarks.scenes import SETS, Scene, load_scene, names_of
from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import srgb_profile
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.cutout import Cutout, Method, Segmenter, compose_on_white, cut_out, load_segmenter
from packshot.types import Mask, Matte, Pixels8

RING_PX = 3
CACHE = Path(".packshot") / "bench"
MODELS = Path.home() / ".cache" / "packshot" / "models"


@dataclasses.dataclass(frozen=True)
class Quality:
    """The measurements of one cut-out, compared with the right one.

    Attributes:
        sad: sum of absolute differences of the mattes, in thousands of pixels.
        mse: mean squared difference of the mattes.
        gradient: gradient error (Rhemann et al. 2009), in thousands.
        iou: intersection over union of the mattes at 0.5, in 0..1.
        bf1, bf2: boundary F at 1 and at 2 px, in 0..1.
        ring_delta_e, ring_delta_e_p95: delta E 2000 in a ring of 3 px on each side of the true edge, mean and 95th
            percentile.
        halo: mean difference in L* outside the true edge; above 0 the edit is lighter.
        white_ratio: share of the true background that is exactly 255.
    """

    sad: float
    mse: float
    gradient: float
    iou: float
    bf1: float
    bf2: float
    ring_delta_e: float
    ring_delta_e_p95: float
    halo: float
    white_ratio: float


@dataclasses.dataclass(frozen=True)
class Result:
    """The measurements of one scene that was cut out by one method.

    A scene is a test photograph whose right edit is known.

    Attributes:
        scene: name of the scene.
        product: name of the object that it shows.
        kind: kind of the product, such as ``hard``, ``soft`` or ``glass``.
        backdrop: name of the backdrop, such as ``lightgrey``.
        method: the method that was asked for, a key of `MAKERS`, such as ``packshot`` or ``GrabCut``.
        used: the method that made the matte in the end, since ``packshot`` chooses among several: such as ``refined``.
        seconds: how long the cut-out took, by the clock.
        quality: the measurements.
    """

    scene: str
    product: str
    kind: str
    backdrop: str
    method: str
    used: str
    seconds: float
    quality: Quality


def measure(composite: Pixels8, matte: Matte, scene: Scene) -> Quality:
    """Return the measurements of a cut-out: how far it is from the right one.

    Args:
        composite: the cut-out on white, (rows, columns, 3) uint8, sRGB.
        matte: its matte, (rows, columns) float32 in 0..1.
        scene: the photograph with its right matte and edit, of the same size.
    """
    difference = np.abs(matte - scene.matte)
    true, found = scene.matte >= 0.5, matte >= 0.5
    ring = near_edge(true, RING_PX)
    pair = [lab_of(np.ascontiguousarray(p[ring][None]), icc=srgb_profile()) for p in (composite, scene.truth)]
    delta_e = delta_e_2000(pair[0], pair[1])[0]
    outer = scene.matte[ring] < 0.95
    background = scene.matte == 0
    white = (composite == 255).all(axis=2)
    return Quality(
        sad=float(difference.sum() / 1000),
        mse=float((difference**2).mean()),
        gradient=float(_gradient_error(matte, scene.matte)),
        iou=float((true & found).sum() / max(1, (true | found).sum())),
        bf1=boundary_f(true, found, tolerance_px=1),
        bf2=boundary_f(true, found, tolerance_px=2),
        ring_delta_e=float(delta_e.mean()),
        ring_delta_e_p95=float(np.percentile(delta_e, 95)),
        halo=float((pair[0] - pair[1])[0, :, 0][outer].mean()) if outer.any() else 0.0,
        white_ratio=float(white[background].mean()) if background.any() else 1.0,
    )


def near_edge(mask: Mask, reach_px: int) -> Mask:
    """Return the pixels near a mask's edge: (rows, columns) bool.

    Args:
        mask: (rows, columns) bool.
        reach_px: greatest distance from the edge (Chebyshev: the larger of rows and columns).
    """
    kernel = np.ones((2 * reach_px + 1,) * 2, np.uint8)
    area = mask.astype(np.uint8)
    return np.asarray(cv2.dilate(area, kernel) != cv2.erode(area, kernel, borderValue=1))


def boundary_f(true: Mask, found: Mask, *, tolerance_px: float) -> float:
    """Return how well the boundaries of two masks agree: the boundary F, 0..1; 1 means that they agree.

    For each mask, it takes the share of its boundary that lies within `tolerance_px` (Euclidean) of the boundary of
    the other mask. The result is the harmonic mean of both shares. It is 0 if one mask is empty.

    Args:
        true, found: (rows, columns) bool.
        tolerance_px: the distance that still counts as agreement.
    """
    edges = [mask & ~ndimage.binary_erosion(mask, border_value=1) for mask in (true, found)]
    if not edges[0].any() or not edges[1].any():
        return 0.0
    away = [cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for edge in edges]
    recall = float((away[1][edges[0]] <= tolerance_px + 1e-3).mean())
    precision = float((away[0][edges[1]] <= tolerance_px + 1e-3).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _gradient_error(matte: Matte, true: Matte) -> float:
    sizes = []
    for picture in (matte, true):
        soft = cv2.GaussianBlur(picture, (0, 0), 1.4)
        slopes = [cv2.Sobel(soft, cv2.CV_32F, *axes, scale=0.125) for axes in ((1, 0), (0, 1))]
        sizes.append(np.hypot(*slopes))
    return float(((sizes[0] - sizes[1]) ** 2).sum() / 1000)


class KeptSegmenter:
    """A segmentation network that keeps its predictions on disk, so that a second measurement is fast.

    A kept prediction is found by the hash of the picture's pixels, and by the name and the file of the network. So a
    changed picture, or a new version of the network's file, is predicted anew. The network is loaded only if a
    prediction is missing.

    Args:
        model: the network's name in ``configs/models.yaml``; its file must have been downloaded before.
        folder: where the predictions are kept, one file each; made if it is missing.

    Raises:
        SystemExit: the network's file was not downloaded.
    """

    def __init__(self, model: str, *, folder: Path = CACHE) -> None:
        self.model = model
        self._folder = folder
        self.engine, self.precision = "onnxruntime", "float32"
        self._file = model_file(model)
        self.fingerprint = self._file.stem.rsplit("-", 1)[1]

    def predict(self, rgb: Pixels8) -> Matte:
        """Return the network's matte of a picture, (rows, columns) float32 in 0..1, in steps of 1/65535.

        It is read from disk if a picture with the same pixels was predicted before. Otherwise it is written there.

        Args:
            rgb: the picture, (rows, columns, 3) uint8, sRGB.
        """
        digest = hashlib.sha1(rgb.tobytes(), usedforsecurity=False).hexdigest()
        kept = self._folder / f"{self.model}-{self.fingerprint}-{digest}.npy"
        if not kept.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            np.save(kept, np.rint(_network(self._file, self.model).predict(rgb) * 65535).astype(np.uint16))
        found: Matte = (np.load(kept) / 65535).astype(np.float32)
        return found


@cache
def _network(file: Path, model: str) -> Segmenter:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return load_segmenter(model, file, sha256=digest, threads=1)


def model_file(model: str) -> Path:
    """Return the path of a segmentation model's file, which must have been downloaded before.

    Args:
        model: its name in ``configs/models.yaml``.

    Raises:
        SystemExit: the file is not there.
    """
    found = sorted(MODELS.glob(f"{model}-*.onnx"))
    if not found:
        raise SystemExit(f"{model}: no file in {MODELS}; run `packshot models fetch {model}`")
    return found[0]


Maker = Callable[[Scene, Segmenter], tuple[Pixels8, Matte, str]]
"""From a scene's photograph to the composite in sRGB, the matte, and what was used."""


def by_packshot(scene: Scene, segmenter: Segmenter, *, method: Method = Method.AUTO) -> tuple[Pixels8, Matte, str]:
    """Return (composite, matte, name of the method used), as Packshot makes them in production.

    The composite is (rows, columns, 3) uint8, sRGB; the matte is (rows, columns) float32 in 0..1.

    Args:
        scene: the photograph with its truth. Only the photograph is used.
        segmenter: the network.
        method: the cut-out method; `Method.AUTO` lets Packshot choose.
    """
    master = srgb8_to_working(scene.photo)
    cutout: Cutout = cut_out(master, segmenter, method=method)
    return working_to_srgb8(compose_on_white(master, cutout)), cutout.matte, str(cutout.method)


def by_network(scene: Scene, segmenter: Segmenter) -> tuple[Pixels8, Matte, str]:
    """Return (composite, matte, "network"), as the network's mask alone makes them, without any refinement.

    The composite is blended with white in encoded values, and the colours of edge pixels are not changed. The composite
    is (rows, columns, 3) uint8, sRGB; the matte is (rows, columns) float32 in 0..1.

    Args:
        scene: the photograph with its truth. Only the photograph is used.
        segmenter: the network.
    """
    return _mixed(scene.photo, _stretched(_mask(scene, segmenter))), _stretched(_mask(scene, segmenter)), "network"


def by_alpha_matting(scene: Scene, segmenter: Segmenter) -> tuple[Pixels8, Matte, str]:
    """Return (composite, matte, method), as rembg's alpha_matting makes them with its default thresholds.

    The composite is (rows, columns, 3) uint8, sRGB; the matte is (rows, columns) float32 in 0..1. The method is
    "alpha_matting"; if that finds no product or no background, it is "network", and the result is that of
    `by_network`.

    Args:
        scene: the photograph with its truth. Only the photograph is used.
        segmenter: the network.
    """
    from PIL import Image
    from rembg.bg import alpha_matting_cutout

    mask = Image.fromarray((_stretched(_mask(scene, segmenter)) * 255).astype(np.uint8))
    try:
        rgba = np.asarray(alpha_matting_cutout(Image.fromarray(scene.photo), mask, 240, 10, 10))
    except ValueError:  # its trimap has no product or no background: rembg itself falls back on the plain mask
        return by_network(scene, segmenter)
    alpha = rgba[..., 3].astype(np.float32) / np.float32(255)
    return _mixed(np.ascontiguousarray(rgba[..., :3]), alpha), alpha, "alpha_matting"


def by_decontamination(scene: Scene, segmenter: Segmenter) -> tuple[Pixels8, Matte, str]:
    """Return (composite, matte, "decontaminate"): the network's mask with colours estimated by pymatting.

    rembg's decontaminate does the same. The composite is (rows, columns, 3) uint8, sRGB; the matte is (rows, columns)
    float32 in 0..1.

    Args:
        scene: the photograph with its truth. Only the photograph is used.
        segmenter: the network.
    """
    from pymatting import estimate_foreground_ml

    alpha = _stretched(_mask(scene, segmenter))
    own = estimate_foreground_ml(scene.photo / 255.0, alpha.astype(np.float64))
    return _mixed(np.rint(np.clip(own, 0, 1) * 255).astype(np.uint8), alpha), alpha, "decontaminate"


def by_grabcut(scene: Scene, segmenter: Segmenter) -> tuple[Pixels8, Matte, str]:
    """Return (composite, matte, "grabcut"), as OpenCV's GrabCut makes them in five rounds from the network's mask.

    The composite is (rows, columns, 3) uint8, sRGB; the matte is (rows, columns) float32, 0 or 1. If the mask shows
    no product or no background, no round is made.

    Args:
        scene: the photograph with its truth. Only the photograph is used.
        segmenter: the network.
    """
    mask = _mask(scene, segmenter)
    marks = np.where(mask > 0.95, cv2.GC_FGD, np.where(mask > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)).astype(np.uint8)
    marks[mask < 0.05] = cv2.GC_BGD
    if (marks == cv2.GC_BGD).any() and (marks & 1).any():
        bgr = np.ascontiguousarray(scene.photo[..., ::-1])
        models = np.zeros((1, 65)), np.zeros((1, 65))
        rectangle = (0, 0, 0, 0)  # not looked at: the marks say where to start
        cv2.grabCut(bgr, marks, rectangle, *models, 5, cv2.GC_INIT_WITH_MASK)
    alpha = (marks & 1).astype(np.float32)
    return _mixed(scene.photo, alpha), alpha, "grabcut"


MAKERS: dict[str, Maker] = {
    "packshot": by_packshot,
    "packshot refined": partial(by_packshot, method=Method.REFINED),
    "packshot matting": partial(by_packshot, method=Method.MATTING),
    "packshot network_only": partial(by_packshot, method=Method.NETWORK_ONLY),
    "rembg": by_network,
    "rembg alpha_matting": by_alpha_matting,
    "rembg decontaminate": by_decontamination,
    "GrabCut": by_grabcut,
}
PEERS = ("rembg alpha_matting", "rembg decontaminate", "GrabCut")


def _mask(scene: Scene, segmenter: Segmenter) -> Matte:
    """The network's mask at the photograph's size, of the very copy that the line shows it."""
    from packshot.cutout.cut import reduced_copies

    prediction = segmenter.predict(working_to_srgb8(reduced_copies(srgb8_to_working(scene.photo))[1]))
    size = scene.photo.shape[1], scene.photo.shape[0]
    return np.clip(cv2.resize(prediction, size, interpolation=cv2.INTER_LANCZOS4), 0, 1)


def _stretched(mask: Matte) -> Matte:
    """What rembg does to each mask."""
    low, high = float(mask.min()), float(mask.max())
    return np.asarray(np.rint((mask - low) / max(high - low, 1e-6) * np.float32(255)) / np.float32(255), np.float32)


def _mixed(own: Pixels8, alpha: Matte) -> Pixels8:
    share = alpha[..., None]
    return np.asarray(np.rint(own * share + 255 * (1 - share)), np.uint8)


def examine(name: str, model: str, methods: Sequence[str], show: Path | None = None) -> list[Result]:
    """Cut one scene out by several methods; return the measurements of each, in the order of the methods.

    Args:
        name: the scene's name, such as ``basket-white``.
        model: name of the segmentation model, such as ``isnet-general-use``.
        methods: keys of `MAKERS`, such as ``packshot``, ``rembg`` and ``GrabCut``.
        show: an existing folder in which composites and mattes are written as PNG; None writes none.
    """
    cv2.setNumThreads(1)
    scene, segmenter, results = load_scene(name), KeptSegmenter(model), []
    for method in methods:
        start = time.perf_counter()
        composite, matte, used = MAKERS[method](scene, segmenter)
        seconds = time.perf_counter() - start
        quality = measure(composite, matte, scene)
        results.append(Result(name, scene.product, scene.kind, scene.backdrop, method, used, seconds, quality))
        if show is not None:
            stem = f"{name.replace('/', '_')}.{method.replace(' ', '_')}"
            cv2.imwrite(str(show / f"{stem}.png"), composite[..., ::-1])
            cv2.imwrite(str(show / f"{stem}.matte.png"), np.rint(matte * 255).astype(np.uint8))
    return results


FIGURES = {
    "sad": "SAD",
    "iou": "IoU",
    "bf1": "BF1",
    "bf2": "BF2",
    "ring_delta_e": "ring dE00",
    "ring_delta_e_p95": "p95",
    "halo": "halo L",
    "gradient": "gradient",
}


def table(results: Sequence[Result], *, by: str) -> str:
    """Return the results' medians as a Markdown table: one row for each group and method.

    Two columns are no medians: the 90th percentile of the colour error near the edge, and the least share of exact
    white.

    Args:
        results: one for each scene and method.
        by: the field of `Result` whose values are the groups, such as "kind"; "set" puts all into one group.
    """
    heads = " | ".join(FIGURES.values())
    lines = [
        f"| {by} | method | n | {heads} | ring dE p90 | exact white, worst |",
        "|---|---|---:" + "|---:" * 10 + "|",
    ]
    groups = sorted({str(getattr(result, by)) for result in results}) if by != "set" else ["all"]
    for group in groups:
        for method in dict.fromkeys(result.method for result in results):
            chosen = [r.quality for r in results if r.method == method and (by == "set" or getattr(r, by) == group)]
            if not chosen:
                continue
            middle = " | ".join(f"{np.median([getattr(q, name) for q in chosen]):.3f}" for name in FIGURES)
            tail = f"{np.percentile([q.ring_delta_e for q in chosen], 90):.2f}"
            white = min(q.white_ratio for q in chosen)
            lines.append(f"| {group} | {method} | {len(chosen)} | {middle} | {tail} | {white:.4%} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="isnet-general-use")
    parser.add_argument("--only", nargs="*", default=None, help="parts of scene names")
    parser.add_argument("--set", choices=SETS, default="all")
    parser.add_argument("--methods", nargs="*", default=["rembg", "packshot"], choices=list(MAKERS))
    parser.add_argument("--peers", action="store_true", help="also rembg's options and GrabCut")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--show", type=Path, default=None, help="write composites and mattes there")
    parser.add_argument("--each", action="store_true", help="print each scene")
    args = parser.parse_args()
    names = names_of(args.set)
    names = [name for name in names if args.only is None or any(part in name for part in args.only)]
    methods = [*args.methods, *(PEERS if args.peers else ())]
    if args.show:
        args.show.mkdir(parents=True, exist_ok=True)
    work = partial(examine, model=args.model, methods=methods, show=args.show)
    with ProcessPoolExecutor(args.processes) as pool:
        results = [result for found in pool.map(work, names) for result in found]
    for result in results if args.each else ():
        q = result.quality
        print(
            f"{result.scene:40.40s} {result.kind:6.6s} {result.method:16.16s} {result.used:8.8s} "
            f"SAD {q.sad:6.1f} IoU {q.iou:.3f} BF1 {q.bf1:.3f} BF2 {q.bf2:.3f} dE {q.ring_delta_e:5.2f} "
            f"p95 {q.ring_delta_e_p95:5.1f} halo {q.halo:6.2f} white {q.white_ratio:.5f} {result.seconds:.1f} s"
        )
    for part, by in (*product(["studio"], ["set", "kind", "backdrop"]), *product(["drawn"], ["set", "kind"])):
        chosen = [r for r in results if ("@" in r.scene) == (part == "drawn")]
        if chosen:
            print(f"\n{part}, medians by {by}\n\n{table(chosen, by=by)}")
    if args.json:
        args.json.write_text(json.dumps([dataclasses.asdict(result) for result in results]))


if __name__ == "__main__":
    main()
