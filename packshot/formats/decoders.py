"""Decode files to pixels as stored: 8 or 16 bits, RGB, grey, CMYK or Lab, with alpha as a separate array.

Decoders may raise any exception. `packshot.ingest.decode.open_photo` turns it into a refusal that names the file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
from collections.abc import Callable, Mapping
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import tifffile
from numpy.typing import NDArray
from PIL import GifImagePlugin, ImageFile

from packshot.colour.profile import ColourModel
from packshot.formats.bmp import decode_bmp
from packshot.formats.camera_raw import decode_raw
from packshot.formats.container import Container, DamagedError, NotReadError, Raster, Rearrangement
from packshot.formats.findings import extra_channels, first_of_several
from packshot.formats.heif import without_film
from packshot.formats.jpeg import check_parts, decode_jpeg
from packshot.formats.png import numbers_as_grey, palette_size, picture_only
from packshot.formats.psd import decode_psd
from packshot.formats.sniff import FileKind
from packshot.formats.warned import decoders_words, words_findings
from packshot.types import Finding

# tifffile logs every oddity of a damaged file. Serious ones also raise an error, so the log is not needed.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)

_READERS = 2
_AS_RGB = "Convert it to RGB with 8 or 16 bits, and save it again."
_JPEG_IN_TIFF = 7
_JPEG_CHANNELS = (1, 3, 4)
"""Numbers of components that mean something: grey, colour, inks. Of two, the decoder takes one for transparency."""
_ABOVE_WHITE, _MOST_ABOVE_WHITE_RATIO = 1.01, 0.01
"""Floating-point values of an HDR picture, or of one whose white is 255, would all become white."""
_UNSPECIFIED, _PREMULTIPLIED, _STRAIGHT = 0, 1, 2  # TIFF 6.0, ExtraSamples
_INK_SET, _CMYK = 332, 1  # TIFF 6.0, section 16
_THREE_BYTES, _FLOATING = 24, 3
"""The decoder takes the bytes of such whole numbers in the wrong order."""
_Photometric = tifffile.PHOTOMETRIC


def decode(data: bytes, kind: FileKind, container: Container) -> Raster:
    """Return the first picture of a file, decoded, in the colour model, size and bit depth of the file.

    A warning of the decoder becomes a finding that stops automatic approval.

    Args:
        data: the whole file.
        kind: its kind, from `sniff.detect`; one of `sniff.PICTURES`.
        container: its header, from `read_container`.
    Raises:
        DamagedError: this variety of the format is not supported, or pixels are damaged. Decoders may raise any other
            error for damaged data.
    """
    with decoders_words() as words:
        raster = _DECODERS[kind](data, container)
    return dataclasses.replace(raster, findings=(*raster.findings, *words_findings(words)))


def _decode_jpeg(data: bytes, container: Container) -> Raster:
    if container.coding in ("SOF3", "SOF7", "SOF11", "SOF15"):
        raise NotReadError("a lossless JPEG", "Save it as a TIFF.")
    if container.channels not in _JPEG_CHANNELS:
        raise NotReadError(f"a JPEG of {container.channels} components", _AS_RGB)
    if container.bit_depth > 8:
        return _raster(imagecodecs.jpeg_decode(data, bitspersample=container.bit_depth), container.bit_depth)
    pixels, findings = decode_jpeg(data)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        # Adobe's programs store CMYK inverted and say who they are by their own segment.
        ink = pixels if container.adobe_transform is None else 255 - pixels
        return Raster(ink, ColourModel.CMYK, findings=findings)
    return dataclasses.replace(_raster(pixels, 8), findings=findings)


def _decode_png(data: bytes, container: Container) -> Raster:
    _check_palette(data, container.bit_depth)
    return _raster(imagecodecs.png_decode(picture_only(data)), 16 if container.bit_depth == 16 else 8)


def _check_palette(data: bytes, bit_depth: int) -> None:
    """Check that each pixel's number lies in the palette of a PNG. The decoder takes black for the others.

    Raises:
        DamagedError: one does not.
    """
    colours = palette_size(data)
    top = (1 << bit_depth) - 1
    if colours is None or colours > top:
        return
    numbers = imagecodecs.png_decode(numbers_as_grey(data))  # spread over 0..255
    greatest = int(numbers.max(initial=0)) * top // 255
    if greatest >= colours:
        raise DamagedError(f"a damaged PNG (colour number {greatest} of a palette of {colours})")


def _decode_webp(data: bytes, _: Container) -> Raster:
    return _raster(imagecodecs.webp_decode(data), 8)


def _decode_jpeg_xl(data: bytes, container: Container) -> Raster:
    animated = container.coding == "animated"
    pixels = imagecodecs.jpegxl_decode(data, index=0) if animated else imagecodecs.jpegxl_decode(data)
    raster = _raster(pixels[0] if pixels.ndim == 4 else pixels, pixels.dtype.itemsize * 8)
    return dataclasses.replace(raster, findings=(first_of_several(),)) if animated else raster


def _decode_avif(data: bytes, container: Container) -> Raster:
    # The decoder is given no film: asked for one picture of it, it writes all of them where one has room.
    pixels = imagecodecs.avif_decode(without_film(data))
    if pixels.ndim > 3:
        raise NotReadError("an AVIF of several pictures in one", "Export the photograph as a picture of its own.")
    for step in container.steps:
        pixels = _stepped(pixels, step)
    return _raster(np.ascontiguousarray(pixels), container.bit_depth if pixels.dtype == np.uint16 else 8)


def _stepped(pixels: NDArray[Any], step: Rearrangement) -> NDArray[Any]:
    if step.crop is not None:
        return pixels[step.crop.top : step.crop.bottom, step.crop.left : step.crop.right]
    if step.mirror is not None:
        return pixels[::-1] if step.mirror == 0 else pixels[:, ::-1]
    return np.rot90(pixels, step.turns)


def _decode_heic(data: bytes, _: Container) -> Raster:
    """Return the main picture, upright. The decoder crops, rotates and mirrors as the file asks for."""
    pictures = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
    image = pictures[pictures.primary_index]
    noted = image.info.get("bit_depth")
    pixels, depth = np.array(image), noted if isinstance(noted, int) else 8
    if pixels.dtype == np.uint16:  # 10 and 12 bits come shifted left, so white is below 65535
        pixels >>= 16 - depth
    return _raster(pixels, depth, premultiplied=bool(image.premultiplied_alpha))


def _decode_gif(data: bytes, _: Container) -> Raster:
    """Return the first frame on the whole canvas. The area that it does not cover is transparent (GIF89a, 20)."""
    image = GifImagePlugin.GifImageFile(io.BytesIO(data))
    left, top, right, bottom = image.tile[0][1] if image.tile and image.tile[0][1] else (0, 0, *image.size)
    raster = _by_pillow(image)
    if (left, top, right, bottom) == (0, 0, *image.size):
        return raster
    alpha = np.zeros(raster.pixels.shape[:2], np.uint8)
    alpha[top:bottom, left:right] = 255 if raster.alpha is None else raster.alpha[top:bottom, left:right]
    return dataclasses.replace(raster, alpha=alpha)


def _decode_bmp(data: bytes, _: Container) -> Raster:
    return _raster(decode_bmp(data), 8)


def _by_pillow(image: ImageFile.ImageFile) -> Raster:
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    return _raster(np.array(image.convert("RGBA" if has_alpha else "RGB")), 8)


def _raster(pixels: NDArray[Any], bit_depth: int, *, premultiplied: bool = False) -> Raster:
    """Return pixels as a `Raster`: alpha split from RGB or grey, values scaled to 8 or 16 bits."""
    values = to_full_range(pixels, bit_depth)
    if values.ndim == 2:
        return Raster(values, ColourModel.GREY)
    channels = values.shape[2]
    if channels in (1, 2):
        alpha = values[..., 1] if channels == 2 else None
        return Raster(values[..., 0], ColourModel.GREY, alpha, premultiplied)
    if channels in (3, 4):
        alpha = values[..., 3] if channels == 4 else None
        return Raster(np.ascontiguousarray(values[..., :3]), ColourModel.RGB, alpha, premultiplied)
    raise NotReadError(f"a picture of {channels} channels", _AS_RGB)


def to_full_range(pixels: NDArray[Any], bit_depth: int) -> NDArray[Any]:
    """Return pixels as uint8 (up to 8 bits) or uint16 (more bits) over the full range, in the shape they had.

    Floating-point values count as 0..1 and become uint16. A few values above 1, such as highlights, are clipped.
    Booleans become 0 and 255.

    Args:
        pixels: an array of any shape: booleans, integers or floating-point numbers.
        bit_depth: bits of an unsigned integer's values, for example 10. Signed integers have all bits of their type.
    Raises:
        NotReadError: more than 1 % of the floating-point values are above 1, so that 1 cannot be white; or some are no
            numbers (NaN), or all are complex.
    """
    if pixels.dtype.kind == "c":
        raise NotReadError("a picture of complex numbers", "Save it with 16 bits.")
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * 255
    if pixels.dtype.kind == "f":
        missing = float(np.count_nonzero(np.isnan(pixels))) / max(pixels.size, 1)
        if missing:
            found = f"a picture of floating-point values, {max(missing, 0.001):.1%} of them no numbers"
            raise NotReadError(found, "Save it with 16 bits.")
        finite = np.nan_to_num(pixels.astype(np.float32), posinf=1.0, neginf=0.0)
        above = float(np.count_nonzero(finite > _ABOVE_WHITE)) / max(finite.size, 1)
        if above > _MOST_ABOVE_WHITE_RATIO:
            found = f"a picture of floating-point values up to {float(finite.max()):,.3g}, {above:.0%} of them above 1"
            raise NotReadError(found, "Save it with 16 bits, or with white at 1.")
        return np.asarray(np.clip(finite, 0, 1) * 65535 + 0.5).astype(np.uint16)
    if pixels.dtype.kind == "i":
        bit_depth = pixels.dtype.itemsize * 8
        pixels = (pixels.astype(np.int64) + (1 << bit_depth - 1)).astype(f"u{pixels.dtype.itemsize}")
    if bit_depth in (8, 16) and pixels.dtype.itemsize * 8 == bit_depth:
        return pixels
    if bit_depth > 16:
        return np.asarray(pixels >> (bit_depth - 16), np.uint16)
    top = 255 if bit_depth <= 8 else 65535
    scaled = np.minimum(pixels.astype(np.float32) * (top / ((1 << bit_depth) - 1)) + 0.5, top)
    return np.asarray(scaled, np.uint8 if top == 255 else np.uint16)


def _decode_tiff(data: bytes, container: Container) -> Raster:
    # Closing the stream frees the file's bytes at once. The reader's objects refer to each other and live longer.
    with contextlib.closing(io.BytesIO(data)) as stream, tifffile.TiffFile(stream) as tiff:
        tiff.filehandle.seek(container.exif_pages[0])
        page = tifffile.TiffPage(tiff, (0,))
        findings = _check_jpeg_parts(data, page)
        if page.bitspersample == _THREE_BYTES and page.sampleformat != _FLOATING:
            raise NotReadError("a TIFF of whole numbers of 24 bits", _AS_RGB)
        pixels = page.asarray(maxworkers=_READERS)
        if page.planarconfig == 2 and page.samplesperpixel > 1 and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        if pixels.shape[:2] != (container.size.height, container.size.width) or pixels.ndim not in (2, 3):
            raise DamagedError(f"a TIFF whose pixels have the shape {pixels.shape}")
        raster = _tiff_raster(pixels, page)
        return dataclasses.replace(raster, findings=(*findings, *raster.findings))


def _check_jpeg_parts(data: bytes, page: tifffile.TiffPage) -> tuple[Finding, ...]:
    """Return what is found in a TIFF's strips or tiles of JPEG: the decoder would repair them without a word.

    Raises:
        DamagedError: one of them is damaged.
    """
    if int(page.compression) != _JPEG_IN_TIFF or page.bitspersample != 8:
        return ()
    stored = zip(page.dataoffsets, page.databytecounts, strict=False)
    return check_parts([data[at : at + count] for at, count in stored], page.jpegtables or b"")


def _tiff_raster(pixels: NDArray[Any], page: tifffile.TiffPage) -> Raster:
    photometric, depth = page.photometric, int(page.bitspersample or 8)
    if photometric == _Photometric.YCBCR and int(page.compression) != _JPEG_IN_TIFF:
        raise NotReadError("a YCbCr TIFF without JPEG compression", _AS_RGB)
    if photometric == _Photometric.SEPARATED and page.tags.valueof(_INK_SET, default=_CMYK) != _CMYK:
        raise NotReadError("a TIFF of other inks than CMYK", _AS_RGB)
    if photometric == _Photometric.PALETTE:
        return _raster(_by_palette(pixels, page), 16)
    colours, alpha, premultiplied, findings = _tiff_channels(pixels, page)
    if pixels.dtype.kind == "i" and photometric not in (_Photometric.CIELAB, _Photometric.ICCLAB):
        raise NotReadError("a TIFF of signed numbers, whose black and white are not known", _AS_RGB)
    if photometric in (_Photometric.CIELAB, _Photometric.ICCLAB):
        encoded = _encoded_lab(colours, signed=photometric == _Photometric.CIELAB)
        kept_alpha = None if alpha is None else to_full_range(alpha, depth)
        return Raster(encoded, ColourModel.LAB, kept_alpha, premultiplied, findings)
    values = to_full_range(colours, depth)
    if photometric == _Photometric.MINISWHITE:
        values = np.iinfo(values.dtype).max - values
    models = {1: ColourModel.GREY, 3: ColourModel.RGB, 4: ColourModel.CMYK}
    channels = values.shape[2] if values.ndim == 3 else 1
    if channels != _colours_of(page) or photometric in (_Photometric.ITULAB, _Photometric.LOGLUV):
        raise NotReadError(f"a TIFF of {channels} channels with photometric {int(photometric)}", _AS_RGB)
    kept_alpha = None if alpha is None else to_full_range(alpha, depth)
    return Raster(values, models[channels], kept_alpha, premultiplied, findings)


def _tiff_channels(
    pixels: NDArray[Any], page: tifffile.TiffPage
) -> tuple[NDArray[Any], NDArray[Any] | None, bool, tuple[Finding, ...]]:
    """Return (colours, alpha or None, True if premultiplied, findings).

    Other extra channels, such as saved selections and spot colours, are left out with a finding.
    """
    if pixels.ndim == 2:
        return pixels, None, False, ()
    extra = [int(sample) for sample in page.extrasamples]
    # Some programs do not say that there are more channels than colours. What they mean is not known.
    extra = [_UNSPECIFIED] * (pixels.shape[2] - _colours_of(page) - len(extra)) + extra
    colours = pixels[..., : pixels.shape[2] - len(extra)]
    colours = colours[..., 0] if colours.shape[2] == 1 else np.ascontiguousarray(colours)
    meanings = [sample for sample in extra if sample in (_PREMULTIPLIED, _STRAIGHT)]
    index = extra.index(meanings[0]) - len(extra) if meanings else 0
    alpha = pixels[..., index] if meanings else None
    ignored = len(extra) - (1 if meanings else 0)
    findings = (extra_channels(ignored),) if ignored else ()
    return colours, alpha, bool(meanings) and meanings[0] == _PREMULTIPLIED, findings


def _by_palette(pixels: NDArray[Any], page: tifffile.TiffPage) -> NDArray[np.uint16]:
    colours = np.asarray(page.colormap, np.uint16)
    if colours.max() < 256:  # some programs write 8-bit palettes
        colours = colours * np.uint16(257)
    return np.ascontiguousarray(colours[:, pixels.astype(np.intp)].transpose(1, 2, 0))


def _colours_of(page: tifffile.TiffPage) -> int:
    """Return how many channels of a page are colours."""
    return {int(_Photometric.SEPARATED): 4, int(_Photometric.MINISBLACK): 1, 0: 1}.get(int(page.photometric), 3)


def _encoded_lab(pixels: NDArray[Any], *, signed: bool) -> NDArray[Any]:
    """Return CIE L*a*b* values in the encoding of ICC.1:2022, 6.3.4: steps of 1 (8 bits) or 1/257 from -128.

    TIFF's CIELab (TIFF 6.0, section 23) has L* over the full range, a* and b* as signed numbers in steps of 1 (8 bits)
    or 1/256 (16 bits). TIFF's ICCLab (Adobe Photoshop TIFF Technical Notes) has the encoding of ICC.1:2001: unsigned,
    and in 16 bits all three in steps of 1/256. a* and b* of 127 and more are one value.
    """
    eight = pixels.dtype in (np.uint8, np.int8)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not (eight or pixels.dtype in (np.uint16, np.int16)):
        raise NotReadError("a Lab TIFF of an unusual kind", _AS_RGB)
    if eight:
        shift = np.array([0, 0x80, 0x80] if signed else [0, 0, 0], np.uint8)
        return np.asarray(np.array(pixels).view(np.uint8) ^ shift)
    lightness = pixels[..., :1].view(np.uint16).astype(np.float32)
    stored = pixels[..., 1:].view(np.int16 if signed else np.uint16).astype(np.float32)
    colour = (stored + np.float32(32768 if signed else 0)) * np.float32(257 / 256)
    light = lightness if signed else lightness * np.float32(65535 / 65280)
    return np.asarray(np.minimum(np.round(np.concatenate([light, colour], axis=2)), 65535), np.uint16)


_DECODERS: Mapping[FileKind, Callable[[bytes, Container], Raster]] = {
    FileKind.JPEG: _decode_jpeg,
    FileKind.PNG: _decode_png,
    FileKind.WEBP: _decode_webp,
    FileKind.JPEG_XL: _decode_jpeg_xl,
    FileKind.AVIF: _decode_avif,
    FileKind.HEIC: _decode_heic,
    FileKind.GIF: _decode_gif,
    FileKind.BMP: _decode_bmp,
    FileKind.TIFF: _decode_tiff,
    FileKind.PSD: decode_psd,
    FileKind.RAW: decode_raw,
}
