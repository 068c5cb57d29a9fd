"""Choose shots for blind inspection (audits), and count how often the machine's approval was wrong.

A shot is chosen by a hash of its content. So the choice is random, and the same whenever the shot is processed again.
The configs give the share of shots that are chosen, and may set a larger one for some categories or clients.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from packshot.blind import AUDIT
from packshot.decision import BY_CLIENT, Choice, Decision
from packshot.figures import counted
from packshot.record import ShotRecord
from packshot.routing.promise import lower_bound, upper_bound
from packshot.specs.models import Promise
from packshot.types import Value

_ANSWERS = {
    Choice.APPROVE: False,
    Choice.SEND_TO_EDITOR: True,
    Choice.REDO: True,
    Choice.RETURN: True,
    Choice.REJECT: True,
}
_SALT = "audit"


def is_chosen(source_sha256: str, *, ratio: float) -> bool:
    """Return whether a shot is chosen for an audit: a person judges its edit without seeing the machine's score.

    The choice depends only on the file's content. So it is random, but always the same for one file.

    Args:
        source_sha256: hash of the original's bytes, in hexadecimal.
        ratio: the share of all files that are chosen, 0..1.
    """
    digest = hashlib.sha256(f"{_SALT}:{source_sha256}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < ratio * 2**64


def refusal_of(judgements: Sequence[Decision]) -> Decision | None:
    """Return a person's first judgement of the machine's edit, a refusal or an approval; None if nobody has judged it.

    `is_refusal` tells which of the two it is. Only judgements before the first rejection by a client count: clients see
    pictures that were not chosen at random, and all later work follows the client's words.

    Args:
        judgements: people's decisions since the shot was last started again, oldest first.
    """
    ours = takewhile(lambda one: one.choice not in BY_CLIENT, judgements)
    return next((one for one in ours if one.choice in _ANSWERS), None)


def is_refusal(decision: Decision) -> bool:
    """Return True if a person's judgement refuses the machine's edit, False if it approves the edit.

    Every judgement but an approval is a refusal: to redo the edit, or to send the shot to an editor, for example.

    Args:
        decision: a judgement of an edit, as `refusal_of` returns it.

    Raises:
        KeyError: the decision is no judgement of an edit.
    """
    return _ANSWERS[decision.choice]


class Audit(Value):
    """One audited shot: the machine would have approved it, and a person judged it without seeing the score.

    Attributes:
        client: the client's name.
        category: name of the shot's category; ``unknown`` if there is none.
        at: time of the person's verdict.
        refused: True if the person refused the machine's edit.
    """

    client: str
    category: str
    at: datetime
    refused: bool


def audit_of(record: ShotRecord, judgements: Sequence[Decision]) -> Audit | None:
    """Return the result of a shot's audit; None if there is no result.

    In an audit a person judges, without seeing the score, an edit that the machine would approve. There is no result if
    the shot was not chosen, if the machine would not have approved its edit, or if nobody has judged the edit yet.

    Args:
        record: the shot's record: all that is stored about the shot.
        judgements: people's decisions since the shot was last started again, oldest first.
    """
    decision = refusal_of(judgements)
    if decision is None or not record.reports.get(AUDIT, {}).get("approved"):
        return None
    category = record.reports.get("routing", {}).get("category", "") or "unknown"
    return Audit(client=record.shot.client, category=category, at=decision.at, refused=is_refusal(decision))


class Standing(StrEnum):
    """Whether the promise about wrong approvals is kept, as far as audits can tell.

    Attributes:
        KEPT: the wrong approvals are surely as few as promised.
        OPEN: there are too few audits to tell.
        BROKEN: the wrong approvals are surely more than promised.
    """

    KEPT = "kept"
    OPEN = "not known yet"
    BROKEN = "broken"


class EscapeRate(Value):
    """How often the machine's approval was wrong, in a group of audits.

    Attributes:
        name: what the audits have in common: a category, a client, a month such as ``2026-05``, or ``all``.
        audited: number of audits.
        refused: number of audits in which the person refused the machine's edit.
        low, high: exact two-sided confidence interval of the rate (Clopper and Pearson), with the promise's
            confidence, 0..1.
    """

    name: str
    audited: int
    refused: int
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """The share of audits in which the person refused the machine's edit, 0..1; 0 without audits."""
        return self.refused / self.audited if self.audited else 0.0


