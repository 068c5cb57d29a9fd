"""The automated edit: cut out, verify, frame and score each shot. If an edit is not approved, ask people about it."""

from __future__ import annotations

from collections.abc import Sequence

from flows.settling import Progress, settle
from tasks.people.jobs import open_review
from tasks.results.handovers import EditedShot, RoutedShot
from tasks.stages.shot_stages import edit_shot


def edit_and_ask(shots: Sequence[RoutedShot], told: Progress) -> list[EditedShot]:
    """Edit and score the shots that a machine may edit, and return the results of those that did not fail.

    A person is asked about each edit that is not approved automatically.

    Args:
        shots: the routed shots.
        told: called with (shots finished so far, all shots).
    """
    edited = settle([edit_shot.submit(shot) for shot in shots], on_progress=told)
    settle([open_review.submit(edit) for edit in edited if edit.needs_person], on_progress=lambda done, total: None)
    return edited
