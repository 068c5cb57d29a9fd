"""Hide the machine's opinion of a shot until its reviewer has answered (a blind review).

Some shots are chosen for an audit. Their reviewer judges the edit without the machine's opinion: without score and
findings, and without knowing whether the machine would have approved it. The reviewer must not find this opinion
elsewhere. Lists therefore hide it for every shot under review. If they hid it for audited shots only, everybody could
see which shots are audited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packshot.record import Event, ShotRecord, State
from packshot.routing.decide import IN_FIGURES

AUDIT = "audit"
"""Name of the report in a record which says that the shot is audited, and what the machine thought of it."""
UNTOLD = "a reviewer decides"
"""Stands where a record has the machine's opinion."""

_OPINIONS = ("edit", "figures", AUDIT)
_MADE_BY = ("model", "model_fingerprint", "engine", "precision")
_AFTER_EDIT = (State.EDITING_AUTO, State.SCORED, State.REDO)


def is_unjudged(record: ShotRecord) -> bool:
    """Return whether the machine's edit of a shot still waits for a reviewer's judgement.

    True if the shot is in review. A shot that failed with an error while it was in review counts too.
    """
    return State.IN_REVIEW in (record.state, record.failed_from)


def is_blind(record: ShotRecord) -> bool:
    """Return whether a shot is in a blind review: a reviewer judges it without the machine's opinion.

    True if the shot was chosen for an audit and no reviewer has judged it yet.
    """
    return is_unjudged(record) and bool(record.reports.get(AUDIT))


def as_shown(record: ShotRecord) -> ShotRecord:
    """Return a shot's record as the page of this one shot may show it.

    In a blind review it is a copy without the machine's opinion: without score, verdict, the findings about the edit
    and those that stop approval, and without how likely the model expects a refusal. In the events, a reason that tells
    the verdict becomes "a reviewer decides". Otherwise the record is unchanged.
    """
    return _without_opinion(record) if is_blind(record) else record


def as_listed(record: ShotRecord) -> ShotRecord:
    """Return a shot's record as a list of many shots may show it.

    Until a reviewer has judged the shot, it is a copy without the machine's opinion, as `as_shown` describes it. This
    holds whether the shot is audited or not, so nobody can tell audited shots from the others. After the judgement the
    record is unchanged.
    """
    return _without_opinion(record) if is_unjudged(record) else record


def _without_opinion(record: ShotRecord) -> ShotRecord:
    """Return a record without score, verdict and measurements of its edit. What is wrong with the photograph itself
    stays, unless it stops an approval.
    """
    edit = record.reports.get("edit", {})
    others = {name: report for name, report in record.reports.items() if name not in _OPINIONS}
    if "routing" in others:
        others["routing"] = _without_expectation(others["routing"])
    made_by = {name: edit[name] for name in _MADE_BY if name in edit}
    return record.model_copy(
        update={
            "findings": tuple(one for one in record.findings if not one.picture and not one.stops_approval),
            "reports": {**others, "edit": made_by} if made_by else others,
            "events": tuple(one.model_copy(update={"why": _told(one)}) for one in record.events),
        }
    )


def _without_expectation(routing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report on a shot's route without how likely the model expects a refusal."""
    told = {name: value for name, value in routing.items() if name != "refusal_probability"}
    if IN_FIGURES in str(told.get("reason", "")):
        told["reason"] = UNTOLD
    return told


def _told(event: Event) -> str:
    if _tells(event):
        return UNTOLD
    return event.why.partition(": ")[0] if IN_FIGURES in event.why else event.why


def _tells(event: Event) -> bool:
    """Return whether an event's reason is a verdict on an edit."""
    return event.from_state in _AFTER_EDIT and event.to_state not in (event.from_state, State.FAILED)
