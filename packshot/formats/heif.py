"""Read HEIC and AVIF headers (ISO/IEC 23008-12, ISO/IEC 14496-12, AV1-AVIF). No pixel is decoded.

A file contains items: pictures, tiles of pictures, thumbnails, metadata. "The picture" is the primary item. Its
properties state its size, its colour space, and the operations for its decoded pixels.

HEVC and AV1 decoders accept any bytes as a picture, without a warning. So this module looks for damage: parts that end
beyond the file, and gaps filled with zeros.
"""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Iterator
from fractions import Fraction

from packshot.formats.av1 import stream_codes, stream_size
from packshot.formats.boxes import boxes
from packshot.formats.container import Codes, Container, DamagedError, NotReadError, Rearrangement, plain_exif
from packshot.formats.findings import film_left_out, gain_map_left_out
from packshot.formats.hevc import configured_codes
from packshot.types import Box, Finding, Size, Status

_MOST_ITEMS = 4000
_MOST_EXTENTS = 4000
_MOST_METADATA_BYTES = 4_000_000
_STREAM_HEAD_BYTES = 4096
_PICTURES = frozenset(
    {b"hvc1", b"hev1", b"av01", b"grid", b"iden", b"iovl", b"avc1", b"jpeg", b"j2k1", b"unci", b"vvc1"}
)
_HEVC = (b"hvc1", b"hev1")
_UNREAD = {b"avc1": "H.264", b"jpeg": "JPEG", b"j2k1": "JPEG 2000", b"unci": "plain values", b"vvc1": "H.266"}
_DERIVED = (b"iden", b"iovl")
_HEVC_HEAD_BYTES = 23
_FORBIDDEN_IN_HEVC = re.compile(rb"\0\0[\0\1\2]")
"""ITU-T H.265, 7.4.2: none of these stands inside a NAL unit. Zeros in place of lost bytes are such a place."""
_MOST_READ = 2
"""The parts of a picture may share bytes, but not so that the file is read more often than this."""
_LEAST_GAP = 512
"""So many zeros in a row are a gap. AV1's arithmetic coder would need a million most probable symbols for them."""
_FILM = b"moov"
_STILL = "Export the photograph as a single picture."
_ONCE_EACH = {b"irot": "turned", b"imir": "mirrored", b"clap": "cropped"}
"""Properties that a picture has at most once (ISO/IEC 23000-22, 7.3.6.7), and what each asks for."""
_GAIN_MAP_TYPES = (b"urn:com:apple:photo:2020:aux:hdrgainmap", b"urn:iso:std:iso:ts:21496:-1")


@dataclasses.dataclass
class _Item:
    """An item of the file.

    Attributes:
        extents: (offset in the file or in the idat box, length).
        in_idat: True if the offsets count in the idat box.
        properties: (name, content), in the order in which they apply.
    """

    kind: bytes = b""
    content_type: bytes = b""
    hidden: bool = False
    in_idat: bool = False
    extents: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    properties: list[tuple[bytes, bytes]] = dataclasses.field(default_factory=list)

    def every(self, name: bytes) -> list[bytes]:
        return [body for one, body in self.properties if one == name]

    @property
    def size(self) -> Size:
        body = next(iter(self.every(b"ispe")), b"")
        return Size(*struct.unpack_from(">II", body, 4)) if len(body) >= 12 else Size(0, 0)


@dataclasses.dataclass
class _Meta:
    """The meta box.

    Attributes:
        links: (kind of link, from item, to items).
    """

    primary: int = 0
    items: dict[int, _Item] = dataclasses.field(default_factory=dict)
    links: list[tuple[bytes, int, tuple[int, ...]]] = dataclasses.field(default_factory=list)
    idat: bytes = b""

    def item(self, number: int) -> _Item:
        if number not in self.items and len(self.items) >= _MOST_ITEMS:
            raise DamagedError(f"more than {_MOST_ITEMS} items in one file")
        return self.items.setdefault(number, _Item())

    def linked(self, kind: bytes) -> dict[int, tuple[int, ...]]:
        return {start: ends for name, start, ends in self.links if name == kind}


