"""Small files of every format, as seeds: each with a profile, EXIF, XMP and IPTC where it can have them."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from packshot.colour.spaces import srgb_profile
from packshot.formats.blocks import Block, join_blocks
from packshot.paths.records import encode_records
from packshot.paths.write import path_blocks
from tests.drawn_raw import draw_dng, draw_lossless_dng, draw_scene
from tests.packshot.formats import isobmff as bmff
from tests.packshot.formats.test_conformance import mpo
from tests.packshot.paths.drawn_paths import circle, saved

SIDE = 64
XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3"><dc:subject><rdf:Bag><rdf:li>spring</rdf:li>
<rdf:li>A1_MAIN</rdf:li></rdf:Bag></dc:subject><dc:title><rdf:Alt>
<rdf:li xml:lang="x-default">A kettle</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
IPTC = b"\x1c\x02\x50\0\x03Ada\x1c\x02\x74\0\x08(c) 2026\x1c\x02\x19\0\x06spring"


@cache
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


@cache
def exif() -> bytes:
    """A TIFF stream with rights, a camera, a time, a place and orientation 6."""
    block = Image.Exif()
    block[274], block[33432], block[315], block[271] = 6, "(c) Ada 2026", "Ada; Bob", "Drawn"
    shot = block.get_ifd(34665)
    shot[36867], shot[33434], shot[33437], shot[34855], shot[40961] = "2026:05:04 03:02:01", 0.01, 8.0, 100, 1
    block.get_ifd(34853)[1], block.get_ifd(34853)[2] = "N", (52.0, 31.0, 12.0)
    return block.tobytes().removeprefix(b"Exif\0\0")


@cache
def path_resources() -> bytes:
    path = saved(circle(0.5, 0.5, 0.3), circle(0.4, 0.4, 0.1), name="Product", is_clipping=True)
    more = [Block(0x0404, b"", IPTC), Block(0x0422, b"", exif()), Block(0x0424, b"", XMP), Block(1006, b"", b"\4Mask")]
    return join_blocks([*path_blocks([path]), *more])


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def _rgb() -> Image.Image:
    return Image.fromarray(pixels())


def _rgba() -> Image.Image:
    return Image.fromarray(np.dstack([pixels(), pixels()[..., :1]]))


@cache
def jpegs() -> list[bytes]:
    icc, block = srgb_profile(), b"Exif\0\0" + exif()
    whole = _saved(_rgb(), "JPEG", quality=80, xmp=XMP, icc_profile=icc, exif=block)
    segment = b"Photoshop 3.0\0" + path_resources()
    with_paths = whole[:2] + b"\xff\xed" + struct.pack(">H", 2 + len(segment)) + segment + whole[2:]
    grey = _saved(_rgb().convert("L"), "JPEG", restart_marker_rows=1)
    progressive = _saved(_rgb(), "JPEG", progressive=True)
    return [with_paths, progressive, _saved(_rgb().convert("CMYK"), "JPEG"), grey, mpo(0x020002, mark=b"x")]


def sequential_jpegs() -> list[bytes]:
    """JPEGs of each sampling, with restart markers, of one component and of four."""
    sampled = [_saved(_rgb(), "JPEG", subsampling=one, optimize=one == 1) for one in (0, 1, 2)]
    restarted = [_saved(_rgb(), "JPEG", restart_marker_blocks=3), _saved(_rgb().convert("L"), "JPEG")]
    return [*sampled, *restarted, _saved(_rgb().convert("CMYK"), "JPEG")]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@cache
def pngs() -> list[bytes]:
    whole = _saved(_rgba(), "PNG", icc_profile=srgb_profile(), exif=b"Exif\0\0" + exif())
    more = chunk(b"cICP", b"\x01\x0d\x00\x01") + chunk(b"gAMA", struct.pack(">I", 45455))
    more += chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    more += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP) + chunk(b"tEXt", b"Copyright\0(c) Ada")
    for name, content in ((b"exif", exif()), (b"8bim", path_resources()), (b"iptc", IPTC)):
        text = b"\n" + name + b"\n%8d\n" % len(content) + content.hex().encode()
        more += chunk(b"zTXt", b"Raw profile type " + name + b"\0\0" + zlib.compress(text))
    interlaced = bytes(imagecodecs.png_encode(pixels().astype(np.uint16) * 257))
    film = _saved(_rgb(), "PNG", save_all=True, append_images=[_rgb().rotate(90)])
    return [whole[:33] + more + whole[33:], _saved(_rgb().quantize(5), "PNG"), interlaced, film]


@cache
def webps() -> list[bytes]:
    whole = _saved(_rgba(), "WEBP", lossless=True, xmp=XMP, exif=exif(), icc_profile=srgb_profile())
    return [whole, _saved(_rgb(), "WEBP", quality=70), _saved(_rgb(), "WEBP", save_all=True, append_images=[_rgba()])]


@cache
def gifs() -> list[bytes]:
    whole = _saved(_rgb(), "GIF", save_all=True, append_images=[_rgb().rotate(90)])
    icc = srgb_profile()
    parts = [icc[at : at + 255] for at in range(0, len(icc), 255)]
    profile = b"!\xff\x0bICCRGBG1012" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    tail = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    at = 13 + (3 << (whole[10] & 7) + 1)
    return [whole[:at] + profile + b"!\xff\x0bXMP DataXMP" + XMP + tail + whole[at:]]


@cache
def bmps() -> list[bytes]:
    runs = b"".join(bytes([SIDE, at]) + b"\0\0" for at in range(SIDE)) + b"\0\1"
    palette = bytes(range(256)) * 4
    head = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, len(runs), 0, 0, 256, 0)
    file = b"BM" + struct.pack("<IHHI", 14 + 40 + 1024 + len(runs), 0, 0, 14 + 40 + 1024)
    return [_saved(_rgb(), "BMP"), _saved(_rgb().convert("P"), "BMP"), file + head + palette + runs]


@cache
def tiffs() -> list[bytes]:
    deep = np.random.default_rng(2).integers(0, 65536, (SIDE, SIDE, 4), np.uint16)
    found = []
    tags = [(34377, 1, len(path_resources()), path_resources(), True), (700, 1, len(XMP), XMP, True)]
    for kept, extra, how in (
        (deep[..., :3], None, "deflate"),
        (deep, ["unassalpha"], "lzw"),
        (deep, ["unspecified"], None),
        (pixels(), None, "jpeg"),
        (pixels(), None, "packbits"),
    ):
        stream = io.BytesIO()
        tifffile.imwrite(
            stream,
            kept,
            photometric="rgb",
            extrasamples=extra,
            compression=how,
            iccprofile=srgb_profile(),
            extratags=tags,
            metadata=None,
            rowsperstrip=16,
        )
        found.append(stream.getvalue())
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, bigtiff=True) as pages:
        pages.write(pixels()[::4, ::4], subfiletype=1, photometric="rgb", metadata=None)
        pages.write(pixels(), photometric="rgb", tile=(16, 16), metadata=None)
        pages.write(pixels()[:, ::-1], photometric="rgb", metadata=None)
    return [*found, stream.getvalue(), _saved(_rgb().convert("LAB"), "TIFF")]


@cache
def documents() -> list[bytes]:
    """Photoshop documents: with paths, metadata and a saved channel; with a masked layer; the large form of it."""
    resources = path_resources() + join_blocks([Block(0x040F, b"", srgb_profile())])
    planes = np.moveaxis(np.dstack([pixels(), pixels()[..., :1]]), 2, 0).tobytes()
    return [
        psd_head(4) + struct.pack(">I", len(resources)) + resources + bytes(4) + b"\0\0" + planes,
        psd_head(3) + struct.pack(">I", len(resources)) + resources + layer_section() + b"\0\0" + planes[: 3 * SIDE**2],
        psd_head(3, version=2) + bytes(4) + layer_section(wide=True) + b"\0\0" + planes[: 3 * SIDE**2],
    ]


def psd_head(channels: int, *, version: int = 1) -> bytes:
    return b"8BPS" + struct.pack(">H6xHIIHH", version, channels, SIDE, SIDE, 8, 3) + bytes(4)


def layer_section(*, wide: bool = False) -> bytes:
    """One layer with a transparency, a mask, a vector mask and a name in Unicode."""
    length = ">Q" if wide else ">I"
    plane = struct.pack(">H", 0) + bytes(range(256)) * 9
    size = len(plane)
    vector = struct.pack(">II", 3, 0) + encode_records(saved(circle(0.5, 0.5, 0.3)).subpaths)
    extra = struct.pack(">I4i4B", 20, 0, 0, SIDE, SIDE, 0, 0, 0, 0) + bytes(4) + b"\3Box"
    for key, body in ((b"luni", struct.pack(">I", 3) + "Box".encode("utf-16-be")), (b"vmsk", vector)):
        extra += b"8BIM" + key + struct.pack(">I", len(body)) + body + bytes(-len(body) % 4)
    record = struct.pack(">4iH", 0, 0, SIDE, SIDE, 2)
    record += b"".join(struct.pack(">h", kind) + struct.pack(length, size) for kind in (-1, -2))
    record += b"8BIMnorm\xff\0\0\0" + struct.pack(">I", len(extra)) + extra
    info = struct.pack(">h", 1) + record + plane * 2
    info += bytes(len(info) % 2)
    section = struct.pack(length, len(info)) + info + bytes(4)
    return struct.pack(length, len(section)) + section


@cache
def heifs(kind: bytes) -> list[bytes]:
    """Two pictures, of which the second is the primary one, with a crop, a turn, a mirror, colours and metadata; in an
    AVIF also a film.
    """
    turned = (bmff.clap(40, 40), bmff.irot(3), bmff.imir(1), bmff.prof(srgb_profile()), bmff.nclx(1, 13))
    first, second = bmff.picture(kind, pixels()), bmff.picture(kind, pixels(), *turned)
    whole = bmff.written([first, second, bmff.exif(exif(), of=2), bmff.xmp(XMP, of=2)], primary=2)
    film = imagecodecs.avif_encode(np.stack([pixels(), pixels()[::-1], pixels()]), level=60, speed=10)
    return [whole, bmff.written([first]), *([bytes(film)] if kind == b"av01" else [])]


def hevc_configuration() -> bytes:
    """What an hvcC box holds."""
    return next(one[8:] for one in bmff.picture(b"hvc1", pixels()).properties if one[4:8] == b"hvcC")


@cache
def progressive_jpegs() -> list[bytes]:
    """Progressive JPEGs of each sampling, with restart markers, of one component and of four."""
    options: list[dict[str, object]] = [{"subsampling": one} for one in (0, 1, 2)]
    written = [_saved(_rgb(), "JPEG", progressive=True, **one) for one in (*options, {"restart_marker_blocks": 3})]
    others = (_rgb().convert(mode) for mode in ("L", "CMYK"))
    return [*written, *(_saved(one, "JPEG", progressive=True) for one in others)]


def jpeg_xls() -> list[bytes]:
    stream = bytes(imagecodecs.jpegxl_encode(pixels(), lossless=True, usecontainer=False))
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + bmff.box(b"ftyp", b"jxl \0\0\0\0jxl ")
    boxed = bmff.box(b"Exif", bytes(4) + exif()) + bmff.box(b"xml ", XMP) + bmff.box(b"jxlc", stream)
    film = imagecodecs.jpegxl_encode(np.stack([pixels(), pixels()[::-1]]), lossless=True)
    return [start + boxed, stream, bytes(film)]


@cache
def raws() -> list[bytes]:
    opcodes = struct.pack(">I", 2) + (struct.pack(">4I", 9, 0x01030000, 1, 8) + bytes(8)) * 2
    asked = ((51009, 7, len(opcodes), opcodes, True),)
    plain = draw_dng(np.array([[0.2, 0.2, 0.2], [0.4, 0.3, 0.2], [0.1, 0.2, 0.4]]), more=asked)
    return [plain, draw_lossless_dng(draw_scene(SIDE, SIDE), tile_px=32)[0]]
