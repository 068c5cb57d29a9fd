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
