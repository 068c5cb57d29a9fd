"""Write the daily report, for a production manager, as one HTML page that needs no network."""

from __future__ import annotations

import calendar

from packshot.outcomes.daily import DailyReport
from packshot.outcomes.daily_text import (
    AGES,
    FATES,
    ROLE_NAMES,
    duration,
    headline,
    money_of,
    price,
    share_of,
    times_of,
    warnings_of,
    words,
)
from packshot.outcomes.daily_trend import panels_of
from packshot.outcomes.pages import render


def daily_page(report: DailyReport) -> bytes:
    """Return the daily report as one HTML page, in UTF-8, that needs no network.

    Args:
        report: the numbers of the day, with the trend.
    """
    day = report.figures
    return render(
        "daily.html.j2",
        filters={"words": words, "duration": duration, "share": share_of, "price": price},
        report=report,
        day=day,
        headline=headline(day),
        times=times_of(report),
        warnings=warnings_of(report),
        panels=panels_of(report),
        hours=_hours(report),
        money=money_of(report),
        fates=FATES,
        ages=AGES,
        roles=ROLE_NAMES,
        weekday=calendar.day_name[day.day.date.weekday()],
    )


def _hours(report: DailyReport) -> list[dict[str, object]]:
    """Return the bars of the chart by hour. Heights are in per cent of the highest; every third hour has a name."""
    day = report.figures
    most = max(*day.mastered_by_hour, *day.delivered_by_hour, 1)
    return [
        {
            "name": f"{(report.config.begins_hour + hour) % 24:02}" if hour % 3 == 0 else "",
            "mastered": mastered,
            "delivered": delivered,
            "mastered_height": round(100 * mastered / most, 1),
            "delivered_height": round(100 * delivered / most, 1),
        }
        for hour, (mastered, delivered) in enumerate(zip(day.mastered_by_hour, day.delivered_by_hour, strict=True))
    ]
