"""Read the chunks of a PNG (W3C Portable Network Graphics, third edition). No pixel is decoded.

Checksums are checked here. If a chunk of the picture is damaged, the file is refused. Any other damaged chunk is left
out, with a finding. If a chunk is allowed only once, the first one counts. Metadata may also be in text chunks, in
ImageMagick's form ("Raw profile type exif").
"""

from __future__ import annotations

import binascii
import dataclasses
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from packshot.formats.blocks import IPTC, read_resources
from packshot.formats.container import Codes, Container, DamagedError, NotReadError, SentAsTextError, with_exif
from packshot.types import Finding, Size, Status

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE = 3
_USUAL = "Export it again as a usual PNG or a TIFF."
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_MOST_TEXT_BYTES = 16 * 1024 * 1024
_PICTURE_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS")
_BEFORE_PIXELS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
_ONCE = (*_BEFORE_PIXELS, b"eXIf", b"acTL")
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_PROFILES = {
    "exif": "exif",
    "app1": "exif",
    "xmp": "xmp",
    "iptc": "iptc",
    "8bim": "iptc",
    "icc": "icc",
    "icm": "icc",
}
"""Names of raw profiles, and where each goes."""
_TEXTS = {b"copyright": "copyright", b"author": "creator", b"title": "title"}
"""Keywords of section 11.3.3.2 that name what Packshot keeps."""
_XMP_START = b"http://ns.adobe.com/xap/1.0/\0"


class Chunk(NamedTuple):
    """A chunk of a PNG: one named piece of the file.

    Attributes:
        name: its four letters, for example ``IHDR``.
        body: its content.
        checksum: the stored CRC-32.
        start, end: offsets of the whole chunk.
    """

    name: bytes
    body: bytes
    checksum: int
    start: int
    end: int

    @property
    def whole(self) -> bool:
        """True if the stored CRC-32 matches the chunk's content."""
        return zlib.crc32(self.body, zlib.crc32(self.name)) == self.checksum


def chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a PNG in order, up to and including the end chunk. Checksums are not compared.

    Reading stops at the first chunk that runs past the end of the data.

    Args:
        data: the whole file.
    """
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            return
        name, body = data[at + 4 : at + 8], data[at + 8 : end]
        (checksum,) = struct.unpack_from(">I", data, end)
        yield Chunk(name, body, checksum, at, end + 4)
        if name == b"IEND":
            return
        at = end + 4


def read_png(data: bytes) -> Container:
    """Return what the chunks of a PNG say: size, bit depth, colour space, metadata. No pixel is decoded.

    If a chunk is damaged or out of place, and is not one of those that hold the picture, it is left out. A warning
    among the findings then says so.

    Args:
        data: the whole file.
    Raises:
        DamagedError: the file was sent as text, does not start with its header or ends without its end chunk, or a
            chunk of the picture is damaged.
        NotReadError: the file is a PNG of Apple's own variety, which Xcode makes for apps, or has a critical chunk that
            is not known: without it, its pixels do not mean what they seem to (section 5.4).
    """
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise SentAsTextError("a PNG whose line ends were changed: it was sent as text")
    if data[12:16] == b"CgBI":
        raise NotReadError("a PNG in Apple's own variety for apps (CgBI)", _USUAL)
    if data[12:16] != b"IHDR":
        raise DamagedError("a PNG that does not start with its header")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    found = Container(
        size=Size(width, height),
        bit_depth=depth,
        channels=_CHANNELS.get(colour, 0),
        coding=f"colour type {colour}",
        codes_first=True,
    )
    seen: set[bytes] = set()
    keywords: set[bytes] = set()
    damaged: list[str] = []
    before = b""
    for chunk in chunks(data):
        whole = chunk.whole
        if _is_critical(chunk.name) and chunk.name not in _PICTURE_CHUNKS and whole:
            raise NotReadError(f"a PNG with a part {chunk.name.decode()!r} that changes its picture", _USUAL)
        if chunk.name == b"IDAT" and b"IDAT" in seen and before != b"IDAT":
            damaged.append(before.decode("latin-1"))
        before = chunk.name
        if not whole and chunk.name in _PICTURE_CHUNKS:
            raise DamagedError(f"a damaged PNG ({chunk.name.decode()}: its checksum does not fit)")
        if not whole or (chunk.name in _BEFORE_PIXELS and b"IDAT" in seen):
            damaged.append(chunk.name.decode("latin-1"))
        elif chunk.name not in _ONCE or chunk.name not in seen:
            found = _with_chunk(found, chunk, keywords)
        seen.add(chunk.name)
    if b"IEND" not in seen:
        raise DamagedError(f"a PNG that ends after {len(data)} bytes without its end chunk: it was cut off")
    return dataclasses.replace(found, findings=_left_out(damaged)) if damaged else found


def _is_critical(name: bytes) -> bool:
    """Return True if a picture cannot be shown without knowing what a chunk means: it begins with a capital letter."""
    return name.isalpha() and name[:1].isupper()


def _left_out(names: list[str]) -> tuple[Finding, ...]:
    listed = ", ".join(dict.fromkeys(name if name.isalnum() else "?" for name in names[:10]))
    message = f"Parts of the PNG are damaged or out of place and were left out: {listed}. The picture itself is whole."
    return (Finding(code="metadata_damaged", status=Status.WARNING, message=message, measured=len(names)),)


def _with_chunk(found: Container, chunk: Chunk, keywords: set[bytes]) -> Container:
    name, body = chunk.name, chunk.body
    if name == b"cICP" and len(body) == 4:
        return dataclasses.replace(found, codes=Codes(body[0], body[1], full_range=body[3] == 1))
    if name == b"iCCP" and b"\0" in body[:80]:
        return dataclasses.replace(found, icc=inflated(body[body.index(b"\0") + 2 :]), icc_named=True)
    if name == b"sRGB":
        return dataclasses.replace(found, declared_srgb=True)
    if name == b"cHRM" and len(body) == 32:
        return dataclasses.replace(found, chromaticities=tuple(v / 100_000 for v in struct.unpack(">8I", body)))
    if name == b"gAMA" and len(body) == 4:
        return dataclasses.replace(found, gamma=struct.unpack(">I", body)[0] / 100_000)
    if name == b"eXIf":
        return with_exif(found, body, wins=True)
    if name == b"acTL" and len(body) == 8:
        return dataclasses.replace(found, frames=max(1, struct.unpack_from(">I", body)[0]))
    return _with_text(found, chunk, keywords) if name in _TEXT_CHUNKS else found


def _with_text(found: Container, chunk: Chunk, keywords: set[bytes]) -> Container:
    """Add a text chunk, if its keyword is new. Only then is it decompressed."""
    keyword = chunk.body.partition(b"\0")[0].lower()
    profile = _PROFILES.get(keyword.removeprefix(b"raw profile type ").decode("latin-1"), "")
    field = _TEXTS.get(keyword, "")
    is_xmp = keyword == b"xml:com.adobe.xmp"
    if keyword in keywords or not (profile or field or is_xmp):
        return found
    keywords.add(keyword)
    text = _text_of(chunk)
    if is_xmp:
        return dataclasses.replace(found, xmp=text, xmp_named=True)
    if field:
        return dataclasses.replace(found, texts={**found.texts, field: _readable(text)})
    return _with_profile(found, profile, raw_profile(text))


def _text_of(chunk: Chunk) -> bytes:
    """Return the text of a text chunk, decompressed."""
    rest = chunk.body.partition(b"\0")[2]
    if chunk.name == b"tEXt":
        return rest
    if chunk.name == b"zTXt":
        return inflated(rest[1:])
    text = rest[2:].split(b"\0", 2)[-1]
    return inflated(text) if rest[:1] == b"\1" else text


def _readable(text: bytes) -> str:
    """Return a text decoded as UTF-8 (chunk iTXt); if that is not possible, as Latin-1 (chunk tEXt)."""
    try:
        return text[:2000].decode("utf-8")
    except UnicodeDecodeError:
        return text[:2000].decode("latin-1")


def _with_profile(found: Container, block: str, content: bytes) -> Container:
    """Add a raw profile. A chunk of the standard's own wins over it. "APP1" may hold XMP, as in a JPEG."""
    if block == "exif" and content.startswith(_XMP_START):
        block, content = "xmp", content.removeprefix(_XMP_START)
    match block:
        case "exif":
            return with_exif(found, content)
        case "xmp":
            return found if found.xmp_named else dataclasses.replace(found, xmp=content)
        case "iptc":
            resources = found.resources or (b"" if content[:1] == b"\x1c" else _of_photoshop(content))
            return dataclasses.replace(found, iptc=found.iptc or iptc_of(content), resources=resources)
        case _:
            return found if found.icc_named else dataclasses.replace(found, icc=content, icc_named=True)


