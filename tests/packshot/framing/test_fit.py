from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.framing.fit import Placement, fill_ratio_of, fit
from packshot.specs.models import Canvas
from packshot.types import Box, Size, Status

ASPECTS = (None, "1:1", "1:1.44", "4:5", "16:9", "3:2")


@st.composite
def subjects(draw: st.DrawFn) -> Box:
    left, top = draw(st.integers(0, 4000)), draw(st.integers(0, 4000))
    return Box(left, top, left + draw(st.integers(40, 6000)), top + draw(st.integers(40, 6000)))


canvases = st.builds(
    Canvas,
    aspect=st.sampled_from(ASPECTS),
    min_px=st.integers(100, 500),
    recommended_px=st.none() | st.integers(500, 3000),
    max_px=st.none() | st.integers(3000, 5000),
)
fills = st.sampled_from((0.75, 0.8, 0.85, 0.9, 0.95, 1.0))
upscales = st.sampled_from((1.0, 1.2, 2.0))


def pixel_of(placement: Placement) -> float:
    """One pixel of the picture or of the canvas, whichever is larger, in canvas pixels."""
    return max(1.0, placement.canvas.width / placement.window.width, placement.canvas.height / placement.window.height)


@given(subjects(), canvases, fills, upscales)
def test_subject_never_touches_the_margin(subject: Box, canvas: Canvas, fill: float, upscale: float) -> None:
    placement = fit(subject, canvas=canvas, fill_ratio=fill, max_upscale_ratio=upscale)
    left, top, right, bottom = placement.subject_on_canvas
    margin = (1 - fill) / 2
    width, height = placement.canvas
    least_x, least_y = margin * width - pixel_of(placement), margin * height - pixel_of(placement)
    assert left >= least_x
    assert width - right >= least_x
    assert top >= least_y
    assert height - bottom >= least_y


@given(subjects(), canvases, fills, upscales)
def test_the_fill_is_reached_to_within_a_pixel(subject: Box, canvas: Canvas, fill: float, upscale: float) -> None:
    placement = fit(subject, canvas=canvas, fill_ratio=fill, max_upscale_ratio=upscale)
    left, top, right, bottom = placement.subject_on_canvas
    missing = min(fill * placement.canvas.width - (right - left), fill * placement.canvas.height - (bottom - top))
    assert abs(missing) <= pixel_of(placement)


@given(subjects(), canvases, fills, upscales)
def test_the_product_stands_in_the_middle(subject: Box, canvas: Canvas, fill: float, upscale: float) -> None:
    placement = fit(subject, canvas=canvas, fill_ratio=fill, max_upscale_ratio=upscale)
    left, top, right, bottom = placement.subject_on_canvas
    assert abs(left - (placement.canvas.width - right)) <= pixel_of(placement) + 1e-6
    assert abs(top - (placement.canvas.height - bottom)) <= pixel_of(placement) + 1e-6


@given(subjects(), canvases, fills, upscales)
def test_the_aspect_is_exact_but_for_rounding(subject: Box, canvas: Canvas, fill: float, upscale: float) -> None:
    placement = fit(subject, canvas=canvas, fill_ratio=fill, max_upscale_ratio=upscale)
    if canvas.aspect is not None:
        width, height = (Fraction(side) for side in canvas.aspect.split(":"))
        assert abs(placement.canvas.width - placement.canvas.height * width / height) <= max(1, width / height)
    rounding = 1.25 * pixel_of(placement)  # both sides of both rectangles are whole pixels
    assert abs(placement.window.width * placement.scale - placement.canvas.width) <= rounding
    assert abs(placement.window.height * placement.scale - placement.canvas.height) <= rounding


@given(subjects(), canvases, fills, upscales)
def test_nothing_is_enlarged_beyond_the_limit(subject: Box, canvas: Canvas, fill: float, upscale: float) -> None:
    placement = fit(subject, canvas=canvas, fill_ratio=fill, max_upscale_ratio=upscale)
    assert placement.scale <= upscale


@given(subjects(), canvases, fills, upscales)
def test_sizes_stay_within_the_limits_or_say_so(subject: Box, canvas: Canvas, fill: float, upscale: float) -> None:
    placement = fit(subject, canvas=canvas, fill_ratio=fill, max_upscale_ratio=upscale)
    longest = placement.canvas.longest
    if canvas.recommended_px is not None:
        assert longest <= canvas.recommended_px
    assert longest <= (canvas.max_px or longest)
    codes = {finding.code: finding for finding in placement.findings}
    assert (longest < canvas.min_px) == ("resolution_too_low" in codes)
    if longest < canvas.min_px:
        assert codes["resolution_too_low"].status is Status.FAILED
        assert codes["resolution_too_low"].stops_approval
    elif canvas.recommended_px is not None and longest < canvas.recommended_px:
        assert codes["below_recommended_size"].status is Status.WARNING


@given(subjects(), fills, st.sampled_from(ASPECTS))
def test_full_resolution_keeps_every_pixel(subject: Box, fill: float, aspect: str | None) -> None:
    placement = fit(subject, canvas=Canvas(aspect=aspect, min_px=1), fill_ratio=fill, max_upscale_ratio=2.0)
    assert placement.window.size == placement.canvas
    assert placement.scale == 1


@given(subjects(), fills, st.floats(1, 2))
def test_without_an_aspect_the_margins_are_even(subject: Box, fill: float, upscale: float) -> None:
    canvas = Canvas(min_px=1, recommended_px=2000)
    placement = fit(subject, canvas=canvas, fill_ratio=fill, max_upscale_ratio=upscale)
    left, top, *_ = placement.subject_on_canvas
    assert abs(left - top) <= 2 * pixel_of(placement)


def test_a_square_main_image_has_the_product_at_85_percent() -> None:
    canvas = Canvas(aspect="1:1", min_px=1000, recommended_px=2000)
    placement = fit(Box(500, 300, 3900, 2000), canvas=canvas, fill_ratio=0.85, max_upscale_ratio=1.0)
    assert placement.canvas == Size(2000, 2000)
    assert placement.window == Box(200, -850, 4200, 3150)
    assert placement.fill_ratio == pytest.approx(0.85)
    assert placement.scale == 0.5


def test_a_product_as_tall_as_wide_fits_an_upright_canvas_by_its_width() -> None:
    canvas = Canvas(aspect="1:1.44", min_px=762, recommended_px=2600)
    placement = fit(Box(0, 0, 3000, 3100), canvas=canvas, fill_ratio=0.9, max_upscale_ratio=1.0)
    assert placement.canvas == Size(1806, 2600)
    left, _, right, _ = placement.subject_on_canvas
    assert (right - left) / 1806 == pytest.approx(0.9, abs=1 / 1806)


def test_fill_is_taken_along_the_side_with_the_least_room() -> None:
    assert fill_ratio_of(Size(50, 80), Size(100, 100)) == 0.8
    assert fill_ratio_of(Size(80, 81), Size(100, 200)) == 0.8
