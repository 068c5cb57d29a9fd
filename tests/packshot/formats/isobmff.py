"""Write small HEIC and AVIF files item by item, to say in a test exactly what a file holds."""

from __future__ import annotations

import dataclasses
import functools
import io
import operator
import struct
from collections.abc import Sequence

import imagecodecs
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from packshot.formats.boxes import boxes

_ESSENTIAL = (b"hvcC", b"av1C", b"clap", b"irot", b"imir")


@dataclasses.dataclass(frozen=True)
class Item:
    """An item: its type, content and properties (whole boxes), and what it links to: (kind, item number from 1)."""

    kind: bytes
    content: bytes
    properties: tuple[bytes, ...] = ()
    links: tuple[tuple[bytes, int], ...] = ()
    hidden: bool = False


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def full(name: bytes, body: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags) + body)


def ispe(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def nclx(primaries: int, transfer: int) -> bytes:
    return box(b"colr", b"nclx" + struct.pack(">HHHB", primaries, transfer, 6, 0x80))


def prof(icc: bytes) -> bytes:
    return box(b"colr", b"prof" + icc)


def irot(turns: int) -> bytes:
    return box(b"irot", bytes([turns]))


def imir(axis: int) -> bytes:
    return box(b"imir", bytes([axis]))


def clap(width: int, height: int, across: int = 0, down: int = 0) -> bytes:
    """A clean aperture, moved from the middle by halves of a pixel."""
    return box(b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, across, 2, down, 2))


def exif(block: bytes, of: int = 1) -> Item:
    return Item(b"Exif", struct.pack(">I", 6) + b"Exif\0\0" + block, links=((b"cdsc", of),))


def xmp(packet: bytes, of: int = 1) -> Item:
    return Item(b"mime", packet, links=((b"cdsc", of),))


@functools.cache
def _coded(kind: bytes, pixels: bytes, shape: tuple[int, ...]) -> Item:
    array = np.frombuffer(pixels, np.uint8).reshape(shape)
    config = b"hvcC" if kind == b"hvc1" else b"av1C"
    if kind == b"hvc1":
        stream = io.BytesIO()
        pillow_heif.from_pillow(Image.fromarray(array)).save(stream, quality=95, chroma=444)
        data = stream.getvalue()
    else:
        data = bytes(imagecodecs.avif_encode(array, level=95, speed=9))
    meta = next(body[4:] for name, body in boxes(data) if name == b"meta")
    properties = dict(boxes(dict(boxes(dict(boxes(meta))[b"iprp"]))[b"ipco"]))
    content = next(body for name, body in boxes(data) if name == b"mdat")
    kept = (box(config, properties[config]), full(b"pixi", b"\x03\x08\x08\x08"), ispe(shape[1], shape[0]))
    return Item(kind, content, kept)


def picture(kind: bytes, pixels: NDArray[np.uint8], *more: bytes, **options: object) -> Item:
    """A picture, coded as ``hvc1`` (HEIC) or ``av01`` (AVIF), with more properties."""
    coded = _coded(kind, pixels.tobytes(), pixels.shape)
    return dataclasses.replace(coded, properties=(*coded.properties, *more), **options)  # type: ignore[arg-type]


def written(items: Sequence[Item], *, primary: int = 1, in_idat: bool = False) -> bytes:
    """A file of these items, numbered from 1. Their content lies in the mdat box, or in the idat box of the header."""
    kinds = {item.kind for item in items}
    brand = b"avif" if b"av01" in kinds else b"heic"
    start = box(b"ftyp", brand + bytes(4) + b"mif1" + brand + b"miaf")
    if in_idat:
        return start + _meta(items, primary, 0, in_idat=True)
    end = sum(len(item.content) for item in items)
    before = len(start) + len(_meta(items, primary, 0)) + 8
    return (
        start
        + _meta(items, primary, before)
        + struct.pack(">I", 8 + end)
        + b"mdat"
        + b"".join(item.content for item in items)
    )


def _meta(items: Sequence[Item], primary: int, at: int, *, in_idat: bool = False) -> bytes:
    infos, places, links, properties, uses = b"", b"", b"", b"", b""
    count = 0
    for number, item in enumerate(items, 1):
        more = b"application/rdf+xml\0" if item.kind == b"mime" else b""
        info = struct.pack(">HH", number, 0) + item.kind + b"\0" + more
        infos += full(b"infe", info, version=2, flags=int(item.hidden))
        method = struct.pack(">H", 1) if in_idat else b""
        places += struct.pack(">H", number) + method + struct.pack(">HHII", 0, 1, at, len(item.content))
        at += len(item.content)
        for kind, target in item.links:
            links += box(kind, struct.pack(">HHH", number, 1, target))
        numbers = range(count + 1, count + 1 + len(item.properties))
        count += len(item.properties)
        properties += b"".join(item.properties)
        essential = [0x80 * (one[4:8] in _ESSENTIAL) for one in item.properties]
        uses += struct.pack(">HB", number, len(numbers)) + bytes(map(operator.or_, numbers, essential))
    body = full(b"hdlr", bytes(4) + b"pict" + bytes(13))
    body += full(b"pitm", struct.pack(">H", primary))
    body += full(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + places, version=int(in_idat))
    body += full(b"iinf", struct.pack(">H", len(items)) + infos)
    body += full(b"iref", links) if links else b""
    body += box(b"iprp", box(b"ipco", properties) + full(b"ipma", struct.pack(">I", len(items)) + uses))
    body += box(b"idat", b"".join(item.content for item in items)) if in_idat else b""
    return full(b"meta", body)
