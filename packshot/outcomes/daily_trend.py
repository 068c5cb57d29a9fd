"""Draw the trend of the daily report from the numbers of past days: one small chart for each question."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from packshot.outcomes.charts import Chart, Line, line_chart
from packshot.outcomes.daily import DailyReport
from packshot.outcomes.daily_counts import ROLES
from packshot.outcomes.daily_text import ROLE_NAMES, duration, share_of
from packshot.outcomes.daily_values import DayFigures
from packshot.outcomes.pages import count, percent
from packshot.types import Value

GREEN, BLUE, AMBER, RED, GREY = "#1d6b50", "#3b5878", "#b07a1e", "#a8281f", "#8d9299"
MOST_ESCAPES = 0.1
"""Maximum escape rate that the chart shows. A higher bound only means that there are few audits yet."""


class Panel(Value):
    """One small chart of the daily report's trend.

    Attributes:
        title: what the chart shows.
        now: the number of the report's day, as text, such as ``92.5%``; a dash, ``not known`` or ``not measured``
            without a number.
        chart: None if no day has a number.
    """

    title: str
    now: str
    chart: Chart | None


class _Row(NamedTuple):
    name: str
    tone: str
    figure: Callable[[DayFigures], float | None]
    dashed: bool = False


class _Plan(NamedTuple):
    title: str
    now: Callable[[DayFigures], str]
    show: Callable[[float], str]
    rows: tuple[_Row, ...]
    least_step: float = 0.0
    most: float = math.inf


def _waiting_for(place: int) -> Callable[[DayFigures], float]:
    return lambda day: day.waiting[place].shots


_PLANS = (
    _Plan(
        "Photographs a day",
        lambda day: f"{count(day.fates.received)} in, {count(day.delivered)} out",
        count,
        (
            _Row("came in", GREY, lambda day: day.fates.received),
            _Row("delivered", GREEN, lambda day: day.delivered),
        ),
        least_step=1,
    ),
    _Plan(
        "Waiting for people",
        lambda day: count(day.waits),
        count,
        tuple(
            _Row(ROLE_NAMES[role], tone, _waiting_for(place))
            for place, (role, tone) in enumerate(zip(ROLES, (BLUE, GREEN, AMBER, GREY), strict=True))
        ),
        least_step=1,
    ),
    _Plan(
        "The machine’s share",
        lambda day: share_of(day.automated_ratio),
        "{:.0%}".format,
        (
            _Row("routed to the machine", BLUE, lambda day: day.automated_ratio),
            _Row("of its edits, approved unseen", GREEN, lambda day: day.approved_ratio),
        ),
    ),
    _Plan(
        "Approved at the first look",
        lambda day: share_of(day.first_time_ratio),
        "{:.0%}".format,
        (_Row("of the handwork that was looked at", GREEN, lambda day: day.first_time_ratio),),
    ),
    _Plan(
        "Escapes",
        lambda day: f"at most {percent(day.escapes.high)}" if day.escapes else "not known",
        percent,
        (
            _Row("promise", RED, lambda day: day.escapes.promise_ratio if day.escapes else None, dashed=True),
            _Row("upper bound", AMBER, lambda day: day.escapes.high if day.escapes else None),
            _Row("audits refused", BLUE, lambda day: day.escapes.ratio if day.escapes else None),
        ),
        most=MOST_ESCAPES,
    ),
    _Plan(
        "Machine time per image",
        lambda day: duration(day.seconds_per_image, "s"),
        "{:g} s".format,
        (_Row("all stages, where measured", BLUE, lambda day: day.seconds_per_image),),
    ),
    _Plan(
        "Hand time per picture",
        lambda day: duration(day.handwork.median_minutes, "min"),
        "{:g}".format,
        (
            _Row("mean minutes, at most", GREY, lambda day: day.minutes_per_image),
            _Row("half took less", AMBER, lambda day: day.handwork.median_minutes),
        ),
    ),
    _Plan(
        "Sent back by people",
        lambda day: count(sum(one.shots for one in day.causes if one.by_people)),
        count,
        (_Row("times a day", RED, lambda day: sum(one.shots for one in day.causes if one.by_people)),),
        least_step=1,
    ),
)


def panels_of(report: DailyReport) -> list[Panel]:
    """Return one small chart for each question of the trend, such as "Waiting for people", in the order of the page.

    Args:
        report: the daily report with its trend.
    """
    return [_panel(plan, report) for plan in _PLANS]


def _panel(plan: _Plan, report: DailyReport) -> Panel:
    lines = [
        Line(
            name=row.name,
            tone=row.tone,
            dashed=row.dashed,
            values=tuple(None if day is None else row.figure(day) for day in report.trend),
        )
        for row in plan.rows
    ]
    every = max(1, -(-len(report.trend) // 5))
    marks = [(place, f"{report.dates[place]:%d %b}") for place in range(len(report.trend) - 1, -1, -every)]
    chart = line_chart(
        lines, marks, show=plan.show, width=440, height=190, left=52, least_step=plan.least_step, most=plan.most
    )
    return Panel(title=plan.title, now=plan.now(report.figures), chart=chart)
