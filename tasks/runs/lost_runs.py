"""Find runs whose process has died, mark them as crashed, and start them again.

A killed process can't report its end, so its run stays *Running* in Prefect. Therefore each run's process renews a
lease (`tasks.storage.leases.at_work`), even while it only waits for other runs. If a run's lease is not renewed any
more, its process is dead. There is one exception: while the storage is away, nobody can renew a lease. So each run is
looked at twice. A restarted run finds finished work and does the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from prefect import task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.runtime import flow_run
from prefect.states import Cancelled, Crashed, Scheduled

from packshot.figures import counted
from packshot.keys import run_lease
from packshot.lease import RENEWALS
from packshot.types import Value
from tasks.environment.settings import get_settings
from tasks.records.bookkeeping import ALWAYS, now
from tasks.runs.children import cancel_children
from tasks.runs.parts import WORK_ON_PART, cancel_parts
from tasks.runs.resuming import runs_of
from tasks.storage.leases import forget, is_held, look
from tasks.telling.night import night_stopped

NIGHT = "nightly"
STARTED_AGAIN = (NIGHT, "process-batch", "deliver-batch", "reprocess-shot", "cancel-batch", "human-edit")
REPORTS = ("daily-report", "return-rate", "train-router", "roll-back-router", "audit-escapes")
SEEN_TO_LIVE = (*STARTED_AGAIN, WORK_ON_PART, "collect-returned-work", *REPORTS)
"""Flows whose runs renew a lease (`flows.presence`).

The run that handed a dead part out does it itself, or hands it out again when it has been started again.
"""
MOST_TRIES = 5
"""A run that crashes this many times is not started again; it stays red in the UI for a person."""
SECOND_LOOK_RENEWALS = 1.5
"""Time between the two looks at a run that seems dead, in renewals of its lease: whoever lives has renewed it then."""
NOT_OLDER_THAN = timedelta(days=1)
"""Older crashes are not started again."""
WHY = "Its process is gone: the machine or the worker was stopped, or memory ran out."

_UNDER_WAY = (StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)


class Lost(Value):
    """What one look for dead runs has found. A run is dead if its process is gone.

    Attributes:
        ended: names of the runs that were found dead now and marked as crashed or cancelled.
        started: names of the crashed runs that were started again. They may have been marked at an earlier look.
    """

    ended: tuple[str, ...] = ()
    started: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Both lists in words, such as "1 run without a process started again: nightly"; empty if both are empty."""
        parts = (("ended", self.ended), ("started again", self.started))
        return "; ".join(
            f"{counted(len(names), 'run')} without a process {what}: {', '.join(names)}"
            for what, names in parts
            if names
        )


@task(name="end lost runs", task_run_name="end lost runs", **ALWAYS)
def end_lost_runs() -> Lost:
    """Mark the runs whose process has died as crashed, and start them again; return the names of both.

    A run that somebody was cancelling is marked as cancelled instead. Only the nightly run and runs that work on
    batches or single shots (`STARTED_AGAIN`) are started again, if they have run fewer than five times (`MOST_TRIES`)
    and crashed less than a day ago. If a nightly run has died, people get a notice.
    """
    ended, started = [], []
    with get_client(sync_client=True) as client:
        at = _time_of_the_server(client)
        gone = [run for run in _runs(client, SEEN_TO_LIVE, _UNDER_WAY) if run.deployment_id and _is_gone(run, at)]
        if gone:
            time.sleep(get_settings().lease_s / RENEWALS * SECOND_LOOK_RENEWALS)
        for run in gone:
            if not is_held(run_lease(str(run.id))):
                _end(client, run)
                ended.append(run.name)
                if client.read_flow(run.flow_id).name == NIGHT:
                    night_stopped(f"its process is gone; the run is started again. Run {run.id}")
        for run in list(_runs(client, STARTED_AGAIN, (StateType.CRASHED,), since=at - NOT_OLDER_THAN)):
            if run.deployment_id is not None and run.run_count < MOST_TRIES and not is_held(run_lease(str(run.id))):
                _end_parts(client, run)
                forget(run_lease(str(run.id)))  # the next try has a lease of its own
                client.set_flow_run_state(run.id, Scheduled(name="AwaitingRetry"), force=True)
                started.append(run.name)
    return Lost(ended=tuple(ended), started=tuple(started))


def _time_of_the_server(client: SyncPrefectClient) -> datetime:
    """Return the time of the Prefect server's clock, or slightly earlier. States of runs have times of this clock."""
    if flow_run.id:
        state = client.read_flow_run(UUID(str(flow_run.id))).state
        return state.timestamp if state else now()
    date = client.request("GET", "/health").headers.get("date")
    return parsedate_to_datetime(date) if date else now()


def _runs(
    client: SyncPrefectClient, flows: Sequence[str], states: Iterable[StateType], *, since: datetime | None = None
) -> Iterator[FlowRun]:
    """Yield the runs of some flows in some states that ended after `since`."""
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
        end_time=FlowRunFilterEndTime(after_=since) if since else None,
    )
    return runs_of(client, wanted, flow=flows)


def _is_gone(run: FlowRun, at: datetime) -> bool:
    """Return whether a run has been in its state long enough to have renewed a lease, but has no live one.

    A run whose lease has run out needs less time than one that has none: it had begun.
    """
    if run.state is None:
        return False
    seen = look(run_lease(str(run.id)))
    if seen is not None and seen.is_alive:
        return False
    had_begun = seen is not None and not seen.lease.released and run.state.is_running()
    grace = timedelta(seconds=get_settings().lease_s * (1 if had_begun else 2))
    return at - run.state.timestamp >= grace


def _end(client: SyncPrefectClient, run: FlowRun) -> None:
    """Mark a run and its subflows as ended in Prefect, and delete its lease."""
    asked_to_end = run.state is not None and run.state.is_cancelling()
    client.set_flow_run_state(run.id, Cancelled(message=WHY) if asked_to_end else Crashed(message=WHY), force=True)
    if asked_to_end:
        cancel_parts(str(run.id), why=f"the run that handed it out was cancelled: {run.name}")
        cancel_children(str(run.id), why=f"the run that started it was cancelled: {run.name}")
    _end_parts(client, run)
    forget(run_lease(str(run.id)))


def _end_parts(client: SyncPrefectClient, run: FlowRun) -> None:
    for part in list(_parts(client, run)):
        client.set_flow_run_state(
            part.id, Crashed(message=f"It ended with the run it was a part of. {WHY}"), force=True
        )


def _parts(client: SyncPrefectClient, run: FlowRun) -> Iterator[FlowRun]:
    """Yield the unfinished subflows in a run's own process. Runs of deployments have a process of their own."""
    wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[run.id]))
    for part in runs_of(client, wanted):
        if part.deployment_id is None:
            yield from _parts(client, part)
            if part.state is not None and not part.state.is_final():
                yield part
