"""Count how many of the edits that quality control approves are not acceptable by exact truth.

    python -m benchmarks.escape [--model isnet-general-use] [--workers N] [--json FILE]

A scene is a test photograph whose right edit is known exactly: its truth. Every scene is cut out, framed and judged.
Then the edit is compared with the truth. It is not acceptable if one of these holds:

- Its mean delta E 2000 in the ring along the edge is above 5.
- Its boundary F at 2 px is below 0.9, or its IoU is below 0.97.
- Its background is not exactly white.
- It has a bad place: a stretch of 30 px (in a picture 2000 px long) with a mean delta E above 12, or one area above
  0.05 % of the product that was lost or left.

An escape is an edit that was approved and is not acceptable. The table also says how many escapes the averages alone
would show. The upper bound is Clopper and Pearson's, one-sided, 95 %.

If the photograph itself cuts the product, the edit has to go to a person, however good it is. Such edits are counted
separately. The quick check of points along the border is also compared with the check of the full frame.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scipy import stats

from benchmarks.cutout_quality import KeptSegmenter, measure
from benchmarks.local_truth import worst_area, worst_stretch
from benchmarks.qc_edits import HARD_KINDS, configs_and_rendition, frame_cutout, is_whole
from benchmarks.scenes import SETS, Scene, load_scene, names_of
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.cutout import compose_on_white, cut_out
from packshot.errors import PackshotError
from packshot.qc import judge
from packshot.types import Matte, Pixels8, Status, Verdict

MOST_RING_DELTA_E = 5.0
LEAST_BOUNDARY_F = 0.9
LEAST_IOU = 0.97
RING_PX = 3
MOST_OFF_WHITE_RATIO = 1e-4
"""Share of the true background, farther than the ring from the product, that may be off white."""
MOST_STRETCH_DELTA_E = 12.0
MOST_AREA_RATIO = 0.0005


@dataclasses.dataclass(frozen=True)
class Truth:
    """How far an edit is from the right one, which is known exactly: averages, and the edit's worst place.

    Attributes:
        ring_delta_e: mean delta E 2000 in a ring of 3 px on each side of the true edge.
        boundary_f: boundary F at 2 px, in 0..1; 1 means that the outlines agree.
        iou: intersection over union of the mattes at 0.5, in 0..1.
        off_white_ratio: share of the true background, outside the ring, that is not exactly white, in 0..1.
        worst_stretch_delta_e: mean delta E 2000 of the worst stretch along the true outline; a stretch is 30 px long in
            a picture of 2000 px.
        worst_area_ratio: the largest connected area that was wrongly lost or left, as a share of the product's area.
    """

    ring_delta_e: float
    boundary_f: float
    iou: float
    off_white_ratio: float
    worst_stretch_delta_e: float
    worst_area_ratio: float

    @property
    def faults(self) -> tuple[str, ...]:
        """The reasons why the edit is not acceptable, such as ``IoU < 0.97``.

        First come the reasons that show in an average over the picture, then the reasons at the edit's worst place. The
        result is empty if the edit is acceptable.
        """
        checks = {
            f"a stretch > {MOST_STRETCH_DELTA_E:g}": self.worst_stretch_delta_e > MOST_STRETCH_DELTA_E,
            f"an area > {MOST_AREA_RATIO:.2%}": self.worst_area_ratio > MOST_AREA_RATIO,
        }
        return (*self.average_faults, *(name for name, failed in checks.items() if failed))

    @property
    def average_faults(self) -> tuple[str, ...]:
        """The faults of the edit that show in an average over the whole picture, such as ``IoU < 0.97``.

        Each is a reason why the edit is not acceptable. The result is empty if there is none. `faults` also has the
        reasons at the edit's worst place.
        """
        checks = {
            f"ring dE > {MOST_RING_DELTA_E:g}": self.ring_delta_e > MOST_RING_DELTA_E,
            f"BF2 < {LEAST_BOUNDARY_F:g}": self.boundary_f < LEAST_BOUNDARY_F,
            f"IoU < {LEAST_IOU:g}": self.iou < LEAST_IOU,
            "background not exact": self.off_white_ratio > MOST_OFF_WHITE_RATIO,
        }
        return tuple(name for name, failed in checks.items() if failed)


def compare_with_truth(composite: Pixels8, matte: Matte, scene: Scene) -> Truth:
    """Return an edit's figures: how far it is from the right edit.

    Args:
        composite: the edit on white, (rows, columns, 3) uint8, sRGB.
        matte: the edit's matte, (rows, columns) float32 in 0..1.
        scene: the photograph with its right matte and edit, of the same size.
    """
    quality = measure(composite, matte, scene)
    kernel = np.ones((2 * RING_PX + 1,) * 2, np.uint8)
    background = cv2.dilate((scene.matte > 0).astype(np.uint8), kernel) == 0
    off = (composite < 255).any(axis=2) & background
    return Truth(
        ring_delta_e=quality.ring_delta_e,
        boundary_f=quality.bf2,
        iou=quality.iou,
        off_white_ratio=float(np.count_nonzero(off) / max(1, int(np.count_nonzero(background)))),
        worst_stretch_delta_e=worst_stretch(composite, scene),
        worst_area_ratio=worst_area(matte, scene),
    )


@dataclasses.dataclass(frozen=True)
class Judged:
    """The machine's edit of one scene: quality control's verdict on it, and its real faults.

    A scene is a test photograph whose right edit is known, so the edit can be compared with it.

    Attributes:
        scene: name of the scene.
        product: name of the object that it shows.
        kind: kind of the product, such as ``hard``, ``soft`` or ``glass``.
        whole: False if the photograph itself cuts the product.
        verdict: ``auto_approve``, ``human_review`` or ``reject_and_redo``; ``refused`` if it could not be judged.
        score: in 0..100; 0 if it could not be judged.
        truth: the fields of `Truth` -> value.
        faults: why the edit is not acceptable, such as ``IoU < 0.97``; empty if it is acceptable.
        wrong: codes of all findings with a warning or a failure; of a refused edit the error's code.
        measured: code of a rule -> measured value; None if it was not measured.
        quick_agrees: quality control checks that the background is white, first quickly at points along the border,
            then in the full frame. True if both checks say the same.
    """

    scene: str
    product: str
    kind: str
    whole: bool
    verdict: str
    score: float
    truth: dict[str, float]
    faults: tuple[str, ...]
    wrong: tuple[str, ...]
    measured: dict[str, float | None]
    quick_agrees: bool = True


def examine(name: str, model: str) -> Judged:
    """Return the machine's edit of one scene, made and judged as in production, with its faults.

    The faults come from the comparison with the scene's right edit, which is known.

    Args:
        name: the scene's name, such as ``basket-white``.
        model: name of the segmentation model, such as ``isnet-general-use``.
    """
    cv2.setNumThreads(1)
    scene = load_scene(name)
    configs, rendition = configs_and_rendition()
    master = srgb8_to_working(scene.photo)
    cutout = cut_out(master, KeptSegmenter(model))
    composite = compose_on_white(master, cutout)
    truth = compare_with_truth(working_to_srgb8(composite), cutout.matte, scene)
    facts = (name, scene.product, scene.kind, is_whole(scene.matte))
    figures = dataclasses.asdict(truth)
    try:
        report = judge(frame_cutout(master, cutout, composite, rendition), configs.qc)
    except PackshotError as error:
        return Judged(*facts, "refused", 0, figures, truth.faults, (error.code,), {})
    wrong = tuple(f.code for f in report.findings if f.status in (Status.WARNING, Status.FAILED))
    measured = {f.code: f.measured for f in report.findings}
    exact = not {"non_white_background", "non_white_rendition"} & set(wrong)
    agrees = (report.quick_check.status == "pass") == exact
    return Judged(*facts, report.verdict, report.score, figures, truth.faults, wrong, measured, agrees)


def upper_bound(escapes: int, approved: int) -> float:
    """Return an upper bound of the share of wrong edits among approved ones, in 0..1, with 95 % confidence.

    The bound is Clopper and Pearson's one-sided one. It is 1 if nothing was approved, or if all approved edits are
    wrong.

    Args:
        escapes: number of approved edits that are not acceptable.
        approved: number of approved edits.
    """
    return float(stats.beta.ppf(0.95, escapes + 1, approved - escapes)) if approved > escapes else 1.0


def table(judged: list[Judged]) -> str:
    """Return how many wrong edits are approved, as a Markdown table with a row for each kind of product.

    Lines below the table name each wrong edit that was approved, and each good edit that was held back.

    Args:
        judged: the edits of all scenes.
    """
    lines = [
        "| kind | scenes | acceptable | approved | escapes (by averages alone) | share | 95 % bound | "
        "good ones held back |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    kinds = sorted({j.kind for j in judged} - set(HARD_KINDS))
    whole = [j for j in judged if j.whole]
    groups = {"hard-edged opaque": [j for j in whole if j.kind in HARD_KINDS]}
    groups |= {kind: [j for j in whole if j.kind == kind] for kind in kinds}
    groups |= {"cut by the frame": [j for j in judged if not j.whole], "all": judged}
    for kind, group in groups.items():
        if group:
            lines.append(_row(kind, group))
    escaped = [j for j in judged if j.verdict == Verdict.AUTO_APPROVE and j.faults]
    lines += [f"\nEscaped: {j.scene}: {', '.join(j.faults)} {j.truth}" for j in escaped]
    held = [j for j in whole if not j.faults and j.verdict != Verdict.AUTO_APPROVE]
    lines += [f"\nHeld back: {j.scene} ({j.kind}), {j.score:.0f}: {', '.join(j.wrong)}" for j in held]
    agreed = sum(j.quick_agrees for j in judged)
    lines.append(f"\nQuick check and full check of the white agree on {agreed} of {len(judged)}.")
    return "\n".join(lines)


def _row(kind: str, group: list[Judged]) -> str:
    approved = [j for j in group if j.verdict == Verdict.AUTO_APPROVE]
    escapes = [j for j in approved if j.faults]
    good = [j for j in group if not j.faults]
    held = len([j for j in good if j.verdict != Verdict.AUTO_APPROVE])
    share = f"{len(escapes) / len(approved):.1%}" if approved else "-"
    bound = f"{upper_bound(len(escapes), len(approved)):.1%}" if approved else "-"
    averages = [j for j in approved if Truth(**j.truth).average_faults]
    return (
        f"| {kind} | {len(group)} | {len(good)} | {len(approved)} ({len(approved) / len(group):.0%}) | "
        f"{len(escapes)} ({len(averages)}) | {share} | {bound} | {held} of {len(good)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="isnet-general-use")
    parser.add_argument("--set", choices=SETS, default="all")
    parser.add_argument("--only", nargs="*", default=None, help="parts of scene names")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, default=None)
    args = parser.parse_args()
    everything = names_of(args.set)
    names = [n for n in everything if args.only is None or any(part in n for part in args.only)]
    judged: list[Judged] = []
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        for found in pool.imap_unordered(partial(examine, model=args.model), names):
            judged.append(found)
            if args.json:  # after each: a long measurement that is stopped has not been for nothing
                args.json.write_text(json.dumps([dataclasses.asdict(j) for j in judged]))
    print(table(judged))


if __name__ == "__main__":
    main()