def read_heif(data: bytes) -> Container:
    """Return what the header of a HEIC or AVIF says about the picture that it shows (its primary item).

    If the file names no primary item, the first visible picture is taken. `frames` is 1 for this picture, plus the
    number of other pictures that a viewer would show. No pixel is decoded.

    Args:
        data: the whole file.
    Raises:
        DamagedError: the file has no picture or no size, names two main pictures, a hidden one, or two sizes of its
            picture, or a part of the picture is missing, filled with zeros, or of bytes that cannot be a picture.
        NotReadError: the file holds a film (image sequence) only, or the picture's coding is not read.
    """
    meta = _read_meta(data)
    main = meta.items.get(meta.primary)
    if main is None:
        main = next((item for item in meta.items.values() if item.kind in _PICTURES and not item.hidden), None)
    film = any(name == _FILM for name, _ in boxes(data))
    if main is None and film:
        raise NotReadError("a film (image sequence) without a picture beside it", _STILL)
    if main is None or not main.size.width:
        raise DamagedError("a file without a picture's size in it")
    if main.hidden:  # ISO/IEC 23008-12, 6.4.2: a hidden item is not to be shown. libheif refuses such a file, too.
        raise DamagedError("a file whose main picture is marked as hidden")
    parts = [meta.items[number] for number in meta.linked(b"dimg").get(meta.primary, ()) if number in meta.items]
    _check_coding(main, parts)
    _check_parts(data, meta, [main, *parts])
    _check_sizes(data, meta, main, len(parts))
    steps, findings = _steps(main)
    others = _others(meta)
    exif, xmp = _metadata(data, meta)
    return Container(
        size=main.size,
        tile=max((item.size for item in (main, *parts)), key=lambda size: size.width * size.height),
        frames=1 + others,
        chosen="its main picture",
        bit_depth=max(_bit_depth(item) for item in (main, *parts)),
        icc=_icc(main) or next((icc for item in parts if (icc := _icc(item))), b""),
        codes=next((codes for item in (main, *parts) if (codes := _codes(item))), None)
        or next((codes for item in (main, *parts[:1]) if (codes := _codes_in_stream(data, meta, item))), None),
        steps=steps,
        exif=exif,
        xmp=xmp,
        findings=(*findings, *_gain_map(meta), *((film_left_out(),) if film else ())),
    )


def without_film(data: bytes) -> bytes:
    """Return an AVIF as a file of still pictures: decoders no longer find a film (image sequence) beside them.

    The film's box and the brand that announces it get other names. No byte moves.

    Args:
        data: the whole file.
    """
    changed: dict[int, bytes] = {}
    at = 0
    for name, body in boxes(data):
        start = at + (16 if data[at : at + 4] == b"\0\0\0\1" else 8)
        if name == _FILM:
            changed[at + 4] = b"free"
        elif name == b"ftyp":
            changed |= {start + n: b"avif" for n in range(0, len(body), 4) if body[n : n + 4] == b"avis"}
        at = start + len(body)
    if not changed:
        return data
    still = bytearray(data)
    for place, word in changed.items():
        still[place : place + 4] = word
    return bytes(still)


def _read_meta(data: bytes) -> _Meta:
    found = _Meta()
    properties: list[tuple[bytes, bytes]] = []
    associations: list[bytes] = []
    for name, body in boxes(next((body[4:] for name, body in boxes(data) if name == b"meta"), b"")):
        if name == b"pitm":
            if found.primary:
                raise DamagedError("a file that names two main pictures")
            found.primary = int.from_bytes(body[4 : 6 if body[0] == 0 else 8], "big")
        elif name == b"iinf":
            _read_infos(found, body)
        elif name == b"iloc":
            _read_places(found, body)
        elif name == b"iref":
            found.links += _links(body)
        elif name == b"idat":
            found.idat = body
        elif name == b"iprp":
            for inner, content in boxes(body):
                if inner == b"ipco":
                    properties += boxes(content)
                elif inner == b"ipma":
                    associations.append(content)
    for content in associations:
        for number, index in _associations(content):
            if 0 < index <= len(properties):
                found.item(number).properties.append(properties[index - 1])
    return found


