"""A drawn edit whose truth is known: a textured disc with a hole, on a grey backdrop with fall-off and a shadow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.colour.spaces import decode_working, encode_working
from packshot.colour.transform import working_to_srgb8
from packshot.framing import Placement, fit, place, subject_box
from packshot.qc.inputs import ColourReference, QcInput
from packshot.qc.reduced import Reduced, reduce_edit
from packshot.qc.report import QcReport, judge
from packshot.specs.models import Configs, RenditionPlan, ResolvedRules, Shadow
from packshot.types import Finding, FloatImage, Matte, Pixels16
from tests.configs import shipped_configs

SIDE = 900


@dataclasses.dataclass(frozen=True)
class DrawnBackdrop:
    smooth: bool = True


@dataclasses.dataclass(frozen=True)
class DrawnCutout:
    matte: Matte
    network_matte: Matte
    backdrop: DrawnBackdrop = DrawnBackdrop()
    method: str = "drawn"
    findings: tuple[Finding, ...] = ()


@dataclasses.dataclass(frozen=True)
class Drawn:
    """The parts of an edit; a test changes some and asks for the report."""

    master: Pixels16
    matte: Matte
    composite: Pixels16
    rendition: RenditionPlan
    configs: Configs
    network: Matte | None = None
    smooth: bool = True
    expected_products: int = 1
    reference: ColourReference | None = None
    placement: Placement | None = None

    def change(self, **changes: object) -> Drawn:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def edit(self) -> QcInput:
        plan = self.rendition
        placement = self.placement or (
            fit(
                subject_box(self.matte),
                canvas=plan.platform.canvas,
                fill_ratio=plan.rules.fill_ratio,
                max_upscale_ratio=plan.rules.max_upscale_ratio,
            )
        )
        framed = place(self.composite, self.matte, placement)
        network = self.matte if self.network is None else self.network
        return QcInput(
            master16=self.master,
            cutout=DrawnCutout(self.matte, network, DrawnBackdrop(self.smooth)),
            composite16=self.composite,
            framed=framed,
            srgb8=working_to_srgb8(framed.pixels),
            rendition=plan,
            expected_products=self.expected_products,
            colour_reference=self.reference,
        )

    def judge(self) -> QcReport:
        return judge(self.edit(), self.configs.qc)


def disc(x: float, y: float, radius: float, *, side: int = SIDE) -> Matte:
    rows, columns = np.ogrid[:side, :side]
    return np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1).astype(np.float32)


def on_white(linear: FloatImage, matte: Matte) -> Pixels16:
    keep = matte[..., None]
    return encode_working((linear * keep + (1 - keep)).astype(np.float32))


def draw_product(rng: np.random.Generator, *, side: int = SIDE) -> FloatImage:
    """A red-brown surface with texture, in linear light."""
    texture = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 1.2)
    base = np.array([0.25, 0.10, 0.06], np.float32)
    return np.clip(base * (1 + 0.5 * texture[..., None]), 0.005, 1).astype(np.float32)


def draw_backdrop(*, side: int = SIDE, grey: float = 0.45) -> FloatImage:
    rows, columns = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
    light = grey * (1 - 0.3 * (rows**2 + columns**2))
    return np.repeat(light[..., None], 3, axis=2).astype(np.float32)


def photograph(product: FloatImage, backdrop: FloatImage, matte: Matte, rng: np.random.Generator) -> Pixels16:
    keep = matte[..., None]
    noise = rng.normal(0, 0.002, product.shape).astype(np.float32)
    return encode_working((product * keep + backdrop * (1 - keep) + noise).astype(np.float32))


def draw_edit(configs: Configs, matte: Matte) -> Drawn:
    """A faultless edit: the interior is the photograph's, the edge pure product on white."""
    rng = np.random.default_rng(7)
    product, backdrop = draw_product(rng), draw_backdrop()
    master = photograph(product, backdrop, matte, rng)
    composite = np.where((matte == 1)[..., None], master, on_white(product, matte))
    rules = ResolvedRules(
        fill_ratio=0.85,
        shadow=Shadow.DROP,
        max_upscale_ratio=1.0,
        colour_mean_delta_e=2.0,
        colour_p95_delta_e=4.0,
        colour_reference_required=False,
    )
    platform = configs.platforms["amazon_main"]
    canvas = platform.canvas.model_copy(update={"min_px": 500, "recommended_px": 600})
    platform = platform.model_copy(
        update={"canvas": canvas, "fill": platform.fill.model_copy(update={"least_ratio": 0.8})}
    )
    plan = RenditionPlan(platform=platform, rules=rules, naming="{sku}")
    return Drawn(master=master, matte=matte, composite=composite.astype(np.uint16), rendition=plan, configs=configs)


def recompose(drawn: Drawn, matte: Matte) -> Drawn:
    """The edit with another matte: the photograph's pixels on white, whatever they show."""
    return drawn.change(matte=matte, composite=on_white(decode_working(drawn.master), matte))


@pytest.fixture(scope="session")
def configs() -> Configs:
    return shipped_configs()


@pytest.fixture(scope="session")
def good(configs: Configs) -> Drawn:
    return draw_edit(configs, disc(450, 450, 300))


@pytest.fixture(scope="session")
def make_disc() -> Callable[..., Matte]:
    return disc


@pytest.fixture(scope="session")
def with_matte() -> Callable[[Drawn, Matte], Drawn]:
    return recompose


@pytest.fixture(scope="session")
def backdrop_pixels() -> NDArray[np.uint16]:
    rng = np.random.default_rng(11)
    noise = rng.normal(0, 0.002, (SIDE, SIDE, 3)).astype(np.float32)
    return encode_working(draw_backdrop() + noise)


@pytest.fixture(scope="session")
def repaint() -> Callable[[Drawn, Matte, FloatImage], Drawn]:
    """The same edit, a patch of the photograph in other colours (linear light)."""

    def paint(drawn: Drawn, patch: Matte, colours: FloatImage) -> Drawn:
        keep = patch[..., None]
        master = encode_working((decode_working(drawn.master) * (1 - keep) + colours * keep).astype(np.float32))
        composite = np.where((drawn.matte == 1)[..., None], master, drawn.composite)
        return drawn.change(master=master, composite=composite)

    return paint


@pytest.fixture(scope="session")
def reduced() -> Callable[[Drawn], Reduced]:
    def reduce_drawn(drawn: Drawn) -> Reduced:
        edit = drawn.edit()
        return reduce_edit(edit.master16, edit.cutout.matte, edit.cutout.network_matte)

    return reduce_drawn
