"""The editor's head start in storage: made once for each master."""

from __future__ import annotations

from packshot.cutout import cut_out
from packshot.handoff.deciding import picture_shown
from packshot.handoff.head_start import head_start
from packshot.ingest.master import read_master
from packshot.pipeline import colour_before
from packshot.record import ShotRecord
from packshot.types import Matte, Pixels16
from tasks import pictures, shelf
from tasks.models import load_model
from tasks.records import change_record

DRAFT = "draft.tif"


def with_draft(record: ShotRecord) -> ShotRecord:
    """Return the record of a shot that waits for an editor with its draft in storage; found again for the same master.

    A shot that the machine has edited gets the draft of that edit's matte. Where no product is seen, a finding says so.
    """
    master = picture_shown(record)
    if record.reports.get("draft", {}).get("master") == master:
        return record
    pixels = read_master(shelf.fetch(record, pictures.picture_to_edit(record)))
    matte, group = _matte(record, pixels), pictures.group_of(record)
    made = head_start(pixels, matte)
    objects = shelf.keep(record.shot, {DRAFT: made.draft_tiff}) if made.draft_tiff else {}
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


def _matte(record: ShotRecord, pixels: Pixels16) -> Matte:
    """That of the machine's edit, or one made now."""
    if "edit" in record.reports:
        return pictures.read_matte(shelf.fetch(record, "matte.png"))
    return cut_out(pixels, load_model().segmenter).matte
