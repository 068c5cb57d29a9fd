"""Make drafts for editors: a matte and a path for each master; and for a garment, a layered file that joins the neck.

A garment is photographed on a mannequin, and its neck a second time without. The neck joint is the picture of both.
"""

from __future__ import annotations

import numpy as np

from packshot.cutout import Method, cut_out
from packshot.handoff.deciding import picture_shown
from packshot.handoff.head_start import head_start
from packshot.handoff.neck_joint.joint import FINDINGS, join_neck
from packshot.handoff.neck_joint.placing import Side
from packshot.ingest.master import read_master
from packshot.naming import ShotId
from packshot.paths.draft_file import read_draft_matte
from packshot.pipeline import colour_before
from packshot.record import ShotRecord
from packshot.returned.neck_joint import JointDraft
from packshot.returned.read import read_returned
from packshot.types import Matte, Pixels16
from tasks.processing.memory import room_for
from tasks.processing.networks import load_model
from tasks.records.stored import change_record, load_record
from tasks.stages import stored_edits
from tasks.storage import shot_objects

DRAFT = "draft.tif"
NECK_JOINT = "neck_joint.psd"
_MANNEQUIN, _OPENING = "neck_joint_mannequin.png", "neck_joint_opening.png"


def with_draft(record: ShotRecord) -> ShotRecord:
    """Store a draft for the editor of a shot, and return the shot's record with it.

    The draft is the object ``draft.tif``: the picture with the machine's matte and a clipping path, from which the
    editor can begin. If there is a draft of this master already, the record is returned unchanged. If the machine has
    edited the shot, the draft uses that edit's matte. If no product is found, the record gets a finding and no draft.

    Args:
        record: the record of a shot that waits for an editor.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    master = picture_shown(record)
    if record.reports.get("draft", {}).get("master") == master:
        return record
    with room_for(record):
        pixels = read_master(shot_objects.fetch(record, stored_edits.picture_to_edit(record)))
        matte, group = _matte(record, pixels), stored_edits.group_of(record)
        made = head_start(pixels, matte)
        objects = shot_objects.keep(record.shot, {DRAFT: made.draft_tiff}) if made.draft_tiff else {}
        off = colour_before(pixels, matte, group) if group else None
    report = {"master": master, "knots": made.knots, "made": bool(objects), "colour_before": off}

    def change(one: ShotRecord) -> ShotRecord:
        return one.model_copy(
            update={
                "reports": {**one.reports, "draft": report},
                "objects": {**one.objects, **objects},
                "findings": tuple(dict.fromkeys((*one.findings, *made.findings))),
            }
        )

    return change_record(record.shot, change)


def given_matte(record: ShotRecord) -> Matte | None:
    """Return the matte from which the editor of a shot began, (rows, columns) float32 in 0..1.

    It is the matte in the draft, the file that the editor was given to begin with. Without a draft it is the matte of
    the machine's edit. None if there is neither.

    Args:
        record: the shot's record.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    if record.reports.get("draft", {}).get("made"):
        draft = shot_objects.fetch(record, DRAFT)
        matte = read_draft_matte(draft)
        if matte is not None:
            return matte
        return read_returned(draft, name=DRAFT, limits=shot_objects.plan_of(record).ingest).matte
    if record.reports.get("edit", {}).get("method", Method.GIVEN) != Method.GIVEN:
        return stored_edits.read_matte(shot_objects.fetch(record, "matte.png"))
    return None


def with_neck_joint(record: ShotRecord, neck: ShotId | None) -> ShotRecord:
    """Store a draft of a garment's neck joint for the editor, and return the garment's record with it.

    The neck joint puts together a garment on a mannequin and a second photograph of its neck. The draft is the object
    ``neck_joint.psd``, with layers. If it can't be made, the record gets only findings that say why. If there is a
    draft of these two pictures already, the record is returned unchanged.

    Args:
        record: the record of the garment on the mannequin.
        neck: the shot of the neck; None if somebody decided to go on without one.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    theirs = load_record(neck) if neck else None
    pair = {"master": picture_shown(record), "neck": picture_shown(theirs) if theirs else ""}
    made_before = record.reports.get("neck_joint", {})
    if {name: made_before.get(name) for name in pair} == pair:
        return record
    with room_for(record):
        joint = join_neck(_side(record), _side(theirs) if theirs else None)
    masks = {_MANNEQUIN: joint.mannequin, _OPENING: joint.opening.astype(np.float32)}
    files = {name: stored_edits.write_matte(mask) for name, mask in masks.items()}
    objects = shot_objects.keep(record.shot, files | ({NECK_JOINT: joint.layered_psd} if joint.layered_psd else {}))
    report = {**pair, "made": bool(joint.layered_psd), "proof": joint.proof.model_dump()}

    def change(one: ShotRecord) -> ShotRecord:
        others = tuple(finding for finding in one.findings if finding.code not in FINDINGS)
        return one.model_copy(
            update={
                "reports": {**one.reports, "neck_joint": report},
                "objects": {**one.objects, **objects},
                "findings": (*others, *joint.findings),
            }
        )

    return change_record(record.shot, change)


def joint_draft(record: ShotRecord) -> JointDraft | None:
    """Return the draft of a garment's neck joint that the editor got: three masks of the master's size.

    They are the matte of the garment with its mannequin, the matte of the mannequin, and the neckline that must be
    filled. None if there is no such draft of the present master.

    Args:
        record: the record of the garment on the mannequin.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    garment = given_matte(record)
    if garment is None or record.reports.get("neck_joint", {}).get("master") != picture_shown(record):
        return None
    mannequin, opening = (stored_edits.read_matte(shot_objects.fetch(record, name)) for name in (_MANNEQUIN, _OPENING))
    return JointDraft(mannequin=mannequin, opening=opening >= 0.5, garment=garment)


def _side(record: ShotRecord) -> Side:
    pixels = read_master(shot_objects.fetch(record, stored_edits.picture_to_edit(record)))
    matte = given_matte(record)
    return Side(pixels, _matte(record, pixels) if matte is None else matte)


def _matte(record: ShotRecord, pixels: Pixels16) -> Matte:
    """Return the matte of the machine's edit; without an edit, cut the product out now."""
    if "edit" in record.reports:
        return stored_edits.read_matte(shot_objects.fetch(record, "matte.png"))
    return cut_out(pixels, load_model().segmenter).matte
