"""Keep the shots behind the numbers of each day in storage, beside the day's numbers.

reports/daily/<date>.shots.json    name of a number -> the shots that it counts
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from pydantic import TypeAdapter

from packshot.errors import ObjectMissingError
from packshot.handoff.deciding import since_restart
from packshot.keys import daily_figures_key, daily_prefix, daily_shots_key, date_from_daily_figures_key
from packshot.learning.audits import audit_of
from packshot.naming import BatchId, ShotId
from packshot.outcomes.daily_lists import Number, shots_behind
from packshot.outcomes.daily_values import Day, DayFigures
from packshot.record import ShotRecord
from tasks.storage.bucket import Storage, open_storage

_LISTS = TypeAdapter(dict[Number, tuple[ShotId, ...]])


def keep_lists(
    storage: Storage,
    records: Sequence[ShotRecord],
    day: Day,
    *,
    received: Mapping[BatchId, dt.datetime],
    cancelled: Collection[BatchId],
) -> None:
    """Store which shots each number in a day's report counts, so that people can open a number and see its shots.

    Args:
        storage: the bucket.
        records: of all shots that something happened to on this day, or that were open when it ended.
        day: the day, with the times of its beginning and end.
        received: batch -> when it came in.
        cancelled: batches that were cancelled when the day ended.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    audits = {}
    for record in records:
        audit = audit_of(record, since_restart(record))
        if audit is not None and day.holds(audit.at):
            audits[record.shot] = audit.refused
    lists = shots_behind(records, day, received=received, cancelled=cancelled, audits=audits)
    storage.put(daily_shots_key(day.date), _LISTS.dump_json(lists), content_type="application/json")


def counted_dates() -> list[dt.date]:
    """Return the dates of the days that have a report, the latest first. It costs one listing of the storage.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    found = (date_from_daily_figures_key(one.key) for one in open_storage().list(daily_prefix()))
    return sorted(filter(None, found), reverse=True)


def figures_on(date: dt.date) -> DayFigures | None:
    """Return the numbers from which a day's report was made; None if the day was not counted.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    try:
        return DayFigures.model_validate_json(open_storage().get(daily_figures_key(date)))
    except ObjectMissingError:
        return None


def lists_on(date: dt.date) -> Mapping[Number, tuple[ShotId, ...]] | None:
    """Return the shots behind the numbers of a day's report: number, such as ``delivered`` -> the shots that it counts.

    None if the day was not counted, or if its lists were not kept.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    try:
        return _LISTS.validate_json(open_storage().get(daily_shots_key(date)))
    except ObjectMissingError:
        return None
