"""Find the platforms for which a shot has no file, each with the reason in words, from the shot's record.

Every report on a batch uses this list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from packshot.record import ShotRecord
from packshot.types import Status, Value

MOST_SAID = 5


class LeftOut(Value):
    """A platform that gets no file of a shot, or not all files, in a delivery.

    Attributes:
        shot: the shot's name.
        name: the platform's name. If the platform gets another file of the shot, it is the path of the missing file,
            below the delivery's folder, such as ``amazon_main/BTL201.jpg``.
        why: the reason, one or more sentences.
    """

    shot: str
    name: str
    why: str

    @property
    def platform(self) -> str:
        """The platform's name, also where `name` is a file's path."""
        return self.name.split("/")[0]


def left_out_of(record: ShotRecord) -> dict[str, str]:
    """Return what is missing of a shot: name of a platform that gets no file, or path of a missing file -> reason.

    A path is below the delivery's folder. The reason is one or more sentences. Both come from the record's report on
    its export. If the report says of a file only that it failed, the reason is the messages of its failed findings, one
    after the other. The result is empty if nothing is missing, or the shot was never exported.

    Args:
        record: the shot's record.
    """
    export: Mapping[str, Any] = record.reports.get("export", {})
    reasons = {str(name): str(why) for name, why in export.get("left_out", {}).items()}
    for file in export.get("files", ()):
        if not file["passed"] and file["path"] not in reasons and file["platform"] not in reasons:
            failed = [one["message"] for one in file["findings"] if one["status"] == Status.FAILED]
            reasons[file["path"]] = " ".join(failed)
    return reasons


def in_words(left_out: Iterable[LeftOut]) -> str:
    """Return one clause that names the first five and counts the others; "" if nothing was left out.

    Example: ``1 left out: SKU123 for amazon_main: The picture is too small``.

    Args:
        left_out: the platforms and files that are missing.
    """
    ones = list(left_out)
    said = "; ".join(f"{one.shot} for {one.name}: {one.why.rstrip('.')}" for one in ones[:MOST_SAID])
    more = f"; and {len(ones) - MOST_SAID} more" if len(ones) > MOST_SAID else ""
    return f"{len(ones)} left out: {said}{more}" if ones else ""
