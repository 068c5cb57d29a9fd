"""Write numbers as people do, for messages and reports, such as ``1,200`` or ``2 files``."""

from __future__ import annotations

from decimal import Decimal


def in_figures(value: float) -> str:
    """Return a number with four significant digits, with commas between thousands and without an exponent.

    Example: ``1000.0`` gives ``1,000``; ``0.00012345`` gives ``0.0001234``; ``1234567`` gives ``1,234,567``.
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{Decimal(f'{value:.4g}'):,f}"


SHARES = frozenset({"share", "overlap", "probability"})
"""Units of figures between 0 and 1 that people read as percent."""
_COUNTED = frozenset({"bit", "byte", "level", "line", "shot"})
_PLAIN = frozenset({"", "ratio", "correlation"})
"""Units whose name says nothing beside the number."""
_IN_FULL = {"dE2000": "delta E 2000"}
_BEFORE = "quality"


def measured_in(value: float, unit: str) -> str:
    """Return a figure with its unit as people write it, with four significant digits.

    A share is given in percent. Example: ``(0.2771, "share")`` gives ``27.71%``; ``(1000, "px")`` gives ``1,000 px``;
    ``(1, "level")`` gives ``1 level``; ``(0.85, "ratio")`` gives ``0.85``.

    Args:
        value: the figure, in its unit; a share in 0..1.
        unit: as findings name it; empty if there is none.
    """
    if unit in SHARES:
        return f"{in_figures(100 * value)}%"
    if unit in _PLAIN:
        return in_figures(value)
    if unit == _BEFORE:
        return f"{unit} {in_figures(value)}"
    noun = unit.removesuffix("s")
    if noun in _COUNTED:
        unit = noun if value == 1 else f"{noun}s"
    return f"{in_figures(value)} {_IN_FULL.get(unit, unit)}"


def counted(count: float, one: str, many: str = "") -> str:
    """Return a whole number with its noun, in the singular or the plural.

    Example: ``counted(1, "shot")`` gives ``1 shot``; ``counted(1200, "line is", "lines are")`` gives ``1,200 lines
    are``.

    Args:
        count: the number; it is shown without decimals.
        one: the words for exactly one.
        many: the words for any other number; empty if they are `one` with an s.
    """
    return f"{count:,.0f} {one if count == 1 else many or one + 's'}"
