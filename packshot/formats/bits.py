"""Read single bits and the numbers coded in them, from the headers of a video stream (in HEIC and AVIF files)."""

from __future__ import annotations

_LONGEST_CODE = 32


class Bits:
    """A reader that goes through bytes bit by bit, the most significant bit of each byte first.

    Each call of a method goes on where the last one ended.

    After the end of the data, all bits are 0: no error is raised.

    Args:
        data: the bytes to read.
    """

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int = 1) -> int:
        """Return the next `count` bits as a number, the first bit as the most significant.

        Args:
            count: number of bits. Bits after the end of the data are 0.
        """
        self._left -= count
        value = self._value >> self._left if self._left >= 0 else 0
        return value & ((1 << count) - 1)

    def exp_golomb(self) -> int:
        """Return the next number, coded in a variable number of bits: Exp-Golomb (ITU-T H.265, 9.2: ue(v))."""
        zeros = 0
        while zeros < _LONGEST_CODE and not self.take():
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)
