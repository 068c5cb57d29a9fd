"""A camera RAW drawn from known colours: a DNG with a mosaic, and a preview that shows something else."""

from __future__ import annotations

import io
import struct
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

XYZ_TO_CAMERA = np.array([[0.80, -0.20, -0.05], [-0.45, 1.30, 0.16], [-0.05, 0.18, 0.66]])
"""A plausible sensor: what a DNG calls ColorMatrix1, here for D65."""
D65 = np.array([0.95047, 1.0, 1.08883])
BLACK, WHITE = 256, 16383
PATCH_PX = 32
_MOSAIC = [
    (33421, 3, 2, (2, 2), True),
    (33422, 1, 4, (0, 1, 1, 2), True),
    (50714, 3, 1, BLACK, True),
    (50717, 3, 1, WHITE, True),
]
_LENGTHS = (2, 2, 2, 3, *range(4, 17))
"""Of the codes for differences of 0 to 16 bits, from the most to the least frequent."""


def draw_dng(
    xyz: NDArray[np.float64],
    *,
    orientation: int = 1,
    brightness: float = 0.8,
    noise: float = 2.0,
    more: tuple[tuple[Any, ...], ...] = (),
) -> bytes:
    """Return a DNG of patches in a row.

    Args:
        xyz: (patches, 3), under D65, where white is `D65`.
        brightness: share of the sensor's range that white takes.
        noise: standard deviation, in sensor values.
        more: further tags of the directory with the sensor's values.
    """
    neutral = XYZ_TO_CAMERA @ D65
    camera = xyz @ XYZ_TO_CAMERA.T / neutral.max() * brightness
    row = np.repeat(camera, PATCH_PX, axis=0)
    scene = np.repeat(row[None], 2 * PATCH_PX, axis=0)
    mosaic = np.empty(scene.shape[:2])
    for (top, left), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        mosaic[top::2, left::2] = scene[top::2, left::2, channel]
    sensor = BLACK + mosaic * (WHITE - BLACK) + np.random.default_rng(7).normal(0, noise, mosaic.shape)
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as tiff:
        preview = np.zeros((48, 64, 3), np.uint8)
        preview[..., 0] = 255
        tiff.write(preview, photometric="rgb", subfiletype=1, subifds=1, metadata=None, extratags=_camera(orientation))
        tiff.write(
            np.clip(np.rint(sensor), 0, WHITE).astype(np.uint16),
            photometric=32803,
            subfiletype=0,
            metadata=None,
            extratags=[*_MOSAIC, *more],
        )
    return stream.getvalue()


