"""Damage that libjpeg does not warn of is told, and a whole file is not called damaged."""

from __future__ import annotations

import io
import random
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from packshot.errors import UnreadableError
from packshot.export.check import check_file
from packshot.formats import jpeg_walk
from packshot.formats.container import DamagedError
from packshot.formats.jpeg_codes import NotCompiledError
from packshot.formats.jpeg_header import segments
from packshot.formats.jpeg_seam import find_seam
from packshot.formats.jpeg_walk import look_for_damage
from packshot.ingest.decode import open_photo
from packshot.returned.read import read_returned
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import IngestConfig
from tests.packshot.formats.damaged_jpegs import first_code, told, with_one_bit_changed

SAMPLES = Path(__file__).parents[3] / "samples" / "demo-batch"
CUT_OFF = "BTL203_MAIN.jpg"
WHOLE = sorted(path for path in SAMPLES.glob("*.jpg") if path.name != CUT_OFF)
LIMITS = IngestConfig(min_px=1)
MCU = (16, 16)


@cache
def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def drawn(width: int, height: int, grain: float) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(width + height).normal(0, grain, (height, width, 3))
    tones = np.stack([x / 2, y / 2 + 20, 128 + 127 * np.sin(x / 20) * np.cos(y / 30)], -1)
    return Image.fromarray((tones + noise).clip(0, 255).astype(np.uint8))


def saved(picture: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_a_whole_sample_is_not_called_damaged(path: Path) -> None:
    assert look_for_damage(path.read_bytes()) is None


@settings(max_examples=60)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    grain=st.sampled_from([0.0, 8.0, 80.0]),
    mode=st.sampled_from(["L", "RGB", "CMYK"]),
    quality=st.integers(1, 100),
    subsampling=st.integers(0, 2),
    optimize=st.booleans(),
    restart=st.integers(0, 40),
    progressive=st.booleans(),
)
def test_a_whole_file_is_not_called_damaged(
    width: int, height: int, grain: float, mode: str, restart: int, **options: object
) -> None:
    picture = drawn(width, height, grain).convert(mode)
    assert look_for_damage(saved(picture, restart_marker_blocks=restart, **options)) is None


@pytest.mark.parametrize("sampling", ["444", "422", "420", "440", "411", "Gray"])
def test_a_whole_file_of_another_writer_is_not_called_damaged(sampling: str) -> None:
    pixels = np.asarray(drawn(333, 217, 20))
    if sampling == "Gray":
        written = simplejpeg.encode_jpeg(
            np.ascontiguousarray(pixels[..., :1]), colorspace="GRAY", colorsubsampling="Gray"
        )
    else:
        written = simplejpeg.encode_jpeg(pixels, colorsubsampling=sampling)
    assert look_for_damage(written) is None
    options = [cv2.IMWRITE_JPEG_RST_INTERVAL, 7, cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_QUALITY, 100]
    assert look_for_damage(cv2.imencode(".jpg", pixels, options)[1].tobytes()) is None


