"""Let the machine edit a shot again after a person's decision: with another method, or the first edit after a hold.

A shot is on hold while something is missing that the client must send.
"""

from __future__ import annotations

from prefect import task

from packshot import pipeline
from packshot.cutout import Method
from packshot.ingest.master import read_master
from packshot.naming import ShotId
from packshot.pipeline import Edit
from packshot.record import EDIT, ShotRecord, State, found_in
from packshot.types import Pixels16, Verdict
from tasks.processing.memory import room_for
from tasks.processing.networks import LoadedModel, load_model
from tasks.records.bookkeeping import ALWAYS, actor, living, now, revived
from tasks.records.stored import change_record
from tasks.stages import stored_edits
from tasks.stages.first_edit import make_first_edit
from tasks.storage import shot_objects
from tasks.telling.displays import show_edit


@task(name="redo", task_run_name="redo · {shot.shot}", **ALWAYS)
def redo_edit(shot: ShotId) -> None:
    """Have the machine edit a shot again with the other cut-out method, because a person refused the first edit.

    The other method is the segmentation network alone. If the first edit already used that, the edge is refined by the
    backdrop instead. The machine never approves the result, whatever its score: the shot waits for a reviewer. If the
    result is too bad for that, it waits for an editor.

    Raises:
        ModelError: neither the segmentation network nor a fallback is available.
        LeaseLostError: another run has taken this work over.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    with living(shot) as life:
        record = life.record
        life.hold(room_for(record))
        by_network = record.reports["edit"]["method"] == Method.NETWORK_ONLY
        other = Method.REFINED if by_network else Method.NETWORK_ONLY
        pixels, network = read_master(shot_objects.fetch(record, stored_edits.picture_to_edit(record))), load_model()
        plan, group = shot_objects.plan_of(record), stored_edits.group_of(record)
        edit = pipeline.edit(pixels, network.segmenter, plan, methods=(other,), noted=record.findings, group=group)
        hopeless = edit.verdict is Verdict.REJECT_AND_REDO
        after = (State.REDO, State.AWAITING_EDITOR) if hopeless else (State.IN_REVIEW,)
        _keep(record, pixels, edit, network, after=after)


@task(name="edit after hold", task_run_name="edit after hold · {shot.shot}", **ALWAYS)
def edit_released(shot: ShotId) -> None:
    """Have the machine make the first edit of a shot that was on hold, as stage 3 does for every other shot.

    The shot's record is then in the state of the edit's verdict: approved, in review, or waiting for an editor.

    Raises:
        ModelError: neither the segmentation network nor a fallback is available.
        LeaseLostError: another run has taken this work over.
    """
    with living(shot, stage="edit") as life:
        make_first_edit(life)


def _keep(record: ShotRecord, pixels: Pixels16, edit: Edit, network: LoadedModel, *, after: tuple[State, ...]) -> None:
    """Store an edit and advance the record to its next state, one state at a time.

    A shot may pass here more than once.
    """
    shot = record.shot
    objects = shot_objects.keep(shot, stored_edits.edit_files(pixels, edit, stored_edits.metadata_of(record)))
    found = found_in(objects[EDIT], network.findings + edit.findings)
    why = stored_edits.verdict_sentence(edit)
    reports = stored_edits.edit_reports(edit, network.segmenter)

    def change(one: ShotRecord) -> ShotRecord:
        changed = revived(one, by=actor())
        for state in (State.EDITING_AUTO, State.SCORED, *after):
            changed = changed.advance(state, at=now(), actor=actor(), why=why)
        return changed.model_copy(
            update={
                "findings": tuple(dict.fromkeys((*changed.findings, *found))),
                "reports": {**changed.reports, **reports},
                "objects": {**changed.objects, **objects},
            }
        )

    show_edit(change_record(shot, change))
