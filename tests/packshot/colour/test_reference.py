import numpy as np
import pytest

from packshot.colour.reference import main_colours, nearest_delta_e, parse_reference, swatch_colour
from packshot.colour.transform import srgb8_to_working
from tests import drawn_products

RED, BLUE = (180, 40, 45), (30, 60, 140)


def two_coloured(share=0.5, *, shade=0.25):
    rows = columns = 480
    picture = np.empty((rows, columns, 3))
    edge = int(columns * share)
    picture[:, :edge], picture[:, edge:] = RED, BLUE
    light = 1 - shade * np.linspace(0, 1, rows)[:, None, None]
    matte = np.zeros((rows, columns), np.float32)
    matte[40:-40, 40:-40] = 1
    white = np.where(matte[..., None] > 0, picture * light, 255)
    return white.astype(np.uint8), matte


@pytest.mark.parametrize(
    "text",
    ["Lab 41.2 58 33", "lab(41.2, 58, 33)", "CIE L*a*b*: 41,2 58 33", "L=41.2 a=58 b=33", "L*41.2; a*58; b*33"],
)
def test_a_colour_may_be_stated_in_lab(text):
    reference = parse_reference(text)
    assert reference is not None
    assert reference.lab == (41.2, 58, 33)


@pytest.mark.parametrize("text", ["#B4282D", "b4282d", "hex #B4282D"])
def test_a_colour_may_be_stated_in_hex(text):
    reference = parse_reference(text)
    assert reference is not None
    assert reference.lab == pytest.approx((39.8, 55.4, 34.0), abs=1.5)


@pytest.mark.parametrize("text", ["", "red", "swatch.jpg", "#12", "Lab 141 58 33", "Lab 41 580 33", "lab 41 58"])
def test_what_is_no_colour_is_none(text):
    assert parse_reference(text) is None


def test_the_main_colours_are_found_with_their_shares_whatever_the_shading():
    colours = main_colours(*two_coloured(0.65))
    reference = parse_reference("#B4282D"), parse_reference("#1E3C8C")
    assert colours[0].share > colours[-1].share
    assert nearest_delta_e(colours, reference[0]) < 7
    assert nearest_delta_e(colours, reference[1]) < 7
    assert nearest_delta_e(main_colours(*two_coloured(shade=0.0)), reference[0]) < 0.3


def test_the_second_colour_of_a_product_may_be_the_one_that_is_stated():
    wanted, wrong = parse_reference("#1E3C8C"), parse_reference("#1E8C3C")
    colours = main_colours(*two_coloured(0.7, shade=0))
    assert nearest_delta_e(colours, wanted) < 0.3
    assert nearest_delta_e(colours, wrong) > 20


def test_a_product_without_an_inside_has_no_main_colour():
    picture, matte = two_coloured()
    assert main_colours(picture, np.zeros_like(matte)) == ()
    assert main_colours(picture[:5, :5], matte[:5, :5]) == ()


def test_a_photographed_swatch_has_the_colour_of_its_middle():
    swatch = np.full((300, 300, 3), RED, np.uint8)
    colour = swatch_colour(srgb8_to_working(swatch))
    assert colour is not None
    assert swatch_colour(srgb8_to_working(drawn_products.pixels())) is not None
    assert swatch_colour(srgb8_to_working(two_coloured()[0])) is None