def _read_infos(found: _Meta, body: bytes) -> None:
    for name, info in boxes(body[6 if body[0] == 0 else 8 :]):
        if name != b"infe" or info[0] < 2:
            continue
        wide = info[0] > 2
        number = int.from_bytes(info[4 : 8 if wide else 6], "big")
        kind_at = 10 if wide else 8
        item = found.item(number)
        item.kind, item.hidden = info[kind_at : kind_at + 4], bool(info[3] & 1)
        if item.kind == b"mime":
            item.content_type = info[kind_at + 4 :].split(b"\0")[1]


def _read_places(found: _Meta, body: bytes) -> None:
    """Read the iloc box (ISO/IEC 14496-12, 8.11.3)."""
    version = body[0]
    offset_size, length_size, base_size = body[4] >> 4, body[4] & 15, body[5] >> 4
    index_size = body[5] & 15 if version else 0
    reader = _Numbers(body, 6)
    for _ in range(reader.take(4 if version == 2 else 2)):
        number = reader.take(4 if version == 2 else 2)
        method = reader.take(2) & 15 if version else 0
        reader.take(2)
        base = reader.take(base_size)
        item = found.item(number)
        item.in_idat = method == 1
        for _ in range(reader.take(2)):
            reader.take(index_size)
            start, length = base + reader.take(offset_size), reader.take(length_size)
            if method < 2 and len(item.extents) < _MOST_EXTENTS:
                item.extents.append((start, length))


class _Numbers:
    """Reads whole numbers one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def take(self, size: int) -> int:
        end = self._at + size
        if end > len(self._data):
            raise DamagedError("a header that ends inside its list of parts: damaged, or cut off")
        value, self._at = int.from_bytes(self._data[self._at : end], "big"), end
        return value


def _links(body: bytes) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    size, code = (4, "I") if body[0] else (2, "H")
    for name, link in boxes(body[4:]):
        (count,) = struct.unpack_from(">H", link, size)
        yield name, int.from_bytes(link[:size], "big"), struct.unpack_from(f">{count}{code}", link, size + 2)


def _associations(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield (item, number of the property, from 1) in order."""
    reader = _Numbers(body, 4)
    wide = body[3] & 1
    for _ in range(reader.take(4)):
        number = reader.take(2 if body[0] == 0 else 4)
        for _ in range(reader.take(1)):
            index = reader.take(2 if wide else 1)
            yield number, index & (0x7FFF if wide else 0x7F)


def _bit_depth(item: _Item) -> int:
    depths = [8]
    for body in item.every(b"pixi"):
        depths += body[5 : 5 + body[4]] if len(body) > 5 else b""
    for body in item.every(b"av1C"):  # AV1-ISOBMFF, 2.3.3: high bit depth, twelve bit
        if len(body) > 2 and body[2] & 0x40:
            depths.append(12 if body[2] & 0x20 else 10)
    depths += [8 + (body[17] & 7) for body in item.every(b"hvcC") if len(body) > 17]
    return max(depths)


def _icc(item: _Item) -> bytes:
    return next((body[4:] for body in item.every(b"colr") if body[:4] in (b"prof", b"rICC")), b"")


def _codes(item: _Item) -> Codes | None:
    found = (body for body in item.every(b"colr") if body[:4] == b"nclx" and len(body) >= 8)
    return next((Codes(*struct.unpack_from(">HH", body, 4)) for body in found), None)


def _codes_in_stream(data: bytes, meta: _Meta, item: _Item) -> Codes | None:
    if item.kind in _HEVC:
        return next((configured_codes(body) for body in item.every(b"hvcC") if len(body) > _HEVC_HEAD_BYTES), None)
    if item.kind != b"av01" or not item.extents:
        return None
    start, length = item.extents[0]
    return stream_codes((meta.idat if item.in_idat else data)[start : start + min(length, _STREAM_HEAD_BYTES)])


