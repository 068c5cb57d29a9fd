"""Damage that libjpeg does not warn of is told, and a whole file is not called damaged."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Callable
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
from PIL import Image, ImageFilter

from packshot.errors import UnreadableError
from packshot.export.check import check_file
from packshot.formats import jpeg_walk
from packshot.formats.container import DamagedError
from packshot.formats.jpeg import decode_jpeg
from packshot.formats.jpeg_codes import NotCompiledError
from packshot.formats.jpeg_header import segments
from packshot.formats.jpeg_passes import Passes, SplitRun
from packshot.formats.jpeg_seam import find_seam
from packshot.formats.jpeg_walk import look_for_damage
from packshot.ingest.decode import open_photo
from packshot.returned.read import read_returned
from packshot.specs.models import IngestConfig
from tests.configs import shipped_configs
from tests.packshot.formats.damaged_jpegs import first_code, out_of_step, told, with_one_bit_changed

SAMPLES = Path(__file__).parents[3] / "samples" / "demo-batch"
CUT_OFF = "BTL203_MAIN.jpg"
WHOLE = sorted(path for path in SAMPLES.glob("*.jpg") if path.name != CUT_OFF)
LIMITS = IngestConfig(min_px=1)
MCU = (16, 16)


@cache
def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


@cache
def progressive_sample(name: str) -> bytes:
    with Image.open(SAMPLES / name) as picture:
        picture.thumbnail((800, 800))
        return saved(picture, quality=90, progressive=True)


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
    for progressive in (0, 1):
        options = [cv2.IMWRITE_JPEG_RST_INTERVAL, 7, cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_QUALITY, 100]
        options += [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive]
        assert look_for_damage(cv2.imencode(".jpg", pixels, options)[1].tobytes()) is None


@pytest.mark.parametrize("progressive", [False, True])
def test_the_darkest_and_the_brightest_picture_are_not_called_damaged(progressive: bool) -> None:
    """The means of their blocks are at the ends of the range, whatever the step of quantisation."""
    for quality, tone in itertools.product(range(1, 101), (0, 255)):
        for mode in ("L", "RGB"):
            written = saved(Image.new(mode, (17, 9), (tone,) * len(mode)), quality=quality, progressive=progressive)
            assert look_for_damage(written) is None, (quality, tone, mode)


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
    missed, places = missed_of([sample(path.name) for path in WHOLE], how, each=8)
    assert places == 8 * len(WHOLE)
    assert missed / places <= 0.03, (missed, places)


def test_bytes_lost_from_a_progressive_file_are_told() -> None:
    """libjpeg alone says nothing of 9 of these 60. The rest are places after which the codes are soon in step."""
    missed, places = missed_of([progressive_sample(path.name) for path in WHOLE], "lost", each=4)
    assert places == 4 * len(WHOLE)
    assert missed / places <= 0.06, (missed, places)


def missed_of(files: list[bytes], how: str, *, each: int) -> tuple[int, int]:
    """At how many drawn places a change of 40 to 200 bytes changes the picture and is not told, and of how many."""
    missed, places = 0, 0
    for path, whole in zip(WHOLE, files, strict=True):
        rng = random.Random(path.name + how)
        pixels = simplejpeg.decode_jpeg(whole)
        for _ in range(each):
            at, count = rng.randrange(first_code(whole), len(whole) - 202), rng.randint(40, 200)
            changed = whole[:at] + whole[at + count :] if how == "lost" else whole[: at + count] + whole[at:]
            places += 1
            if not told(changed):
                missed += not np.array_equal(simplejpeg.decode_jpeg(changed), pixels)
    return missed, places


def scans_of(whole: bytes) -> list[bytes]:
    """The parts of a progressive JPEG: its head, then each scan with the tables before it."""
    starts, before = [], 0
    for one in segments(whole):
        start = one.end - len(one.body) - 4
        if one.code in (0xC4, 0xDA) and before in (0xC0, 0xC2, 0xDA, 0xDD):
            starts.append(start)
        before = one.code
    return [whole[one:end] for one, end in itertools.pairwise([0, *starts, len(whole) - 2])]


def test_a_run_of_empty_blocks_beyond_the_last_block_is_damage() -> None:
    """libjpeg does not look at what is left of a run (T.81, G.1.2.2)."""
    low, tall = (scans_of(saved(Image.new("L", (160, height), 90), progressive=True)) for height in (152, 160))
    assert len(low) == len(tall)
    assert low[2] != tall[2]
    damaged = b"".join([*low[:2], tall[2], *low[3:], b"\xff\xd9"])
    simplejpeg.decode_jpeg(damaged, strict=True)  # says nothing
    with pytest.raises(DamagedError, match="run of empty blocks beyond the last block"):
        look_for_damage(damaged)


def test_bytes_left_over_in_a_progressive_scan_are_damage() -> None:
    parts = scans_of(saved(drawn(200, 160, 8), progressive=True))
    for number in range(1, len(parts)):
        damaged = b"".join([*parts[:number], parts[number] + b"\x12", *parts[number + 1 :], b"\xff\xd9"])
        with pytest.raises(DamagedError, match="left over behind the last block"):
            look_for_damage(damaged)


def test_a_restart_marker_that_is_missing_in_a_progressive_scan_is_damage() -> None:
    whole = saved(drawn(200, 160, 8), restart_marker_rows=1, progressive=True)
    places = [at for at in range(len(whole)) if whole.startswith(b"\xff\xd1", at)]
    assert len(places) > 5
    for at in places:
        with pytest.raises(DamagedError, match="restart marker that is not there"):
            look_for_damage(whole[: at + 1] + b"\xd4" + whole[at + 2 :])


def test_passes_that_are_not_there_are_a_finding_that_stops_approval() -> None:
    """As an upload that was cut off and closed again: every code is possible, and libjpeg says nothing."""
    parts = scans_of(saved(drawn(200, 160, 8), progressive=True))
    for number in range(2, len(parts)):
        (finding,) = decode_jpeg(b"".join([*parts[:number], b"\xff\xd9"]))[1]
        assert (finding.code, finding.gate) == ("scans_missing", True)
        assert finding.measured is not None
        assert 0 < finding.measured <= 3 * 64
    assert decode_jpeg(b"".join([*parts, b"\xff\xd9"]))[1] == ()


def changed_in(scan: int, change: Callable[[bytes], bytes]) -> bytes:
    """A progressive JPEG one of whose parts was changed: 0 the head, 1 the means, then the other passes."""
    parts = scans_of(saved(drawn(200, 160, 8), progressive=True, quality=95))
    return b"".join([*parts[:scan], change(parts[scan]), *parts[scan + 1 :], b"\xff\xd9"])


def with_steps(first: int, others: int) -> Callable[[bytes], bytes]:
    """Changes the quantisation tables of a head; 0 leaves a step as it is."""

    def change(head: bytes) -> bytes:
        found, at = bytearray(head), -1
        while (at := head.find(b"\xff\xdb", at + 1)) > 0:
            for number in range(64):
                found[at + 5 + number] = (others if number else first) or found[at + 5 + number]
        return bytes(found)

    return change


IMPOSSIBLE: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "a code that no table has": (2, lambda part: part[: part.index(b"\xff\xda") + 10] + b"\xff\0" * 200),
    "a block of more than 64 values": (2, lambda part: part.replace(b"\1\5\2", b"\1\2\2")),
    "a block darker than black": (0, with_steps(255, 0)),
    "data that ends before the last block": (1, lambda part: part[:-40]),
    "a value larger than a picture of 8 bits has": (0, with_steps(0, 255)),
}


@pytest.mark.parametrize("words", IMPOSSIBLE)
def test_what_is_impossible_in_a_progressive_scan_is_damage(words: str) -> None:
    with pytest.raises(DamagedError, match=words):
        look_for_damage(changed_in(*IMPOSSIBLE[words]))


def test_codes_that_are_out_of_step_for_a_while_are_a_finding_that_stops_approval() -> None:
    """In a pass of last bits the codes come into step again at the same block, so the pass ends where it should."""
    whole = saved(drawn(900, 700, 3).filter(ImageFilter.GaussianBlur(2)), quality=92, progressive=True)
    (finding,) = decode_jpeg(out_of_step(whole))[1]
    assert (finding.code, finding.gate) == ("codes_out_of_step", True)
    assert finding.message.startswith("Near x ")
    assert decode_jpeg(whole)[1] == ()


def test_an_encoder_that_does_not_join_runs_is_left_alone() -> None:
    passes = Passes(np.zeros(1, np.uint8))
    x_y = {"x": 0, "y": 0}
    passes._whole, passes._split = 3, [(100, SplitRun(**x_y, places=1))]
    assert passes.split_run() is not None
    for whole, split in ((1, [(100, 1)]), (3, [(100, 6)]), (2, [(100, 1), (100, 1), (100, 1)])):
        passes._whole, passes._split = whole, [(long, SplitRun(**x_y, places=places)) for long, places in split]
        assert passes.split_run() is None


@cache
def with_a_seam() -> bytes:
    return with_one_bit_changed(sample("BOX102_MAIN.jpg"))


def test_a_seam_is_a_finding_that_stops_approval_wherever_a_file_is_read() -> None:
    configs = shipped_configs()
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
    configs = shipped_configs()
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