def by_component(sampling: int) -> bytes:
    """A JPEG of 120 x 90 px with a scan for each component (T.81, B.2.3), put together from grey files.

    Args:
        sampling: factors of the first component: 0x11 full colour, 0x14 colours once in four rows.
    """
    few = -(-90 // (sampling & 15))
    greys = [saved(drawn(120, height, 8).convert("L")) for height in (90, few, few)]
    ends = [{one.code: one.end for one in segments(grey)} for grey in greys]
    head, tables = greys[0][: greys[0].index(b"\xff\xc0")], greys[0][ends[0][0xC0] : greys[0].index(b"\xff\xda")]
    frame = b"\xff\xc0\0\x11\x08\0\x5a\0\x78\x03" + bytes([1, sampling, 0, 2, 17, 0, 3, 17, 0])
    codes = [grey[end[0xDA] : -2] for grey, end in zip(greys, ends, strict=True)]
    scans = (b"\xff\xda\0\x08\x01" + bytes([n, 0, 0, 63, 0]) + one for n, one in enumerate(codes, 1))
    return head + frame + tables + b"".join(scans) + b"\xff\xd9"


def test_a_scan_for_each_component_is_followed() -> None:
    whole = by_component(0x11)
    assert simplejpeg.decode_jpeg(whole, strict=True).shape == (90, 120, 3)
    assert look_for_damage(whole) is None
    with pytest.raises(DamagedError, match="left over"):
        look_for_damage(whole[:-2] + b"\x12\x34\x56\xff\xd9")


def test_a_sampling_that_is_seldom_used_is_read_and_looked_at() -> None:
    """4:4:1: colours once in four rows. simplejpeg has no name for it, so such files were called damaged."""
    whole = by_component(0x14)
    photo = open_photo(whole, name="A1.jpg", limits=LIMITS)
    assert photo.pixels.shape == (90, 120, 3)
    assert [one.code for one in photo.findings if "damage" in one.code] == ["damage_not_looked_for"]
    with pytest.raises(UnreadableError, match="left over"):
        open_photo(whole[:-2] + b"\x12\x34\x56\xff\xd9", name="A1.jpg", limits=LIMITS)


def test_bytes_left_over_are_damage() -> None:
    whole = saved(drawn(200, 160, 8))
    more = whole[:-2] + b"\x12\x34\xff\xd9"
    simplejpeg.decode_jpeg(more, strict=True)  # says nothing
    with pytest.raises(DamagedError, match=r"left over behind the last block, met at x 192, y 144 px"):
        look_for_damage(more)


def test_a_restart_marker_that_is_missing_is_damage() -> None:
    whole = saved(drawn(200, 160, 8), restart_marker_rows=1)
    at = whole.index(b"\xff\xd1")
    with pytest.raises(DamagedError, match=r"restart marker that is not there, met at x 0, y 32 px"):
        look_for_damage(whole[: at + 1] + b"\xd4" + whole[at + 2 :])


def test_data_that_ends_early_is_damage() -> None:
    whole = saved(drawn(200, 160, 8))
    with pytest.raises(DamagedError, match="ends before the last block"):
        look_for_damage(whole[:-40] + b"\xff\xd9")


@pytest.mark.parametrize("how", ["lost", "doubled"])
def test_lost_or_doubled_bytes_are_told(how: str) -> None:
    """40 to 200 bytes, at 8 drawn places of each sample. The rest are places where too little shifts to be sure."""
    missed, places = 0, 0
    for path in WHOLE:
        whole = sample(path.name)
        rng = random.Random(path.name + how)
        pixels = simplejpeg.decode_jpeg(whole)
        for _ in range(8):
            at, count = rng.randrange(first_code(whole), len(whole) - 202), rng.randint(40, 200)
            changed = whole[:at] + whole[at + count :] if how == "lost" else whole[: at + count] + whole[at:]
            places += 1
            if not told(changed):
                missed += not np.array_equal(simplejpeg.decode_jpeg(changed), pixels)
    assert places == 8 * len(WHOLE)
    assert missed / places <= 0.03, (missed, places)


@cache
def with_a_seam() -> bytes:
    return with_one_bit_changed(sample("BOX102_MAIN.jpg"))


def test_a_seam_is_a_finding_that_stops_approval_wherever_a_file_is_read() -> None:
    configs = load_configs(default_folder())
    data = with_a_seam()
    photo, work = open_photo(data, name="A1", limits=LIMITS), read_returned(data, name="A1", limits=LIMITS)
    checked = check_file(data, platform=configs.platforms["amazon_main"], qc=configs.qc)
    for findings in (photo.findings, work.findings, checked):
        (finding,) = [one for one in findings if one.code == "seam_of_lost_data"]
        assert finding.gate
        assert finding.message.startswith("From x ")


def test_a_seam_in_a_strip_of_a_tiff_is_a_finding_too() -> None:
    stream, stored = io.BytesIO(), with_a_seam()
    height, width, _ = simplejpeg.decode_jpeg(stored).shape
    kind = {"photometric": "ycbcr", "subsampling": (2, 2), "compression": "jpeg", "rowsperstrip": height}
    tifffile.imwrite(stream, iter([stored]), shape=(height, width, 3), dtype=np.uint8, **kind)
    findings = open_photo(stream.getvalue(), name="A1.tif", limits=LIMITS).findings
    (finding,) = [one for one in findings if one.code == "seam_of_lost_data"]
    assert finding.gate
    assert finding.message.startswith("Part 1 of 1: From x ")


def test_a_whole_tiff_of_jpeg_strips_and_tiles_is_not_called_damaged() -> None:
    pixels = np.asarray(drawn(640, 480, 8))
    for how in ({"rowsperstrip": 64}, {"tile": (128, 128)}, {"tile": (512, 640), "subsampling": (1, 1)}):
        stream = io.BytesIO()
        tifffile.imwrite(stream, pixels, photometric="rgb", compression="jpeg", **how)
        findings = open_photo(stream.getvalue(), name="A1.tif", limits=LIMITS).findings
        assert not [one.code for one in findings if "damage" in one.code or "seam" in one.code]


def test_without_the_compiled_loop_a_photograph_opens_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise NotCompiledError("ImportError: no numba")

    monkeypatch.setattr(jpeg_walk, "load_walk", missing)
    photo = open_photo(saved(drawn(200, 160, 8)), name="A1.jpg", limits=LIMITS)
    (finding,) = [one for one in photo.findings if one.code == "damage_not_looked_for"]
    assert "numba can't be used here (ImportError: no numba)" in finding.message


def test_impossible_codes_refuse_the_file_wherever_it_is_read() -> None:
    data = saved(drawn(200, 160, 8))[:-2] + b"\x12\x34\xff\xd9"
    configs = load_configs(default_folder())
    with pytest.raises(UnreadableError, match="damaged JPEG"):
        open_photo(data, name="A1", limits=LIMITS)
    with pytest.raises(UnreadableError, match="damaged JPEG"):
        read_returned(data, name="A1", limits=LIMITS)
    (finding,) = check_file(data, platform=configs.platforms["amazon_main"], qc=configs.qc)
    assert finding.code == "file_unreadable"


def means(rows: int = 80, columns: int = 100) -> NDArray[np.float64]:
    """A backdrop that grows lighter downwards, with grain, and a dark thing on it."""
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(3).normal(0, 0.5, (rows, columns))
    return np.where(np.hypot(y - 40, x - 50) < 20, 60.0, 200 + y / 10) + noise


def found_in(picture: NDArray[np.float64]) -> tuple[int, int, int] | None:
    seam = find_seam(picture[None], np.array([0.5]), MCU)
    return None if seam is None else (seam.x, seam.y, round(seam.step))


@pytest.mark.parametrize("at", [510, 1630, 4070, 7040])
@pytest.mark.parametrize("step", [-30, -5, 8, 40])
def test_a_shift_of_all_later_means_is_a_seam(at: int, step: int) -> None:
    picture = means()
    picture.reshape(-1)[at:] += step
    x, y, size = found_in(picture) or (0, 0, 0)
    assert abs(x - at % 100 * 16) <= 48
    assert y == at // 100 * 16
    assert abs(size - step) <= 1


@pytest.mark.parametrize("slope", [0.0, 0.005, 0.01, 0.02, 0.2, 1.0])
@pytest.mark.parametrize("height", [30.0, 30.4, 30.9])
def test_an_edge_of_the_scene_is_no_seam(slope: float, height: float) -> None:
    """The back edge of a table, level or not, covers part of the blocks that it crosses."""
    y, x = np.mgrid[0:80, 0:100]
    covered = np.clip(y + 1 - (height + slope * (x - 50)), 0, 1)
    assert found_in(means() * 0.1 + 150 + 40 * covered) is None


def test_a_frame_or_a_bar_is_no_seam() -> None:
    for rows in (slice(0, 1), slice(30, 31), slice(30, 50), slice(79, 80)):
        picture = means()
        picture[rows] -= 60
        assert found_in(picture) is None
