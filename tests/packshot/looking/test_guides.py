"""Guides are what the export will cut."""

from __future__ import annotations

import numpy as np
import pytest

from packshot.colour.transform import srgb8_to_working
from packshot.framing.frame import frame
from packshot.looking.guides import guides
from packshot.specs.models import RenditionPlan
from packshot.specs.resolve import resolve
from tests import drawn_products
from tests.configs import shipped_configs


@pytest.fixture(scope="module")
def renditions() -> tuple[RenditionPlan, ...]:
    plan = resolve(shipped_configs(), client="acme", platforms=("amazon_main", "shopify"))
    return plan.renditions


def test_a_guide_is_the_window_and_canvas_of_the_export(renditions: tuple[RenditionPlan, ...]) -> None:
    matte = drawn_products.coverage(700, 500, radius_ratio=0.3)
    composite = srgb8_to_working(np.full((500, 700, 3), 255, np.uint8))
    for guide, rendition in zip(guides(matte, renditions), renditions, strict=True):
        placement = frame(composite, matte, rendition).placement
        assert (guide.frame, guide.canvas, guide.product) == (placement.window, placement.canvas, placement.subject)


def test_a_product_that_fills_as_ordered_touches_the_fill_guide(renditions: tuple[RenditionPlan, ...]) -> None:
    matte = drawn_products.coverage(700, 500, radius_ratio=0.3)
    for guide in guides(matte, renditions):
        assert guide.fill_ratio == pytest.approx(guide.wanted_fill_ratio, abs=0.005)
        apart = (guide.fill.width - guide.product.width, guide.fill.height - guide.product.height)
        assert min(apart) <= 2
        assert min(apart) >= -2


def test_a_matte_without_a_product_has_no_guides(renditions: tuple[RenditionPlan, ...]) -> None:
    assert guides(np.zeros((20, 20), np.float32), renditions) == ()
