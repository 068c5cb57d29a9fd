"""Read the size and the colour space that an AV1 stream names in its sequence header (AV1 specification, 5.3 to 5.5).

An AVIF file may leave out the box with its colour codes. Then the codes in the stream apply.
"""

from __future__ import annotations

from packshot.formats.bits import Bits
from packshot.formats.container import Codes
from packshot.types import Size

_SEQUENCE_HEADER = 1
_MOST_UNITS = 8
_HEADER_BYTES = 512


def stream_codes(stream: bytes) -> Codes | None:
    """Return the colour codes that an AV1 stream names: primaries and transfer function by ITU-T H.273.

    None if the stream names none, or has no sequence header among its first 8 units (OBUs).

    Args:
        stream: the coded picture, from its first byte. It may be cut off after its first kilobytes.
    """
    found = _sequence_header(stream)
    return _of_sequence(Bits(found))[1] if found else None


def stream_size(stream: bytes) -> Size | None:
    """Return the size of the picture in pixels that an AV1 stream names.

    None if the stream has no sequence header among its first 8 units (OBUs).

    Args:
        stream: the coded picture, from its first byte. It may be cut off after its first kilobytes.
    """
    found = _sequence_header(stream)
    return _of_sequence(Bits(found))[0] if found else None


def _sequence_header(stream: bytes) -> bytes:
    """Return the beginning of the sequence header among a stream's first units; empty if there is none."""
    at = 0
    for _ in range(_MOST_UNITS):
        if at >= len(stream):
            return b""
        head = stream[at]
        at += 2 if head & 4 else 1
        size, at = _leb128(stream, at) if head & 2 else (len(stream) - at, at)
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            return stream[at : at + min(size, _HEADER_BYTES)]
        at += size
    return b""


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, at + index + 1
    return 0, len(data)


def _of_sequence(bits: Bits) -> tuple[Size, Codes | None]:
    """Return (size of the picture, its colour codes if the header names them)."""
    profile = bits.take(3)
    bits.take()  # still picture
    reduced = bits.take()
    if reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    size = Size(bits.take(width_bits) + 1, bits.take(height_bits) + 1)
    if not reduced and bits.take():
        bits.take(7)  # lengths of frame numbers
    bits.take(3)
    if not reduced:
        _skip_tools(bits)
    bits.take(3)
    high = bits.take()
    if profile == 2 and high:
        bits.take()
    if profile != 1:
        bits.take()  # monochrome
    if not bits.take():
        return size, None
    primaries, transfer = bits.take(8), bits.take(8)
    return size, Codes(primaries, transfer)


def _skip_operating_points(bits: Bits) -> None:
    delay_bits, has_model = 0, 0
    if bits.take():  # timing
        bits.take(64)
        if bits.take():
            bits.exp_golomb()
        has_model = bits.take()
        if has_model:
            delay_bits = bits.take(5) + 1
            bits.take(42)
    has_delay = bits.take()
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take()
        if has_model and bits.take():
            bits.take(2 * delay_bits + 1)
        if has_delay and bits.take():
            bits.take(4)


def _skip_tools(bits: Bits) -> None:
    bits.take(4)
    ordered = bits.take()
    if ordered:
        bits.take(2)
    chosen = bits.take()
    forced = 2 if chosen else bits.take()
    if forced and not bits.take():
        bits.take()
    if ordered:
        bits.take(3)
