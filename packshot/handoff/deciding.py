"""Apply a person's decision about a shot: functions that make a new record from an old one.

A decision is followed only if it is about the present picture, gives a name and a reason, and comes from a person who
is allowed to make it. Each question is answered once. The record keeps every decision for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from packshot.decision import BY_CLIENT, MOST_MARKS, REASONS, Choice, ColourWord, Decision, Reason
from packshot.errors import DecisionRefusedError
from packshot.handoff.people import plain_name, same_person
from packshot.record import ShotRecord, State, found_in
from packshot.types import Finding, Status

UNKNOWN_EDITOR = "editor not known"
"""The editor of a returned file that came without a name. The person who signs it off must name the editor."""

LEAST_DIGITS = 8
"""Number of hex digits of a picture's hash that are enough to tell it from other pictures of the same shot."""

CHOICES: Mapping[State, tuple[Choice, ...]] = {
    State.IN_REVIEW: (Choice.APPROVE, Choice.SEND_TO_EDITOR, Choice.REDO, Choice.RETURN, Choice.REJECT),
    State.AWAITING_EDITOR: (Choice.RETURN, Choice.REJECT),
    State.AWAITING_SIGNOFF: (Choice.SIGN, Choice.REJECT_WORK, Choice.CHANGE_REQUEST),
    State.ON_HOLD: (Choice.ARRIVED, Choice.CORRECT, Choice.GO_ON, Choice.REJECT),
}
"""State -> choices that are always possible in it; see `choices_of`. The form preselects the first one."""

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
    Choice.CORRECT: (State.ROUTED,),
    Choice.NO_FAULT: (State.DELIVERED,),
    Choice.TAKE: (),
    Choice.GIVE_BACK: (),
    Choice.CLIENT_FAULT: (State.AWAITING_EDITOR,),
    Choice.CLIENT_WISH: (State.AWAITING_EDITOR,),
}
MUST_SAY_WHAT = frozenset({Choice.SEND_TO_EDITOR, Choice.REJECT_WORK, Choice.CHANGE_REQUEST, *BY_CLIENT})
"""Decisions that send a shot to an editor, who has to be told what to do."""
_UNFORMED = frozenset({(State.AWAITING_EDITOR, Choice.TAKE), (State.AWAITING_EDITOR, Choice.GIVE_BACK)})
"""Decisions that no form offers. They do not answer a question: the shot goes on waiting."""


def picture_shown(record: ShotRecord) -> str:
    """Return the SHA-256 of the picture about which people now decide, in hexadecimal; empty if the record has none.

    In review and at sign-off this picture is the edit. In other states it is the master, with the colour correction of
    the shot's group if there is one.
    """
    if record.state in (State.IN_REVIEW, State.AWAITING_SIGNOFF):
        name = "edit.tif"
    else:
        correction = record.reports.get("group", {}).get("correction", {})
        name = "master.tif" if correction.get("kind", "identity") == "identity" else "corrected.tif"
    return record.objects.get(name, "")


def since_restart(record: ShotRecord) -> tuple[Decision, ...]:
    """Return people's decisions about a shot since work on the shot last began anew, oldest first.

    If the shot was never started again, all its decisions come back.
    """
    restarts = [
        one.at for one in record.events if one.to_state is State.RECEIVED and one.from_state is not State.RECEIVED
    ]
    return tuple(one for one in record.decisions if not restarts or one.at >= restarts[-1])


def sent_back_by_client(record: ShotRecord) -> Decision | None:
    """Return the client's rejection of a delivered picture because of which a shot now waits for an editor.

    The result is None if the shot does not wait for an editor, or waits for another reason.
    """
    if record.state is not State.AWAITING_EDITOR:
        return None
    last = next((one for one in reversed(record.decisions) if one.choice not in (Choice.TAKE, Choice.GIVE_BACK)), None)
    return last if last is not None and last.choice in BY_CLIENT else None


def choices_of(record: ShotRecord) -> tuple[Choice, ...]:
    """Return the decisions that a form offers for a shot in its present state; empty if the shot waits for nobody.

    They are in the order of the form, which preselects the first one. Example: for a shot on hold they are `ARRIVED`,
    `CORRECT`, `GO_ON` and `REJECT`.
    """
    answer = (Choice.NO_FAULT,) if sent_back_by_client(record) else ()
    return (*CHOICES.get(record.state, ()), *answer)


def editors_of(record: ShotRecord) -> tuple[str, ...]:
    """Return the names of the people who returned an edited file for a shot, oldest first; a name may occur twice.

    For a file that came without a name it is `UNKNOWN_EDITOR`, "editor not known". The result is empty if nobody
    returned a file.
    """
    return tuple(one.by for one in record.decisions if one.choice is Choice.RETURN)


