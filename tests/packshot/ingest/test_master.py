import dataclasses
import datetime
import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.profile import profile_name
from packshot.colour.spaces import decode_working, display_p3_profile, profile_of_figures, srgb_profile, working_profile
from packshot.colour.transform import working_to_srgb8
from packshot.errors import BadProfileError, UnreadableError
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop, lay_on_white, read_master, write_master
from packshot.ingest.metadata import Metadata
from packshot.specs.models import ProfilePolicy
from tests.shared_data import shared_data

REC_2020 = (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)


def png(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


def developed(data, limits):
    return develop(open_photo(data, name="a", limits=limits))


def test_8_bit_srgb_comes_back_from_the_master_unchanged(picture, limits):
    master = developed(png(picture), limits)
    assert master.pixels16.dtype == np.uint16
    assert (working_to_srgb8(read_master(write_master(master))) == picture).all()


def test_16_bits_stay_16_bits_from_file_to_master(picture16, limits, tiff):
    master = developed(tiff(picture16, iccprofile=working_profile()), limits)
    assert (read_master(write_master(master)) == picture16).all()


def test_16_bit_srgb_keeps_its_fine_steps(limits, tiff):
    ramp = np.repeat(np.arange(20_000, 24_096, dtype=np.uint16).reshape(64, 64)[..., None], 3, axis=2)
    master = developed(tiff(ramp, iccprofile=srgb_profile()), limits)
    steps = np.unique(master.pixels16)
    assert len(steps) == steps[-1] - steps[0] + 1, "every value between the darkest and the lightest is there"


def test_display_p3_keeps_its_colours(picture, limits):
    data = png(picture, icc_profile=display_p3_profile())
    master = developed(data, limits)
    before, after = lab_of(picture, icc=display_p3_profile()), lab_of(master.pixels16, icc=working_profile())
    inside = ((master.pixels16 > 0) & (master.pixels16 < 65535)).all(axis=2)  # the rest was clipped to the gamut
    assert inside.mean() > 0.5
    assert delta_e_2000(before, after)[inside].max() < 0.1
    assert master.transform.source == "Display P3 compatible"


def test_grey_pictures_stay_neutral(picture, limits):
    master = developed(png(np.ascontiguousarray(picture[..., 0])), limits)
    assert (np.ptp(master.pixels16.astype(int), axis=2) <= 1).all()
    assert (working_to_srgb8(master.pixels16)[..., 0] == picture[..., 0]).all()


def test_transparent_pictures_are_laid_on_exact_white(picture, limits):
    alpha = np.zeros(picture.shape[:2], np.uint8)
    alpha[20:40, 20:60] = 255
    master = developed(png(np.dstack([picture, alpha])), limits)
    assert (master.pixels16[alpha == 0] == 65535).all()
    assert (working_to_srgb8(master.pixels16)[alpha == 255] == picture[alpha == 255]).all()
    assert master.alpha is not None
    assert "transparency" in [finding.code for finding in master.findings]


def test_half_covered_pixels_mix_in_linear_light():
    black = np.zeros((1, 1, 3), np.uint16)
    laid = lay_on_white(black, np.full((1, 1), 0.5, np.float32))
    assert decode_working(laid)[0, 0, 0] == pytest.approx(0.5, abs=1e-4)


def test_cmyk_without_profile_is_mixed_plainly_and_noted(limits):
    ink = np.zeros((30, 30, 4), np.uint8)
    ink[..., 0] = 255
    stream = io.BytesIO()
    Image.fromarray(ink, "CMYK").save(stream, "TIFF")
    master = developed(stream.getvalue(), limits)
    assert working_to_srgb8(master.pixels16)[0, 0].tolist() == [0, 255, 255]
    assert "cmyk_profile_missing" in [finding.code for finding in master.findings]
    assert master.transform.assumed


def test_lab_tiffs_have_the_colours_they_name(limits):
    lab = np.zeros((16, 16, 3), np.uint8)
    lab[...] = (153, 20, 256 - 30)  # L 60, a 20, b -30
    stream = io.BytesIO()
    Image.frombytes("LAB", (16, 16), lab.tobytes()).save(stream, "TIFF")
    master = developed(stream.getvalue(), limits)
    assert lab_of(master.pixels16, icc=working_profile())[0, 0] == pytest.approx([60, 20, -30], abs=0.3)


def test_the_same_master_gives_the_same_bytes(picture, limits):
    assert write_master(developed(png(picture), limits)) == write_master(developed(png(picture), limits))


def test_the_file_is_what_a_print_house_expects(picture, limits):
    data = write_master(developed(png(picture), limits))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        assert page.bitspersample == 16
        assert page.dtype == np.uint16
        assert page.photometric == 2
        assert profile_name(page.tags[34675].value) == "Adobe RGB (1998) compatible"
        assert page.tags["XResolution"].value == (300, 1)
        assert page.tags["ResolutionUnit"].value == 2
        assert "DateTime" not in page.tags


def test_kept_metadata_is_in_the_file_and_places_and_people_are_not(picture, limits):
    block = Image.Exif()
    block[271], block[272], block[315], block[33432] = "Phase One", "IQ4", "Ann Example", "© Example"
    block.get_ifd(0x8769)[36867] = "2026:03:04 05:06:07"
    block.get_ifd(0x8769)[42033] = "SERIAL-123"
    block.get_ifd(0x8769)[42032] = "Ann Owner"
    block.get_ifd(0x8825)[1] = "N"
    source = png(picture, exif=block.tobytes())
    photo = open_photo(source, name="a", limits=limits)
    assert photo.metadata.has_gps
    data = write_master(develop(photo))
    again = open_photo(data, name="b", limits=limits).metadata
    assert (again.camera_make, again.camera_model) == ("Phase One", "IQ4")
    assert again.taken_at == datetime.datetime(2026, 3, 4, 5, 6, 7)
    assert "Example" in again.copyright
    assert not again.has_gps
    assert b"Ann" not in data
    assert b"SERIAL-123" not in data


def test_ai_provenance_is_kept(picture, limits):
    photo = open_photo(png(picture), name="a", limits=limits)
    master = develop(photo)
    told = Metadata(ai_provenance="trainedAlgorithmicMedia", title="<&> ünïcode")
    data = write_master(type(master)(master.pixels16, told, (), master.transform))
    again = open_photo(data, name="b", limits=limits).metadata
    assert again.ai_provenance == "trainedAlgorithmicMedia"
    assert again.title == "<&> ünïcode"


@pytest.mark.parametrize("data", [b"", b"II*\0", struct.pack("<2sHI", b"II", 42, 8) + bytes(20), b"no master" * 50])
def test_what_is_no_master_is_refused(data):
    with pytest.raises(UnreadableError, match="not a master"):
        read_master(data)


def test_an_8_bit_tiff_is_no_master(picture, tiff):
    with pytest.raises(UnreadableError, match="uint8"):
        read_master(tiff(picture))


def test_real_profiles_lead_to_one_working_space(limits):
    opened = 0
    for path in sorted(shared_data("icc", "pictures").iterdir()):
        try:
            photo = open_photo(path.read_bytes(), name=path.name, limits=limits)
        except UnreadableError:
            continue
        master = develop(photo)
        assert master.pixels16.shape == (photo.size.height, photo.size.width, 3)
        opened += 1
    assert opened >= 40


def test_a_profile_that_swaps_channels_is_obeyed(picture, limits):
    swapped = srgb_profile().replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    master = developed(png(picture[..., ::-1], icc_profile=swapped), limits)
    assert (working_to_srgb8(master.pixels16) == picture).all()


def test_a_profile_that_fails_only_at_conversion_is_held_against_the_policy_too(picture, limits):
    strict = limits.model_copy(update={"profiles": ProfilePolicy(broken="refuse")})
    for policy in (limits, strict):
        photo = open_photo(png(picture), name="a.png", limits=policy)
        broken = dataclasses.replace(photo, icc=srgb_profile()[:200], profile_assumed=False)
        if policy is strict:
            with pytest.raises(BadProfileError, match=r"a\.png: .*implausible.*ingest\.yaml"):
                develop(broken)
        else:
            assert "profile_broken" in [one.code for one in develop(broken).findings]


def test_colours_beyond_the_working_space_are_said(limits, tiff):
    wide = profile_of_figures(REC_2020, gamma=2.2)
    vivid = np.zeros((20, 20, 3), np.uint16)
    vivid[:, :10, 1] = 65535
    vivid[:, 10:] = 30000
    master = developed(tiff(vivid, iccprofile=wide), limits)
    (finding,) = [one for one in master.findings if one.code == "input_out_of_gamut"]
    assert finding.measured == pytest.approx(0.5)
    inside = developed(tiff(vivid, iccprofile=srgb_profile()), limits)
    assert "input_out_of_gamut" not in [one.code for one in inside.findings]


def test_noise_of_16_bits_is_not_packed_and_8_bits_are(picture, limits, tiff):
    noise = np.random.default_rng(2).integers(0, 65536, (200, 300, 3), dtype=np.uint16)
    deep = developed(tiff(noise, iccprofile=working_profile()), limits)
    shallow = developed(png((100 + (noise >> 13)).astype(np.uint8)), limits)
    assert [compression_of(write_master(one)) for one in (deep, shallow)] == [1, 8]
    for one in (deep, shallow):
        assert (read_master(write_master(one)) == one.pixels16).all()


def compression_of(data):
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        return int(tiff.pages.first.compression)
