"""Camera RAW is developed from the sensor's values, the same way each time, and refused where they are missing."""

from __future__ import annotations

import contextlib
import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import srgb_to_pcs, working_profile
from packshot.errors import RefusedInputError, TooLargeError, UnreadableError
from packshot.formats.camera_raw import _exif, _opcodes
from packshot.formats.container import Container
from packshot.formats.headers import identify
from packshot.formats.sniff import FileKind, detect
from packshot.ingest.decode import Photo, open_photo
from packshot.ingest.master import develop
from packshot.ingest.metadata import read_metadata
from packshot.specs.models import IngestConfig
from packshot.types import Size
from tests.drawn_raw import PATCH_PX, draw_dng
from tests.shared_data import shared_data

SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
"""IEC 61966-2-1, D65."""
PATCHES = np.array(
    [[1, 1, 1], [0.5, 0.5, 0.5], [0.2, 0.2, 0.2], [0.05, 0.05, 0.05], [0.6, 0.1, 0.1], [0.1, 0.5, 0.1], [0.1, 0.1, 0.6],
     [0.7, 0.6, 0.1]]
)  # fmt: skip
"""Linear sRGB."""


def drawn(**options: object) -> bytes:
    return draw_dng(PATCHES @ SRGB_TO_XYZ.T, **options)  # type: ignore[arg-type]


def opened(data: bytes, limits: IngestConfig) -> Photo:
    return open_photo(data, name="shot.dng", limits=limits)


def patch_values(pixels: np.ndarray) -> np.ndarray:
    inner = slice(PATCH_PX // 4, PATCH_PX - PATCH_PX // 4)
    columns = [
        pixels[PATCH_PX : PATCH_PX + 16, at * PATCH_PX : (at + 1) * PATCH_PX][:, inner] for at in range(len(PATCHES))
    ]
    return np.stack([column.reshape(-1, 3).mean(axis=0) for column in columns])


def test_drawn_colours_come_out_as_they_were_drawn(limits: IngestConfig) -> None:
    pixels = np.rint(patch_values(develop(opened(drawn(brightness=0.9), limits)).pixels16)).astype(np.uint16)
    xyz = 0.9 * PATCHES @ srgb_to_pcs().T / np.array([0.9642, 1.0, 0.8249])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    truth = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
    assert delta_e_2000(lab_of(pixels[None], icc=working_profile())[0], truth).max() < 0.5


def test_brightness_is_never_fitted_to_the_picture(limits: IngestConfig) -> None:
    bright, dark = (patch_values(develop(opened(drawn(brightness=b), limits)).pixels16)[0] for b in (0.8, 0.4))
    assert (dark / bright) ** (563 / 256) == pytest.approx(0.5, abs=0.002)


def test_the_preview_is_never_taken_for_the_picture(limits: IngestConfig) -> None:
    photo = opened(drawn(), limits)
    assert (photo.kind, photo.size) == (FileKind.RAW, Size(len(PATCHES) * PATCH_PX, 2 * PATCH_PX))
    assert photo.pixels.dtype == np.uint16
    red = photo.pixels[..., 0].astype(int) - photo.pixels[..., 1:].max(axis=2)
    assert np.median(red) < 1000


def test_the_picture_comes_upright(limits: IngestConfig) -> None:
    lying, standing = (develop(opened(drawn(orientation=turn), limits)) for turn in (1, 6))
    assert standing.size == Size(lying.size.height, lying.size.width)
    off = np.rot90(lying.pixels16, -1).astype(int) - standing.pixels16
    assert np.abs(off).max() < 600


def test_more_than_eight_bits_arrive(limits: IngestConfig) -> None:
    assert len(np.unique(develop(opened(drawn(), limits)).pixels16)) > 2000


def test_the_record_says_how_it_was_developed(limits: IngestConfig) -> None:
    photo = opened(drawn(), limits)
    transform = develop(photo).transform
    assert transform.source == "camera RGB by the file's matrix, camera white balance"
    assert not photo.findings
    assert photo.metadata.camera_model == "Drawn camera"


def test_a_file_without_white_balance_says_so(limits: IngestConfig) -> None:
    data = drawn()
    tag = struct.pack("<HHI", 50728, 5, 3)
    assert data.count(tag) == 1
    without = data.replace(tag, struct.pack("<HHI", 65000, 5, 3))
    assert "white_balance_assumed" in [finding.code for finding in opened(without, limits).findings]


def opcodes(*codes: int) -> bytes:
    """A DNG's list of opcodes, each with eight bytes of content."""
    return struct.pack(">I", len(codes)) + b"".join(
        struct.pack(">4I", code, 0x01030000, 1, 8) + bytes(8) for code in codes
    )


@pytest.mark.parametrize("tag", [51008, 51009, 51022])
@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((1,), "distortion"),
        ((2,), "distortion"),
        ((14,), "distortion"),
        ((3,), "shading"),
        ((9, 9, 9, 9), "shading"),
        ((8, 4, 14, 9), "distortion and shading"),
        ((4, 5, 6, 7, 8, 10, 11, 12, 13), ""),
        ((), ""),
    ],
)
def test_corrections_of_the_lens_that_are_not_made_are_told(
    tag: int, codes: tuple[int, ...], said: str, limits: IngestConfig
) -> None:
    """Phones' DNGs came out bent and with dark corners, and nobody was told."""
    block = opcodes(*codes)
    found = opened(drawn(more=((tag, 7, len(block), block, True),)), limits).findings
    assert [one.message for one in found if one.code == "lens_not_corrected"] == (
        [f"The DNG asks for corrections of its lens ({said}), which were not made."] if said else []
    )


