"""Write the report on a client's return rate as one HTML page that needs no network."""

from __future__ import annotations

from packshot.figures import counted
from packshot.outcomes.charts import Chart, Line, line_chart
from packshot.outcomes.effect import Effect, Interval
from packshot.outcomes.pages import percent, render
from packshot.outcomes.return_report import ReturnReport, Week

MOST_CHANGE = 1.0
"""Greatest change that a bar shows. Larger ones are cut off."""


def return_page(report: ReturnReport) -> bytes:
    """Return the report on the return rate as one HTML page, in UTF-8, that needs no network.

    Args:
        report: the report.
    """
    chart = _chart(report.weeks)
    golive = next((number for number, week in enumerate(report.weeks) if week.week == 0), 0)
    return render(
        "returns.html.j2",
        filters={"change": _change, "span": _span},
        at=_place,
        report=report,
        headline=headline(report.overall),
        chart=chart,
        golive=chart.places[golive] if chart else None,
    )


def headline(effect: Effect) -> str:
    """Return the change of the return rate in one sentence.

    The sentence claims a change only if the change is significant.

    Example: "The return rate fell: −20% (−30% to −9%) against 40 control products." Without a change the sentence says
    why there is none.

    Args:
        effect: the effect of the new pictures.
    """
    if effect.change is None:
        return effect.insufficient[:1].upper() + effect.insufficient[1:] + "."
    said = (
        f"{_change(effect.change.value)} ({_span(effect.change)}) against {counted(effect.controls, 'control product')}"
    )
    if effect.significant:
        way = "fell" if effect.change.value < 0 else "rose"
        return f"The return rate {way}: {said}."
    return f"No change can be shown: {said}."


def told(report: ReturnReport) -> list[str]:
    """Return lines on the files behind a report: how each was read, then each problem with unused rows.

    Example: "orders.csv: 2 rows without a SKU".

    Args:
        report: the report on the return rate.
    """
    read = [f"{one.file}: {one.rows:,} rows read as {one.how}" for one in report.readings]
    return [*read, *(f"{one.file}: {one.in_words}" for one in report.problems)]


def _change(value: float) -> str:
    return f"{value:+.0%}".replace("-", "−")


def _span(interval: Interval) -> str:
    return f"{_change(interval.low)} to {_change(interval.high)}"


def _place(value: float) -> float:
    """Return the position of a change on a bar from -100 % to +100 %, in per cent of the bar's width."""
    return round(50 + 50 * min(max(value, -MOST_CHANGE), MOST_CHANGE) / MOST_CHANGE, 2)


def _chart(weeks: tuple[Week, ...]) -> Chart | None:
    """Return the chart of the weeks before and after the new pictures; None without values."""
    lines = (
        Line(name="control products in the same weeks", tone="#8c9cb0", values=tuple(week.controls for week in weeks)),
        Line(name="with new pictures from week 0", tone="#1d6b50", values=tuple(week.products for week in weeks)),
    )
    marks = [(number, f"{week.week:+d}") for number, week in enumerate(weeks) if week.week % 4 == 0]
    return line_chart(lines, marks, show=percent, width=860, height=260, left=46)
