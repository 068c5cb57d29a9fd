"""Make the machine's first edit of a shot, in the same way whether the shot was on hold before or not.

A shot is on hold while something is missing that its client must send.
"""

from __future__ import annotations

from typing import NamedTuple

from packshot import pipeline
from packshot.ingest.master import read_master
from packshot.pipeline import Edit
from packshot.record import EDIT, State, found_in
from packshot.types import Verdict
from tasks.learning.audits import audit_report
from tasks.learning.routing_model import watch_for
from tasks.processing.memory import room_for
from tasks.processing.networks import load_model
from tasks.records.bookkeeping import Life
from tasks.stages import stored_edits
from tasks.storage import shot_objects
from tasks.telling.displays import show_edit

AFTER_VERDICT = {
    Verdict.AUTO_APPROVE: (State.EDITING_AUTO, State.SCORED, State.APPROVED),
    Verdict.HUMAN_REVIEW: (State.EDITING_AUTO, State.SCORED, State.IN_REVIEW),
    Verdict.REJECT_AND_REDO: (State.EDITING_AUTO, State.SCORED, State.REDO, State.AWAITING_EDITOR),
}
DRAWN = "chosen to be looked at"
"""Reason of the events of a shot that is judged blindly, whatever the machine's verdict."""


class FirstEdit(NamedTuple):
    """What `make_first_edit` has made of a shot.

    Attributes:
        edit: the edit itself, with its pixels, findings and verdict.
        why: the verdict in words, as the shot's record has it.
        needs_person: True if a person has to look at the shot, or to edit it.
    """

    edit: Edit
    why: str
    needs_person: bool


def make_first_edit(life: Life) -> FirstEdit:
    """Cut out a shot, set it on exact white, frame and score it; return the edit and whether it needs a person.

    The edit is stored, and the shot's record is moved to the state of the verdict. If the client's config says
    ``partial: ship``, platforms whose rendition needs a person are held back, and the others are approved. A shot that
    is drawn for an audit waits for a reviewer with all its platforms.

    Args:
        life: the shot's record, from `living`.
    Raises:
        ModelError: neither the segmentation network nor a fallback is available.
        LeaseLostError: another run has taken this work over.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = life.reach(State.EDITING_AUTO, why="simple enough for the machine")
    life.hold(room_for(record))
    plan, group = shot_objects.plan_of(record), stored_edits.group_of(record)
    pixels = read_master(shot_objects.fetch(record, stored_edits.picture_to_edit(record)))
    network = load_model()
    watch = watch_for(record, plan)
    edit = pipeline.edit(pixels, network.segmenter, plan, noted=record.findings, group=group, watch=watch)
    audit = audit_report(record, plan, edit)
    files = stored_edits.edit_files(pixels, edit, stored_edits.metadata_of(record))
    held = {} if audit else edit.held_back(plan)
    verdict = Verdict.HUMAN_REVIEW if audit else Verdict.AUTO_APPROVE if held else edit.verdict
    why = DRAWN if audit else stored_edits.verdict_sentence(edit, held=held)
    objects = shot_objects.keep(record.shot, files, over=record.objects)
    record = life.reach(
        *AFTER_VERDICT[verdict],
        why=why,
        findings=found_in(objects[EDIT], network.findings + edit.findings),
        reports=stored_edits.edit_reports(edit, network.segmenter, audit=audit, held=held),
        objects=objects,
    )
    show_edit(record)
    return FirstEdit(edit, why, needs_person=verdict is not Verdict.AUTO_APPROVE)
