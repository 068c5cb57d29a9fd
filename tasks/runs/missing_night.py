"""Detect a nightly run that never started, and send one notice about it.

Such a run can't report itself. Possible causes: no worker was running, the schedule is paused, the run was cancelled
before it started, or the machine was off.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.server.schemas.schedules import CronSchedule

from packshot.keys import NIGHT_LEASE
from tasks.environment.settings import get_settings
from tasks.records.bookkeeping import ALWAYS, now
from tasks.runs.lost_runs import NIGHT
from tasks.runs.resuming import runs_of
from tasks.storage.leases import is_held
from tasks.telling.notices import raise_alarm

MARGIN = timedelta(hours=1)
"""How late a nightly run may start, for example because a worker was busy or was restarted."""
EARLY = timedelta(minutes=10)
"""Tolerance for clocks that differ, and for a worker that starts a run before its time."""


LOOKED_BACK = tuple(timedelta(days=days) for days in (1, 32, 367, 9 * 366))
"""How far back a scheduled time is looked for, step by step: 29 February can be eight years ago."""

MOST_TIMES = 1000
"""So many times a schedule object returns at once, at the most."""


def last_due(cron: str, zone: str, *, before: datetime) -> datetime:
    """Return the last time, in UTC, at which the nightly run should have started: at `before` or earlier.

    Prefect's scheduler creates runs by the same schedule object, so both agree on every cron text and clock change.

    Args:
        cron: the schedule as a cron text, such as ``0 2 * * *``.
        zone: name of the schedule's time zone, such as "Europe/Berlin".
        before: a time with a time zone.
    Raises:
        ValueError: the cron text names no time in the nine years before.
    """
    found = asyncio.run(_last_due(CronSchedule(cron=cron, timezone=zone), before))
    return datetime.fromtimestamp(found.timestamp(), UTC)  # Prefect's is of a class of its own


async def _last_due(schedule: CronSchedule, before: datetime) -> datetime:
    for back in LOOKED_BACK:
        start = before - back
        times = await schedule.get_dates(start=start, end=before)
        while len(times) >= MOST_TIMES and times[-1] > start:
            start = times[-1]
            times = await schedule.get_dates(start=start, end=before)
        if times:
            return times[-1]
    raise ValueError(f"the schedule {schedule.cron!r} names no time in the last nine years")


@task(name="look for a night that did not begin", task_run_name="look for a night that did not begin", **ALWAYS)
def look_for_missing_night() -> str:
    """Return a sentence if the last nightly run is missing: it should have started an hour ago, and has not.

    Example: "the night of 2026-03-01 02:00 UTC did not begin". If it is missing, people also get a notice, once for
    each night. The text is empty if the run has started, if an earlier one is still at work, or if the nightly run is
    not registered at the Prefect server, or was registered after that time.

    Raises:
        httpx.HTTPError: Prefect's server does not answer, or answers with an error.
        StorageUnavailableError, StorageDeniedError: the night is missing, and the mark of the notice can't be stored.
    """
    settings, at = get_settings(), now()
    due = last_due(settings.nightly_cron, settings.nightly_timezone, before=at - MARGIN)
    with get_client(sync_client=True) as client:
        try:
            night = client.read_deployment_by_name(f"{NIGHT}/{NIGHT}")
        except ObjectNotFound:
            return ""  # nothing is registered on this server
        if night.created is None or night.created > due or _has_begun(client, due):
            return ""
        message = (
            f"it should have begun at {due:%Y-%m-%d %H:%M} UTC, and had not by {at:%H:%M}: {_why(client, night, due)}"
        )
    raise_alarm("night_missing", message, about="night", once=f"{due:%Y%m%dT%H%M}")
    return f"the night of {due:%Y-%m-%d %H:%M} UTC did not begin"


def _has_begun(client: SyncPrefectClient, due: datetime) -> bool:
    """Return whether a night has started since then, whoever started it, or an earlier night is still at work."""
    # Until a run has started, Prefect filters it by its expected start time; hence is_null_=False.
    since = FlowRunFilter(start_time=FlowRunFilterStartTime(after_=due - EARLY, is_null_=False))
    if next(iter(runs_of(client, since, flow=NIGHT)), None) is not None:
        return True
    return is_held(NIGHT_LEASE)


def _why(client: SyncPrefectClient, night: DeploymentResponse, due: datetime) -> str:
    if night.paused or not any(schedule.active for schedule in night.schedules):
        return "its schedule is paused in Prefect"
    waiting = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED, StateType.PENDING]))
    starts = (run.expected_start_time for run in runs_of(client, FlowRunFilter(state=waiting), flow=NIGHT))
    if any(start is not None and due - EARLY <= start < now() for start in starts):
        return "its run waits for a worker; check packshot status, and whether the work pool is full or paused"
    return "no run was created, or it was cancelled before it began; start nightly in Prefect's pages"
