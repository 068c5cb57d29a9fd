"""Hide the machine's opinion of a shot until its reviewer has answered (a blind review).

Some shots are chosen for an audit. Their reviewer judges the edit without the machine's opinion: without score and
findings, and without knowing whether the machine would have approved it. The reviewer must not find this opinion
elsewhere. Lists therefore hide it for every shot under review. If they hid it for audited shots only, everybody could
see which shots are audited.
"""

from __future__ import annotations

from packshot.record import Event, ShotRecord, State

AUDIT = "audit"
"""Name of the report in a record which says that the shot is audited, and what the machine thought of it."""
UNTOLD = "a reviewer decides"
"""Stands where a record has the machine's opinion."""

_TOLD = {
    "edit": ("model", "model_fingerprint", "engine", "precision"),
    "routing": ("category", "category_source"),
}
"""Of these reports only these entries are told: by what the edit was made, and what the product is."""
_UNTOLD = ("figures", AUDIT)
"""Nothing of these reports is told."""
_BEFORE_EDIT = (State.ROUTED, State.EDITING_AUTO)
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

    In a blind review it is a copy without the machine's opinion: without score and verdict, without findings about the
    edit, without any other finding that stops approval, and without how difficult the machine takes the shot to be and
    why. Events whose reason tells the machine's opinion get the reason "a reviewer decides". Outside a blind review the
    record is returned unchanged.
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
    """Return a record without score, verdict and measurements of its edit, and without its route. What is wrong with
    the photograph itself stays, unless it stops an approval.
    """
    reports = {name: report for name, report in record.reports.items() if name not in _UNTOLD}
    for name, told in _TOLD.items():
        left = {entry: reports[name][entry] for entry in told if entry in reports.get(name, {})}
        reports = {**reports, name: left} if left else {one: reports[one] for one in reports if one != name}
    return record.model_copy(
        update={
            "findings": tuple(one for one in record.findings if not one.picture and not one.stops_approval),
            "reports": reports,
            "events": tuple(one.model_copy(update={"why": UNTOLD}) if _tells(one) else one for one in record.events),
        }
    )


def _tells(event: Event) -> bool:
    """Return whether an event's reason is the machine's opinion: how difficult the shot is, or a verdict on an edit."""
    if event.to_state in (event.from_state, State.FAILED) or event.from_state is State.ON_HOLD:
        return False  # a failure, or what a person has said of a hold
    return event.to_state in _BEFORE_EDIT or event.from_state in _AFTER_EDIT
