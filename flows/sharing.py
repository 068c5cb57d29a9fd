"""Share a stage's shots with other workers.

The shots are cut into parts. Each part becomes a run of `work-on-part`, which any worker of the parts' pool can take.
Workers begin with the first part. The run that hands out the parts works on them, too, and begins with the last one. So
it always finishes, even if no worker helps. If there is no other worker, nothing is cut or handed out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import httpx
from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State

from flows.part import Work
from flows.settling import Progress
from packshot.errors import LeaseHeldError
from packshot.keys import part_lease
from packshot.naming import BatchId
from tasks.environment.logs import log
from tasks.environment.settings import get_settings
from tasks.results.handovers import RoutedShot
from tasks.runs.parts import (
    POLL_S,
    Stage,
    cancel_parts,
    done_of,
    hand_out,
    helpers,
    is_deserted,
    part_name,
    runs_by_id,
    store_done,
    store_work,
    take_back,
)
from tasks.storage.leases import Patience, holding, require_not_lost

LONGEST_POLL_S = 20.0
"""Longest time between two questions to Prefect about the parts that others work on."""
LOOK_S = 10.0
"""Time between two looks whether the process of a part that was begun still lives."""

_WAITS, _BEGUN, _ENDED = "waits for a worker", "begun", "ended"


def share(stage: Stage, batch: BatchId, parts: Sequence[Sequence[Any]], work: Work, told: Progress) -> list[Any]:
    """Take all shots through a stage, with other workers if there are any; return the results.

    They are in the order of the parts. Failed shots are left out. Without other workers this process does everything.

    Args:
        stage: the stage: master, route, edit or export.
        batch: the batch of the shots.
        parts: the shots in groups, each of which one worker takes. The shots are objects of the class that the stage
            works on, such as `ApprovedShot` for the export (`tasks.runs.parts.WORK` names it).
        work: takes some shots through the stage in this process. It is called with (the shots, a function that it calls
            with the numbers of finished and of all shots) and returns the results. Without other workers it gets all
            shots at once.
        told: called with (shots whose part is done, all shots).
    Raises:
        LeaseLostError: another run has taken the batch over.
        httpx.HTTPError: Prefect's server did not answer for ``PACKSHOT_PATIENCE_S`` seconds.
    """
    every = [item for part in parts for item in part]
    if len(parts) < 2 or not helpers():
        return work(every, told)
    return _Shared(stage, batch, parts, work, told).results()


def cut(items: Sequence[Any]) -> list[Sequence[Any]]:
    """Return the items in parts, in the same order. One worker takes one part.

    A part has `PACKSHOT_PART_SIZE` items (50 by default); the last part may be smaller.
    """
    size = get_settings().part_size
    return [items[begin : begin + size] for begin in range(0, len(items), size)]


def cut_by_group(shots: Sequence[RoutedShot]) -> list[Sequence[RoutedShot]]:
    """Return the shots in parts of at least `PACKSHOT_PART_SIZE` shots (50 by default). One worker takes one part.

    The last part may be smaller. Shots of one shoot group (the same light) always stay in one part. Shots are sorted by
    group, then by name.
    """
    parts: list[Sequence[RoutedShot]] = []
    part: list[RoutedShot] = []
    in_order = sorted(shots, key=lambda shot: (shot.group, shot.name))
    for _, members in groupby(in_order, key=lambda shot: shot.group):
        part += members
        if len(part) >= get_settings().part_size:
            parts.append(part)
            part = []
    return [*parts, part] if part else parts


def pause_s(quiet_s: float) -> float:
    """Return the pause before Prefect is asked about the parts again, in seconds. One worker takes one part.

    It is a tenth of the time for which nothing has changed, but at least 2 s and at most 20 s. So the end of a short
    part is noticed soon, and a long stage does not ask thousands of times.

    Args:
        quiet_s: seconds since a part last began or ended.
    """
    return min(LONGEST_POLL_S, max(POLL_S, quiet_s / 10))


def cancel_its_parts(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Cancel the parts (groups of shots) that a cancelled run has handed out. Prefect calls this hook.

    Args:
        flow, flow_run, state: what Prefect passes to each hook: the flow, its run, and the run's final state.
    """
    cancel_parts(str(flow_run.id), why=f"the run that handed it out was cancelled: {flow_run.name}")


@dataclass
class _Part:
    name: str
    items: Sequence[Any]
    run: UUID | None = None
    results: Sequence[Any] | None = None
    begun_at: float = 0.0
    looked_at: float = 0.0


