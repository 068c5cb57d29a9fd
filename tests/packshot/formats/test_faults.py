"""Files that other programs wrote and that were read wrongly once: what is right for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from packshot.errors import BadProfileError
from packshot.ingest.decode import Photo, open_photo
from packshot.specs.models import IngestConfig

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "faults"
LIMITS = IngestConfig(min_px=1000)


def opened(name: str) -> Photo:
    return open_photo((FOLDER / name).read_bytes(), name=name, limits=LIMITS)


@pytest.mark.parametrize(
    ("name", "size", "profile", "finding"),
    [
        ("avif_clap.avif", (1040, 1000), "sRGB", ""),
        ("heic_primary_is_second.heic", (1100, 1100), "sRGB", "first_frame_only"),
        ("png_cicp_p3_over_iccp.png", (900, 1100), "Display P3", ""),
        ("png_exif_raw_profile.png", (1100, 900), "sRGB", ""),
        ("png_exif_with_prefix.png", (1100, 900), "sRGB", ""),
        ("tiff_rgba_no_extrasamples.tif", (1100, 1100), "sRGB", "extra_channels_ignored"),
        ("tiff_thumbnail_first.tif", (1100, 1100), "sRGB", ""),
    ],
)
def test_a_file_is_read_as_its_format_says(name, size, profile, finding):
    photo = opened(name)
    assert photo.size == size
    assert photo.profile_name.startswith(profile)
    assert not finding or finding in [one.code for one in photo.findings]


@pytest.mark.parametrize("name", ["avif_pq.avif", "png_cicp_pq_and_srgb.png"])
def test_an_hdr_picture_is_refused_by_name(name):
    with pytest.raises(BadProfileError, match=r"HDR picture.*PQ"):
        opened(name)


def test_the_main_picture_of_a_heic_is_not_the_first():
    photo = opened("heic_primary_is_second.heic")
    assert "its main picture" in next(one.message for one in photo.findings if one.code == "first_frame_only")
