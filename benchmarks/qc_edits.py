"""Make edits to judge from exact truth, all of them good, and convert edits to quality control's input."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from benchmarks.defects import Edit
from benchmarks.scenes import load_scene
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.cutout import Cutout
from packshot.framing import fit, place, subject_box
from packshot.qc import QcInput
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import Configs, RenditionPlan
from packshot.specs.resolve import resolve
from packshot.types import Finding, Matte, Pixels16

HARD_KINDS = ("hard", "pale")
"""Hard-edged opaque products, among the kinds of `benchmarks.scenes`."""
LEAST_PART_RATIO = 0.001
EDGE_PX = 5


@dataclasses.dataclass(frozen=True)
class Case:
    """A scene (a test photograph whose right edit is known) with the good edit that is made from it.

    Attributes:
        name: of the scene.
        product: photographs of one product, on several backdrops, are never split between fitting and testing.
        kind: kind of the product, such as ``hard``, ``soft`` or ``glass``.
        whole: whether all of the product is in the photograph.
        edit: the edit's pictures.
    """

    name: str
    product: str
    kind: str
    whole: bool
    edit: Edit


@dataclasses.dataclass(frozen=True)
class _Backdrop:
    smooth: bool = True


@dataclasses.dataclass(frozen=True)
class _Cutout:
    matte: Matte
    network_matte: Matte
    backdrop: _Backdrop = _Backdrop()
    method: str = "truth"
    findings: tuple[Finding, ...] = ()


def true_edit(name: str) -> Case:
    """Return a scene with the good edit that is made from its truth. Opaque parts have the photograph's own pixels.

    A scene is a test photograph whose right matte and edit are known. In the edit the segmentation network's matte is
    the right one, too.

    Args:
        name: the scene's name, such as ``basket-white``.
    """
    scene = load_scene(name)
    matte = _without_dirt(scene.matte) if scene.kind in HARD_KINDS else scene.matte
    master = srgb8_to_working(scene.photo)
    composite = np.where((matte == 1)[..., None], master, srgb8_to_working(scene.truth))
    composite[matte == 0] = 65535
    edit = Edit(master, matte, matte, composite)
    return Case(name, scene.product, scene.kind, is_whole(scene.matte), edit)


def _without_dirt(matte: Matte) -> Matte:
    """Return a matte without the specks and veils that its makers left: they are defects, not truth."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((matte >= 0.5).astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    product = (areas > LEAST_PART_RATIO * areas.sum())[labels].astype(np.uint8)
    near = cv2.dilate(product, np.ones((2 * EDGE_PX + 1,) * 2, np.uint8)) > 0
    return np.where(near, matte, 0).astype(np.float32)


def is_whole(matte: Matte) -> bool:
    """Return whether the whole product is in the photograph: the frame cuts it nowhere.

    An edit of a product that the frame cuts may never be approved automatically.

    Args:
        matte: (rows, columns) float32 in 0..1.
    """
    border = np.concatenate((matte[0], matte[-1], matte[:, 0], matte[:, -1]))
    return not bool((border > 0.5).any())


def configs_and_rendition() -> tuple[Configs, RenditionPlan]:
    """Return (the configs that come with Packshot, the rendition of Amazon's main image on a smaller canvas).

    The test photographs whose right edit is known are small. On the smaller canvas, rules on the size of a picture do
    not decide about their edits.
    """
    configs = load_configs(default_folder())
    rendition = resolve(configs, client="default", platforms=("amazon_main",)).renditions[0]
    canvas = rendition.platform.canvas.model_copy(update={"min_px": 300, "recommended_px": 1000})
    platform = rendition.platform.model_copy(update={"canvas": canvas})
    return configs, rendition.model_copy(update={"platform": platform})


def to_input(edit: Edit, rendition: RenditionPlan, *, smooth: bool = True) -> QcInput:
    """Return an edit in the form that quality control judges, framed as in production.

    Args:
        edit: the edit's pictures.
        rendition: platform and rules for which it is framed.
        smooth: whether the photograph's backdrop counts as smooth. If not, quality control has a finding on that.
    """
    placement = fit(
        subject_box(edit.matte),
        canvas=rendition.platform.canvas,
        fill_ratio=rendition.rules.fill_ratio,
        max_upscale_ratio=rendition.rules.max_upscale_ratio,
    )
    window = placement.window
    across, down = round(edit.window_shift[0] * window.width), round(edit.window_shift[1] * window.height)
    moved = window._replace(
        left=window.left + across, right=window.right + across, top=window.top + down, bottom=window.bottom + down
    )
    framed = place(edit.composite, edit.matte, placement.model_copy(update={"window": moved}))
    return QcInput(
        master16=edit.master,
        cutout=_Cutout(edit.matte, edit.network, _Backdrop(smooth)),
        composite16=edit.composite,
        framed=framed,
        srgb8=working_to_srgb8(framed.pixels),
        rendition=rendition,
    )


def frame_cutout(master: Pixels16, cutout: Cutout, composite: Pixels16, rendition: RenditionPlan) -> QcInput:
    """Return a cut-out in the form that quality control judges, framed as in production.

    Args:
        master: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        cutout: the cut-out.
        composite: the cut-out on white, in the same form as `master`.
        rendition: platform and rules for which it is framed.

    Raises:
        EmptySubjectError: there is no product in the matte.
    """
    placement = fit(
        subject_box(cutout.matte),
        canvas=rendition.platform.canvas,
        fill_ratio=rendition.rules.fill_ratio,
        max_upscale_ratio=rendition.rules.max_upscale_ratio,
    )
    framed = place(composite, cutout.matte, placement)
    return QcInput(
        master16=master,
        cutout=cutout,
        composite16=composite,
        framed=framed,
        srgb8=working_to_srgb8(framed.pixels),
        rendition=rendition,
        reduced16=cutout.reduced,
    )
