"""Cut out many photographs as in production, and keep the results on disk, as examples for routing.

    nice -n 10 python -m benchmarks.routing_labels [--turns 2] [--drawn 600] [--kinds hard pale]

``--turns`` is the number of photographs of each product, ``--drawn`` the number of drawn products; ``--kinds`` are the
only kinds of products that are used.

Each photograph of `benchmarks.routing_scenes` goes through cut-out, framing and quality control, and is compared with
truth. An edit counts as **refused** if it is not acceptable by `benchmarks.escape`, or if the photograph cuts its
product. Results are kept in .packshot/bench/routing, so that the work can be stopped and continued.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np

from benchmarks.cutout_quality import CACHE, KeptSegmenter
from benchmarks.escape import compare_with_truth
from benchmarks.qc_edits import configs_and_rendition, frame_cutout, is_whole
from benchmarks.routing_scenes import DRAWN, is_free, load_variation, product_kind, scene_names
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.cutout import Cutout, Segmenter, compose_on_white, cut_out
from packshot.errors import PackshotError
from packshot.qc import judge
from packshot.types import Matte, Pixels16

KEPT = CACHE / "routing"
KEPT_PX = 768


@dataclasses.dataclass(frozen=True)
class Labelled:
    """A photograph, the machine's edit of it as quality control judges it, and whether the edit is really right.

    Attributes:
        name: ``<product>#<turn>``, such as ``drawn/12#0``.
        group: photographs of one group show the same object. They are never split between fitting and testing.
        kind: kind of the product, such as ``hard``, ``soft`` or ``glass``.
        backdrop: name of the backdrop, such as ``lightgrey``.
        free: whether the photograph's licence allows us to publish a model that was trained on it.
        whole: whether all of the product is in the photograph.
        faults: what is wrong by comparison with the known right edit, such as ``IoU < 0.97``; empty if nothing is.
        verdict: quality control's verdict: ``auto_approve``, ``human_review`` or ``reject_and_redo``; ``refused`` if
            quality control could not judge the edit.
        score: quality control's score, 0..100; 0 if it could not judge the edit.
        measured: code of the finding -> quality control's measurement; None if nothing was measured.
    """

    name: str
    group: str
    kind: str
    backdrop: str
    free: bool
    whole: bool
    faults: tuple[str, ...]
    verdict: str
    score: float
    measured: dict[str, float | None]

    @property
    def is_refused(self) -> bool:
        """Whether the edit must not be approved: it has a fault, or the photograph cuts the product."""
        return bool(self.faults) or not self.whole


def label(name: str, segmenter: Segmenter) -> Labelled:
    """Return how good the machine's edit of a test photograph is, by quality control and by the known right edit.

    The edit is the product cut out and put on white, as in production. Quality control judges it without the right
    edit. Then matte and edit are compared with the right ones. Every call computes everything again. It writes
    the mattes to disk, over those of an earlier call, and does not write the result.

    Args:
        name: ``<product>#<turn>``, for example ``drawn/12#0``. Each turn shows the product on another backdrop and in
            other light. The photograph is made from the name, so its right edit is known.
        segmenter: the segmentation network.
    Raises:
        ValueError: the name is not ``<product>#<turn>``.
        FileNotFoundError: the test data have no such product.
    """
    scene = load_variation(name)
    master = srgb8_to_working(scene.photo)
    cutout = cut_out(master, segmenter)
    composite = compose_on_white(master, cutout)
    truth = compare_with_truth(working_to_srgb8(composite), cutout.matte, scene)
    facts = (name, scene.product, scene.kind, scene.backdrop, is_free(name), is_whole(scene.matte), truth.faults)
    _keep_mattes(name, cutout)
    return Labelled(*facts, *_judged(master, cutout, composite))


def _judged(master: Pixels16, cutout: Cutout, composite: Pixels16) -> tuple[str, float, dict[str, float | None]]:
    configs, rendition = configs_and_rendition()
    try:
        report = judge(frame_cutout(master, cutout, composite, rendition), configs.qc)
    except PackshotError as error:
        return "refused", 0.0, {error.code: None}
    return str(report.verdict), report.score, {finding.code: finding.measured for finding in report.findings}


def _keep_mattes(name: str, cutout: Cutout) -> None:
    """The network's matte and the final one, small: from which the measurements after the cut-out are made."""
    network, matte = _small(cutout.network_matte), _small(cutout.matte)
    report = cutout.backdrop
    facts = np.array([report.smooth, report.noise_levels, report.rough_ratio], np.float64)
    np.savez_compressed(path_of(name, "npz"), backdrop=facts, method=str(cutout.method), network=network, matte=matte)


def _small(matte: Matte) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    scale = min(1.0, KEPT_PX / max(matte.shape))
    small = cv2.resize(matte, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)


def path_of(name: str, kind: str) -> Path:
    """Return the path at which a result about a photograph is kept on disk; the file need not exist yet.

    Example: ``.packshot/bench/routing/drawn--12--0.json``, below the working folder.

    Args:
        name: name of the photograph, ``<product>#<turn>``, such as ``drawn/12#0``; the turn numbers the photographs of
            one product.
        kind: which result: "json" for its label, "npz" for its mattes, "features" for its measurements before the
            cut-out.
    """
    return KEPT / f"{name.replace('/', '--').replace('#', '--')}.{kind}"


def kept_labels() -> list[Labelled]:
    """Return all results that are kept on disk, sorted by name."""
    found = (json.loads(path.read_text()) for path in sorted(KEPT.glob("*.json")))
    return [Labelled(**{**one, "faults": tuple(one["faults"])}) for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--drawn", type=int, default=DRAWN, help="how many products are drawn")
    parser.add_argument("--kinds", nargs="*", default=None, help="of products; all where none is named")
    parser.add_argument("--model", default="isnet-general-use")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    KEPT.mkdir(parents=True, exist_ok=True)
    segmenter = KeptSegmenter(args.model)
    for name in scene_names(turns=args.turns, drawn=args.drawn):
        if args.kinds and product_kind(name) not in args.kinds:
            continue
        if not path_of(name, "json").exists():
            path_of(name, "json").write_text(json.dumps(dataclasses.asdict(label(name, segmenter))))


if __name__ == "__main__":
    main()
