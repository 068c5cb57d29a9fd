"""Write pixels as a file, with one function for each format. The same arguments always give the same bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from packshot.export.labels import Labels
from packshot.specs.models import Encoding, Format, Quality
from packshot.types import Matte, Pixels8, Value

_JPEG_SUBSAMPLING = {"4:4:4": 0, "4:2:0": 2}
_INCH_IN_METRES = 0.0254
_XMP_TAG, _ARTIST_TAG, _COPYRIGHT_TAG, _IPTC_TAG, _PHOTOSHOP_TAG = 700, 315, 33432, 33723, 34377
_ROWS_PER_STRIP = 256
_TIFF_COMPRESSIONS = {"none": None, "deflate": "adobe_deflate", "lzw": "lzw", "zstd": "zstd"}
"""Names in tifffile. For Deflate it is Adobe's number, 8; the older one, 32946, is not part of any standard."""
_WRITERS = 2


class EncoderSettings(Value):
    """The settings of an encoder for one file.

    Attributes:
        format: the file format.
        quality: 0..100 for JPEG and WebP; None means lossless.
        chroma: JPEG only: chroma subsampling. 4:2:0 halves the resolution of colour in both directions.
        bit_depth: bits per channel.
        compression: of a TIFF, always without loss; other formats ignore it.
        effort: WebP only: 0 (fast) to 6 (small file). Below 4, pixels much farther from the product are no longer
            exactly white.
    """

    format: Format
    quality: Quality | None = None
    chroma: Literal["4:4:4", "4:2:0"] = "4:4:4"
    bit_depth: Literal[8, 16] = 8
    compression: Literal["none", "deflate", "lzw", "zstd"] = "none"
    effort: int = 4

    @property
    def codec(self) -> str:
        """The codec's name in ``qc.yaml``, such as ``jpeg-420``; ``lossless`` if nothing is lost.

        ``qc.yaml`` has the limits for each codec's ringing: faint ripples around the product.
        """
        if self.quality is None:
            return "lossless"
        return "webp" if self.format is Format.WEBP else f"jpeg-{self.chroma.replace(':', '')}"


def settings_of(encoding: Encoding) -> EncoderSettings:
    """Return the encoder settings that a platform's config states: format, quality, bit depth, compression.

    With them the first file is encoded. If it is too large or harms white, other settings are tried later.

    Args:
        encoding: the encoding in a platform's config.
    """
    return EncoderSettings(
        format=encoding.format,
        quality=encoding.quality,
        chroma=encoding.chroma,
        bit_depth=encoding.bit_depth,
        compression=encoding.compression,
    )


@dataclass(frozen=True, eq=False)
class TiffExtras:
    """Extra content of a TIFF for print, besides its picture.

    Attributes:
        resources: complete Photoshop image resource blocks (``8BIM``...): saved paths, and which of them is the
            clipping path; empty for none.
        selection: (rows, columns) float32 in 0..1: the matte, saved as a selection; None for none. The picture itself
            stays on white.
    """

    resources: bytes = b""
    selection: Matte | None = None


NO_EXTRAS = TiffExtras()


def write(
    pixels: NDArray[Any],
    settings: EncoderSettings,
    *,
    icc: bytes,
    dpi: int | None,
    labels: Labels,
    extras: TiffExtras = NO_EXTRAS,
) -> bytes:
    """Return pixels as the bytes of a file. The same arguments always give the same bytes.

    Args:
        pixels: in the space of `icc`: (rows, columns, 3) uint8; uint16 for PNG and TIFF of 16 bits; (rows, columns, 4)
            inks for a CMYK TIFF.
        settings: format, quality and the other settings of the encoder.
        icc: the profile to embed.
        dpi: resolution to write; None leaves it out. WebP has none.
        labels: text metadata to embed, such as the copyright.
        extras: what a TIFF for print holds besides the picture, such as a clipping path; other formats ignore it.
    """
    match settings.format:
        case Format.JPEG:
            return _write_jpeg(pixels, settings, icc, dpi, labels)
        case Format.WEBP:
            return _write_webp(pixels, settings, icc, labels)
        case Format.PNG:
            return _write_png(pixels, icc, dpi, labels)
        case Format.TIFF:
            return _write_tiff(pixels, settings, icc, dpi, labels, extras)


