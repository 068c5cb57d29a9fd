"""The preview of master and edit side by side is cut where it was joined, whatever the pictures show."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from packshot.colour.transform import srgb8_to_working
from packshot.export.preview import before_and_after, halves_of
from packshot.types import Pixels8

CODEC_LEVELS = 4.0
"""Mean difference that the lossy WebP may make."""


class Stripe(NamedTuple):
    start: float
    px: int
    level: int
    across: bool


stripes = st.builds(
    Stripe, st.floats(0, 1), st.integers(1, 40), st.sampled_from([126, 127, 128, 129, 0, 255]), st.booleans()
)


def striped(height: int, width: int, drawn: list[Stripe]) -> Pixels8:
    picture = np.full((height, width, 3), 200, np.uint8)
    for one in drawn:
        at = int(one.start * ((height if one.across else width) - 1))
        picture[(slice(at, at + one.px),) if one.across else (slice(None), slice(at, at + one.px))] = one.level
    return picture


@given(st.integers(24, 300), st.integers(24, 300), st.lists(stripes, min_size=1, max_size=4), st.booleans())
@example(300, 312, [Stripe(0.483, 12, 128, False)], True)  # where a joint of two squares would be, and as wide
@example(300, 312, [Stripe(0.0, 12, 128, False), Stripe(1.0, 12, 128, False)], False)
@settings(max_examples=30, deadline=None)
def test_no_stripe_of_the_product_is_taken_for_the_joint(
    height: int, width: int, drawn: list[Stripe], edited: bool
) -> None:
    picture = striped(height, width, drawn)
    edit = np.full_like(picture, 255)
    before, after = halves_of(before_and_after(srgb8_to_working(picture), srgb8_to_working(edit) if edited else None))
    assert (after is not None) is edited
    for shown, meant in ((before, picture), (after, edit)):
        if shown is not None:
            assert shown.size == (width, height)
            assert np.abs(np.asarray(shown).astype(int) - meant).mean() < CODEC_LEVELS
