"""Read EXIF (2.32, CIPA DC-008): camera, exposure, time, rights, orientation, and whether a place is stored."""

from __future__ import annotations

from datetime import datetime

from packshot.formats.container import Container
from packshot.formats.ifd import Directory, TiffBytes, open_tiff
from packshot.formats.texts import Facts, clean

_SHOT, _PLACE, _ORIENTATION = 34665, 34853, 274
_READ = frozenset({270, 271, 272, 274, 305, 306, 315, 33432, 33434, 33437, 34855, 36867, 37386, 42033, 42036})
"""Tags whose values are kept, or decide how the picture is shown."""


def read_exif(container: Container) -> Facts:
    """Return the facts that EXIF states about a picture: name of the fact -> value, such as "iso" -> 100.

    Names are fields of `packshot.ingest.metadata.Metadata`.

    The result is empty if there is no EXIF. A value that is missing or damaged is None or empty. A TIFF can have
    several pages: the page of the picture is read first, and the page that contains it fills what is missing.

    Args:
        container: the file's header.
    """
    tiff = open_tiff(container.exif)
    if tiff is None:
        return {}
    pages = [tiff.directory_at(offset) for offset in container.exif_pages] or list(tiff.directories(most=1))
    found: Facts = {}
    for page in dict.fromkeys(page.offset for page in pages):
        read = _of_directory(tiff, tiff.directory_at(page), container.exif_shot)
        found = {**read, **{name: value for name, value in found.items() if value not in (None, "")}}
    return found


def orientation_of(stream: bytes) -> int:
    """Return the orientation that a block of EXIF states, 1 to 8; 0 if it states none.

    Args:
        stream: a TIFF stream. Only its first directory is read.
    """
    tiff = open_tiff(stream)
    value = tiff.directory_at(tiff.first).whole(_ORIENTATION) if tiff else 0
    return value if 1 <= value <= 8 else 0


def exif_damage(container: Container) -> str:
    """Return in words what is damaged in EXIF, for example "EXIF that is cut off".

    The result is empty if nothing is damaged, or if there is no EXIF. The camera maker's own notes are not checked.

    Args:
        container: the file's header.
    """
    if not container.exif.strip(b"\0"):
        return ""
    tiff = open_tiff(container.exif)
    if tiff is None:
        return "EXIF without a header"
    offset = container.exif_pages[0] if container.exif_pages else tiff.first
    main = tiff.directory_at(offset)
    below = [tiff.directory_at(main.whole(tag)) for tag in (_SHOT, _PLACE) if main.whole(tag)]
    if not all(one.complete for one in (main, *below)):
        return "EXIF that is cut off"
    lost = [tag for one in (main, *below) for tag in one.places if tag in _READ and one.get(tag) is None]
    return "EXIF with values beyond its end" if lost else ""


def _of_directory(tiff: TiffBytes, main: Directory, shot_apart: bytes) -> Facts:
    if not main.places:
        return {}
    apart = open_tiff(shot_apart)
    shot = tiff.directory_at(main.whole(34665)) if apart is None else apart.directory_at(apart.first)
    found: Facts = {
        "camera_make": clean(main.text(271)),
        "camera_model": clean(main.text(272)),
        "camera_serial": clean(shot.text(42033)),
        "lens": clean(shot.text(42036)),
        "exposure_s": _positive(shot.number(33434)),
        "f_number": _positive(shot.number(33437)),
        "iso": shot.whole(34855) or None,
        "focal_length_mm": _positive(shot.number(37386)),
        "flash": bool(shot.whole(37385) & 1) if 37385 in shot else None,
        "white_balance": {0: "auto", 1: "manual"}.get(shot.whole(41987, -1), ""),
        "taken_at": _exif_time(shot.text(36867)) or _exif_time(main.text(306)),
        "software": clean(main.text(305)),
        "copyright": clean(main.text(33432)),
        "creator": clean(main.text(315)),
        "title": clean(main.text(270)),
        "colour_space": _colour_space(shot, tiff.directory_at(shot.whole(40965)).text(1)),
    }
    if 34853 in main:
        found["has_gps"] = True
    orientation = main.whole(274)
    return found | {"orientation": orientation if 1 <= orientation <= 8 else None}


def _colour_space(shot: Directory, interoperability: str) -> str:
    """Return the colour space that EXIF declares (EXIF 2.32, ColorSpace).

    DCF 2.0 marks its optional colour space, Adobe RGB, with the interoperability index R03.
    """
    space = shot.whole(40961)
    if space == 2 or (interoperability[:3] == "R03" and space != 1):
        return "adobe_rgb"
    return "srgb" if space == 1 else ""


def _exif_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _positive(number: float | None) -> float | None:
    return number if number is not None and 0 < number < 1e6 else None
