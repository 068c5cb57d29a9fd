"""First-time approval: how much of the editors' work a second person signed off the first time they saw it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from packshot.decision import Choice, Decision
from packshot.record import ShotRecord
from packshot.types import Value


class By(StrEnum):
    """What a rate is counted by."""

    EDITOR = "editor"
    CATEGORY = "category"
    CLIENT = "client"


class Rate(Value):
    """First-time approvals of one editor, category or client.

    Attributes:
        shots: those whose work a second person has judged at least once.
        approved: those whose first judgement was not a rejection: signed off, or sent back for a new wish.
        rejections: how often work was rejected in all, by reason.
        change_requests: how often there was a new wish; that is nobody's fault.
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
    """The judgements of one shot since an editor's first work on it."""

    name: str
    judgements: tuple[Decision, ...]


def first_time_approval(records: Iterable[ShotRecord], *, by: By) -> tuple[Rate, ...]:
    """Return the rates, by name. A shot counts for whoever did the work that was judged first.

    A change request before any rejection does not count against the editor: the shot counts by the next judgement
    that is none, and as approved where there is none yet but it.
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
"""What a second person may say of handwork."""
_NAMES: Mapping[By, Callable[[ShotRecord, str], str]] = {
    By.EDITOR: lambda record, editor: editor,
    By.CATEGORY: _category,
    By.CLIENT: lambda record, editor: record.shot.client,
}
