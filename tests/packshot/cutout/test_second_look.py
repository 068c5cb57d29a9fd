"""The second look at the settled outline: what the colours kept against the network, and what must stay."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from packshot.cutout import cut_out
from packshot.cutout.second_look import overreach
from packshot.types import Mask, Matte, Pixels16
from tests.packshot.cutout.conftest import SIDE, DrawnNetwork, photograph

WHITE = (250.0, 250.0, 250.0)
DARK = (60.0, 40.0, 35.0)


@dataclasses.dataclass
class Twin:
    """A small drawn copy with its settled outline and the network's word, 120 x 160 px: a dark box on white."""

    levels: np.ndarray
    kept: Mask
    probability: Matte

    @classmethod
    def box(cls) -> Twin:
        levels = np.full((120, 160, 3), WHITE, np.float32)
        kept = np.zeros((120, 160), bool)
        kept[20:90, 30:130] = True
        levels[kept] = DARK
        return cls(levels, kept, np.where(kept, np.float32(0.99), np.float32(0.01)))

    def wrong(self) -> Mask:
        """What the second look finds, in the picture as a lens blurs it."""
        seen = cv2.GaussianBlur(self.levels, (0, 0), 0.6)
        pixels: Pixels16 = np.rint(seen * 257).astype(np.uint16)
        surface = np.full(self.levels.shape, WHITE, np.float32)
        return overreach(pixels, self.kept, self.probability, surface, noise=0.5)


@pytest.mark.parametrize("depth", [0.1, 0.3, 0.5, 0.75])
@pytest.mark.parametrize("tint", [(1, 1, 1), (1, 0.85, 0.7), (0.7, 0.86, 1)])
def test_a_shadow_under_the_product_is_found_however_deep_and_tinted(depth: float, tint: tuple[float, ...]) -> None:
    twin = Twin.box()
    y = np.mgrid[:120, :160][0].astype(np.float32)
    fade = np.clip((y - 90) / 26, 0, 1)[..., None]
    shaded = (depth + (1 - depth) * fade) * np.array(WHITE) * (np.array(tint) + (1 - np.array(tint)) * fade)
    floor = (y >= 90) & (y < 116)
    floor[:, :30] = floor[:, 130:] = False
    twin.levels[floor] = shaded[floor]
    kept = floor & (y < 105)
    twin.kept |= kept
    twin.probability[kept] = 0.1
    wrong = twin.wrong()
    assert wrong[92:104, 40:120].mean() > 0.95
    assert not wrong[20:89].any()


def test_a_part_with_a_sharp_end_stays_whatever_the_network_says() -> None:
    twin = Twin.box()
    twin.levels[90:110, 70:90] = (170.0, 150.0, 140.0)
    twin.kept[90:110, 70:90] = True
    twin.probability[90:110, 70:90] = 0.02
    assert not twin.wrong().any()


def test_a_place_inside_the_product_stays_where_no_outside_is_seen() -> None:
    twin = Twin.box()
    twin.probability[40:70, 60:100] = 0.05
    assert not twin.wrong().any()


@pytest.mark.parametrize("probability", [0.1, 0.45])
def test_a_wedge_of_backdrop_in_a_corner_is_found_where_the_network_leans_that_way(probability: float) -> None:
    twin = Twin.box()
    twin.levels[84:90, 40:52] = WHITE
    twin.probability[84:90, 40:52] = probability
    assert twin.wrong()[85:89, 42:50].all()


def test_a_white_part_on_white_stays_where_the_network_is_for_it() -> None:
    twin = Twin.box()
    twin.levels[80:90, 30:130] = WHITE
    twin.probability[80:90, 30:130] = 0.7
    assert not twin.wrong().any()


def test_a_white_part_that_fades_into_the_product_stays_even_where_the_network_doubts() -> None:
    twin = Twin.box()
    y = np.mgrid[:120, :160][0].astype(np.float32)
    share = np.clip((y - 50) / 40, 0, 1)[..., None]
    body = twin.kept.copy()
    twin.levels[body] = ((1 - share) * np.array(DARK) + share * np.array(WHITE))[body]
    twin.probability[80:90, 30:130] = 0.45
    assert not twin.wrong()[:85].any()


def test_the_fine_word_of_a_network_that_agrees_changes_nothing() -> None:
    assert not Twin.box().wrong().any()


@pytest.mark.parametrize("backdrop", ["light grey", "coloured"])
def test_a_deep_and_tinted_shadow_under_a_product_is_cut_off(backdrop: str) -> None:
    photo = photograph(backdrop)
    shaded = photo.change(backdrop=photo.backdrop * shadow(depth=0.9))
    cutout = cut_out(shaded.pixels, photo.network)
    below = photo.matte == 0
    below[:1125] = False
    assert cutout.matte[below].max() == 0
    assert (cutout.matte[photo.matte == 1] < 0.5).mean() < 0.001


def test_far_from_what_it_takes_back_the_second_look_changes_nothing() -> None:
    photo = photograph("light grey")
    shaded = photo.backdrop * shadow(depth=0.6)
    grey = np.broadcast_to(shaded[1125, 700], photo.product.shape)
    vague = photo.network.prediction.copy()
    vague[160:178, 100:150] = 0.45
    cutout = cut_out(photo.change(product=grey, backdrop=shaded).pixels, DrawnNetwork(vague))
    assert cutout.matte[880:970, 560:810].min() == 1


def shadow(*, depth: float) -> np.ndarray:
    """The light that a tinted contact shadow leaves at the foot of a disc of radius 420."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    soft = depth * np.exp(-(((x - 700) / 330.0) ** 2) - ((y - 1110) / 50.0) ** 2)
    return 1 - soft[..., None] * np.array((1, 0.8, 0.65))


def test_a_bit_of_floor_that_chrome_mirrors_stays_and_is_measured_in_pixels_of_a_picture_1000_px_long() -> None:
    twin = Twin.box()
    y = np.mgrid[:120, :160][0].astype(np.float32)
    bit = np.zeros(twin.kept.shape, bool)
    bit[90:94, 60:64] = True
    mirrored = DARK + (np.array(WHITE) - DARK) * np.clip((y - 90) / 20, 0, 1)[..., None]
    twin.levels[90:110, 50:74] = mirrored[90:110, 50:74]
    twin.kept |= bit
    twin.probability[bit] = 0.1
    assert not twin.wrong().any()
    large = Twin(*(np.kron(part, np.ones((2, 2, 1)[: part.ndim], part.dtype)) for part in dataclasses.astuple(twin)))
    assert large.wrong().any()
