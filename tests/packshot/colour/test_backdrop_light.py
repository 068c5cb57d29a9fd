import numpy as np
import pytest

from packshot.colour.backdrop_light import measure_backdrop
from packshot.colour.spaces import encode_working
from packshot.colour.transform import srgb8_to_working
from tests import drawn_products


def scene(light=0.5, *, fall=0.0, product=(0.4, 0.05, 0.05), reach=(0.3, 0.7)):
    rows = columns = 300
    across = np.linspace(0, 1, columns)
    picture = np.repeat((light * 2 ** (fall * across))[None, :, None], rows, axis=0) * np.ones(3)
    top, bottom = (int(rows * part) for part in reach)
    picture[top:bottom, top:bottom] = product
    return encode_working(picture.astype(np.float32))


def test_the_backdrop_of_a_drawn_photograph_is_its_own_colour():
    reading = measure_backdrop(srgb8_to_working(drawn_products.pixels()))
    assert reading is not None
    assert reading.lab[0] == pytest.approx(67, abs=2.5)
    assert max(abs(reading.lab[1]), abs(reading.lab[2])) < 1.5
    assert reading.share > 0.95
    assert reading.tells_light


def test_a_product_that_reaches_the_border_does_not_change_it():
    plain, reached = measure_backdrop(scene()), measure_backdrop(scene(reach=(0.3, 1.0)))
    assert plain is not None
    assert reached is not None
    assert reached.lab == pytest.approx(plain.lab, abs=0.05)
    assert reached.share < 0.95


def test_where_no_colour_fills_half_of_the_border_there_is_no_backdrop():
    noise = np.random.default_rng(1).integers(0, 2, (12, 12, 3)).repeat(25, axis=0).repeat(25, axis=1)
    assert measure_backdrop((noise * 60000).astype(np.uint16)) is None


def test_a_blown_backdrop_tells_nothing_of_the_light():
    reading = measure_backdrop(scene(light=1.2))
    assert reading is not None
    assert reading.clipped == 1
    assert not reading.tells_light


def test_the_fall_off_from_side_to_side_is_measured_in_stops():
    reading = measure_backdrop(scene(light=0.3, fall=0.5))
    assert reading is not None
    assert reading.left_right == pytest.approx(0.48, abs=0.03)
    assert reading.bottom_top == pytest.approx(0, abs=0.01)
