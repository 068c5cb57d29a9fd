from __future__ import annotations

import numpy as np
import pytest

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import srgb_profile
from packshot.colour.transform import working_to_srgb8
from packshot.cutout import Method, compose_on_white, cut_out, given_cutout
from packshot.types import Status
from tests.packshot.cutout.conftest import (
    BACKDROPS,
    SIDE,
    DrawnNetwork,
    Photograph,
    covered,
    disc,
    photograph,
    ring,
    seen_by_network,
    sweep,
)


def farthest_edge_error_px(found: np.ndarray, radius: float) -> float:
    """The greatest distance of a found edge from a circle around the middle."""
    inside = found >= 0.5
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    away = np.hypot(y - 700, x - 700)
    return float(max(away[inside].max() - radius, radius - away[~inside].min()))


def test_the_edge_lies_where_the_photograph_has_it_not_where_the_network_says(on_each_backdrop: Photograph) -> None:
    photo = on_each_backdrop
    cutout = photo.cut
    cell_px = SIDE / 256
    assert cutout.method is Method.REFINED
    assert farthest_edge_error_px(np.kron(photo.network.prediction, np.ones((6, 6)))[:SIDE, :SIDE], 420) > cell_px / 2
    assert farthest_edge_error_px(cutout.matte, 420) < 1.5
    assert np.abs(cutout.matte - photo.matte).sum() / (2 * np.pi * 420) < 0.35  # px of error per px of outline


def test_the_backdrop_s_colour_is_gone_from_the_edge(on_each_backdrop: Photograph) -> None:
    photo = on_each_backdrop
    composite = compose_on_white(photo.pixels, photo.cut)
    edge = (photo.matte > 0.02) & (photo.matte < 0.98)
    pair = [lab_of(working_to_srgb8(picture)[edge][None], icc=srgb_profile()) for picture in (composite, photo.truth)]
    assert float(delta_e_2000(pair[0], pair[1]).mean()) < 6
    # A halo has one direction: noise averages out, a rim in the backdrop's colour does not.
    assert float(np.abs((pair[0] - pair[1]).mean(axis=(0, 1))).max()) < 2.5


def test_the_background_is_exactly_white_and_the_inside_bit_for_bit_the_photograph(
    on_each_backdrop: Photograph,
) -> None:
    photo = on_each_backdrop
    pixels = photo.pixels
    composite = compose_on_white(pixels, photo.cut)
    far_out = covered(lambda y, x: disc(y, x, radius=423)) == 0
    deep_in = covered(lambda y, x: disc(y, x, radius=414)) == 1
    assert (composite[far_out] == 65535).all()
    assert (composite[deep_in] == pixels[deep_in]).all()


def test_the_photograph_is_not_changed(on_grey: Photograph) -> None:
    pixels = on_grey.pixels
    before = pixels.copy()
    compose_on_white(pixels, cut_out(pixels, on_grey.network))
    assert (pixels == before).all()


def test_a_gap_that_the_network_filled_is_opened() -> None:
    photo = photograph("mid grey", ring).change(network=seen_by_network(covered(lambda y, x: disc(y, x, radius=420))))
    cutout = cut_out(photo.pixels, photo.network)
    gap = covered(lambda y, x: disc(y, x, radius=126)) == 1
    assert cutout.matte[gap].max() == 0


def on_white(photo: Photograph) -> Photograph:
    return photo.change(backdrop=sweep((0.9, 0.9, 0.91)))


