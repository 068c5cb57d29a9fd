"""Turn an edit into stored form: files as bytes, and record entries as plain JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from packshot.batch import ShotRef
from packshot.cutout import Segmenter
from packshot.errors import RefusedInputError
from packshot.export.delivery import delivered_file
from packshot.export.preview import before_and_after, evidence_files
from packshot.export.report_page import thumbnail
from packshot.ingest.master import write_working_tiff
from packshot.ingest.metadata import Metadata
from packshot.ingest.shoot_groups import GroupDecision
from packshot.pipeline import Edit, Export, Rendition
from packshot.record import ShotRecord
from packshot.types import Matte, Pixels16, Status, Verdict

CORRECTED = "corrected.tif"
"""Name of the master after its group's colour correction."""

_SENTENCES = {
    Verdict.AUTO_APPROVE: "approved by the machine",
    Verdict.HUMAN_REVIEW: "a reviewer decides",
    Verdict.REJECT_AND_REDO: "no method was good enough; an editor takes over",
}
_MOST_REASONS = 3


def write_matte(matte: Matte) -> bytes:
    """Return a matte as the bytes of a 16-bit PNG. With 8 bits, a very low coverage near the background would become 0.

    Args:
        matte: (rows, columns) float32; values are clipped to 0..1.
    """
    levels = np.rint(np.clip(matte, 0, 1) * np.float32(65535)).astype(np.uint16)
    _, encoded = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def read_matte(data: bytes) -> Matte:
    """Return a matte that `write_matte` wrote: (rows, columns) float32 in 0..1.

    Args:
        data: the PNG's bytes.
    """
    levels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    matte: Matte = levels.astype(np.float32) / np.float32(65535)
    return matte


def edit_files(pixels: Pixels16, edit: Edit, metadata: Metadata) -> dict[str, bytes]:
    """Return the files to store for an edit: name below the shot's folder -> bytes.

    Args:
        pixels: the master, (rows, columns, 3) uint16, working space.
        edit: the edit.
        metadata: the original's metadata, to write into the files.
    """
    files = {
        "edit.tif": write_working_tiff(edit.composite, metadata=metadata),
        "matte.png": write_matte(edit.matte),
        "preview.webp": before_and_after(pixels, edit.composite),
    }
    if edit.report:
        files["qc.json"] = edit.report.model_dump_json(indent=1).encode()
        files |= evidence_files(pixels, edit.composite, edit.report.evidence)
    return files


def edit_report(edit: Edit, network: Segmenter | None) -> dict[str, Any]:
    """Return the record's report on an edit, as plain JSON: score, verdicts, method, evidence and network.

    Args:
        network: the segmentation network that made it; None for a person's work.
    """
    scores = edit.report.model_dump(include={"background", "edge", "fill", "colour"}) if edit.report else {}
    engine = (
        {
            "model": network.model,
            "model_fingerprint": network.fingerprint,
            "engine": network.engine,
            "precision": network.precision,
        }
        if network
        else {}
    )
    evidence = [one.model_dump(mode="json") for one in edit.report.evidence] if edit.report else []
    return {
        "score": edit.score,
        "components": scores,
        "verdict": edit.verdict.value,
        "platforms": {one.platform: one.verdict.value for one in edit.report.renditions} if edit.report else {},
        "method": edit.method,
        "evidence": evidence,
        **engine,
    }


def edit_reports(
    edit: Edit,
    network: Segmenter,
    *,
    audit: Mapping[str, Any] = MappingProxyType({}),
    held: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Mapping[str, Any]]:
    """Return the record's reports on a machine's edit, by name: ``edit``, and ``figures`` and ``audit`` if there are
    any.

    Args:
        network: the segmentation network that was used.
        audit: the audit's entry; empty if there is no audit.
        held: platforms whose renditions are held back -> the reason.
    """
    kept = {"held": dict(held)} if held else {}
    reports: dict[str, Mapping[str, Any]] = {"edit": {**edit_report(edit, network), **kept}}
    if edit.figures:
        reports["figures"] = edit.figures
    return {**reports, "audit": audit} if audit else reports


