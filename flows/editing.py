"""Edit shots by machine: cut out, verify, frame and score each. If an edit is not approved, ask people about it."""

from __future__ import annotations

from collections.abc import Sequence

from flows.settling import Progress, settle
from tasks.people.jobs import open_review
from tasks.results.handovers import EditedShot, RoutedShot
from tasks.stages.shot_stages import edit_shot


def edit_and_ask(shots: Sequence[RoutedShot], told: Progress) -> list[EditedShot]:
    """Have the machine edit and score some shots; return the results, in the given order. Failed shots are left out.

    A result has the score, the verdict and the reason for it. For each edit that the machine must not approve by
    itself, a question to people is opened.

    Args:
        shots: the shots that stage 2 has given to the machine.
        told: called with (shots finished so far, all shots).
    """
    edited = settle([edit_shot.submit(shot) for shot in shots], on_progress=told)
    settle([open_review.submit(edit) for edit in edited if edit.needs_person], on_progress=lambda done, total: None)
    return edited
