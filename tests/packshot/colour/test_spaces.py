import io

import numpy as np
import pytest
from PIL import ImageCms

from packshot.colour.spaces import (
    display_p3_profile,
    srgb_decode,
    srgb_encode,
    srgb_profile,
    srgb_to_pcs,
    working_profile,
    working_to_pcs,
)
from tests.shared_data import shared_data


def opened(icc):
    return ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile


def test_the_working_space_has_the_published_colorants():
    # Adobe RGB (1998) Color Image Encoding, table of D50-adapted colorants.
    published = [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
    assert np.allclose(working_to_pcs(), published, atol=3e-5)


def test_srgb_has_the_published_colorants():
    # IEC 61966-2-1 adapted to D50 by Bradford, as in the ICC's own sRGB profile.
    published = [[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7139]]
    assert np.allclose(srgb_to_pcs(), published, atol=1e-4)


@pytest.mark.parametrize("matrix", [working_to_pcs, srgb_to_pcs])
def test_white_is_exactly_the_connection_space_white(matrix):
    assert np.round(matrix().sum(axis=1) * 65536).tolist() == [round(v * 65536) for v in (0.9642, 1.0, 0.8249)]


@pytest.mark.parametrize(
    ("profile", "name"),
    [(working_profile, "Adobe RGB (1998) compatible"), (srgb_profile, "sRGB"), (display_p3_profile, "Display P3")],
)
def test_profiles_open_elsewhere_with_their_names(profile, name):
    found = opened(profile())
    assert name in found.profile_description
    assert found.version == pytest.approx(2.1)
    assert found.is_matrix_shaper


def test_profiles_are_the_same_bytes_every_time_and_small():
    working_profile.cache_clear()
    assert working_profile() == working_profile.__wrapped__()
    assert len(working_profile()) < 600
    assert len(srgb_profile()) < 3000


def test_srgb_curves_are_inverse():
    values = np.linspace(0, 1, 1001)
    assert np.allclose(srgb_encode(srgb_decode(values)), values, atol=1e-7)


@pytest.mark.parametrize(("file", "profile"), [("AdobeRGB1998.icc", working_profile), ("sRGB.icc", srgb_profile)])
def test_our_profiles_agree_with_independent_ones(file, profile):
    theirs, ours = opened(shared_data("icc", "profiles", "colord-data", file).read_bytes()), opened(profile())
    for name in ("red_colorant", "green_colorant", "blue_colorant"):
        assert np.allclose(getattr(theirs, name)[0], getattr(ours, name)[0], atol=5e-4)
