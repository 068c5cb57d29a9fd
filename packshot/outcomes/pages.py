"""Render pages from the HTML templates of this package, and write their numbers as people do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from packshot.escaping import page_environment


def render(template: str, *, filters: Mapping[str, Callable[..., str]], **values: Any) -> bytes:
    """Return a page as HTML in UTF-8, from a template of this package.

    Args:
        template: file name of the template, for example ``daily.html.j2``.
        filters: template filters of this page only, by name.
        values: variables of the template, by name.
    """
    environment = page_environment("packshot.outcomes", {"percent": percent, "count": count, **filters})
    return environment.get_template(template).render(**values).encode()


def percent(value: float) -> str:
    """Return a ratio in per cent, two decimals below 10 %, else one: "1.25%", "12.5%".

    Args:
        value: the ratio; 1 is 100 %.
    """
    return f"{value:.2%}" if value < 0.1 else f"{value:.1%}"


def count(value: float) -> str:
    """Return a number with thousands separators and without decimals: "7,500".

    Args:
        value: the number; it is rounded.
    """
    return f"{value:,.0f}"
