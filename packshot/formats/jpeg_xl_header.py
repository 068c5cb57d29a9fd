"""Read bit depth and ICC profile from the header of a JPEG XL, through libjxl (C API, version 0.9 or newer).

A JPEG XL compresses an embedded profile, and names a standard colour space by codes. libjxl returns both as an ICC
profile. The library file is the one that comes with imagecodecs, which also decodes the pixels. No pixel is decoded
here.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from imagecodecs import _jpegxl

_BASIC_INFO, _COLOURS = 0x40, 0x100
_ORIGINAL = 0
_INFO_BYTES = 4096
"""More than the size of ``JxlBasicInfo`` in any version (204 bytes in 0.11)."""
_DEPTH_AT = 12
_MOST_PROFILE_BYTES = 16_000_000


class JpegXlHeader(NamedTuple):
    """Bit depth and colours of a JPEG XL, from its header.

    Attributes:
        bit_depth: bits per sample.
        icc: ICC profile of the picture, also if the file names its colours by codes; empty if they have no profile.
    """

    bit_depth: int
    icc: bytes


def read_jpeg_xl_header(data: bytes) -> JpegXlHeader:
    """Return the bit depth and the ICC profile from the header of a JPEG XL.

    Args:
        data: the file, in its container or as a bare codestream.
    Raises:
        ValueError: the file is damaged or cut off, or its profile has more than 16 MB.
        MemoryError: libjxl gives no decoder.
    """
    library = _library()
    decoder = library.JxlDecoderCreate(None)
    if not decoder:
        raise MemoryError("no decoder for a JPEG XL's header")
    try:
        if library.JxlDecoderSubscribeEvents(decoder, _BASIC_INFO | _COLOURS):
            raise ValueError("libjxl tells no events")
        if library.JxlDecoderSetInput(decoder, data, len(data)):
            raise ValueError("libjxl takes no input")
        library.JxlDecoderCloseInput(decoder)
        _go_on(library, decoder, to=_BASIC_INFO)
        info = ctypes.create_string_buffer(_INFO_BYTES)
        if library.JxlDecoderGetBasicInfo(decoder, info):
            raise ValueError("it has no basic information")
        _go_on(library, decoder, to=_COLOURS)
        return JpegXlHeader(
            int.from_bytes(info.raw[_DEPTH_AT : _DEPTH_AT + 4], sys.byteorder), _profile(library, decoder)
        )
    finally:
        library.JxlDecoderDestroy(decoder)


def _go_on(library: Any, decoder: int, *, to: int) -> None:
    status = library.JxlDecoderProcessInput(decoder)
    if status != to:
        raise ValueError(f"its header ends with status {status}")


def _profile(library: Any, decoder: int) -> bytes:
    size = ctypes.c_size_t(0)
    if library.JxlDecoderGetICCProfileSize(decoder, _ORIGINAL, ctypes.byref(size)) or not size.value:
        return b""
    if size.value > _MOST_PROFILE_BYTES:
        raise ValueError(f"its profile has {size.value:,} bytes")
    profile = ctypes.create_string_buffer(size.value)
    if library.JxlDecoderGetColorAsICCProfile(decoder, _ORIGINAL, profile, size):
        return b""
    return profile.raw


@cache
def _library() -> Any:
    """Return libjxl with its function signatures set.

    Its symbols are found through the extension module of imagecodecs, which is linked with it.
    """
    library = ctypes.CDLL(_jpegxl.__file__)
    pointer, size, status = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "JxlDecoderCreate": (pointer, [pointer]),
        "JxlDecoderDestroy": (None, [pointer]),
        "JxlDecoderSubscribeEvents": (status, [pointer, ctypes.c_int]),
        "JxlDecoderSetInput": (status, [pointer, ctypes.c_char_p, size]),
        "JxlDecoderCloseInput": (None, [pointer]),
        "JxlDecoderProcessInput": (status, [pointer]),
        "JxlDecoderGetBasicInfo": (status, [pointer, ctypes.c_char_p]),
        "JxlDecoderGetICCProfileSize": (status, [pointer, ctypes.c_int, ctypes.POINTER(size)]),
        "JxlDecoderGetColorAsICCProfile": (status, [pointer, ctypes.c_int, ctypes.c_char_p, size]),
    }
    for name, (returned, taken) in signatures.items():
        function: Callable[..., Any] = getattr(library, name)
        function.restype, function.argtypes = returned, taken  # type: ignore[attr-defined]
    return library
