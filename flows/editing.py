"""The automated edit of part of a batch: cut out, verify, frame and score each shot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.pace import PACE
from flows.parameters import BatchName, ClientName
from flows.settling import settle
from packshot.naming import batch_id
from tasks.handovers import RoutedShot
from tasks.jobs import open_review
from tasks.progress import BatchProgress
from tasks.stages import edit_shot

PART_SHOTS = 50
"""Shots per subflow. A subflow costs about a second, so one for each shot would double the time of a night."""


def parts(shots: Sequence[RoutedShot]) -> Iterator[list[RoutedShot]]:
    """Yield parts of at least `PART_SHOTS` shots (the last may be smaller); shots of one shoot group stay together."""
    part: list[RoutedShot] = []
    in_order = sorted(shots, key=lambda shot: (shot.group, shot.name))
    for _, members in groupby(in_order, key=lambda shot: shot.group):
        part += members
        if len(part) >= PART_SHOTS:
            yield part
            part = []
    if part:
        yield part


@flow(
    name="automated-edit",
    flow_run_name="automated edit · {client}/{batch} · part {part}",
    task_runner=PACE,
    persist_result=False,
    validate_parameters=False,
)
def automated_edit(client: ClientName, batch: BatchName, part: int, shots: list[RoutedShot]) -> State[Any]:
    """Edit and score shots that a machine may edit; ask a person about each that does not pass by itself."""
    progress = BatchProgress(batch_id(client, batch))
    edited = settle([edit_shot.submit(shot) for shot in shots], on_progress=progress.of("edited", ends=95))
    asked = [open_review.submit(shot) for shot in edited if shot.needs_person]
    settle(asked, on_progress=progress.of("sent to review", begins=95))
    failed = len(shots) - len(edited)
    if failed:
        return Failed(message=f"{failed} of {len(shots)} shots could not be edited")
    return Completed(message=f"{len(edited)} edited, {len(asked)} of them wait for a person")