def _write_jpeg(pixels: Pixels8, settings: EncoderSettings, icc: bytes, dpi: int | None, labels: Labels) -> bytes:
    """Return a JPEG with profile, labels and resolution."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(
        stream,
        "JPEG",
        quality=settings.quality,
        subsampling=_JPEG_SUBSAMPLING[settings.chroma],
        optimize=True,
        icc_profile=icc,
        exif=labels.exif(),
        xmp=labels.xmp(),
        dpi=(dpi, dpi) if dpi else (0, 0),
    )
    return stream.getvalue()


def _write_webp(pixels: Pixels8, settings: EncoderSettings, icc: bytes, labels: Labels) -> bytes:
    """Return a WebP, lossy or lossless, with profile and labels."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(
        stream,
        "WEBP",
        lossless=settings.quality is None,
        quality=50 if settings.quality is None else settings.quality,  # for lossless WebP it is the effort
        method=settings.effort,
        icc_profile=icc,
        exif=labels.exif(),
        xmp=labels.xmp(),
    )
    return stream.getvalue()


def _write_png(pixels: NDArray[Any], icc: bytes, dpi: int | None, labels: Labels) -> bytes:
    """Return a PNG with profile, resolution and labels.

    The encoder writes pixels only, so the other chunks are inserted after the header (ISO/IEC 15948, 5.3).
    """
    encoded = bytes(imagecodecs.png_encode(pixels, level=6))
    chunks = _png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc, 9))
    if dpi:
        per_metre = round(dpi / _INCH_IN_METRES)
        chunks += _png_chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    if exif := labels.exif():
        chunks += _png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    if xmp := labels.xmp():
        chunks += _png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    end_of_header = 8 + 25
    return encoded[:end_of_header] + chunks + encoded[end_of_header:]


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _write_tiff(
    pixels: NDArray[Any], settings: EncoderSettings, icc: bytes, dpi: int | None, labels: Labels, extras: TiffExtras
) -> bytes:
    """Return a TIFF in RGB or CMYK, with profile, labels, resolution and extras."""
    stream = io.BytesIO()
    none = settings.compression == "none"
    inks = pixels.shape[2] == 4
    tifffile.imwrite(
        stream,
        _with_selection(pixels, extras.selection),
        byteorder="<",
        photometric="separated" if inks else "rgb",
        planarconfig="contig",
        extrasamples=None if extras.selection is None else ["unspecified"],
        compression=_TIFF_COMPRESSIONS[settings.compression],
        # In 16 bits a photograph's lowest bits are noise: a higher level takes longer and saves nothing.
        compressionargs={"level": 1} if settings.compression == "deflate" else None,
        predictor=not none,
        rowsperstrip=None if none else _ROWS_PER_STRIP,
        maxworkers=_WRITERS,
        iccprofile=icc,
        resolution=(dpi, dpi) if dpi else None,
        resolutionunit="INCH" if dpi else None,
        software=False,
        metadata=None,
        extratags=list(_tiff_tags(labels, extras)),
    )
    return stream.getvalue()


def _with_selection(pixels: NDArray[Any], selection: Matte | None) -> NDArray[Any]:
    """Return the pixels with the selection as an extra channel."""
    if selection is None:
        return np.ascontiguousarray(pixels)
    greatest = np.iinfo(pixels.dtype).max
    chosen = (np.clip(selection, 0, 1) * np.float32(greatest) + np.float32(0.5)).astype(pixels.dtype)
    return np.concatenate([pixels, chosen[..., None]], axis=2)


def _tiff_tags(
    labels: Labels, extras: TiffExtras
) -> Iterator[tuple[int, int, int, bytes | str | tuple[int, ...], bool]]:
    """Yield the tags for labels and extras, in tifffile's form."""
    if labels.ascii_creator:
        yield _ARTIST_TAG, 2, 0, labels.ascii_creator, True
    if labels.copyright:
        yield _COPYRIGHT_TAG, 2, 0, labels.ascii_copyright, True
    if xmp := labels.xmp():
        yield _XMP_TAG, 1, len(xmp), xmp, True
    if iptc := labels.iptc():
        # Readers expect type LONG, by a convention since Aldus. "<u4" keeps the bytes in their order.
        whole = np.frombuffer(iptc + bytes(-len(iptc) % 4), "<u4")
        yield _IPTC_TAG, 4, len(whole), tuple(int(value) for value in whole), True
    if extras.resources:
        yield _PHOTOSHOP_TAG, 1, len(extras.resources), extras.resources, True
