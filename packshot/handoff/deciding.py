"""What a person may decide about a shot, and what follows from it: a pure function from record to record.

A decision is followed only if it is about the picture that lies there now, names a person and a reason, and is that
person's to take. Each question is answered once; the record holds every decision for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from packshot.decision import REASONS, Choice, ColourWord, Decision, Reason
from packshot.errors import DecisionRefusedError
from packshot.handoff.people import plain_name, same_person
from packshot.record import ShotRecord, State, found_in
from packshot.types import Finding, Status

UNKNOWN_EDITOR = "editor not known"
"""Who returned a file that came without a name. Whoever signs it off says whose work it is."""

LEAST_DIGITS = 8
"""So many digits of a picture's hash tell it from any other one of a shot."""

CHOICES: Mapping[State, tuple[Choice, ...]] = {
    State.IN_REVIEW: (Choice.APPROVE, Choice.SEND_TO_EDITOR, Choice.REDO, Choice.RETURN, Choice.REJECT),
    State.AWAITING_EDITOR: (Choice.RETURN, Choice.REJECT),
    State.AWAITING_SIGNOFF: (Choice.SIGN, Choice.REJECT_WORK, Choice.CHANGE_REQUEST),
    State.ON_HOLD: (Choice.ARRIVED, Choice.GO_ON, Choice.REJECT),
}
"""What can be decided in which state; the first is the one that a form proposes."""

LEADS_TO: Mapping[Choice, tuple[State, ...]] = {
    Choice.APPROVE: (State.APPROVED,),
    Choice.SEND_TO_EDITOR: (State.AWAITING_EDITOR,),
    Choice.REDO: (State.REDO,),
    Choice.REJECT: (State.REFUSED,),
    Choice.RETURN: (State.RETURNED, State.SCORED, State.AWAITING_SIGNOFF),
    Choice.SIGN: (State.APPROVED,),
    Choice.REJECT_WORK: (State.AWAITING_EDITOR,),
    Choice.CHANGE_REQUEST: (State.AWAITING_EDITOR,),
    Choice.GO_ON: (State.ROUTED,),
    Choice.ARRIVED: (State.ROUTED,),
    Choice.TAKE: (),
}
_MUST_SAY_WHAT = frozenset({Choice.SEND_TO_EDITOR, Choice.REJECT_WORK, Choice.CHANGE_REQUEST})
_UNFORMED = frozenset({(State.AWAITING_EDITOR, Choice.TAKE)})
"""What no form offers: it is no answer, the shot goes on waiting."""


def picture_shown(record: ShotRecord) -> str:
    """Return the SHA-256 of the picture that a decision is about: the edit, or where none counts the master."""
    if record.state in (State.IN_REVIEW, State.AWAITING_SIGNOFF):
        name = "edit.tif"
    else:
        correction = record.reports.get("group", {}).get("correction", {})
        name = "master.tif" if correction.get("kind", "identity") == "identity" else "corrected.tif"
    return record.objects.get(name, "")


def since_restart(record: ShotRecord) -> tuple[Decision, ...]:
    """Return the decisions since the shot last began anew."""
    restarts = [
        one.at for one in record.events if one.to_state is State.RECEIVED and one.from_state is not State.RECEIVED
    ]
    return tuple(one for one in record.decisions if not restarts or one.at >= restarts[-1])


def editors_of(record: ShotRecord) -> tuple[str, ...]:
    """Return everybody who edited a shot, the last one last."""
    return tuple(one.by for one in record.decisions if one.choice is Choice.RETURN)


def taken_by(record: ShotRecord) -> str:
    """Return who has taken a shot's present job; empty where nobody has."""
    if record.state is not State.AWAITING_EDITOR or record.since is None:
        return ""
    taking = [one.by for one in record.decisions if one.choice is Choice.TAKE and one.at >= record.since]
    return taking[-1] if taking else ""


def decide(
    record: ShotRecord,
    decision: Decision,
    *,
    seniors: Sequence[str] = (),
    redos: int = 1,
    findings: tuple[Finding, ...] = (),
    reports: Mapping[str, Mapping[str, Any]] | None = None,
    objects: Mapping[str, str] | None = None,
) -> ShotRecord:
    """Return the record after a decision; the same decision again changes nothing.

    Args:
        seniors: who may sign off; empty: anybody who did not edit the shot.
        redos: how often the machine has another method to try.
        findings, reports, objects: of the returned work, put into the record with the decision.
    Raises:
        DecisionRefusedError: it cannot be followed; the message says why and what to do.
    """
    if any(_same(known, decision) for known in record.decisions):
        return record
    require_followable(record, decision, seniors=seniors, redos=redos)
    decided = record.model_copy(update={"decisions": (*record.decisions, decision)})
    steps = LEADS_TO[decision.choice]
    if decision.choice is Choice.RETURN and record.state is State.IN_REVIEW:
        steps = (State.AWAITING_EDITOR, *steps)
    if not steps:
        return decided.note(at=decision.at, actor=decision.by, why=decision.sentence)
    for state in steps:
        decided = decided.advance(state, at=decision.at, actor=decision.by, why=decision.sentence)
    return decided.model_copy(
        update={
            "findings": (*decided.findings, *findings, *found_in(picture_shown(record), _colour_findings(decision))),
            "reports": {**decided.reports, **(reports or {})},
            "objects": {**decided.objects, **(objects or {})},
        }
    )


