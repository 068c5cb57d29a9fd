"""Write the sentences of the daily report, for its HTML page and for its artifact in the workflow engine."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from packshot.figures import counted
from packshot.outcomes.daily import DailyReport
from packshot.outcomes.daily_values import AGES_H, DayFigures
from packshot.outcomes.pages import count, percent
from packshot.record import State
from packshot.types import Value

NOT_MEASURED = "not measured"
FATES = ("delivered", "ready", "waiting", "refused", "failed")
AGES = ("under 4 h", "4 to 24 h", "1 to 3 days", "3 to 7 days", "over 7 days")
ROLE_NAMES = {
    State.AWAITING_EDITOR: "editors",
    State.IN_REVIEW: "reviewers",
    State.AWAITING_SIGNOFF: "senior editors",
    State.ON_HOLD: "clients",
}
assert len(AGES) == len(AGES_H) + 1
_LONG_AGES = 2
"""How many of the last age groups cause a warning."""


class Money(Value):
    """The cost of a day's work. Only work with a measured time and a configured rate is included. `money_of` makes it.

    Attributes:
        currency: the currency's code, such as ``EUR``.
        machine, people: cost of the machine's and of the editors' work, in the currency; None without a rate in the
            config or without a measured time. The cost of editors is an upper limit, because their time runs from
            taking a job to returning it.
        per_image: machine cost per image that the machine worked on; None if `machine` is None.
        per_edit: editors' cost per returned picture with a known time; None if `people` is None.
    """

    currency: str
    machine: float | None
    per_image: float | None
    people: float | None
    per_edit: float | None


def headline(day: DayFigures) -> str:
    """Return the result of the day in one sentence, for the top of the report.

    Example: "12 photographs came in: 9 delivered, 2 waiting, 1 refused, 0 failed."

    Args:
        day: the day's numbers.
    """
    if day.is_empty:
        return "Nothing was done on this day."
    fates = day.fates
    if not fates.received:
        delivered = counted(day.delivered, "photograph was", "photographs were")
        return f"Nothing came in; {delivered} delivered."
    parts = ", ".join(f"{count(getattr(fates, name))} {name}" for name in FATES if name != "ready" or fates.ready)
    return f"{counted(fates.received, 'photograph')} came in: {parts}."


def times_of(report: DailyReport) -> str:
    """Return the start and the end of the report's day as text, in the report's time zone.

    Example: "2026-03-01 06:00 to 2026-03-02 06:00 Europe/Berlin".

    Args:
        report: the daily report.
    """
    zone, day = ZoneInfo(report.zone), report.figures.day
    begins, ends = (one.astimezone(zone) for one in (day.begins, day.ends))
    return f"{begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} {report.zone}"


def warnings_of(report: DailyReport) -> tuple[str, ...]:
    """Return the warnings at the head of the daily report: one sentence for each thing that needs attention.

    Examples are failed photographs, a broken promise, and shots that have waited for more than three days. The result
    is empty if there is nothing.

    Args:
        report: the daily report.
    """
    day, found = report.figures, []
    errors = day.fates.failed - day.fates.stopped
    if errors:
        found.append(f"{count(errors)} of the photographs that came in failed; the reasons are below.")
    if day.fates.stopped:
        found.append(
            f"{count(day.fates.stopped)} had been begun and not ended when the day ended: interrupted or late."
        )
    if day.escapes and day.escapes.standing == "broken":
        found.append(f"The promise of at most {percent(day.escapes.promise_ratio)} escapes is broken.")
    if day.sent_back and day.sent_back.faults:
        found.append(
            f"Clients sent delivered pictures back as faulty: {count(day.sent_back.faults)}, of which the machine "
            f"had approved {count(day.sent_back.by_machine)} unseen."
        )
    if day.left_out:
        named = ", ".join(f"{one.platform} of {count(one.shots)}" for one in day.left_out)
        found.append(f"Platforms got nothing of photographs that were exported: {named}; the reasons are below.")
    old = sum(sum(one.by_age[-_LONG_AGES:]) for one in day.waiting)
    if old:
        found.append(f"{count(old)} have waited for people for more than three days.")
    missing = sum(one is None for one in report.trend)
    if missing:
        found.append(f"{missing} of the {len(report.trend)} days without figures: the lines have gaps there.")
    return tuple(found)


def money_of(report: DailyReport) -> Money | None:
    """Return the cost of the report's day; None if no rate is set in the config.

    Args:
        report: the daily report.
    """
    day, config = report.figures, report.config
    if config.machine_hour_cost is None and config.person_hour_cost is None:
        return None
    machine = config.machine_hour_cost and day.machine_shots and day.machine_seconds / 3600 * config.machine_hour_cost
    people = config.person_hour_cost and day.handwork.measured and day.handwork.minutes / 60 * config.person_hour_cost
    return Money(
        currency=config.currency,
        machine=machine or None,
        per_image=machine / day.machine_shots if machine else None,
        people=people or None,
        per_edit=people / day.handwork.measured if people else None,
    )


def share_of(ratio: float | None) -> str:
    """Return a ratio in per cent, such as "92.5%", or a dash for None.

    Args:
        ratio: 0..1; None if it is not known.
    """
    return "–" if ratio is None else f"{ratio:.1%}"


def duration(value: float | None, unit: str) -> str:
    """Return a time per image as text with one decimal and its unit, such as "4.2 s"; "not measured" for None.

    Args:
        value: the time, in `unit`; None if it was not measured.
        unit: name of the unit, such as "s".
    """
    return NOT_MEASURED if value is None else f"{value:.1f} {unit}"


def price(value: float | None, currency: str) -> str:
    """Return an amount of money as text, such as "12.50 EUR", or "not known" for None.

    Amounts below 1 have four decimals, others two.

    Args:
        value: the amount; None if it is not known.
        currency: the currency's code.
    """
    return "not known" if value is None else f"{value:,.{2 if value >= 1 else 4}f} {currency}"


def words(code: str) -> str:
    """Return a code with spaces instead of underscores, for people.

    Args:
        code: for example "in_review".
    """
    return code.replace("_", " ")
