"""Numbers as people write them."""

from __future__ import annotations

from decimal import Decimal


def in_figures(value: float) -> str:
    """Return a number with four significant digits, with commas between thousands and without an exponent.

    Example: ``1000.0`` gives ``1,000``; ``0.00012345`` gives ``0.0001234``; ``1234567`` gives ``1,234,567``.
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{Decimal(f'{value:.4g}'):,f}"


def counted(count: float, one: str, many: str = "") -> str:
    """Return a whole number with its noun, and with the verb after it if both forms are given.

    Example: ``counted(1, "shot")`` gives ``1 shot``; ``counted(1200, "line is", "lines are")`` gives ``1,200 lines
    are``.

    Args:
        one: the words for exactly one.
        many: the words for any other number; empty if they are `one` with an s.
    """
    return f"{count:,.0f} {one if count == 1 else many or one + 's'}"