def _same(known: Decision, new: Decision) -> bool:
    return bool(new.question) and known.model_copy(update={"at": new.at}) == new


def require_followable(record: ShotRecord, decision: Decision, *, seniors: Sequence[str] = (), redos: int = 1) -> None:
    """Check that a decision can be followed.

    Raises:
        DecisionRefusedError: it can't.
    """
    _require_open(record, decision)
    _require_words(record, decision)
    _require_picture(record, decision)
    if record.state is State.AWAITING_SIGNOFF:
        _require_second_person(record, decision, seniors=seniors)
    if decision.choice is Choice.REDO and sum(one.choice is Choice.REDO for one in since_restart(record)) >= redos:
        raise _refused(record, "the machine has tried every method it has", next_step="Send it to an editor.")


def _require_open(record: ShotRecord, decision: Decision) -> None:
    """The question is still open, and it is one that this choice answers."""
    for known in record.decisions:
        if decision.question and known.question == decision.question:
            raise _refused(
                record,
                "this question has been answered already",
                found=f"{known.choice}, by {known.by} at {known.at:%Y-%m-%d %H:%M}",
                next_step="Look at the shot as it is now; nothing was changed.",
            )
    allowed = CHOICES.get(record.state, ())
    if decision.choice not in allowed and (record.state, decision.choice) not in _UNFORMED:
        raise _refused(
            record,
            f"'{decision.choice}' cannot be decided about a shot that is '{record.state}'",
            allowed=", ".join(allowed) or "nothing: it does not wait for anybody",
            next_step="Look at the shot as it is now; nothing was changed.",
        )


def _require_words(record: ShotRecord, decision: Decision) -> None:
    """A name, a reason that fits, and words where the code alone would not help the next person."""
    if len(plain_name(decision.by)) < 2:
        raise _refused(record, "a decision needs a name", found=repr(decision.by), next_step="Give your name.")
    allowed = REASONS[decision.choice]
    if decision.reason not in allowed:
        raise _refused(
            record,
            f"this is no reason for '{decision.choice}'",
            found=decision.reason,
            allowed=", ".join(allowed),
            next_step="Choose one of these.",
        )
    explained = bool(decision.note.strip() or decision.marks)
    if decision.reason is Reason.OTHER and not decision.note.strip():
        raise _refused(record, "the reason 'other' needs a note", next_step="Say in the note what it is.")
    if decision.choice in _MUST_SAY_WHAT and not explained:
        raise _refused(record, "the editor must know what to do", next_step="Write a note, or mark the places.")


def _require_picture(record: ShotRecord, decision: Decision) -> None:
    """The decision is about the picture that lies there now."""
    present, shown = picture_shown(record), decision.picture.strip().lower()
    if len(shown) < LEAST_DIGITS:
        raise _refused(
            record,
            "a decision must say which picture it is about",
            found=repr(decision.picture),
            allowed=f"at least {LEAST_DIGITS} digits of the picture's hash, as the form and the ticket show it",
            next_step="Look at the picture, then decide.",
        )
    if not present.startswith(shown):
        raise _refused(
            record,
            "the picture has changed since it was shown to you",
            found=f"a decision about {shown[:16]}",
            allowed=f"about {present[:16]}, which lies there now",
            next_step="Look at the new one, then decide again.",
        )


def _require_second_person(record: ShotRecord, decision: Decision, *, seniors: Sequence[str]) -> None:
    """Nobody has the last word on their own work."""
    editors = [*editors_of(record), *filter(None, [decision.edited_by])]
    if editors_of(record)[-1:] == (UNKNOWN_EDITOR,) and len(plain_name(decision.edited_by)) < 2:
        raise _refused(record, "nobody knows who edited this", next_step="Say whose work it is ('edited by').")
    if any(same_person(decision.by, editor) for editor in editors):
        raise _refused(
            record,
            "nobody signs off their own work",
            found=f"{decision.by} edited this shot",
            allowed="a second person",
            next_step="Ask another senior editor.",
        )
    if seniors and plain_name(decision.by) not in map(plain_name, seniors):  # nobody becomes one by looking like one
        raise _refused(
            record,
            "only a senior editor signs off",
            found=decision.by,
            allowed=", ".join(seniors),
            next_step="Ask one of them, or add the name to configs/handoff.yaml.",
        )
    if decision.choice is Choice.SIGN and decision.colour is ColourWord.REFUSED:
        raise _refused(
            record,
            "work whose colours you refuse cannot be signed off",
            next_step=f"Choose '{Choice.REJECT_WORK}' with the reason 'colour'.",
        )


def _colour_findings(decision: Decision) -> tuple[Finding, ...]:
    """What a person said of the colours, as a finding that goes into the certificate."""
    if decision.choice is not Choice.SIGN:
        return ()
    if decision.colour is ColourWord.CONFIRMED:
        message = f"{decision.by} compared the colours with the product or its reference and confirmed them."
        return (Finding(code="colour_by_eye", status=Status.PASSED, message=message),)
    message = f"{decision.by} signed off without comparing the colours with the product."
    return (Finding(code="colour_by_eye", status=Status.SKIPPED, message=message),)


def _refused(
    record: ShotRecord, what: str, *, found: str = "", allowed: str = "", next_step: str
) -> DecisionRefusedError:
    return DecisionRefusedError(what, str(record.shot), found=found, allowed=allowed, next_step=next_step)
