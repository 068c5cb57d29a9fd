"""How much of a product's rim is nearly as pale as the backdrop beside it."""

from __future__ import annotations

import numpy as np
import pytest

from packshot.routing.pale_rim import pale_rim
from packshot.types import Matte, Pixels16


def photograph(*, side: int, upper: int, lower: int, backdrop: int) -> tuple[Pixels16, Matte]:
    """A square whose upper and lower half have a level each, on an even backdrop; levels of 8 bits."""
    levels = np.full((side, side, 3), backdrop, np.uint16)
    inner = slice(side // 4, 3 * side // 4)
    levels[inner, inner] = upper
    levels[side // 2 : 3 * side // 4, inner] = lower
    matte = np.zeros((side, side), np.float32)
    matte[inner, inner] = 1
    return levels * np.uint16(257), matte


@pytest.mark.parametrize("side", [400, 1600])
def test_half_a_rim_in_nearly_the_backdrops_colour_counts_half(side: int) -> None:
    pixels, matte = photograph(side=side, upper=60, lower=225, backdrop=250)
    assert pale_rim(pixels, matte) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("upper", "backdrop"), [(60, 250), (60, 80)], ids=["dark on pale", "dark on a backdrop as dark"]
)
def test_a_dark_rim_is_not_pale(upper: int, backdrop: int) -> None:
    pixels, matte = photograph(side=400, upper=upper, lower=upper, backdrop=backdrop)
    assert pale_rim(pixels, matte) == 0


def test_a_matte_without_a_rim_has_no_pale_rim() -> None:
    pixels, matte = photograph(side=400, upper=225, lower=225, backdrop=250)
    assert pale_rim(pixels, np.zeros_like(matte)) == 0
    assert pale_rim(pixels, np.ones_like(matte)) == 0
