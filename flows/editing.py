"""The automated edit: cut out, verify, frame and score each shot, and ask people about those that do not pass."""

from __future__ import annotations

from collections.abc import Sequence

from flows.settling import Progress, settle
from tasks.people.jobs import open_review
from tasks.results.handovers import EditedShot, RoutedShot
from tasks.stages.shot_stages import edit_shot


def edit_and_ask(shots: Sequence[RoutedShot], told: Progress) -> list[EditedShot]:
    """Edit and score shots that a machine may edit, and return the edits.

    A person is asked about each edit that does not pass by itself.
    """
    edited = settle([edit_shot.submit(shot) for shot in shots], on_progress=told)
    settle([open_review.submit(edit) for edit in edited if edit.needs_person], on_progress=lambda done, total: None)
    return edited
