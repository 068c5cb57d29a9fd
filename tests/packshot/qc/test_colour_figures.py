"""Colour and detail, compared between the photograph and the canvas."""

from __future__ import annotations

from typing import Any

import pytest

from packshot.framing import fit, subject_box
from packshot.qc.colour_figures import measure_colour
from packshot.types import Box, Size


def at_scale(drawn: Any, scale: float) -> Any:
    """The same edit on a canvas of so many pixels per pixel of the photograph."""
    rendition = drawn.rendition
    placement = fit(subject_box(drawn.matte), canvas=rendition.platform.canvas, fill_ratio=0.85, max_upscale_ratio=1.0)
    window = Box(90, 90, 810, 810)
    side = round(window.width * scale)
    return drawn.change(placement=placement.model_copy(update={"window": window, "canvas": Size(side, side)}))


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.77, 0.985, 0.993, 1.0, 1.2])
def test_framing_costs_no_detail_at_any_scale(good: Any, scale: float) -> None:
    figures = measure_colour(at_scale(good, scale).edit())
    assert figures is not None
    assert figures.sharpness_ratio > 0.95


@pytest.mark.parametrize("scale", [0.3, 0.77, 0.993, 1.0])
def test_framing_shifts_no_colour(good: Any, scale: float) -> None:
    figures = measure_colour(at_scale(good, scale).edit())
    assert figures is not None
    assert figures.p95_delta_e < 0.5
