import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.colour.difference import delta_e_2000
from packshot.colour.profile import ColourModel, check_profile, colour_model, matrix_profile, profile_name
from packshot.colour.spaces import srgb_profile, working_profile
from packshot.colour.transform import convert
from packshot.errors import BadProfileError
from tests.shared_data import shared_data


def test_our_own_profiles_are_believed():
    check_profile(working_profile(), model=ColourModel.RGB, subject="a")
    check_profile(srgb_profile(), model=ColourModel.RGB, subject="a")


@pytest.mark.parametrize(
    ("icc", "found"),
    [
        (b"", "less than a header"),
        (bytes(500), "no ICC signature"),
        (srgb_profile()[:1000], "1000 of 2560 bytes"),
        (srgb_profile()[:12] + b"link" + srgb_profile()[16:], "class"),
        (srgb_profile()[:16] + b"CMYK" + srgb_profile()[20:], "CMYK"),
    ],
)
def test_what_is_wrong_with_a_profile_is_named(icc, found):
    with pytest.raises(BadProfileError, match=found):
        check_profile(icc, model=ColourModel.RGB, subject="a.jpg")


def test_a_profile_that_makes_white_dark_is_absurd():
    icc = bytearray(srgb_profile())
    for name in (b"rXYZ", b"gXYZ", b"bXYZ"):
        at = icc.index(name)
        offset = int.from_bytes(icc[at + 4 : at + 8], "big")
        icc[offset + 8 : offset + 20] = bytes(12)
    with pytest.raises(BadProfileError, match=r"white at L\* 0"):
        check_profile(bytes(icc), model=ColourModel.RGB, subject="a.jpg")


def test_a_profile_of_another_model_is_refused():
    with pytest.raises(BadProfileError, match="RGB"):
        check_profile(srgb_profile(), model=ColourModel.GREY, subject="a.jpg")


def profiles():
    return sorted(shared_data("icc", "profiles").rglob("*.icc"))


def test_matrix_profiles_agree_with_the_colour_engine():
    """Our own arithmetic against Little CMS's floating point, over every RGB profile of curves and a matrix."""
    colours = np.random.default_rng(4).integers(2000, 65536, (12, 12, 3), dtype=np.uint16)
    compared = 0
    for path in profiles():
        icc = path.read_bytes()
        matrix = matrix_profile(icc)
        if matrix is None:
            continue
        linear = np.stack([matrix.curves[colours[..., n], n] for n in range(3)], axis=2)
        xyz = linear @ matrix.to_pcs.T / np.array([0.9642, 1, 0.8249])
        f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
        lab = np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=2)
        engine = imagecodecs.cms_transform(
            colours,
            icc,
            imagecodecs.cms_profile("lab4"),
            colorspace="rgb",
            outcolorspace="lab",
            outdtype="float32",
            intent=1,
            flags=256,
        )
        assert np.percentile(delta_e_2000(lab, engine), 95) < 0.3, path.name
        compared += 1
    assert compared >= 60


def test_every_real_profile_is_believed_or_refused_with_a_reason():
    for path in profiles():
        icc = path.read_bytes()
        model = colour_model(icc)
        assert profile_name(icc), path.name
        if model is None:
            continue
        try:
            check_profile(icc, model=model, subject=path.name)
        except BadProfileError as error:
            assert error.found  # noqa: PT017 - either outcome is right
            continue
        if model is ColourModel.RGB:
            white = convert(np.full((1, 1, 3), 65535, np.uint16), source=icc, target=working_profile(), bit_depth=16)
            assert white.min() >= 65500, f"{path.name}: white stays white"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(srgb_profile()) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_damaged_profiles_are_believed_or_refused_never_fatal(hits):
    icc = bytearray(srgb_profile())
    for place, value in hits:
        icc[place] = value
    try:
        check_profile(bytes(icc), model=ColourModel.RGB, subject="a")
        convert(np.zeros((2, 2, 3), np.uint8), source=bytes(icc), target=working_profile(), bit_depth=16)
    except BadProfileError as error:
        assert error.found  # noqa: PT017 - either outcome is right
    assert isinstance(profile_name(bytes(icc)), str)