def test_a_hole_that_is_most_of_the_product_is_opened_on_white() -> None:
    """A ring: to the network, all of it is one pale disc."""

    def band(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.maximum(disc(y, x, radius=420), -disc(y, x, radius=360))

    photo = on_white(photograph(shape=band)).change(
        network=seen_by_network(covered(lambda y, x: disc(y, x, radius=420)))
    )
    cutout = cut_out(photo.pixels, photo.network)
    assert cutout.matte[covered(lambda y, x: disc(y, x, radius=356)) == 1].max() == 0
    assert float(np.abs(cutout.matte - photo.matte).sum()) < 0.01 * float(photo.matte.sum())


def test_a_white_label_in_its_own_light_is_no_hole_on_white() -> None:
    """Nearly the backdrop's colour, but lit from the side as the product is."""
    photo = on_white(photograph())
    label = covered(lambda y, x: disc(y, x, radius=200))[..., None]
    paper = photo.backdrop * (1 + 0.06 * (np.mgrid[0:SIDE, 0:SIDE][1] - 700) / 200)[..., None]
    printed = photo.change(product=photo.product * (1 - label) + paper * label)
    cutout = cut_out(printed.pixels, printed.network)
    assert (cutout.matte[label[..., 0] > 0] == 1).all()


def test_a_dark_part_on_a_dark_backdrop_is_left_and_said_to_be_suspected() -> None:
    photo = photograph("dark")
    handle = covered(lambda y, x: disc(y, x, centre=(620, 700), radius=90))[..., None]
    painted = photo.change(product=photo.product * (1 - handle) + np.asarray(BACKDROPS["dark"]) * handle)
    cutout = cut_out(painted.pixels, photo.network)
    (finding,) = [finding for finding in cutout.findings if finding.code == "gap_suspected"]
    assert (cutout.matte[560:680, 640:760] == 1).all()
    assert finding.box is not None
    assert finding.box.left <= 700 <= finding.box.right
    assert finding.box.top <= 620 <= finding.box.bottom


def test_a_part_that_the_network_missed_is_found() -> None:
    def with_strap(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        strap = np.maximum(np.abs(x - 700) - 12, np.abs(y - 220) - 120)
        return np.minimum(disc(y, x, radius=400), strap)

    photo = photograph("light grey", with_strap)
    blind = seen_by_network(covered(lambda y, x: disc(y, x, radius=400)))
    cutout = cut_out(photo.pixels, blind)
    assert cutout.matte[120:280, 694:706].min() > 0.9
    assert cutout.matte[120:280, 720:760].max() == 0


def test_a_contact_shadow_goes() -> None:
    photo = photograph("light grey")
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    shade = 1 - 0.45 * np.exp(-(((x - 700) / 330.0) ** 2) - ((y - 1100) / 60.0) ** 2)
    cutout = cut_out(photo.change(backdrop=photo.backdrop * shade[..., None]).pixels, photo.network)
    below = (photo.matte == 0) & (y > 1125)
    assert cutout.matte[below].max() == 0
    assert farthest_edge_error_px(cutout.matte, 420) < 3


def test_a_rough_backdrop_is_left_to_the_network_and_said_to_be_rough(on_grey: Photograph) -> None:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    planks = np.where((x // 40 + y // 90) % 2 == 0, 0.4, 1.4)[..., None]
    cutout = cut_out(on_grey.change(backdrop=on_grey.backdrop * planks).pixels, on_grey.network)
    assert cutout.method is Method.NETWORK_ONLY
    assert not cutout.backdrop.smooth
    assert [finding.code for finding in cutout.findings] == ["backdrop_not_smooth"]


def test_a_photograph_without_a_product_fails_and_does_not_crash(on_grey: Photograph) -> None:
    pixels = on_grey.change(matte=np.zeros((SIDE, SIDE), np.float32)).pixels
    cutout = cut_out(pixels, DrawnNetwork(np.full((256, 256), 0.01, np.float32)))
    (finding,) = cutout.findings
    assert (finding.code, finding.status, finding.gate) == ("empty_mask", Status.FAILED, True)
    assert cutout.matte.max() == 0
    assert (compose_on_white(pixels, cutout) == 65535).all()


def test_a_product_that_fills_the_photograph_does_not_crash(on_grey: Photograph) -> None:
    full = np.ones((SIDE, SIDE), np.float32)
    cutout = cut_out(on_grey.change(matte=full).pixels, DrawnNetwork(np.ones((256, 256), np.float32)))
    assert cutout.matte.min() == 1


def test_a_backdrop_that_is_white_already_is_said_to_be(on_grey: Photograph) -> None:
    white = on_grey.change(backdrop=np.ones((SIDE, SIDE, 3)), noise=0.0)
    assert cut_out(white.pixels, on_grey.network).backdrop.already_white
    assert not cut_out(on_grey.pixels, on_grey.network).backdrop.already_white


def test_the_same_photograph_gives_the_same_cut_out(on_grey: Photograph) -> None:
    one, other = (cut_out(on_grey.pixels, on_grey.network) for _ in range(2))
    assert (one.matte == other.matte).all()
    assert (one.foreground.colours == other.foreground.colours).all()


def test_somebody_else_s_matte_is_taken_as_it_is(on_grey: Photograph) -> None:
    cutout = given_cutout(on_grey.truth, on_grey.matte)
    assert cutout.method is Method.GIVEN
    assert (cutout.matte == on_grey.matte).all()


def test_no_network_s_matte_is_called_somebody_else_s(on_grey: Photograph) -> None:
    with pytest.raises(ValueError, match="given_cutout"):
        cut_out(on_grey.pixels, on_grey.network, method=Method.GIVEN)


def test_odd_shapes_are_cut_out_too() -> None:
    for rows, columns in ((1000, 2501), (2501, 1000), (1001, 1003)):
        matte = np.zeros((rows, columns), np.float32)
        matte[rows // 4 : 3 * rows // 4, columns // 4 : 3 * columns // 4] = 1
        light = np.where(matte[..., None] > 0, np.array([0.5, 0.2, 0.1]), np.array([0.3, 0.3, 0.3]))
        pixels = np.rint(light ** (256 / 563) * 65535).astype(np.uint16)
        cutout = cut_out(pixels, seen_by_network(matte, shift=0))
        assert cutout.matte.shape == (rows, columns)
        assert np.abs(cutout.matte - matte).mean() < 0.002


def test_backdrops_of_the_tests_are_what_they_claim() -> None:
    for colour in BACKDROPS.values():
        assert sweep(colour).min() > 0


def test_the_edge_is_as_narrow_as_the_photograph_s_own() -> None:
    """A retouched or downsized photograph has edges of half a pixel; a wider matte leaves a rim of the backdrop."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    matte = np.clip(0.5 - disc(y, x, radius=420), 0, 1).astype(np.float32)
    photo = photograph("dark").change(matte=matte, network=seen_by_network(matte))
    found = cut_out(photo.pixels, photo.network).matte
    soft, wanted = (float((one * (1 - one)).sum()) for one in (found, matte))
    assert wanted / 1.1 < soft < 1.6 * wanted
