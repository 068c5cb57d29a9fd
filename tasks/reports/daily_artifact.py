"""Write the daily report as Markdown, for a page in Prefect's UI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packshot.escaping import markdown
from packshot.figures import counted
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
from packshot.outcomes.daily_values import DayFigures
from packshot.outcomes.pages import count, percent

_MOST_ROWS = 12


def daily_markdown(report: DailyReport, *, link: str, key: str) -> str:
    """Return a day's report as Markdown: its main numbers and tables, in a few screens.

    Each table shows at most 12 rows, and says how many more there are on the full page.

    Args:
        report: the day's numbers and its trend.
        link: presigned URL of the full page.
        key: the full page's key in storage.
    """
    day = report.figures
    warnings = "\n".join(f"> {markdown(one)}\n" for one in warnings_of(report))
    parts = [
        f"# {day.day.date}\n\n{markdown(headline(day))}\n\n{markdown(times_of(report))}",
        warnings,
        f"[The report as a page, with the trend]({link}), for a week; `{key}`",
        _table(("", "the day"), _main(report)),
        _clients(day),
        _section("Routes", ("goes to", "reason", "shots"), _routes(day)),
        _section("Verdicts", ("verdict", "edits", "looked at", "not taken"), _verdicts(day)),
        _section("Why work came back", ("what", "reason", "shots"), _causes(day)),
        _section("Waiting", ("for", *AGES, "answered"), _waiting(day)),
        _section(
            "Platforms that got nothing",
            ("platform", "shots", "which and why"),
            [(one.platform, one.shots, "; ".join(one.named)) for one in day.left_out],
        ),
        _section("Failed", ("shot and reason",), [(one,) for one in day.failures]),
    ]
    return "\n\n".join(part for part in parts if part)


def _main(report: DailyReport) -> list[tuple[object, ...]]:
    day, money = report.figures, money_of(report)
    rows: list[tuple[object, ...]] = [
        ("came in", count(day.fates.received)),
        *((f"- {name}", count(getattr(day.fates, name))) for name in FATES),
        ("delivered on the day, whenever they came in", count(day.delivered)),
        ("mastered in the busiest hour", count(max(day.mastered_by_hour, default=0))),
        ("routed to the machine", share_of(day.automated_ratio)),
        ("machine's edits approved unseen", share_of(day.approved_ratio)),
        ("handwork approved at the first look", f"{share_of(day.first_time_ratio)} of {day.judged}"),
        ("escapes", _escapes(day)),
        ("sent back by clients", _sent_back(day)),
        ("machine, per image", f"{duration(day.seconds_per_image, 's')}, {day.machine_shots} measured"),
        ("editors, per picture, at most", _minutes(day)),
    ]
    if money:
        known = (("machine", money.machine, money.per_image), ("editors, at most", money.people, money.per_edit))
        rows += [
            (f"{name}, cost", f"{price(cost, money.currency)}; {price(each, money.currency)} each")
            for name, cost, each in known
        ]
    return rows


def _escapes(day: DayFigures) -> str:
    found = day.escapes
    if found is None:
        return "not known: nothing was audited"
    return (
        f"{found.refused} of {counted(found.audited, 'audit')} refused, {percent(found.low)} to {percent(found.high)}; "
        f"promise of at most {percent(found.promise_ratio)} {found.standing}"
    )


def _sent_back(day: DayFigures) -> str:
    found = day.sent_back
    if found is None:
        return "not counted"
    return (
        f"{found.faults} with faults ({found.by_machine} approved unseen by the machine), {found.wishes} for new wishes"
    )


def _minutes(day: DayFigures) -> str:
    return f"{duration(day.minutes_per_image, 'min')}, {day.handwork.measured} of {day.handwork.returned} measured"


def _clients(day: DayFigures) -> str:
    rows = [(one.name, one.received, *(getattr(one, name) for name in FATES)) for one in day.clients]
    return _section("Clients", ("client", "came in", *FATES), rows)


def _routes(day: DayFigures) -> list[tuple[object, ...]]:
    return [("the machine" if one.automated else "a person", one.reason, one.shots) for one in day.routes]


def _verdicts(day: DayFigures) -> list[tuple[object, ...]]:
    return [
        (words(one.verdict.value), one.edits, one.looked_at, one.refused if one.looked_at else "nobody looked")
        for one in day.verdicts
        if one.edits or one.looked_at
    ]


def _causes(day: DayFigures) -> list[tuple[object, ...]]:
    return [(one.what, words(one.reason), one.shots) for one in day.causes]


def _waiting(day: DayFigures) -> list[tuple[object, ...]]:
    return [(ROLE_NAMES[one.state], *one.by_age, one.answered) for one in day.waiting if one.shots or one.answered]


def _section(title: str, head: Sequence[str], rows: Sequence[Iterable[object]]) -> str:
    """Return a titled table of the first rows; an empty text if there are none."""
    if not rows:
        return ""
    more = f"\n\n{len(rows) - _MOST_ROWS} more on the page." if len(rows) > _MOST_ROWS else ""
    return f"## {title}\n\n{_table(head, rows[:_MOST_ROWS])}{more}"


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(markdown(str(cell)) for cell in row)} |" for row in rows)])