def _steps(item: _Item) -> tuple[tuple[Rearrangement, ...], tuple[Finding, ...]]:
    """Return what to do with the decoded pixels, in the file's order, and a finding on what makes no sense."""
    steps: list[Rearrangement] = []
    size = item.size
    for name, body in item.properties:
        if name == b"irot" and body:
            steps.append(Rearrangement(turns=body[0] & 3))
            size = Size(size.height, size.width) if body[0] & 1 else size
        elif name == b"imir" and body:
            steps.append(Rearrangement(mirror=body[0] & 1))
        elif name == b"clap":
            box = clean_aperture(body, size)
            if box is None:
                message = "The file asks for a part of its picture that does not lie in it; what is there was taken."
                return tuple(steps), (Finding(code="metadata_damaged", status=Status.WARNING, message=message),)
            steps.append(Rearrangement(crop=box))
            size = Size(box.right - box.left, box.bottom - box.top)
    return tuple(steps), _contradictory(item)


def _contradictory(item: _Item) -> tuple[Finding, ...]:
    """Return the finding on a picture that is to be turned, mirrored or cropped twice; none of these may be there
    twice.
    """
    twice = [word for name, word in _ONCE_EACH.items() if len(item.every(name)) > 1]
    if not twice:
        return ()
    message = f"The file asks twice for its picture to be {' and '.join(twice)}; both were done, one after the other."
    return (Finding(code="metadata_damaged", status=Status.WARNING, message=message),)


def clean_aperture(body: bytes, size: Size) -> Box | None:
    """Return the part of a picture to which a clap box of a HEIC or AVIF crops it (ISO/IEC 14496-12, 12.1.4).

    None if the part does not lie inside the picture, or if the box's content is cut off or has a denominator of 0.

    Args:
        body: content of the clap box.
        size: size of the picture before the crop.
    """
    try:
        numbers = struct.unpack_from(">IIIIiIiI", body)
        wide, high, across, down = (Fraction(numbers[at], numbers[at + 1]) for at in (0, 2, 4, 6))
    except (struct.error, ZeroDivisionError):
        return None
    width, height = round(wide), round(high)
    left, top = round(across + Fraction(size.width - width, 2)), round(down + Fraction(size.height - height, 2))
    inside = width > 0 and height > 0 and left >= 0 and top >= 0
    if not inside or left + width > size.width or top + height > size.height:
        return None
    return Box(left, top, left + width, top + height)


def _others(meta: _Meta) -> int:
    """Return how many pictures a viewer would show beside the primary one: no thumbnails, tiles or gain maps."""
    inner = {number for kind in (b"dimg",) for ends in meta.linked(kind).values() for number in ends}
    helpers = {start for kind in (b"thmb", b"auxl", b"prem") for start in meta.linked(kind)}
    apart = inner | helpers | {meta.primary}
    return sum(
        item.kind in _PICTURES and not item.hidden and number not in apart for number, item in meta.items.items()
    )


def _gain_map(meta: _Meta) -> tuple[Finding, ...]:
    named = any(item.kind == b"tmap" for item in meta.items.values()) or any(
        body[4:].startswith(_GAIN_MAP_TYPES) for item in meta.items.values() for body in item.every(b"auxC")
    )
    return (gain_map_left_out(),) if named else ()


def _metadata(data: bytes, meta: _Meta) -> tuple[bytes, bytes]:
    """Return the EXIF and XMP that describe the primary picture; those of no picture if it has none."""
    describes = meta.linked(b"cdsc")
    ours = [number for number, ends in describes.items() if meta.primary in ends]
    ours += [number for number in meta.items if number not in describes]
    exif = xmp = b""
    for number in ours:
        item = meta.items.get(number, _Item())
        if item.kind == b"Exif" and not exif:
            block = _content(data, meta, item)
            exif = plain_exif(block[4 + int.from_bytes(block[:4], "big") :]) or plain_exif(block[4:])
        elif item.kind == b"mime" and item.content_type == b"application/rdf+xml" and not xmp:
            xmp = _content(data, meta, item)
    return exif, xmp


