import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import srgb_profile, working_profile
from packshot.colour.transform import srgb8_to_working

# Sharma, Wu, Dalal (2005), table 1: L, a, b of both colours and the published difference.
PUBLISHED_PAIRS = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def published() -> np.ndarray:
    return np.array([[float(word) for word in line.split()] for line in PUBLISHED_PAIRS.strip().splitlines()])


def test_the_34_published_pairs_come_out_as_published() -> None:
    table = published()
    assert len(table) == 34
    assert np.abs(delta_e_2000(table[:, :3], table[:, 3:6]) - table[:, 6]).max() < 1e-4


def test_the_published_pairs_are_symmetric() -> None:
    table = published()
    assert np.allclose(delta_e_2000(table[:, 3:6], table[:, :3]), table[:, 6], atol=1e-4)


@given(st.tuples(st.floats(0, 100), st.floats(-120, 120), st.floats(-120, 120)))
def test_a_colour_does_not_differ_from_itself(lab: tuple[float, float, float]) -> None:
    assert delta_e_2000(np.array(lab), np.array(lab)) == 0


def test_lab_of_srgb_white_black_and_red() -> None:
    pixels = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], np.uint8)
    lab = lab_of(pixels, icc=srgb_profile())[0]
    assert lab[0] == pytest.approx([100, 0, 0], abs=0.01)
    assert lab[1] == pytest.approx([0, 0, 0], abs=0.01)
    # Red of sRGB adapted to D50 by Bradford, as published by Lindbloom.
    assert lab[2] == pytest.approx([54.29, 80.81, 69.89], abs=0.05)


def test_the_master_has_the_colours_of_the_original() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    before = lab_of(pixels, icc=srgb_profile())
    after = lab_of(srgb8_to_working(pixels), icc=working_profile())
    assert delta_e_2000(before, after).max() < 0.05
