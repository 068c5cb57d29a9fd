"""Edits to judge: good ones made from exact truth, and the way from an edit to quality control's input."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.defects import Edit
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.framing import fit, place, subject_box
from packshot.qc import QcInput
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import Configs, RenditionPlan
from packshot.specs.resolve import resolve
from packshot.types import Finding, Matte

HARD_EDGED_OPAQUE = ("bottlelabel", "chromekettle", "guitar", "headphones", "mug", "tote", "whitebox")
OTHER_KINDS = {"basket": "many gaps", "cactus": "fine structure", "ring": "jewellery", "wineglass": "transparent"}


def data_folder() -> Path:
    """Return the folder of test data: beside the checkout, or where PACKSHOT_SHARED_DATA says."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("PACKSHOT_SHARED_DATA", beside))


@dataclasses.dataclass(frozen=True)
class Case:
    """A good edit.

    Attributes:
        product: one of a product's photographs on several backdrops; what belongs together is never split.
        kind: ``hard-edged opaque`` or what else it is.
    """

    name: str
    product: str
    kind: str
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


def kind_of(product: str) -> str:
    return OTHER_KINDS.get(product, "hard-edged opaque")


def studio_names() -> list[str]:
    return sorted(path.stem for path in (data_folder() / "studio" / "image").glob("*.jpg"))


def true_edit(name: str) -> Case:
    """Return a studio photograph with the edit that truth makes of it."""
    folder = data_folder() / "studio"
    master = srgb8_to_working(_rgb(folder / "image" / f"{name}.jpg"))
    truth = srgb8_to_working(_rgb(folder / "truth" / f"{name}.webp"))
    matte = np.asarray(Image.open(folder / "matte" / f"{name}.png").convert("L"), np.float32) / np.float32(255)
    composite = np.where((matte == 1)[..., None], master, truth)
    composite[matte == 0] = 65535
    product = name.split("-")[0]
    return Case(name, product, kind_of(product), Edit(master, matte, matte, composite))


def true_edits(names: list[str] | None = None) -> Iterator[Case]:
    """Yield the studio photographs one by one."""
    for name in names or studio_names():
        yield true_edit(name)


def configs_and_rendition() -> tuple[Configs, RenditionPlan]:
    """Return the configs that come with Packshot, and the rendition of Amazon's main image on a smaller canvas.

    The photographs with truth are small. How large a picture is, is known without any measuring, so it must not
    decide here.
    """
    configs = load_configs(default_folder())
    rendition = resolve(configs, client="default", platforms=("amazon_main",)).renditions[0]
    canvas = rendition.platform.canvas.model_copy(update={"min_px": 300, "recommended_px": 1000})
    platform = rendition.platform.model_copy(update={"canvas": canvas})
    return configs, rendition.model_copy(update={"platform": platform})


def to_input(edit: Edit, rendition: RenditionPlan, *, smooth: bool = True) -> QcInput:
    """Frame an edit as the line does."""
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


def _rgb(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))