def _content(data: bytes, meta: _Meta, item: _Item) -> bytes:
    source = meta.idat if item.in_idat else data
    if sum(length for _, length in item.extents) > _MOST_METADATA_BYTES:
        return b""
    return b"".join(source[start : start + length] for start, length in item.extents)


def _check_parts(data: bytes, meta: _Meta, items: list[_Item]) -> None:
    """Check that the coded picture lies in the file and has no gap.

    Raises:
        DamagedError: it does not, or it has.
    """
    if sum(length for item in items for _, length in item.extents) > _MOST_READ * len(data):
        raise DamagedError("a file whose picture has more bytes than the file")
    for item in items:
        source = meta.idat if item.in_idat else data
        missing = sum(start + length > len(source) for start, length in item.extents)
        if missing:
            raise DamagedError(
                f"{missing} of {len(item.extents)} parts of the picture lie beyond its end: it was cut off"
            )
        if item.kind == b"av01" and any(_has_gap(source, start, start + length) for start, length in item.extents):
            raise DamagedError("a damaged AVIF (a gap of zeros in its picture)")
        if item.kind in _HEVC and _is_damaged_hevc(_whole(source, item), item):
            raise DamagedError("a damaged HEIC (its picture holds bytes that no picture holds)")


def _check_coding(main: _Item, parts: list[_Item]) -> None:
    """Name a coding that the decoders do not read: they would call the file damaged.

    Raises:
        NotReadError: the picture has such a coding.
    """
    coding = next((_UNREAD[item.kind] for item in (main, *parts) if item.kind in _UNREAD), "")
    if coding:
        raise NotReadError(f"a HEIF whose picture is coded as {coding}", _STILL)
    if main.kind in _DERIVED and any(part.kind == b"av01" for part in parts):
        raise NotReadError("an AVIF whose picture is made of others", _STILL)


def _check_sizes(data: bytes, meta: _Meta, main: _Item, n_parts: int) -> None:
    """Check that a grid has all its parts, and that an AV1 stream has the size that the header names.

    Decoders take another picture of the file for a grid that is not whole, and enlarge a stream that is too small.

    Raises:
        DamagedError: it is not so.
    """
    if main.kind == b"grid":
        rows_columns = _content(data, meta, main)[2:4]
        wanted = (rows_columns[0] + 1) * (rows_columns[1] + 1) if len(rows_columns) == 2 else 0
        if n_parts < wanted:
            raise DamagedError(f"a picture of {wanted} parts, of which {n_parts} are there")
    if main.kind == b"av01" and main.extents:
        start, length = main.extents[0]
        source = meta.idat if main.in_idat else data
        coded = stream_size(source[start : start + min(length, _STREAM_HEAD_BYTES)])
        if coded is not None and coded != main.size:
            raise DamagedError(f"a header of {main.size} pixels on a picture of {coded}")


def _has_gap(data: bytes, start: int, end: int) -> bool:
    return data.find(bytes(_LEAST_GAP), start, end) >= 0


def _whole(source: bytes, item: _Item) -> bytes:
    return b"".join(source[start : start + length] for start, length in item.extents)


def _is_damaged_hevc(stream: bytes, item: _Item) -> bool:
    """Return True if the NAL units, each behind its length, do not fill the item, or hold forbidden bytes."""
    config = next(iter(item.every(b"hvcC")), b"")
    width = (config[21] & 3) + 1 if len(config) > 21 else 4
    at = 0
    while at < len(stream):
        end = at + width + int.from_bytes(stream[at : at + width], "big")
        if end > len(stream) or at + width >= end:
            return True
        if _FORBIDDEN_IN_HEVC.search(stream, at + width, end):
            return True
        at = end
    return False
