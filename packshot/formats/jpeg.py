"""Decode JPEG files with 8 bits per channel, and refuse damaged ones.

libjpeg repairs damage: it fills a gap with grey, continues, and only warns. Most Python packages drop these warnings.
Then a picture with grey stripes looks like any other. simplejpeg stops at the first warning and raises it as an error.
`jpeg_walk` finds damage for which libjpeg gives no warning.
"""

from __future__ import annotations

import re
from typing import Any

import imagecodecs
import simplejpeg
from numpy.typing import NDArray

from packshot.formats.container import DamagedError
from packshot.formats.jpeg_codes import NotCompiledError
from packshot.formats.jpeg_passes import SplitRun, Unfinished
from packshot.formats.jpeg_seam import Seam
from packshot.formats.jpeg_walk import look_for_damage
from packshot.types import Finding, Status

_DAMAGE = re.compile(r"Corrupt JPEG data: (?!bad ICC)|Premature end of JPEG|Inconsistent progression")
"""Warnings of libjpeg (``jerror.h``) about pixels. The others are about headers, such as an unknown JFIF version."""
_OUTPUT = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}


def decode_jpeg(data: bytes) -> tuple[NDArray[Any], tuple[Finding, ...]]:
    """Return (the pixels of a JPEG as stored, findings on possible damage).

    Args:
        data: the whole file, with 8 bits per channel.
    Returns:
        pixels: uint8: (rows, columns) for grey, (rows, columns, 3) RGB or (rows, columns, 4) CMYK as stored.
        findings: at most two: ``damage_not_looked_for`` if a check could not be made; one of ``seam_of_lost_data``,
            ``codes_out_of_step`` or ``scans_missing`` if a trace of lost data was found. These three stop automatic
            approval.
    Raises:
        DamagedError: bytes of the picture are missing, changed, or too many.
    """
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(data)
        pixels = simplejpeg.decode_jpeg(data, colorspace=_OUTPUT.get(colours, "RGB"), strict=True)
    except (ValueError, KeyError) as error:  # KeyError: a sampling that simplejpeg has no name for
        reason = str(error) if isinstance(error, ValueError) else "its colours are sampled in a way that is seldom used"
        if _DAMAGE.match(reason):
            raise DamagedError(f"a damaged JPEG ({reason})") from error
        # The header is odd, or this decoder does not support the variety. The other decoder reads it or raises.
        return imagecodecs.jpeg8_decode(data), (_not_looked_for(reason), *_small_damage(data))
    return (pixels[..., 0] if pixels.shape[2] == 1 else pixels), _small_damage(data)


def _small_damage(data: bytes) -> tuple[Finding, ...]:
    try:
        trace = look_for_damage(data)
    except NotCompiledError as error:
        return (_unchecked(f"Small damage in this JPEG was not looked for: numba can't be used here ({error})."),)
    if trace is None:
        return ()
    return (_seam_found(trace) if isinstance(trace, Seam) else _pass_found(trace),)


def _not_looked_for(reason: str) -> Finding:
    return _unchecked(f"This JPEG is unusual ({reason}), so whether bytes of the picture are damaged was not checked.")


def _unchecked(message: str) -> Finding:
    return Finding(code="damage_not_looked_for", status=Status.WARNING, message=message)


def _seam_found(seam: Seam) -> Finding:
    return Finding(
        code="seam_of_lost_data",
        status=Status.FAILED,
        message=f"From x {seam.x:,}, y {seam.y:,} px on (as stored), the picture is {abs(seam.step):.0f} levels off, "
        "along a line that only lost data leaves in a JPEG.",
        measured=round(abs(seam.step), 1),
        gate=True,
    )


def _pass_found(trace: SplitRun | Unfinished) -> Finding:
    if isinstance(trace, SplitRun):
        return Finding(
            code="codes_out_of_step",
            status=Status.FAILED,
            message=f"Near x {trace.x:,}, y {trace.y:,} px (as stored), codes of the JPEG are as its encoder does not "
            "write them anywhere else: bytes were lost or changed before that place.",
            measured=trace.places,
            gate=True,
        )
    return Finding(
        code="scans_missing",
        status=Status.FAILED,
        message="The JPEG was written in several passes, each of which makes it finer; some are not there, so the "
        "picture is coarse.",
        measured=trace.missing,
        gate=True,
    )


def check_parts(parts: list[bytes], tables: bytes) -> tuple[Finding, ...]:
    """Return findings on possible damage in the JPEG streams of a TIFF, each code at most once.

    A stream is a strip or a tile of the TIFF. If several streams have the same damage, the finding names the number of
    the first one. The result is empty if no stream is damaged.

    Args:
        parts: the streams, each from its start marker to its end marker.
        tables: a stream with the tables that all parts share; empty if each part has its own.
    Raises:
        DamagedError: bytes of a part are missing, changed, or too many.
    """
    found: dict[str, Finding] = {}
    for number, part in enumerate(parts, 1):
        for one in decode_jpeg(tables[:-2] + part[2:] if tables else part)[1]:
            message = f"Part {number:,} of {len(parts):,}: {one.message}"
            found.setdefault(one.code, one.model_copy(update={"message": message}))
    return tuple(found.values())
