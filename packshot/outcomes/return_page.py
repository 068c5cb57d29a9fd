"""The report on the return rate as one HTML page that needs no network."""

from __future__ import annotations

import jinja2

from packshot.outcomes.effect import Effect, Interval
from packshot.outcomes.return_report import ReturnReport, Week

WIDTH, HEIGHT, LEFT, BOTTOM = 860.0, 260.0, 46.0, 30.0
MOST_CHANGE = 1.0
"""Greatest change that a bar shows; what reaches beyond is cut off there."""


def return_page(report: ReturnReport) -> bytes:
    """Return the page, UTF-8."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("packshot.outcomes"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = _percent
    environment.filters["change"] = _change
    environment.filters["span"] = _span
    environment.globals["at"] = _place
    page = environment.get_template("returns.html.j2").render(
        report=report, headline=headline(report.overall), chart=_chart(report.weeks)
    )
    return page.encode()


def headline(effect: Effect) -> str:
    """Return the change in one sentence, as honestly as one sentence can."""
    if effect.change is None:
        return effect.insufficient[:1].upper() + effect.insufficient[1:] + "."
    said = f"{_change(effect.change.value)} ({_span(effect.change)}) against {effect.controls} control products"
    if effect.significant:
        way = "fell" if effect.change.value < 0 else "rose"
        return f"The return rate {way}: {said}."
    return f"No change can be shown: {said}."


def _percent(value: float) -> str:
    return f"{value:.2%}" if value < 0.1 else f"{value:.1%}"


def _change(value: float) -> str:
    return f"{value:+.0%}".replace("-", "−")


def _span(interval: Interval) -> str:
    return f"{_change(interval.low)} to {_change(interval.high)}"


def _place(value: float) -> float:
    """Where on a bar from -100 % to +100 % a change lies, in per cent of its width."""
    return round(50 + 50 * min(max(value, -MOST_CHANGE), MOST_CHANGE) / MOST_CHANGE, 2)


def _chart(weeks: tuple[Week, ...]) -> dict[str, object]:
    """Lines and axes of the weeks around the new pictures, as SVG coordinates."""
    known = [rate for week in weeks for rate in (week.products, week.controls) if rate is not None]
    if not known:
        return {}
    top = max(known) * 1.15 or 0.01
    across = (WIDTH - LEFT - 10) / max(1, len(weeks) - 1)

    def x(number: int) -> float:
        return round(LEFT + number * across, 1)

    def y(rate: float) -> float:
        return round((HEIGHT - BOTTOM) * (1 - rate / top) + 6, 1)

    def line(rates: list[float | None]) -> str:
        return " ".join(f"{x(number)},{y(rate)}" for number, rate in enumerate(rates) if rate is not None)

    ticks = [top * share / 4 for share in range(5)]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "bottom": y(0),
        "products": line([week.products for week in weeks]),
        "controls": line([week.controls for week in weeks]),
        "golive": x(next((number for number, week in enumerate(weeks) if week.week == 0), 0)),
        "ticks": [(y(rate), _percent(rate)) for rate in ticks],
        "weeks": [(x(number), f"{week.week:+d}") for number, week in enumerate(weeks) if week.week % 4 == 0],
    }