def taken_by(record: ShotRecord) -> str:
    """Return the name of the editor who has taken the shot's present job and not given it back.

    The result is empty if nobody has, or if the shot does not wait for an editor.
    """
    if record.state is not State.AWAITING_EDITOR or record.since is None:
        return ""
    taking = [one for one in record.decisions if one.choice in (Choice.TAKE, Choice.GIVE_BACK)]
    since = [one for one in taking if one.at >= record.since]
    return since[-1].by if since and since[-1].choice is Choice.TAKE else ""


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
    """Return the record after a person's decision about the shot.

    The new record has the decision, and the state that follows from the decision. If the decision answers a question
    and is already in the record (equal but for its time), the record comes back unchanged. `findings`, `reports` and
    `objects` are used only if the state changes.

    Args:
        record: the shot's record.
        decision: what a person decided about the shot.
        seniors: names of people who may decide about an editor's picture, compared without case, accents and
            punctuation. If empty, anyone may. In both cases, a person who edited the shot may not.
        redos: how often the machine may be asked to edit the shot again, each time by another method.
        findings: what the checks of the editor's returned file found. They are added to the record.
        reports: measurements of the returned file: name of the report -> its fields. They are added to the record.
        objects: stored objects of the returned file: name, such as ``edit.tif`` -> SHA-256 of the bytes. They are added
            to the record. A report or an object of the same name is replaced.

    Raises:
        DecisionRefusedError: the decision cannot be followed. The message gives the reason and the next step.
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
    """Raise an error if a person's decision about a shot cannot be followed.

    Args:
        record: the shot's record.
        decision: what a person decided about the shot.
        seniors: names of people who may decide about an editor's picture, compared without case, accents and
            punctuation. If empty, anyone may. In both cases, a person who edited the shot may not.
        redos: how often the machine may be asked to edit the shot again, each time by another method.

    Raises:
        DecisionRefusedError: the question is already answered, the choice does not fit the shot's state, the picture
            has changed, words are missing, or the person may not decide this. The message says which.
    """
    _require_open(record, decision)
    require_words(record, decision)
    _require_picture(record, decision)
    require_marks_on_it(record, decision)
    if decision.choice is Choice.GIVE_BACK and not taken_by(record):
        raise _refused(record, "nobody has taken this job", next_step="Look at the shot as it is now.")
    if record.state is State.AWAITING_SIGNOFF:
        _require_second_person(record, decision, seniors=seniors)
    if decision.choice is Choice.REDO and sum(one.choice is Choice.REDO for one in since_restart(record)) >= redos:
        raise _refused(record, "the machine has tried every method it has", next_step="Send it to an editor.")


def _require_open(record: ShotRecord, decision: Decision) -> None:
    """Check that the question is still open and that this choice answers it."""
    for known in record.decisions:
        if decision.question and known.question == decision.question:
            raise _refused(
                record,
                "this question has been answered already",
                found=f"{known.choice}, by {known.by} at {known.at:%Y-%m-%d %H:%M}",
                next_step="Look at the shot as it is now; nothing was changed.",
            )
    allowed = choices_of(record)
    if decision.choice not in allowed and (record.state, decision.choice) not in _UNFORMED:
        raise _refused(
            record,
            f"'{decision.choice}' cannot be decided about a shot that is '{record.state}'",
            allowed=", ".join(allowed) or "nothing: it does not wait for anybody",
            next_step="Look at the shot as it is now; nothing was changed.",
        )


def require_words(record: ShotRecord, decision: Decision) -> None:
    """Raise an error if a decision does not say enough.

    Every decision needs a name, and a reason that fits the choice. An editor must be told what to do, by a note or
    marks. The reason "other", and the answer to a client that a picture has no fault, need a note. A correction needs
    the new name or the new services.

    Args:
        record: the shot's record, for messages.
        decision: what a person decided about the shot.

    Raises:
        DecisionRefusedError: the decision lacks something that it needs, or the reason does not fit the choice.
    """
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
    if decision.choice is Choice.CORRECT and not (decision.new_name or decision.new_services):
        raise _refused(
            record, "nothing is corrected", next_step="Give the name that the file should have had, or the services."
        )
    if decision.choice is Choice.NO_FAULT and not decision.note.strip():
        raise _refused(record, "the client must be told why", next_step="Say it in the note, in the client's words.")
    if decision.choice in MUST_SAY_WHAT and not explained:
        raise _refused(record, "the editor must know what to do", next_step="Write a note, or mark the places.")


def _require_picture(record: ShotRecord, decision: Decision) -> None:
    """Check that the decision is about the present picture."""
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


def require_marks_on_it(record: ShotRecord, decision: Decision) -> None:
    """Raise an error if a decision has too many marks, or one that does not lie on the picture.

    A mark is a place in the picture with a task for the next person.

    Args:
        record: the shot's record. If the picture's size is not in it, only the number of marks is checked.
        decision: what a person decided about the shot, with the marks.

    Raises:
        DecisionRefusedError: there are more than `MOST_MARKS` marks, or one lies outside the picture.
    """
    if len(decision.marks) > MOST_MARKS:
        raise _refused(
            record,
            "there are too many marks",
            found=f"{len(decision.marks)}",
            allowed=f"at most {MOST_MARKS}",
            next_step="Mark the worst places, and say the rest in the note.",
        )
    width, height = record.reports.get("reading", {}).get("size", (None, None))
    if width is None or height is None:
        return
    for number, mark in enumerate(decision.marks, start=1):
        if mark.right > width or mark.bottom > height:
            raise _refused(
                record,
                f"mark {number} lies outside of the picture",
                found=f"right {mark.right}, bottom {mark.bottom}",
                allowed=f"at most {width} x {height} px",
                next_step="Draw it again.",
            )


def _require_second_person(record: ShotRecord, decision: Decision, *, seniors: Sequence[str]) -> None:
    """Check that the person may sign off. Nobody signs off their own work."""
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
    if seniors and plain_name(decision.by) not in map(plain_name, seniors):  # a look-alike gives no rights
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
    """Return what a person stated about the colours, as a finding for the certificate."""
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
