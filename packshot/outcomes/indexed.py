"""Shorten a shot's record for lists, counts and searches, and give the names by which the shot is found.

The result is a record too, so that every function that reads records works on it. The result is never written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from packshot.export.left_out import left_out_of
from packshot.record import EDIT, MACHINE, ShotRecord
from packshot.types import Status

FACTS = ("sku", "asin", "gtin", "category", "view")
"""The facts that are kept."""
IDS = ("sku", "asin", "gtin")
"""The facts by which a shot is found."""
_WHOLE = (MACHINE, "audit", "job", "hold", "refusal")
_ROUTING, _FIGURES = ("category", "features"), "figures"


def indexed(record: ShotRecord) -> ShotRecord:
    """Return a shot's record with only the fields that lists, counts and searches need: about a fifth of its size.

    This short record is for the index (a database table of all shots), and is never written back as the shot's record.
    Findings that passed are left out. Measurements are left out, too, unless a person has decided about the shot: then
    the routing model can learn from them whether people refuse such edits.

    Args:
        record: the shot's full record.
    """
    return record.model_copy(
        update={
            "facts": {name: record.facts[name] for name in FACTS if name in record.facts},
            "objects": {name: sha256 for name, sha256 in record.objects.items() if name == EDIT},
            "findings": tuple(one for one in record.findings if one.status is not Status.PASSED),
            "reports": {name: report for name, report in _reports(record).items() if report},
        }
    )


def _reports(record: ShotRecord) -> dict[str, Mapping[str, Any]]:
    known, judged = record.reports, bool(record.decisions)
    routing = known.get("routing", {})
    return {
        **{name: known.get(name, {}) for name in _WHOLE},
        "routing": {name: routing[name] for name in _ROUTING if name in routing and (judged or name == "category")},
        _FIGURES: known.get(_FIGURES, {}) if judged else {},
        "edit": {"score": known["edit"]["score"]} if "score" in known.get("edit", {}) else {},
        "export": _export(record),
    }


def _export(record: ShotRecord) -> dict[str, Any]:
    """Return the files that were exported, each with what it warns of, and who gets nothing of the shot."""
    files = [
        {
            **{name: one[name] for name in ("path", "platform", "passed")},
            "findings": [found for found in one["findings"] if found["status"] == Status.WARNING],
        }
        for one in record.reports.get("export", {}).get("files", ())
    ]
    left_out = left_out_of(record)
    return {"files": files, "left_out": left_out} if files or left_out else {}


def ids_of(record: ShotRecord) -> dict[str, str]:
    """Return the names by which a shot is found, in small letters: ``sku``, ``asin``, ``gtin`` and ``file`` -> name.

    ``file`` is the name of the upload without its folders. A name that the shot does not have is an empty text.

    Args:
        record: the shot's record: all that is stored about the shot.
    """
    ids = {name: record.fact(name).casefold() for name in IDS}
    return {**ids, "file": PurePosixPath(record.source.key).name.casefold()}
