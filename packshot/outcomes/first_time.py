"""First-time approval: the share of editors' work that a second person approved at the first look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from packshot.decision import Choice, Decision
from packshot.record import ShotRecord
from packshot.types import Value


class By(StrEnum):
    """The grouping of rates."""

    EDITOR = "editor"
    CATEGORY = "category"
    CLIENT = "client"


class Rate(Value):
    """First-time approvals of one editor, category or client.

    Attributes:
        shots: shots whose work a second person judged at least once.
        approved: shots whose first judgement was not a rejection. It was a sign-off or only change requests.
        rejections: reason -> number of rejections, over all judgements.
        change_requests: number of new wishes of the client. They are nobody's fault.
    """

    name: str
    shots: int
    approved: int
    rejections: Mapping[str, int]
    change_requests: int

    @property
    def ratio(self) -> float:
        """Share approved the first time."""
        return self.approved / self.shots if self.shots else 0.0


class _Judged(Value):
    """The judgements of one shot, and the name to which they count."""

    name: str
    judgements: tuple[Decision, ...]


def first_time_approval(records: Iterable[ShotRecord], *, by: By) -> tuple[Rate, ...]:
    """Return the rates, sorted by name. A shot counts for the editor whose work was judged first.

    A change request is not the editor's fault. It is skipped, and the next judgement counts. If there is none yet, the
    shot counts as approved.
    """
    judged = [found for record in records if (found := _judged(record, _NAMES[by])) is not None]
    names = sorted({one.name for one in judged})
    return tuple(_rate(name, [one for one in judged if one.name == name]) for name in names)


def _judged(record: ShotRecord, name_of: Callable[[ShotRecord, str], str]) -> _Judged | None:
    judgements = [one for one in record.decisions if one.choice in JUDGEMENTS]
    if not judgements:
        return None
    first = record.decisions.index(judgements[0])
    works = [one.by for one in record.decisions[:first] if one.choice is Choice.RETURN]
    editor = judgements[0].edited_by or (works[-1] if works else "")
    return _Judged(name=name_of(record, editor), judgements=tuple(judgements))


def _rate(name: str, judged: list[_Judged]) -> Rate:
    every = [one for shot in judged for one in shot.judgements]
    rejected = [one.reason.value for one in every if one.choice is Choice.REJECT_WORK]
    return Rate(
        name=name,
        shots=len(judged),
        approved=sum(not _first_was_rejection(shot.judgements) for shot in judged),
        rejections={reason: rejected.count(reason) for reason in sorted(set(rejected))},
        change_requests=sum(one.choice is Choice.CHANGE_REQUEST for one in every),
    )


def _first_was_rejection(judgements: tuple[Decision, ...]) -> bool:
    faults = [one for one in judgements if one.choice is not Choice.CHANGE_REQUEST]
    return bool(faults) and faults[0].choice is Choice.REJECT_WORK


def _category(record: ShotRecord, editor: str) -> str:
    return str(record.reports.get("routing", {}).get("category", "")) or record.fact("category") or "unknown"


JUDGEMENTS = frozenset({Choice.SIGN, Choice.REJECT_WORK, Choice.CHANGE_REQUEST})
"""The choices with which a second person judges manual work."""
_NAMES: Mapping[By, Callable[[ShotRecord, str], str]] = {
    By.EDITOR: lambda record, editor: editor,
    By.CATEGORY: _category,
    By.CLIENT: lambda record, editor: record.shot.client,
}
