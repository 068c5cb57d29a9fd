"""Read the colour space that an HEVC stream names in its sequence parameter set (ITU-T H.265, 7.3.2.2 and E.2.1).

A HEIC file may leave out the box with its colour codes. Then the codes in the stream apply.
"""

from __future__ import annotations

from packshot.formats.bits import Bits
from packshot.formats.container import Codes

_ARRAYS_AT = 22  # ISO/IEC 14496-15, 8.3.3.1
_SEQUENCE_PARAMETERS = 33
_MOST_BYTES = 4096
_MOST_SETS, _MOST_PICTURES = 64, 16
_OWN_SHAPE = 255


def configured_codes(configuration: bytes) -> Codes | None:
    """Return the colour codes that a HEIC's decoder configuration (hvcC box) names, by ITU-T H.273.

    They are read from the first sequence parameter set in the box. The result is None if this set names no codes, or if
    the box has no such set.

    Args:
        configuration: content of the hvcC box.
    Raises:
        IndexError: the box ends early.
    """
    at = _ARRAYS_AT + 1
    for _ in range(configuration[_ARRAYS_AT]):
        kind, count = configuration[at] & 63, int.from_bytes(configuration[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            if at + 2 > len(configuration):
                return None
            length = int.from_bytes(configuration[at : at + 2], "big")
            if kind == _SEQUENCE_PARAMETERS:
                return _of_sequence(_unescaped(configuration[at + 4 : at + 2 + min(length, _MOST_BYTES)]))
            at += 2 + length
    return None


def _unescaped(unit: bytes) -> Bits:
    """Return the bits of a NAL unit without the bytes that keep start codes out of it (7.3.1.1)."""
    return Bits(unit.replace(b"\0\0\3", b"\0\0"))


def _of_sequence(bits: Bits) -> Codes | None:
    bits.take(4)
    layers = bits.take(3)
    bits.take()
    _skip_profile(bits, layers)
    bits.exp_golomb()
    if bits.exp_golomb() == 3:  # 4:4:4
        bits.take()
    _skip(bits, 2)  # size
    if bits.take():
        _skip(bits, 4)  # conformance window
    _skip(bits, 2)  # depths
    order_bits = bits.exp_golomb() + 4
    for _ in range(layers + 1 if bits.take() else 1):
        _skip(bits, 3)
    _skip(bits, 6)  # sizes of blocks
    if bits.take() and bits.take():
        _skip_scaling(bits)
    bits.take(2)
    if bits.take():  # PCM
        bits.take(8)
        _skip(bits, 2)
        bits.take()
    _skip_references(bits, order_bits)
    bits.take(2)
    return _of_usability(bits) if bits.take() else None


def _of_usability(bits: Bits) -> Codes | None:
    if bits.take() and bits.take(8) == _OWN_SHAPE:
        bits.take(32)
    if bits.take():
        bits.take()  # overscan
    if not bits.take():
        return None
    bits.take(4)
    return Codes(bits.take(8), bits.take(8)) if bits.take() else None


def _skip(bits: Bits, numbers: int) -> None:
    for _ in range(numbers):
        bits.exp_golomb()


def _skip_profile(bits: Bits, layers: int) -> None:
    bits.take(96)
    present = [(bits.take(), bits.take()) for _ in range(layers)]
    bits.take(2 * (8 - layers) if layers else 0)
    for profile, level in present:
        bits.take(88 * profile + 8 * level)


def _skip_scaling(bits: Bits) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.take():
                bits.exp_golomb()
                continue
            _skip(bits, min(64, 1 << 4 + 2 * size) + (size > 1))


def _skip_references(bits: Bits, order_bits: int) -> None:
    """Skip the sets of reference pictures (7.3.7), which a still picture does not need but may have."""
    pictures = 0
    for number in range(min(bits.exp_golomb(), _MOST_SETS)):
        if number and bits.take():
            bits.take()
            bits.exp_golomb()
            pictures = sum(bool(bits.take() or bits.take()) for _ in range(pictures + 1))
        else:
            counts = bits.exp_golomb(), bits.exp_golomb()
            pictures = min(sum(counts), _MOST_PICTURES)
            for _ in range(pictures):
                bits.exp_golomb()
                bits.take()
    if bits.take():
        for _ in range(min(bits.exp_golomb(), 32)):
            bits.take(min(order_bits, 16) + 1)