def draw_scene(height: int, width: int, *, noise: float = 20.0) -> NDArray[np.uint16]:
    """Return a mosaic (RGGB) of a striped disc on a grey sweep, (height, width), with a sensor's noise."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    light = 0.55 - 0.1 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    inside = np.hypot(x - 0.5, y - 0.35) < 0.25
    channels = [np.where(inside, paint * (0.8 + 0.2 * np.sin(60 * x)), light) for paint in (0.3, 0.12, 0.1)]
    mosaic = np.empty((height, width))
    for (top, left), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        mosaic[top::2, left::2] = channels[channel][top::2, left::2]
    sensor = BLACK + mosaic * (WHITE - BLACK) + np.random.default_rng(1).normal(0, noise, mosaic.shape)
    return np.clip(np.rint(sensor), 0, WHITE).astype(np.uint16)


def draw_lossless_dng(
    mosaic: NDArray[np.uint16],
    *,
    tile_px: int = 0,
    predictor: int = 1,
    components: int = 1,
    version: tuple[int, int, int, int] = (1, 4, 0, 0),
) -> tuple[bytes, list[slice]]:
    """Return (a DNG whose sensor values are lossless JPEG, where its streams lie in the file).

    Args:
        mosaic: (rows, columns) RGGB.
        tile_px: side of the tiles; 0 for one strip.
        predictor, components: as in `lossless_jpeg`.
        version: DNG's version, as the file states it.
    """
    height, width = mosaic.shape
    corners = [(y, x) for y in range(0, height, tile_px or height) for x in range(0, width, tile_px or width)]
    cut = [mosaic[y : y + (tile_px or height), x : x + (tile_px or width)] for y, x in corners]
    streams = [lossless_jpeg(one, predictor=predictor, components=components) for one in cut]
    parts: dict[str, Any] = {"tile": (tile_px, tile_px)} if tile_px else {"rowsperstrip": height}
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        camera = [tag if tag[0] != 50706 else (50706, 1, 4, version, True) for tag in _camera(1)]
        preview = np.zeros((48, 64, 3), np.uint8)
        tiff.write(preview, photometric="rgb", subfiletype=1, subifds=1, metadata=None, extratags=camera)
        tiff.write(
            iter(streams),
            shape=mosaic.shape,
            dtype=np.uint16,
            compression=7,
            photometric=32803,
            subfiletype=0,
            metadata=None,
            extratags=_MOSAIC,
            **parts,
        )
    data = file.getvalue()
    starts = [data.index(one) for one in streams]
    return data, [slice(at, at + len(one)) for at, one in zip(starts, streams, strict=True)]


def lossless_jpeg(
    values: NDArray[np.uint16],
    *,
    predictor: int = 1,
    components: int = 1,
    restart_rows: int = 0,
    spare: Literal[0, 1] = 1,
    bits: int = 14,
) -> bytes:
    """Return a lossless JPEG (ITU-T T.81, annex H).

    Args:
        values: (rows, columns).
        predictor: 1 to 7.
        components: so many values side by side are one pixel of the JPEG.
        restart_rows: rows between two restart markers; 0 for none.
        spare: what fills the last byte's bits that are left over.
        bits: of a value.
    """
    height, width = values.shape
    stored = values.astype(np.int64).reshape(height, width // components, components)
    rows = restart_rows or height
    differences = (stored - _guessed(stored, predictor, rows, bits)).ravel()
    differences = (differences + 32768 & 0xFFFF) - 32768
    sizes = np.ceil(np.log2(np.abs(differences) + 1)).astype(int)
    by_count = np.argsort(-np.bincount(sizes, minlength=17), kind="stable")
    codes, lengths, code, before = np.zeros(17, int), np.zeros(17, int), 0, 0
    for symbol, length in zip(by_count, _LENGTHS, strict=True):
        code <<= length - before
        codes[symbol], lengths[symbol] = code, length
        code, before = code + 1, length
    extra = np.where(sizes == 16, 0, sizes)
    low = np.where(sizes == 16, 0, np.where(differences < 0, differences + (1 << extra) - 1, differences))
    words, counts = codes[sizes] << extra | low, lengths[sizes] + extra
    scan = b""
    for number, at in enumerate(range(0, len(words), rows * width)):
        marker = bytes([0xFF, 0xD0 + (number - 1) % 8]) if number else b""
        scan += marker + _packed(words[at : at + rows * width], counts[at : at + rows * width], spare)
    table = bytes([0, *(_LENGTHS.count(length) for length in range(1, 17)), *by_count.tolist()])
    frame = struct.pack(">BHHB", bits, height, width // components, components)
    frame += b"".join(bytes([name, 0x11, 0]) for name in range(components))
    interval = _segment(0xDD, struct.pack(">H", rows * width // components)) if restart_rows else b""
    start = bytes([components, *(part for name in range(components) for part in (name, 0)), predictor, 0, 0])
    head = _segment(0xC4, table) + _segment(0xC3, frame) + interval + _segment(0xDA, start)
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


def _guessed(stored: NDArray[np.int64], predictor: int, rows: int, bits: int) -> NDArray[np.int64]:
    left, up, corner = np.zeros_like(stored), np.zeros_like(stored), np.zeros_like(stored)
    left[:, 1:], up[1:], corner[1:, 1:] = stored[:, :-1], stored[:-1], stored[:-1, :-1]
    by_number = (
        *(left, up, corner, left + up - corner, left + (up - corner >> 1), up + (left - corner >> 1), left + up >> 1),
    )
    guessed = by_number[predictor - 1].copy()
    guessed[:, 0] = up[:, 0]
    guessed[::rows] = left[::rows]
    guessed[::rows, 0] = 1 << bits - 1
    return guessed


def _packed(words: NDArray[np.int64], counts: NDArray[np.int64], spare: int) -> bytes:
    """Return codes of so many bits one behind the other, as a scan stores them."""
    place = np.arange(counts.max())
    bits = (words[:, None] >> np.maximum(counts[:, None] - 1 - place, 0) & 1)[place < counts[:, None]]
    filled = np.concatenate([bits, np.full(-len(bits) % 8, spare)]).astype(np.uint8)
    return np.packbits(filled).tobytes().replace(b"\xff", b"\xff\0")


def _segment(code: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(body) + 2) + body


def _camera(orientation: int) -> list[tuple[Any, ...]]:
    neutral = XYZ_TO_CAMERA @ D65
    neutral = neutral / neutral[1]
    matrix = tuple(part for value in XYZ_TO_CAMERA.ravel() for part in (round(value * 10_000), 10_000))
    return [
        (274, 3, 1, orientation, True),
        (271, 2, 0, "Packshot", True),
        (272, 2, 0, "Drawn camera", True),
        (50706, 1, 4, (1, 4, 0, 0), True),
        (50707, 1, 4, (1, 1, 0, 0), True),
        (50708, 2, 0, "Packshot drawn camera", True),
        (50721, 10, 9, matrix, True),
        (50728, 5, 3, tuple(part for value in neutral for part in (round(value * 1_000_000), 1_000_000)), True),
        (50778, 3, 1, 21, True),
    ]