def _of_photoshop(content: bytes) -> bytes:
    return content.removeprefix(b"Photoshop 3.0\0")


def iptc_of(content: bytes) -> bytes:
    """Return the IPTC records in a block; empty if there are none.

    Args:
        content: IPTC records, or Photoshop's image resources that may hold them.
    """
    content = _of_photoshop(content)
    return content if content[:1] == b"\x1c" else read_resources(content).get(IPTC, b"")


def raw_profile(text: bytes) -> bytes:
    """Return the bytes that a text chunk of ImageMagick ("Raw profile type exif") contains in hexadecimal digits.

    The result is empty if the digits cannot be read.

    Args:
        text: the chunk's text: a profile name, a length in bytes, and then hexadecimal digits.
    """
    words = text.split()
    try:
        return binascii.unhexlify(b"".join(words[2:]))
    except (binascii.Error, ValueError):
        return b""


def inflated(packed: bytes, *, most: int = _MOST_TEXT_BYTES) -> bytes:
    """Return the decompressed bytes of a block, cut at `most` bytes; empty if the block is damaged.

    Args:
        packed: the block, compressed with zlib.
        most: greatest number of bytes, so that a small block cannot fill the memory.
    """
    try:
        return zlib.decompressobj().decompress(packed, most)
    except zlib.error:
        return b""


def picture_only(data: bytes) -> bytes:
    """Return a PNG with only the chunks that decoding needs, as bytes of a file.

    libpng prints warnings about other chunks on standard error.

    Args:
        data: the whole file.
    """
    has_palette, has_own_alpha = data[25] == _PALETTE, data[25] >= 4
    unwanted: Mapping[bytes, bool] = {b"PLTE": not has_palette, b"tRNS": has_own_alpha}
    kept = (
        data[chunk.start : chunk.end]
        for chunk in chunks(data)
        if chunk.name in _PICTURE_CHUNKS and not unwanted.get(chunk.name, False)
    )
    return SIGNATURE + b"".join(kept)


def palette_size(data: bytes) -> int | None:
    """Return the number of colours in the palette of a PNG; None if its pixels are no numbers of a palette.

    Args:
        data: the whole file.
    """
    if data[25] != _PALETTE:
        return None
    return next((len(chunk.body) // 3 for chunk in chunks(data) if chunk.name == b"PLTE"), 0)


def numbers_as_grey(data: bytes) -> bytes:
    """Return a PNG with a palette as a grey one, whose values are its pixels' numbers in the palette.

    Args:
        data: the whole file; its colour type is that of a palette.
    """
    start = _chunk(b"IHDR", data[16:25] + b"\0" + data[26:29])
    kept = (data[chunk.start : chunk.end] for chunk in chunks(data) if chunk.name in (b"IDAT", b"IEND"))
    return SIGNATURE + start + b"".join(kept)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
