"""JPEGs that are damaged so that libjpeg says nothing."""

from __future__ import annotations

import random

import simplejpeg

from packshot.formats.jpeg_header import segments
from packshot.formats.jpeg_walk import look_for_damage


def first_code(data: bytes) -> int:
    """The offset of a JPEG's first code."""
    return next(one.end for one in segments(data) if one.code == 0xDA)


def told(data: bytes) -> str:
    """How damage is told: 'refused' or 'seam'; empty if it is not."""
    try:
        simplejpeg.decode_jpeg(data, strict=True)
        return "seam" if look_for_damage(data) else ""
    except ValueError:
        return "refused"


def with_one_bit_changed(whole: bytes) -> bytes:
    """The JPEG with one bit of its first half changed so that every code is possible and a seam is left."""
    rng = random.Random(1)
    for _ in range(2000):
        at = rng.randrange(first_code(whole), len(whole) // 2)
        changed = whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]
        if told(changed) == "seam":
            return changed
    raise AssertionError
