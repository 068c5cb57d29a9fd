"""What a JPEG XL's header says of depth and colours, asked of libjxl (its C API, version 0.9 or newer).

The codestream packs an embedded profile like pixels, and names a standard space by codes; the library gives both as a
profile. It is the one that imagecodecs brings along and decodes the pixels with: no pixel is decoded here.
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
"""More than ``JxlBasicInfo`` takes in any version (204 bytes in 0.11)."""
_DEPTH_AT = 12
_MOST_PROFILE_BYTES = 16_000_000


class JpegXlHeader(NamedTuple):
    """Depth and colours.

    Attributes:
        bit_depth: of a sample.
        icc: the profile of the picture's own colours; empty where there is none.
    """

    bit_depth: int
    icc: bytes


def read_jpeg_xl_header(data: bytes) -> JpegXlHeader:
    """Return what the header says.

    Args:
        data: the file, in its container or bare.
    Raises:
        ValueError: it is damaged, or cut off.
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
    """The library that the extension of imagecodecs is linked with: its symbols are found through it."""
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