class _Shared:
    """The parts of one stage while they are worked on, here and elsewhere."""

    def __init__(
        self, stage: Stage, batch: BatchId, parts: Sequence[Sequence[Any]], work: Work, told: Progress
    ) -> None:
        self._stage, self._batch, self._work, self._told = stage, batch, work, told
        self._parts = [_Part(part_name(stage, items), items) for items in parts]

    def results(self) -> list[Any]:
        """Return the results of all parts of the stage, in the order of the parts, when the last part is done.

        The parts are handed out to other workers. This run works on the parts that nobody has begun.
        """
        for number, part in enumerate(self._parts, start=1):
            part.results = done_of(self._batch, part.name, self._stage)
            if part.results is None:
                require_not_lost(self._batch)
                store_work(self._batch, part.name, part.items)
                part.run = hand_out(self._batch, self._stage, part.name, place=f"{number} of {len(self._parts)}")
        self._tell()
        well_at = changed_at = time.monotonic()
        stood: list[str] = []
        while self._open:
            try:
                runs = runs_by_id([part.run for part in self._open if part.run is not None])
                stand = [f"{part.name} {_stands(part, runs)}" for part in self._open]
                if stand != stood:
                    stood, changed_at = stand, time.monotonic()
                self._take_over_results(runs)
                rests = not self._worked_on_one(runs)
                well_at = time.monotonic()
            except httpx.HTTPError as error:
                if time.monotonic() - well_at > get_settings().patience_s:
                    raise
                log().warning("the Prefect server does not answer (%s); waiting", type(error).__name__)
                rests = True
            if rests:
                time.sleep(pause_s(time.monotonic() - changed_at))
        return [result for part in self._parts for result in part.results or ()]

    @property
    def _open(self) -> list[_Part]:
        return [part for part in self._parts if part.results is None]

    def _take_over_results(self, runs: Mapping[UUID, FlowRun]) -> None:
        for part in self._open:
            if _stands(part, runs) == _ENDED:
                part.results = done_of(self._batch, part.name, self._stage)
                if part.results is not None:
                    self._tell()

    def _worked_on_one(self, runs: Mapping[UUID, FlowRun]) -> bool:
        """Work on the last part that nobody has begun, or one that was begun in vain; return whether there is one."""
        begun_in_vain = [part for part in self._open if _stands(part, runs) == _ENDED or self._is_deserted(part, runs)]
        not_begun = [part for part in self._open if _stands(part, runs) == _WAITS]
        for part in (*reversed(not_begun), *begun_in_vain):
            try:
                with holding(part_lease(self._batch, part.name), Patience.NONE):
                    self._work_on(part, runs)
            except LeaseHeldError:
                continue  # a worker began at the same moment; or it has died, and its lease will expire
            return True
        return False

    def _is_deserted(self, part: _Part, runs: Mapping[UUID, FlowRun]) -> bool:
        """Return whether a part was begun, and its process has died; this is looked at now and then."""
        if _stands(part, runs) != _BEGUN:
            return False
        now = time.monotonic()
        part.begun_at = part.begun_at or now
        if now - part.begun_at < get_settings().lease_s or now - part.looked_at < LOOK_S:
            return False
        part.looked_at = now
        return is_deserted(self._batch, part.name)

    def _work_on(self, part: _Part, runs: Mapping[UUID, FlowRun]) -> None:
        if part.run and _stands(part, runs) != _ENDED:
            take_back(part.run)
        done = done_of(self._batch, part.name, self._stage)
        if done is None:
            behind = sum(len(one.items) for one in self._parts if one.results is not None)
            total = sum(len(one.items) for one in self._parts)
            done = tuple(self._work(part.items, lambda some, _: self._told(behind + some, total)))
            if len(done) == len(part.items):
                store_done(self._batch, part.name, done)
        part.results = done
        self._tell()

    def _tell(self) -> None:
        finished = sum(len(part.items) for part in self._parts if part.results is not None)
        self._told(finished, sum(len(part.items) for part in self._parts))


def _stands(part: _Part, runs: Mapping[UUID, FlowRun]) -> str:
    """Return how the run of a part stands."""
    run = runs.get(part.run) if part.run else None
    if run is None or run.state is None or run.state.is_final():
        return _ENDED
    return _WAITS if run.state.is_scheduled() else _BEGUN
