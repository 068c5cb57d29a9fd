"""Draw pictures for people: before and after side by side, and the worst places at 1:1. They are never delivered."""

from __future__ import annotations

import io
import re
from typing import Any

import cv2
import numpy as np
from PIL import Image

from packshot.colour.transform import working_to_srgb8
from packshot.qc.evidence import Evidence, crop_evidence
from packshot.types import Pixels8, Pixels16, size_of

PREVIEW_PX = 560
EVIDENCE_PX = 400
_GAP_PX = 12
_GAP_GREY = 128
_QUALITY = 78
_DESCRIPTION_TAG, _SAID = 270, re.compile(r"before: (\d{1,4}) px")
"""EXIF's ImageDescription, and what stands there in a preview of two pictures."""


def before_and_after(master: Pixels16, composite: Pixels16 | None) -> bytes:
    """Return a WebP of master and edit side by side, in sRGB; only the master if there is no edit.

    Each is at most 560 px on its longest side.

    Args:
        master: (rows, columns, 3) uint16, Adobe RGB.
        composite: the edit, in the same form and of the same size; None if there is none.
    """
    pictures = [master] if composite is None else [master, composite]
    shown = [working_to_srgb8(_reduced(picture)) for picture in pictures]
    return _webp(_side_by_side(shown), before=shown[0].shape[1] if len(shown) > 1 else None)


def halves_of(preview: bytes) -> tuple[Image.Image, Image.Image | None]:
    """Return the two pictures of a preview, (before, after), in RGB; the second is None if there is only one.

    The file's metadata states the width of the first one. The grey stripe between them is not searched for, because a
    product may have such a stripe too.

    Args:
        preview: the WebP, as `before_and_after` returns it.
    """
    with Image.open(io.BytesIO(preview)) as opened:
        said = _SAID.fullmatch(str(opened.getexif().get(_DESCRIPTION_TAG, "")))
        whole = opened.convert("RGB")
    if said is None:
        return whole, None
    width = int(said[1])
    return whole.crop((0, 0, width, whole.height)), whole.crop((width + _GAP_PX, 0, whole.width, whole.height))


def evidence_files(master: Pixels16, composite: Pixels16, evidence: tuple[Evidence, ...]) -> dict[str, bytes]:
    """Return WebP pictures of places at 1:1, before and after side by side: name of the file -> its content.

    The name has the place's number, from 1 in the given order, and its code: ``evidence/1-fringe.webp``. A picture
    shows at most 400 px of a place in each direction.

    Args:
        master, composite: (rows, columns, 3) uint16, Adobe RGB, of the same size.
        evidence: the places that a reviewer should look at.
    """
    return {
        f"evidence/{number}-{one.code}.webp": _webp(
            _side_by_side([_part(picture, one) for picture in (master, composite)])
        )
        for number, one in enumerate(evidence, start=1)
    }


def _part(picture: Pixels16, evidence: Evidence) -> Pixels8:
    """Return the place as sRGB, at most `EVIDENCE_PX` wide and high."""
    return crop_evidence(picture, evidence.box)[:EVIDENCE_PX, :EVIDENCE_PX]


def _reduced(picture: Pixels16) -> Pixels16:
    """Return the picture with at most `PREVIEW_PX` on its longest side.

    It is averaged in encoded light, which is good enough for a preview.
    """
    size = size_of(picture)
    share = PREVIEW_PX / size.longest
    if share >= 1:
        return picture
    reduced: Any = cv2.resize(
        picture, (max(1, round(size.width * share)), max(1, round(size.height * share))), interpolation=cv2.INTER_AREA
    )
    return np.ascontiguousarray(reduced)


def _side_by_side(pictures: list[Pixels8]) -> Pixels8:
    """Return pictures next to each other with a grey gap."""
    height = max(picture.shape[0] for picture in pictures)
    gap = np.full((height, _GAP_PX, 3), _GAP_GREY, np.uint8)
    parts: list[Pixels8] = []
    for picture in pictures:
        padding = ((0, height - picture.shape[0]), (0, 0), (0, 0))
        parts += [gap, np.pad(picture, padding, constant_values=_GAP_GREY)]
    return np.hstack(parts[1:])


def _webp(picture: Pixels8, *, before: int | None = None) -> bytes:
    """Return a picture as a lossy WebP.

    Args:
        before: width of the first of two pictures side by side; it is written into the file.
    """
    stream, exif = io.BytesIO(), Image.Exif()
    if before is not None:
        exif[_DESCRIPTION_TAG] = f"before: {before} px"
    Image.fromarray(picture).save(stream, "WEBP", quality=_QUALITY, method=2, exif=exif)
    return stream.getvalue()
