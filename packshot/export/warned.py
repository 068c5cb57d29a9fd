"""Collect the warnings of a batch from its records: each warning once, with the photographs that have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from packshot.record import ShotRecord
from packshot.types import Finding, Status, Value

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_MOST_SHOTS = 3


class Warned(Value):
    """One warning of a batch, with the photographs that have it. `warned_of` makes it.

    Attributes:
        code: code of the finding that warns.
        message: the message of the first photograph. The others' messages may differ in their numbers.
        shots: names of the photographs that have the warning, each once, in the order of the records.
    """

    code: str
    message: str
    shots: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The warning in one sentence: its code, the number of photographs, the names of the first three, its message.

        Example, of four photographs: "fringe_width at 4 (SKU1, SKU2, SKU3 and 1 more): A rim of the backdrop's colour
        is left."
        """
        named = ", ".join(self.shots[:_MOST_SHOTS])
        more = len(self.shots) - _MOST_SHOTS
        return f"{self.code} at {len(self.shots)} ({named}{f' and {more} more' if more > 0 else ''}): {self.message}"


def warned_of(records: Iterable[ShotRecord]) -> tuple[Warned, ...]:
    """Return each warning of a batch once, with the shots that have it; the one that most photographs have comes first.

    Findings with the status warning count: on the photograph, its present edit and its files. They are the same warning
    if code and message are equal but for numbers in the message. The result is empty if there are none.

    Args:
        records: records of the batch's shots.
    """
    messages: dict[tuple[str, str], str] = {}
    shots: dict[tuple[str, str], dict[str, None]] = {}
    for record in records:
        for one in _warnings(record):
            same = one.code, _FIGURE.sub("0", one.message)
            messages.setdefault(same, one.message)
            shots.setdefault(same, {})[record.shot.shot] = None
    found = [Warned(code=same[0], message=messages[same], shots=tuple(ones)) for same, ones in shots.items()]
    return tuple(sorted(found, key=lambda one: (-len(one.shots), one.code, one.message)))


def _warnings(record: ShotRecord) -> Iterator[Finding]:
    """Yield the warnings on a photograph, its present edit and its files."""
    yield from (one for one in record.present_findings if one.status is Status.WARNING)
    for file in record.reports.get("export", {}).get("files", ()):
        told = (Finding.model_validate(one) for one in file["findings"])
        yield from (one for one in told if one.status is Status.WARNING)
