"""Who gets nothing of a shot and why: read from its record, said in words. Whatever reports on a batch says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from packshot.record import ShotRecord
from packshot.types import Status, Value

MOST_SAID = 5


class LeftOut(Value):
    """One platform that gets nothing of a shot, or not all.

    Attributes:
        name: the platform; the path of a file, where the platform gets another file of the shot.
    """

    shot: str
    name: str
    why: str

    @property
    def platform(self) -> str:
        return self.name.split("/")[0]


def left_out_of(record: ShotRecord) -> dict[str, str]:
    """Return who gets nothing of a shot and why, from its record's report on its export: platform or path -> reason.

    The report of an earlier version names only platforms that no file was made for; its files say which failed.
    """
    export: Mapping[str, Any] = record.reports.get("export", {})
    reasons = {str(name): str(why) for name, why in export.get("left_out", {}).items()}
    for file in export.get("files", ()):
        if not file["passed"] and file["path"] not in reasons and file["platform"] not in reasons:
            failed = [one["message"] for one in file["findings"] if one["status"] == Status.FAILED]
            reasons[file["path"]] = " ".join(failed)
    return reasons


def in_words(left_out: Iterable[LeftOut]) -> str:
    """Return one clause that names the first few and counts the others; empty where nothing was left out."""
    ones = list(left_out)
    said = "; ".join(f"{one.shot} for {one.name}: {one.why.rstrip('.')}" for one in ones[:MOST_SAID])
    more = f"; and {len(ones) - MOST_SAID} more" if len(ones) > MOST_SAID else ""
    return f"{len(ones)} left out: {said}{more}" if ones else ""