class EscapeReport(Value):
    """How often the machine approved a wrong edit (an escape), according to audits. `report_on` makes it.

    In an audit a person judges, without seeing the score, an edit that the machine would approve.

    Attributes:
        promise: the share of wrong approvals that is promised at most, with a confidence.
        window_days: length of the window, in days; it ends with the time of the report.
        overall: rate of wrong approvals within the window. The report's `standing` is derived from this rate.
        by_category, by_client: rates within the window, one per name, sorted by name.
        by_month: rates of all months so far, oldest first.
        standing: whether the promise is kept, broken, or cannot be judged yet.
    """

    promise: Promise
    window_days: int
    overall: EscapeRate
    by_category: tuple[EscapeRate, ...]
    by_client: tuple[EscapeRate, ...]
    by_month: tuple[EscapeRate, ...]
    standing: Standing

    @property
    def sentence(self) -> str:
        """The result in words, for people.

        Example: ``Promise of at most 2.0% kept: 1 of 400 audited shots refused in 90 days (0.0% to 1.4%)``.
        """
        one = self.overall
        return (
            f"Promise of at most {self.promise.ratio:.1%} {self.standing}: {one.refused} of "
            f"{counted(one.audited, 'audited shot')} refused in {counted(self.window_days, 'day')} "
            f"({one.low:.1%} to {one.high:.1%})"
        )


def report_on(audits: Iterable[Audit], *, promise: Promise, window_days: int, at: datetime) -> EscapeReport:
    """Return how often the machine approved a wrong edit, by audits, and whether the promise is kept.

    A promise is a greatest share of wrong approvals, with a confidence. The promise is broken if the share is below the
    one-sided lower confidence bound of the measured rate. It is kept if the upper bound is not above the share. At 95 %
    confidence, chance alone reports a broken promise in at most one of twenty cases.

    Args:
        audits: all audits so far, in any order.
        promise: the promise to check.
        window_days: only audits of the last so many days count, except in `EscapeReport.by_month`.
        at: the present time, which ends these days.
    """
    every = list(audits)
    recent = [one for one in every if one.at > at - timedelta(days=window_days)]
    refused = sum(one.refused for one in recent)
    standing = Standing.OPEN
    if lower_bound(refused, len(recent), confidence=promise.confidence) > promise.ratio:
        standing = Standing.BROKEN
    elif upper_bound(refused, len(recent), confidence=promise.confidence) <= promise.ratio:
        standing = Standing.KEPT
    return EscapeReport(
        promise=promise,
        window_days=window_days,
        overall=_rate("all", recent, promise),
        by_category=_rates(recent, lambda one: one.category, promise),
        by_client=_rates(recent, lambda one: one.client, promise),
        by_month=_rates(every, lambda one: f"{one.at:%Y-%m}", promise),
        standing=standing,
    )


def _rates(audits: Sequence[Audit], name_of: Callable[[Audit], str], promise: Promise) -> tuple[EscapeRate, ...]:
    names = sorted({name_of(one) for one in audits})
    return tuple(_rate(name, [one for one in audits if name_of(one) == name], promise) for name in names)


def _rate(name: str, audits: Sequence[Audit], promise: Promise) -> EscapeRate:
    refused, confidence = sum(one.refused for one in audits), (1 + promise.confidence) / 2
    return EscapeRate(
        name=name,
        audited=len(audits),
        refused=refused,
        low=lower_bound(refused, len(audits), confidence=confidence) if audits else 0.0,
        high=upper_bound(refused, len(audits), confidence=confidence),
    )
