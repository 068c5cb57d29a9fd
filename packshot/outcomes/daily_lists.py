"""List the shots behind each number of a day, so that a page can show them.

A list has exactly as many shots as its number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from packshot.naming import BatchId, ShotId
from packshot.outcomes.daily_record import as_of, changes, is_given_up, kind_of
from packshot.outcomes.daily_values import Day, DayFigures
from packshot.outcomes.first_time import By, first_time_approval, judgements_of
from packshot.record import ShotRecord, State


class Number(StrEnum):
    """A number of the daily report whose shots a page can list. The value is a part of the page's address.

    Attributes:
        RECEIVED: photographs that came in on the day.
        DELIVERED, READY, WAITING, REFUSED, FAILED: what had become of the received ones by the end of the day.
        MACHINE, PEOPLE: shots that were routed to the machine, or to people, on the day.
        HANDED_OVER: shots that were delivered on the day, whenever they came in.
        JUDGED: shots whose work by an editor was judged for the first time on the day.
        APPROVED_AT_ONCE: the judged ones that were approved.
        AUDITED: shots whose audit was answered on the day: a person judged an edit that the machine would approve.
        ESCAPED: the audited ones whose edit the person refused.
    """

    RECEIVED = "received"
    DELIVERED = "delivered"
    READY = "ready"
    WAITING = "waiting"
    REFUSED = "refused"
    FAILED = "failed"
    MACHINE = "machine"
    PEOPLE = "people"
    HANDED_OVER = "handed-over"
    JUDGED = "judged"
    APPROVED_AT_ONCE = "approved-at-once"
    AUDITED = "audited"
    ESCAPED = "escaped"


def value_of(figures: DayFigures, number: Number) -> int:
    """Return one number of a day, from the day's numbers.

    Args:
        figures: the day's numbers.
        number: the number that is asked for.
    """
    fates = figures.fates
    values = {
        Number.RECEIVED: fates.received,
        Number.DELIVERED: fates.delivered,
        Number.READY: fates.ready,
        Number.WAITING: fates.waiting,
        Number.REFUSED: fates.refused,
        Number.FAILED: fates.failed,
        Number.MACHINE: sum(one.shots for one in figures.routes if one.automated),
        Number.PEOPLE: sum(one.shots for one in figures.routes if not one.automated),
        Number.HANDED_OVER: figures.delivered,
        Number.JUDGED: figures.judged,
        Number.APPROVED_AT_ONCE: sum(one.approved for one in figures.first_time),
        Number.AUDITED: sum(one.audited for one in figures.audits),
        Number.ESCAPED: sum(one.refused for one in figures.audits),
    }
    return values[number]


def shots_behind(
    records: Iterable[ShotRecord],
    day: Day,
    *,
    received: Mapping[BatchId, datetime],
    cancelled: Collection[BatchId] = (),
    audits: Mapping[ShotId, bool] | None = None,
) -> dict[Number, tuple[ShotId, ...]]:
    """Return each number of a day -> the shots behind it, sorted by name, so that a page can list them.

    Each list has as many shots as its number; some may be empty.

    Args:
        records: all shots that may have changed on the day or were open at its end. Later events are ignored.
        day: the day.
        received: batch -> when it was received.
        cancelled: batches that were cancelled by the end of the day. Their open shots do not count as received.
        audits: shots whose audit was answered on the day -> True if the person refused the edit.
    """
    found: dict[Number, list[ShotId]] = {number: [] for number in Number}
    for record in records:
        shot = as_of(record, day.ends)
        came_in = None if is_given_up(shot, cancelled) else received.get(shot.shot.in_batch)
        for number in _numbers_of(shot, day, came_in):
            found[number].append(shot.shot)
    for name, refused in (audits or {}).items():
        found[Number.AUDITED].append(name)
        if refused:
            found[Number.ESCAPED].append(name)
    return {number: tuple(sorted(shots, key=str)) for number, shots in found.items()}


def _numbers_of(shot: ShotRecord, day: Day, came_in: datetime | None) -> Iterator[Number]:
    if came_in is not None and day.holds(came_in):
        yield Number.RECEIVED
        yield Number(kind_of(shot.state))
    events = list(changes(shot, day))
    routed = [one for one in events if (one.from_state, one.to_state) == (State.MASTERED, State.ROUTED)]
    if routed:
        yield Number.MACHINE if routed[-1].why.startswith("simple") else Number.PEOPLE
    for one in events:
        if one.to_state is State.DELIVERED and one.from_state not in (State.FAILED, State.AWAITING_EDITOR):
            yield Number.HANDED_OVER
    judged = [one.at for one in judgements_of(shot)]
    if judged and day.holds(min(judged)):
        yield Number.JUDGED
        if first_time_approval([shot], by=By.EDITOR)[0].approved:
            yield Number.APPROVED_AT_ONCE
