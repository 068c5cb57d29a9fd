"""What the pages of this room share: where their templates are, and how figures are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from packshot.escaping import page_environment


def render(template: str, *, filters: Mapping[str, Callable[..., str]], **values: Any) -> bytes:
    """Return a page, UTF-8, from one of the room's templates.

    Args:
        filters: ways of writing figures that only this page has, by name.
        values: what the template shows.
    """
    environment = page_environment("packshot.outcomes", {"percent": percent, "count": count, **filters})
    return environment.get_template(template).render(**values).encode()


def percent(value: float) -> str:
    """A ratio as per cent: with two digits where it is small."""
    return f"{value:.2%}" if value < 0.1 else f"{value:.1%}"


def count(value: float) -> str:
    """A number of things, thousands apart."""
    return f"{value:,.0f}"