def verdict_sentence(edit: Edit, *, held: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the score, the verdict and at most three main reasons in one text, for people.

    Args:
        held: platforms whose renditions are held back -> the reason. If there are any, the text names them.
    """
    if held:
        return (
            f"score {edit.score:.1f}, approved by the machine except for {', '.join(held)}, which a person must check"
        )
    reasons = [finding.message for finding in edit.findings if finding.stops_approval]
    reasons += [one.message for one in edit.findings if one.status is Status.FAILED and not one.stops_approval]
    because = f": {' '.join(reasons[:_MOST_REASONS])}" if reasons and edit.verdict is not Verdict.AUTO_APPROVE else ""
    return f"score {edit.score:.1f}, {_SENTENCES[edit.verdict]}{because}"


def export_report(export: Export) -> dict[str, Any]:
    """Return the record's report on the renditions, as plain JSON.

    ``files`` has each rendition with its figures, rejected ones too. ``left_out`` maps a platform or a file's path to
    the reason why it is not delivered.
    """
    files = [
        delivered_file(one.rendered, path=one.path, platform=one.platform).model_dump(mode="json")
        for one in (*export.verified, *export.rejected)
    ]
    return {"files": files, "left_out": dict(export.left_out)}


def rendition_files(good: Iterable[Rendition]) -> dict[str, bytes]:
    """Return the files to store for a shot's verified renditions: name below the shot's folder -> bytes.

    For each rendition there are two: the rendition itself, and a thumbnail of it.

    Args:
        good: the verified renditions.
    """
    files: dict[str, bytes] = {}
    for one in good:
        data = one.rendered.encoded.data
        files[f"renditions/{one.path}"] = data
        files[thumbnail_name(one.path)] = thumbnail(data)
    return files


def is_thumbnail(name: str) -> bool:
    """Return whether one of a shot's objects is a thumbnail of a rendition.

    Args:
        name: the object's name below the shot's folder.
    """
    return name.startswith("thumbnails/")


def thumbnail_name(path: str) -> str:
    """Return the name of the object with a rendition's thumbnail.

    Args:
        path: the rendition's path in the delivery.
    """
    return f"thumbnails/{path}.webp"


def failures_in_words(export: Export) -> str:
    """Return in one text, for each platform or file that is left out, the reason why it may not be delivered."""
    return " ".join(f"{name}: {why}" for name, why in export.left_out.items())


def group_of(record: ShotRecord) -> GroupDecision | None:
    """Return the decision that routing (stage 2) made about a shot's lighting group; None if it has not run yet."""
    stated = record.reports.get("group")
    return GroupDecision.model_validate(stated) if stated else None


def picture_to_edit(record: ShotRecord) -> str:
    """Return the name of the object to edit: ``master.tif``, or ``corrected.tif`` if the group's correction changes
    something.
    """
    group = group_of(record)
    return "master.tif" if group is None or group.correction.is_identity else CORRECTED


def colour_fingerprint(group: GroupDecision) -> str:
    """Return a hash of everything in a shot's group decision that its edit depends on: 16 hex digits of a SHA-256."""
    told = group.model_dump_json(include={"correction", "verified", "reference_lab", "findings"})
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def metadata_of(record: ShotRecord) -> Metadata:
    """Return the original's metadata as mastering (stage 1) read it."""
    return Metadata.model_validate(record.reports["reading"]["metadata"])


def known_of(record: ShotRecord) -> dict[str, str]:
    """Return the known facts of a shot by the names that templates for file names use: name -> value.

    Besides the facts of the record, these are ``shot``, ``client`` and ``batch``.
    """
    shot = record.shot
    return {
        **{name: fact.value for name, fact in record.facts.items()},
        "shot": shot.shot,
        "client": shot.client,
        "batch": shot.batch,
    }


def refusal_json(ref: ShotRef, error: RefusedInputError, *, sha256: str) -> bytes:
    """Return the content of ``reason.json`` for a refused file, in UTF-8.

    Args:
        ref: the uploaded photograph.
        error: why it was refused.
        sha256: hash of the file, hex.
    """
    reason = {
        "file": ref.path,
        "shot": ref.shot.shot,
        "sha256": sha256,
        "code": error.code,
        "what": error.what,
        "found": error.found,
        "allowed": error.allowed,
        "next_step": error.next_step,
        "message": str(error),
    }
    return json.dumps(reason, indent=1, ensure_ascii=False).encode()