@given(st.binary(max_size=80))
def test_any_list_of_opcodes_is_read_as_far_as_it_is_whole(stored: bytes) -> None:
    assert len(list(_opcodes(stored))) <= len(stored) // 16
    assert list(_opcodes(opcodes(1, 9) + stored)) == [1, 9]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_file_that_was_cut_off_is_refused_as_such(share: float, limits: IngestConfig) -> None:
    data = drawn()
    with pytest.raises(UnreadableError, match=r"camera RAW.*(cut off|beyond|ends before|header).*16-bit TIFF"):
        opened(data[: int(len(data) * share)], limits)


def test_empty_sensor_rows_are_refused(limits: IngestConfig) -> None:
    data = drawn()
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first.pages[0]
        start, size = page.dataoffsets[0], page.databytecounts[0]
    emptied = data[: start + size // 2] + bytes(size - size // 2) + data[start + size :]
    with pytest.raises(UnreadableError, match=r"50% of the sensor's rows hold nothing"):
        opened(emptied, limits)


def test_limits_hold_before_sensor_values_are_unpacked() -> None:
    with pytest.raises(TooLargeError):
        opened(drawn(), IngestConfig(min_px=1, max_pixels=1000))


@pytest.mark.parametrize("seed", range(30))
def test_any_damage_is_a_refusal_or_a_picture(seed: int, limits: IngestConfig) -> None:
    data = bytearray(drawn())
    random = np.random.default_rng(seed)
    for at in random.integers(0, 4000 if seed % 2 else len(data), 12):
        data[at] = random.integers(0, 256)
    with contextlib.suppress(RefusedInputError):
        develop(open_photo(bytes(data), name="damaged.dng", limits=limits.model_copy(update={"max_pixels": 1_000_000})))


def test_real_raw_files_open(limits: IngestConfig) -> None:
    for path in sorted(shared_data("raw", "decodable").iterdir()):
        photo = open_photo(path.read_bytes(), name=path.name, limits=limits)
        assert photo.kind is FileKind.RAW
        assert photo.size.shortest > 500
        assert photo.metadata.camera_model


def test_raw_files_without_their_sensor_values_are_refused_with_a_way_out(limits: IngestConfig) -> None:
    for path in sorted(shared_data("raw", "truncated").iterdir()):
        with pytest.raises(UnreadableError, match=r"camera RAW.*16-bit TIFF"):
            open_photo(path.read_bytes(), name=path.name, limits=limits)


def test_exposure_is_known_of_cameras_whose_container_is_no_tiff() -> None:
    """CR3 keeps its notes in boxes, RAF in its preview."""
    data = shared_data("raw", "truncated", "FujiFilm.raf").read_bytes()
    assert detect(data) is FileKind.RAW
    exif, shot = _exif(data)
    assert read_metadata(Container(exif=exif, exif_shot=shot)).camera_make == "FUJIFILM"
    exif, shot = _exif(shared_data("raw", "truncated", "Canon-R6-pruned.CR3").read_bytes())
    assert read_metadata(Container(exif=exif, exif_shot=shot)).iso


def test_a_kodak_yrgb_is_known_by_its_size_and_developed_with_its_colours(limits: IngestConfig) -> None:
    """It has no header: two rows of luma lie around one of colour differences, of which every second is red."""
    columns, rows = 640, 480
    luma = np.random.default_rng(1).normal(120, 20, (rows, columns)).clip(60, 180).astype(np.uint8)
    red = np.where(np.arange(rows) < rows // 2, 40, -40)[:, None]  # more than green; blue is as much less
    differences = np.where(np.arange(columns) % 2, 128 + red, 128 - red).astype(np.uint8)
    parts = [luma[row].tobytes() + differences[row].tobytes() + luma[row + 1].tobytes() for row in range(0, rows, 2)]
    photo = open_photo(b"".join(parts), name="DC0001.kdc", limits=limits.model_copy(update={"min_px": 1}))
    assert (photo.kind, photo.size) == (FileKind.RAW, (columns, rows))
    pixels = develop(photo).pixels16.astype(int)
    top, bottom = ((half[..., 0] - half[..., 2]).mean() for half in (pixels[:200], pixels[-200:]))
    assert top > 3000 > -3000 > bottom


def test_sensor_values_that_look_like_a_text_are_a_camera_raw_and_a_text_of_any_length_is_a_text() -> None:
    columns, rows = 640, 480
    values = b"<" * columns + b"v" * columns + b"2" * columns
    assert detect(values * (rows // 2)) is FileKind.TEXT
    assert identify(values * (rows // 2)) is FileKind.RAW
    assert identify(b'{"a":1}' * 20_000) is FileKind.TEXT
    assert identify((b"a line\n" * 70_000)[: columns * rows * 3 // 2]) is FileKind.TEXT
