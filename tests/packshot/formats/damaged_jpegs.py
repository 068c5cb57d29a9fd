"""JPEGs that are damaged so that libjpeg says nothing."""

from __future__ import annotations

import contextlib
import random

import simplejpeg

from packshot.formats.jpeg_header import segments
from packshot.formats.jpeg_passes import SplitRun
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


def without_last_scan(whole: bytes) -> bytes:
    """The JPEG without its last scan, as an upload that was cut off between two scans and closed again."""
    start = [one.end - len(one.body) - 4 for one in segments(whole) if one.code == 0xDA][-1]
    return whole[:start] + b"\xff\xd9"


def with_one_bit_changed(whole: bytes) -> bytes:
    """The JPEG with one bit of its first half changed so that every code is possible and a seam is left."""
    rng = random.Random(1)
    for _ in range(2000):
        at = rng.randrange(first_code(whole), len(whole) // 2)
        changed = whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]
        if told(changed) == "seam":
            return changed
    raise AssertionError


def out_of_step(whole: bytes) -> bytes:
    """The progressive JPEG without 40 to 200 bytes of its last pass, so that only a run of empty blocks tells it."""
    start = [one.end for one in segments(whole) if one.code == 0xDA][-1]
    rng = random.Random(4)
    for _ in range(200):
        at = start + rng.randrange((len(whole) - start) // 2)
        changed = whole[:at] + whole[at + rng.randint(40, 200) :]
        with contextlib.suppress(ValueError):
            simplejpeg.decode_jpeg(changed, strict=True)
            if isinstance(look_for_damage(changed), SplitRun):
                return changed
    raise AssertionError
