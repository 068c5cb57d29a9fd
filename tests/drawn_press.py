"""An ICC profile of a press that does not exist: inks that multiply, on paper that is white, black that is not."""

from __future__ import annotations

import functools
import struct

import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import D50_XYZ, srgb_decode, srgb_encode, srgb_to_pcs

PER_INK, PER_LAB = 9, 25
DENSEST = 0.2
"""What full ink leaves of a colour's encoded value: a press prints no colour as deep as a screen's."""


@functools.cache
def press_profile() -> bytes:
    """Return the profile (version 2, prtr, CMYK to Lab), in tables as presses have them."""
    axis = np.linspace(0, 1, PER_INK)
    inks = np.stack(np.meshgrid(axis, axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 4)
    lightness = np.linspace(0, 100 * 65535 / 65280, PER_LAB)
    chroma = np.linspace(-128, 128 - 1 / 256, PER_LAB)
    lab = np.stack(np.meshgrid(lightness, chroma, chroma, indexing="ij"), axis=-1).reshape(-1, 3)
    to_lab = _table(4, 3, PER_INK, _encoded(_lab_of(inks)))
    to_inks = _table(3, 4, PER_LAB, np.rint(_inks_of(lab) * 65535))
    tags = {
        b"desc": _description("Drawn press"),
        b"cprt": b"text" + bytes(4) + b"CC0\0",
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3i", *(round(v * 65536) for v in D50_XYZ)),
        **dict.fromkeys((b"A2B0", b"A2B1", b"A2B2"), to_lab),
        **dict.fromkeys((b"B2A0", b"B2A1", b"B2A2"), to_inks),
    }
    return _profile(tags)


def _lab_of(inks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light that passes one ink after the other."""
    passed = 1 - inks * (1 - DENSEST)
    xyz = srgb_decode(passed[:, :3] * passed[:, 3:]) @ srgb_to_pcs().T / np.array(D50_XYZ)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def _inks_of(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same way back, without black ink; what cannot be printed is clipped."""
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, (116 * f - 16) * 27 / 24389) * np.array(D50_XYZ)
    light = srgb_encode(np.clip(xyz @ np.linalg.inv(srgb_to_pcs()).T, 0, 1))
    return np.concatenate([np.clip((1 - light) / (1 - DENSEST), 0, 1), np.zeros((len(lab), 1))], axis=1)


def _encoded(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """ICC.1:2001-04, annex A.4: 16-bit Lab."""
    scaled = np.stack([lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], axis=1)
    return np.clip(np.rint(scaled), 0, 65535)


def _table(inputs: int, outputs: int, points: int, values: NDArray[np.float64]) -> bytes:
    """lut16Type (ICC.1:2001-04, 6.5.7) with straight curves."""
    head = b"mft2" + bytes(4) + bytes([inputs, outputs, points, 0])
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    straight = np.array([0, 65535], ">u2").tobytes()
    return (
        head
        + matrix
        + struct.pack(">HH", 2, 2)
        + straight * inputs
        + values.astype(">u2").tobytes()
        + straight * outputs
    )


def _description(name: str) -> bytes:
    text = name.encode() + b"\0"
    return b"desc" + struct.pack(">II", 0, len(text)) + text + bytes(78)


def _profile(tags: dict[bytes, bytes]) -> bytes:
    at, places, body = 132 + 12 * len(tags), {}, b""
    for content in tags.values():
        if content not in places:
            places[content] = at + len(body)
            body += content + bytes(-len(content) % 4)
    table = struct.pack(">I", len(tags)) + b"".join(
        name + struct.pack(">II", places[content], len(content)) for name, content in tags.items()
    )
    size = 128 + len(table) + len(body)
    header = (
        struct.pack(">I4xI", size, 0x02400000) + b"prtrCMYKLab " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    )
    white = struct.pack(">3i", *(round(v * 65536) for v in D50_XYZ))
    return (header + bytes(28) + white).ljust(128, b"\0") + table + body
