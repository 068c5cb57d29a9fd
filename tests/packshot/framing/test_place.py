from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.colour.spaces import decode_working, encode_working
from packshot.framing.fit import Placement, fit
from packshot.framing.place import place
from packshot.framing.subject import subject_box
from packshot.specs.models import Canvas
from packshot.types import Box, FloatImage, Matte, Pixels16, Size, size_of

WHITE = 65535


def drawn(width: int, height: int, subject: Box, *, seed: int = 0) -> tuple[Pixels16, Matte]:
    """A textured product with a soft outline, composited on white in linear light."""
    matte = np.zeros((height, width), np.float32)
    matte[subject.top : subject.bottom, subject.left : subject.right] = 0.3
    matte[subject.top + 1 : subject.bottom - 1, subject.left + 1 : subject.right - 1] = 1
    texture = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32) * 0.6
    linear: FloatImage = texture * matte[..., None] + (1 - matte[..., None])
    return encode_working(linear), matte


@settings(max_examples=40, deadline=None)
@given(
    st.integers(20, 260),
    st.integers(20, 260),
    st.integers(60, 700),
    st.sampled_from(("1:1", "4:5", None)),
    st.integers(0, 5),
)
def test_white_stays_exactly_white_wherever_the_product_is_not(
    width: int, height: int, longest: int, aspect: str | None, seed: int
) -> None:
    composite, matte = drawn(300, 280, Box(10, 15, 10 + width, 15 + height), seed=seed)
    canvas = Canvas(aspect=aspect, min_px=10, recommended_px=longest)
    placement = fit(subject_box(matte, threshold=0.2), canvas=canvas, fill_ratio=0.85, max_upscale_ratio=2.0)
    framed = place(composite, matte, placement)
    assert size_of(framed.pixels) == placement.canvas
    assert size_of(framed.matte) == placement.canvas
    assert (framed.pixels[framed.matte == 0] == WHITE).all()
    assert (framed.matte == 0).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(60, 260))
def test_white_stays_exactly_white_between_hairs_and_specks(seed: int, longest: int) -> None:
    """The hardest matte there is: single pixels of any coverage, anywhere; reduced and enlarged."""
    random = np.random.default_rng(seed)
    matte = (random.random((120, 120)) * (random.random((120, 120)) < 0.05)).astype(np.float32)
    linear = 1 - matte[..., None] * random.random((120, 120, 3)).astype(np.float32)
    placement = Placement(window=Box(0, 0, 120, 120), canvas=Size(longest, longest), subject=Box(0, 0, 120, 120))
    framed = place(encode_working(linear), matte, placement)
    assert (framed.pixels[framed.matte == 0] == WHITE).all()


def test_the_product_comes_to_stand_where_the_placement_says() -> None:
    composite, matte = drawn(1600, 1200, Box(300, 200, 1500, 1000))
    canvas = Canvas(aspect="1:1", min_px=10, recommended_px=700)
    placement = fit(subject_box(matte), canvas=canvas, fill_ratio=0.85, max_upscale_ratio=1.0)
    found = subject_box(place(composite, matte, placement).matte)
    assert np.abs(np.array(found) - np.array(placement.subject_on_canvas)).max() <= 1


def test_at_full_resolution_the_pixels_are_the_same_bit_for_bit() -> None:
    subject = Box(30, 40, 370, 260)
    composite, matte = drawn(410, 300, subject)
    placement = fit(subject, canvas=Canvas(min_px=10), fill_ratio=0.85, max_upscale_ratio=1.0)
    framed = place(composite, matte, placement)
    assert placement.window == Box(0, 10, 400, 290)
    assert np.array_equal(framed.pixels, composite[10:290, :400])
    assert np.array_equal(framed.matte, matte[10:290, :400])


def test_beyond_the_picture_it_is_white() -> None:
    composite = np.zeros((100, 100, 3), np.uint16)
    matte = np.ones((100, 100), np.float32)
    placement = fit(
        Box(0, 0, 100, 100), canvas=Canvas(min_px=10, recommended_px=80), fill_ratio=0.5, max_upscale_ratio=1
    )
    framed = place(composite, matte, placement)
    assert (framed.pixels[:20] == WHITE).all()
    assert (framed.pixels[:, -20:] == WHITE).all()
    assert framed.pixels[40, 40].tolist() == [0, 0, 0]


def test_light_is_averaged_not_its_code_values() -> None:
    """A chequered black and white reflects half the light: 0.5 in linear light, not half the code value."""
    chequered = (np.indices((200, 200)).sum(axis=0) % 2 * WHITE).astype(np.uint16)
    composite = np.repeat(chequered[..., None], 3, axis=2)
    placement = Placement(window=Box(0, 0, 200, 200), canvas=Size(100, 100), subject=Box(0, 0, 200, 200))
    framed = place(composite, np.ones((200, 200), np.float32), placement)
    assert decode_working(framed.pixels) == pytest.approx(0.5, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(90, 400))
def test_resampling_rings_neither_in_the_white_nor_in_the_product(longest: int) -> None:
    """A flat dark product on white: no value lies outside those two, no row is lighter or darker along an edge."""
    composite = np.full((200, 200, 3), WHITE, np.uint16)
    composite[50:150, 40:160] = 9000
    matte = (composite[..., 0] < WHITE).astype(np.float32)
    canvas = Canvas(aspect="1:1", min_px=10, recommended_px=longest)
    placement = fit(subject_box(matte), canvas=canvas, fill_ratio=0.85, max_upscale_ratio=2.0)
    framed = place(composite, matte, placement)
    middle = framed.pixels[placement.canvas.height // 2, :, 0].astype(int)
    half = middle[: len(middle) // 2]
    assert middle.min() >= 8999
    assert (np.diff(half) <= 1).all()


def test_strips_leave_no_seams() -> None:
    ramp = np.repeat(np.linspace(10_000, 60_000, 1000).astype(np.uint16)[:, None], 500, axis=1)
    composite = np.repeat(ramp[..., None], 3, axis=2)
    placement = Placement(window=Box(0, 0, 500, 1000), canvas=Size(250, 500), subject=Box(0, 0, 500, 1000))
    column = place(composite, np.ones((1000, 500), np.float32), placement).pixels[:, 100, 0].astype(int)
    assert np.abs(np.diff(column, n=2)).max() <= 3


def test_the_caller_s_arrays_stay_as_they_were() -> None:
    composite, matte = drawn(200, 200, Box(20, 20, 180, 180))
    before = composite.copy(), matte.copy()
    place(composite, matte, Placement(window=Box(0, 0, 200, 200), canvas=Size(90, 90), subject=Box(20, 20, 180, 180)))
    assert np.array_equal(composite, before[0])
    assert np.array_equal(matte, before[1])
