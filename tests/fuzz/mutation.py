"""Bytes that were right once: a seed, changed in a few places, as Hypothesis draws it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

ODD = (
    b"\x00",
    b"\xff",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\x00",
    b"\n",
    b'"',
    b"<",
    b"&",
    b"%2e%2e/",
)
MOST_CHANGES = 6
MOST_BYTES = 400_000


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Draw a seed and change it: bits, numbers, lengths, order, its end, a part of another seed."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, MOST_CHANGES))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(1, 64))
        match draw(st.sampled_from(("flip", "odd", "cut", "twice", "end", "splice", "any", "many"))):
            case "flip":
                data[at : at + 1] = bytes([(data[at] if data else 0) ^ (1 << draw(st.integers(0, 7)))])
            case "odd":
                odd = draw(st.sampled_from(ODD))
                data[at : at + len(odd)] = odd
            case "cut":
                del data[at : at + length]
            case "twice":
                data[at:at] = data[at : at + length]
            case "end":
                del data[at:]
            case "splice":
                other = draw(st.sampled_from(seeds))
                place = draw(st.integers(0, len(other)))
                data[at:] = other[place:]
            case "any":
                data[at:at] = draw(st.binary(max_size=16))
            case "many":
                data[at:at] = bytes(data[at : at + length]) * draw(st.integers(2, 200))
    return bytes(data[:MOST_BYTES])
