"""Drawn scenes with known truth, and the real configs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import encode_working
from packshot.export.delivery import DeliveredFile, delivered_file
from packshot.export.render import render
from packshot.framing.fit import fit
from packshot.framing.place import Framed, place
from packshot.framing.subject import subject_box
from packshot.specs.models import Canvas, Configs, Platform, QcConfig, RenditionPlan, ResolvedRules
from packshot.types import Matte, Pixels16
from tests.configs import shipped_configs

Scene = Callable[..., tuple[Pixels16, Matte]]
Ordered = Callable[..., RenditionPlan]
FramedFor = Callable[[RenditionPlan], Framed]


@pytest.fixture(scope="session")
def configs() -> Configs:
    return shipped_configs()


@pytest.fixture(scope="session")
def qc(configs: Configs) -> QcConfig:
    return configs.qc


@pytest.fixture(scope="session")
def scene() -> Scene:
    """A composite of a striped, shaded disc on a stand, with a soft outline, on exact white."""

    def draw(size_px: int = 900, *, darkness: float = 0.1, seed: int = 3) -> tuple[Pixels16, Matte]:
        shape = np.zeros((size_px * 4, size_px * 4), np.uint8)
        centre = size_px * 2
        cv2.circle(shape, (centre, centre), int(size_px * 1.3), 255, -1)
        cv2.rectangle(shape, (centre - size_px, centre + size_px), (centre + size_px, int(size_px * 3.6)), 255, -1)
        matte = cv2.resize(shape, (size_px, size_px), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        rows, columns = np.indices((size_px, size_px), np.float32) / size_px
        noise = np.random.default_rng(seed).normal(0, 0.01, (size_px, size_px, 1)).astype(np.float32)
        stripes = 0.5 + 0.5 * np.sin(60 * columns + 20 * rows)
        colour = np.stack([darkness + 0.5 * stripes, darkness + 0.2 * rows, darkness + 0.3 * columns], axis=2) + noise
        light = np.clip(colour, 0, 1) * matte[..., None] + (1 - matte[..., None])
        return encode_working(light.astype(np.float32)), matte

    return draw


@pytest.fixture(scope="session")
def ordered(configs: Configs) -> Ordered:
    """A rendition plan: a real platform's figures, with changes for the test."""

    def order(
        platform: str = "amazon_main", *, rules: dict[str, object] | None = None, **changes: object
    ) -> RenditionPlan:
        chosen: Platform = configs.platforms[platform].model_copy(update=changes)
        said = {**configs.defaults.model_dump(), **chosen.rules.stated(), **(rules or {})}
        return RenditionPlan(platform=chosen, rules=ResolvedRules(**said), naming=chosen.naming)

    return order


@pytest.fixture(scope="session")
def framed_for(scene: Scene) -> FramedFor:
    """The scene on a rendition's canvas, which is at most 800 px here."""
    composite, matte = scene()

    def frame(rendition: RenditionPlan) -> Framed:
        canvas = Canvas(aspect=rendition.platform.canvas.aspect, min_px=100, recommended_px=800)
        placement = fit(
            subject_box(matte),
            canvas=canvas,
            fill_ratio=rendition.rules.fill_ratio,
            max_upscale_ratio=rendition.rules.max_upscale_ratio,
        )
        return place(composite, matte, placement)

    return frame


@pytest.fixture(scope="session")
def amazon_file(ordered: Ordered, framed_for: FramedFor, qc: QcConfig) -> tuple[DeliveredFile, bytes]:
    """A rendered main image, as it is described and as it is."""
    canvas = ordered().platform.canvas.model_copy(update={"min_px": 300})
    rendered = render(framed_for(ordered()), ordered(canvas=canvas), qc=qc)
    path = "amazon_main/B0PACK0301.MAIN.jpg"
    return delivered_file(rendered, path=path, platform="amazon_main"), rendered.encoded.data
