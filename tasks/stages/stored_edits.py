"""Write an edit in its stored form: its files as bytes, and its entries in the shot's record as plain JSON."""

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
    """Return a matte (how much of each pixel is product) as the bytes of a 16-bit PNG.

    0 is backdrop, 65,535 is product. With 8 bits, a very low coverage near the backdrop would become 0.

    Args:
        matte: (rows, columns) float32; values are clipped to 0..1.
    """
    levels = np.rint(np.clip(matte, 0, 1) * np.float32(65535)).astype(np.uint16)
    _, encoded = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def read_matte(data: bytes) -> Matte:
    """Return the matte that `write_matte` has written: (rows, columns) float32, 0 for backdrop to 1 for product.

    Args:
        data: the PNG's bytes.
    """
    levels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    matte: Matte = levels.astype(np.float32) / np.float32(65535)
    return matte


def edit_files(pixels: Pixels16, edit: Edit, metadata: Metadata) -> dict[str, bytes]:
    """Return the files to store for an edit: name below the shot's folder -> bytes.

    These are ``edit.tif`` (the edit), ``matte.png`` (its matte) and ``preview.webp`` (before and after). A scored edit
    also has ``qc.json`` (its report) and a picture of each place that a reviewer should look at, such as
    ``evidence/1-fringe.webp``.

    Args:
        pixels: the picture that was edited, (rows, columns, 3) uint16, Adobe RGB with its gamma.
        edit: the edit.
        metadata: the original's metadata, to be written into ``edit.tif``.
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
    """Return what a shot's record keeps about an edit, as plain JSON: score, verdicts, method, evidence and network.

    Keys of the result:
        score: 0 to 100; None if the edit was not scored.
        components: ``background``, ``edge``, ``fill`` and ``colour`` -> points; empty if the edit was not scored.
        verdict: the verdict on the edit, such as ``auto_approve``.
        platforms: name of a platform -> the verdict on its rendition; empty if the edit was not scored.
        method: how the product was cut out.
        evidence: places in the picture that a reviewer should look at; empty if the edit was not scored.
        model, model_fingerprint, engine, precision: which network made the edit, and how it ran. These keys are
            missing if a person made the edit.

    Args:
        edit: the edit.
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
    """Return the reports that a shot's record keeps about a machine's edit: name of the report -> plain JSON.

    The report ``edit`` is always there: what `edit_report` returns, with the argument `held` under the key ``held``
    unless it is empty. The report ``figures`` is there if the routing model can learn from measurements of the edit,
    and ``audit`` if the shot is drawn for an audit.

    Args:
        edit: the edit.
        network: the segmentation network that made it.
        audit: what is kept if the shot is drawn for an audit; empty if it is not.
        held: platforms whose renditions are held back for a person -> the reason.
    """
    kept = {"held": dict(held)} if held else {}
    reports: dict[str, Mapping[str, Any]] = {"edit": {**edit_report(edit, network), **kept}}
    if edit.figures:
        reports["figures"] = edit.figures
    return {**reports, "audit": audit} if audit else reports


def verdict_sentence(edit: Edit, *, held: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return an edit's score and verdict in words, with at most three reasons: "score 84.0, a reviewer decides: ...".

    Args:
        edit: the edit.
        held: platforms whose renditions are held back for a person -> the reason. If there are any, the text names
            these platforms instead of reasons.
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
    """Return what a shot's record keeps about its renditions, as plain JSON.

    ``files`` has each rendition with its measurements, also those that failed a check. ``left_out`` maps a platform or
    a file's path to the reason why it is not delivered.

    Args:
        export: what stage 4 has made.
    """
    files = [
        delivered_file(one.rendered, path=one.path, platform=one.platform).model_dump(mode="json")
        for one in (*export.verified, *export.rejected)
    ]
    return {"files": files, "left_out": dict(export.left_out)}


def rendition_files(good: Iterable[Rendition]) -> dict[str, bytes]:
    """Return the files to store for a shot's verified renditions: name below the shot's folder -> bytes.

    For each rendition there are two: the rendition itself (``renditions/...``), and a small picture of it
    (``thumbnails/...``).

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
    """Return True if one of a shot's objects is the small picture of a rendition.

    Args:
        name: the object's name below the shot's folder, such as ``thumbnails/BTL201.amazon_main.jpg.webp``.
    """
    return name.startswith("thumbnails/")


def thumbnail_name(path: str) -> str:
    """Return the name of the object with a rendition's small picture: ``thumbnails/<path>.webp``.

    Args:
        path: the rendition's path in the delivery, such as ``BTL201.amazon_main.jpg``.
    """
    return f"thumbnails/{path}.webp"


def failures_in_words(export: Export) -> str:
    """Return why platforms or files of a shot are not delivered, in one text: "amazon_main: ... otto: ...".

    The result is empty if nothing is left out.
    """
    return " ".join(f"{name}: {why}" for name, why in export.left_out.items())


def group_of(record: ShotRecord) -> GroupDecision | None:
    """Return what stage 2 has decided about the shoot group of a shot; None if the shot has no route yet.

    Args:
        record: the shot's record.
    """
    stated = record.reports.get("group")
    return GroupDecision.model_validate(stated) if stated else None


def picture_to_edit(record: ShotRecord) -> str:
    """Return the name of the object to edit: ``master.tif``; or ``corrected.tif`` if the colours were corrected.

    Args:
        record: the shot's record.
    """
    group = group_of(record)
    return "master.tif" if group is None or group.correction.is_identity else CORRECTED


def colour_fingerprint(group: GroupDecision) -> str:
    """Return a hash of what an edit depends on in the decision about its shoot group: 16 hex digits of a SHA-256.

    If the hash changes, the shot must be edited again.
    """
    told = group.model_dump_json(include={"correction", "verified", "reference_lab", "findings"})
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def metadata_of(record: ShotRecord) -> Metadata:
    """Return the metadata of the client's original, as stage 1 has read them.

    Args:
        record: the record of a shot with a master.
    """
    return Metadata.model_validate(record.reports["reading"]["metadata"])


def known_of(record: ShotRecord) -> dict[str, str]:
    """Return what is known of a shot, by the names that templates for file names use: such as ``sku`` -> ``BTL201``.

    These are the facts of the record, and ``shot``, ``client`` and ``batch``.

    Args:
        record: the shot's record.
    """
    shot = record.shot
    return {
        **{name: fact.value for name, fact in record.facts.items()},
        "shot": shot.shot,
        "client": shot.client,
        "batch": shot.batch,
    }


def refusal_json(ref: ShotRef, error: RefusedInputError, *, sha256: str) -> bytes:
    """Return the content of the file ``<file>.reason.json``, which stands beside a refused file in quarantine.

    It is a JSON object in UTF-8 with the texts ``file`` (path in the batch), ``shot`` (its name), ``sha256``, ``code``
    (of the error), ``what``, ``found``, ``allowed``, ``next_step`` (the parts of the error's message; empty if it lacks
    one) and ``message`` (all parts in one text).

    Args:
        ref: the uploaded photograph.
        error: why it was refused.
        sha256: hash of the file, 64 hex digits.
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
