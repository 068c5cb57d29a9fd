"""Count how much of the editors' work a second person approved at the first look (first-time approval).

If a client later sends work back as faulty, it does not count as approved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from packshot.decision import BY_CLIENT, Choice, Decision, standing
from packshot.record import ShotRecord
from packshot.types import Value


class By(StrEnum):
    """How rates of first-time approval are grouped: one rate for each editor, each category or each client."""

    EDITOR = "editor"
    CATEGORY = "category"
    CLIENT = "client"


class Rate(Value):
    """How much work of one editor, or for one category or client, was approved at the first look.

    `first_time_approval` makes it.

    Attributes:
        name: of the editor, category or client.
        shots: shots whose work a second person judged at least once.
        approved: shots whose first work was not rejected, and was not sent back as faulty by the client after delivery.
            Judgements that only state a new wish do not count.
        rejections: reason -> number of rejections, over all judgements.
        change_requests: number of new wishes of the client. They are nobody's fault.
        client_faults: how many of the rejections came from clients, after delivery.
    """

    name: str
    shots: int
    approved: int
    rejections: Mapping[str, int]
    change_requests: int
    client_faults: int = 0

    @property
    def ratio(self) -> float:
        """Share of the shots that were approved the first time, 0..1; 0 without shots."""
        return self.approved / self.shots if self.shots else 0.0


class _Judged(Value):
    """The judgements of one shot, and the name to which they count."""

    name: str
    judgements: tuple[Decision, ...]


def first_time_approval(records: Iterable[ShotRecord], *, by: By) -> tuple[Rate, ...]:
    """Return the rates of work approved at the first look, for each editor, category or client, sorted by name.

    A shot counts for the editor whose work was judged first. A shot whose manual work was never judged counts nowhere.

    A change request is not the editor's fault. It is skipped, and the next judgement counts. If there is none yet, the
    shot counts as approved. A fault that a client finds in delivered work counts like a rejection of that work.

    Args:
        records: the shots.
        by: what a rate is about: an editor, a category or a client.
    """
    judged = [found for record in records if (found := _judged(record, _NAMES[by])) is not None]
    names = sorted({one.name for one in judged})
    return tuple(_rate(name, [one for one in judged if one.name == name]) for name in names)


def judgements_of(record: ShotRecord) -> tuple[Decision, ...]:
    """Return people's judgements of an editor's work on a shot, oldest first: to sign, to reject or to change it.

    Clients' judgements of delivered work are among them, but not those of the machine's edit. The result is empty if no
    editor has returned work, or nobody has judged it yet.

    Args:
        record: the shot's record: all that is stored about the shot.
    """
    counted = standing(record.decisions)
    works = [number for number, one in enumerate(counted) if one.choice is Choice.RETURN]
    judged = (one for number, one in enumerate(counted) if works and number > works[0])
    return tuple(one for one in judged if one.choice in _JUDGEMENTS)


def _judged(record: ShotRecord, name_of: Callable[[ShotRecord, str], str]) -> _Judged | None:
    judgements = judgements_of(record)
    if not judgements:
        return None
    first = record.decisions.index(judgements[0])
    works = [one.by for one in record.decisions[:first] if one.choice is Choice.RETURN]
    editor = judgements[0].edited_by or (works[-1] if works else "")
    return _Judged(name=name_of(record, editor), judgements=judgements)


def _rate(name: str, judged: list[_Judged]) -> Rate:
    every = [one for shot in judged for one in shot.judgements]
    rejected = [one.reason.value for one in every if one.choice in _FAULTS]
    return Rate(
        name=name,
        shots=len(judged),
        approved=sum(not _first_was_rejected(shot.judgements) for shot in judged),
        rejections={reason: rejected.count(reason) for reason in sorted(set(rejected))},
        change_requests=sum(one.choice in _WISHES for one in every),
        client_faults=sum(one.choice is Choice.CLIENT_FAULT for one in every),
    )


def _first_was_rejected(judgements: tuple[Decision, ...]) -> bool:
    told = [one.choice for one in judgements if one.choice not in _WISHES]
    return bool(told) and (told[0] in _FAULTS or told[1:2] == [Choice.CLIENT_FAULT])


def _category(record: ShotRecord, editor: str) -> str:
    return str(record.reports.get("routing", {}).get("category", "")) or record.fact("category") or "unknown"


_JUDGEMENTS = frozenset({Choice.SIGN, Choice.REJECT_WORK, Choice.CHANGE_REQUEST, *BY_CLIENT})
"""The choices with which a second person, or the client, judges manual work."""
_FAULTS = frozenset({Choice.REJECT_WORK, Choice.CLIENT_FAULT})
_WISHES = frozenset({Choice.CHANGE_REQUEST, Choice.CLIENT_WISH})
_NAMES: Mapping[By, Callable[[ShotRecord, str], str]] = {
    By.EDITOR: lambda record, editor: editor,
    By.CATEGORY: _category,
    By.CLIENT: lambda record, editor: record.shot.client,
}
