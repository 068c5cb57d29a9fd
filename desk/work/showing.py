"""Describe a shot for its page, from the shot's record: sentences first, then measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from desk.access.roles import Person
from desk.work.workbench import Work
from packshot.blind import is_blind
from packshot.decision import REASONS, Choice, Decision, Reason
from packshot.figures import measured_in
from packshot.handoff.deciding import (
    MUST_SAY_WHAT,
    UNKNOWN_EDITOR,
    choices_of,
    editors_of,
    picture_shown,
    since_restart,
)
from packshot.record import EDIT, MACHINE_EDIT, ShotRecord, State
from packshot.routing.decide import without_figures
from packshot.types import Finding, Status, Value, in_order_of_weight
from tasks.people.answers import REDOS
from tasks.stages.stored_edits import picture_to_edit

DIGITS = 16
"""Hex digits of a hash in addresses and forms."""
JUDGED = frozenset({State.IN_REVIEW, State.AWAITING_SIGNOFF})
"""States in which somebody decides about the edit."""
DELIVERED_FROM = (EDIT, "matte.png", "plan.json")
"""Objects of a shot from which its files for platforms are made."""
NOT_AT_THE_DESK = frozenset({Choice.RETURN})
"""Choices that need more than this page has."""
KEYS: Mapping[Choice, str] = {
    Choice.APPROVE: "A",
    Choice.SIGN: "A",
    Choice.SEND_TO_EDITOR: "E",
    Choice.REDO: "R",
    Choice.REJECT: "X",
    Choice.REJECT_WORK: "X",
    Choice.CHANGE_REQUEST: "C",
    Choice.ARRIVED: "A",
    Choice.CORRECT: "C",
    Choice.NO_FAULT: "S",
    Choice.GO_ON: "L",
}
VERBS: Mapping[Choice, str] = {
    Choice.APPROVE: "Approve",
    Choice.SIGN: "Sign off",
    Choice.SEND_TO_EDITOR: "Send to an editor",
    Choice.REDO: "Redo by the machine",
    Choice.REJECT: "Reject the photograph",
    Choice.REJECT_WORK: "Reject the work (our fault)",
    Choice.CHANGE_REQUEST: "Change request (a new wish)",
    Choice.ARRIVED: "It has arrived",
    Choice.CORRECT: "Correct its name or services",
    Choice.NO_FAULT: "Say to the client: no fault of ours",
    Choice.GO_ON: "Let it go on without it",
}
DONE: Mapping[Choice, str] = {
    Choice.APPROVE: "approved",
    Choice.SIGN: "signed off",
    Choice.SEND_TO_EDITOR: "sent to an editor",
    Choice.REDO: "sent back to the machine",
    Choice.REJECT: "rejected",
    Choice.REJECT_WORK: "sent back to the editor",
    Choice.CHANGE_REQUEST: "sent back with a new wish",
    Choice.ARRIVED: "told as arrived",
    Choice.CORRECT: "corrected",
    Choice.NO_FAULT: "answered to its client",
    Choice.GO_ON: "let go on",
    Choice.RETURN: "handed in",
}
LONGEST_SENTENCE, SHORTEST_SENTENCE = 150, 30
"""Characters of a sentence about a finding."""
_LIKELY = (
    ("leftover", Reason.LEFTOVER_BACKGROUND),
    ("background", Reason.LEFTOVER_BACKGROUND),
    ("white", Reason.LEFTOVER_BACKGROUND),
    ("shadow", Reason.SHADOW),
    ("dust", Reason.DUST),
    ("colour", Reason.COLOUR),
    ("halo", Reason.EDGE),
    ("edge", Reason.EDGE),
    ("fringe", Reason.EDGE),
    ("missing", Reason.MISSING_PART),
    ("clipped", Reason.MISSING_PART),
    ("hole", Reason.MISSING_PART),
    ("fill", Reason.POSITION),
    ("centre", Reason.POSITION),
    ("margin", Reason.POSITION),
)
"""Part of a finding's code -> the reason that a person would give for it."""


class ShownFinding(Value):
    """One finding as the page of a shot shows it.

    Attributes:
        sentence: the finding's message, or its beginning if it is long.
        status: whether the check passed, warns or failed.
        stops: True if the finding stops approval.
        figure: the finding's code and measurements as text, for people who want to look them up.
        whole: the whole text, if the page shows only its beginning; otherwise empty.
        place: number of the finding among those that have a place, from 0; None if the finding is about the whole
            picture.
        label: what stands at its box in the picture, such as "3" or "C1"; empty without a place.
    """

    sentence: str
    status: Status
    stops: bool
    figure: str
    whole: str
    place: int | None
    label: str


class Offer(Value):
    """One decision that the page of a shot offers, with its key and its button.

    Attributes:
        choice: the decision.
        key: the key on the keyboard, such as ``A``.
        verb: the words on the button, such as ``Approve``.
        reasons: the reasons to choose from, the likely one first. None is chosen in advance.
        at_once: the reason that is used if the person only presses the key; empty if a reason must be chosen.
        needs_words: True if the decision needs a note or marks that tell the next person what to do.
    """

    choice: Choice
    key: str
    verb: str
    reasons: tuple[Reason, ...]
    at_once: str
    needs_words: bool


def findings_of(record: ShotRecord) -> tuple[list[ShownFinding], list[ShownFinding]]:
    """Return (findings to look at, the weightiest first; findings that passed), as a shot's page shows them.

    Those to look at are the checks that warn, failed or could not be made. Both lists are empty in a blind review, in
    which the machine's opinion is hidden.

    Args:
        record: the shot's record.
    """
    if is_blind(record):
        return [], []
    ordered = in_order_of_weight(record.present_findings)
    places = {one: number for number, one in enumerate(_with_place(ordered))}
    shown = [_shown(one, places.get(one), label=str(places.get(one, 0) + 1)) for one in ordered]
    return (
        [one for one in shown if one.status is not Status.PASSED],
        [one for one in shown if one.status is Status.PASSED],
    )


def places_of(record: ShotRecord, checks: Sequence[Finding] = ()) -> list[dict[str, Any]]:
    """Return the places that a shot's page marks in the picture, as plain JSON.

    First come the places of findings. Then come the marks that a person drew when the shot was last sent to an editor,
    and then the faults in an editor's new file. Each has ``code``, ``sentence``, ``status`` and ``box``; marks and
    faults also have a ``label`` such as "M1" or "C1". Boxes are (left, top, width, height) in pixels at 1:1. Empty in a
    blind review, in which the machine's opinion is hidden.

    Args:
        record: the shot's record.
        checks: results of the machine's checks of an editor's new file.
    """
    if is_blind(record):
        return []
    findings = [
        {
            "code": one.code,
            "sentence": one.message,
            "status": one.status.value,
            "box": [one.box.left, one.box.top, one.box.width, one.box.height],
        }
        for one in _with_place(in_order_of_weight(record.present_findings))
        if one.box is not None
    ]
    back = sent_back_of(record)
    marks = [
        {
            "code": "mark",
            "label": f"M{number}",
            "sentence": one.text,
            "status": "mark",
            "box": [one.left, one.top, one.box.width, one.box.height],
        }
        for number, one in enumerate(back.marks if back else (), start=1)
    ]
    brought = [
        {
            "code": one.code,
            "label": f"C{number}",
            "sentence": one.message,
            "status": one.status.value,
            "box": [one.box.left, one.box.top, one.box.width, one.box.height],
        }
        for number, one in enumerate(_with_place(in_order_of_weight(checks)), start=1)
        if one.box is not None
    ]
    return findings + marks + brought


def checks_of(work: Work | None, *, first: int) -> list[ShownFinding]:
    """Return the results of the machine's checks of an editor's new file, the failed ones first.

    The result is empty if there is no file, or if it is not checked yet.

    Args:
        work: the editor's file; None if there is none.
        first: the place numbers of these results begin with it. Findings and marks on the same page have lower numbers.
    """
    ordered = in_order_of_weight(work.checks or ()) if work else []
    places = {one: first + number for number, one in enumerate(_with_place(ordered))}
    return [_shown(one, places.get(one), label=f"C{places.get(one, first) - first + 1}") for one in ordered]


def kinds_of(record: ShotRecord) -> dict[str, str]:
    """Return the pictures of a shot that a person can look at: kind of picture -> first 16 hex digits of its SHA-256.

    The kinds are ``edit``, ``master`` and ``machine``. ``machine`` is the machine's edit, for comparison with an
    editor's picture; it is there at sign-off only. A picture that does not exist yet is left out.

    Args:
        record: the shot's record.
    """
    names = {"edit": EDIT, "master": picture_to_edit(record)}
    if record.state is State.AWAITING_SIGNOFF:
        names["machine"] = MACHINE_EDIT
    return {kind: record.objects[name][:DIGITS] for kind, name in names.items() if name in record.objects}


def offers_of(record: ShotRecord, person: Person) -> list[Offer]:
    """Return the decisions that a person can now make about a shot at the desk; empty if their roles allow none.

    Args:
        record: the shot's record.
        person: who is signed in.
    """
    spent = sum(one.choice is Choice.REDO for one in since_restart(record)) >= REDOS
    return [
        _offer(record, choice)
        for choice in choices_of(record)
        if choice not in NOT_AT_THE_DESK and person.may(record.state, choice) and not (choice is Choice.REDO and spent)
    ]


def editor_asked(record: ShotRecord) -> bool:
    """Return whether a person who signs off must state which editor did the work.

    True if the returned file came without the editor's name.
    """
    return record.state is State.AWAITING_SIGNOFF and editors_of(record)[-1:] == (UNKNOWN_EDITOR,)


def facts_of(record: ShotRecord) -> list[tuple[str, str, str]]:
    """Return the known facts about a shot, each as (name in words, value, where the value comes from).

    Example: ``("category", "bottle", "manifest")``. They are in the order of the record. Facts without a value are left
    out.

    Args:
        record: the shot's record.
    """
    return [(name.replace("_", " "), one.value, one.source) for name, one in record.facts.items() if one.value]


def history_of(record: ShotRecord) -> list[tuple[str, str]]:
    """Return what has happened to a shot, newest first, each as (moment, sentence).

    The moment is a text such as "2026-03-01 09:30", in UTC. A sentence about the route has no figures of the model. In
    a blind review it is people's decisions only, so that nothing reveals the machine's score.

    Args:
        record: the shot's record.
    """
    if is_blind(record):
        told: Iterable[tuple[Any, str]] = ((one.at, one.sentence) for one in since_restart(record))
    else:
        told = ((one.at, without_figures(one.why)) for one in record.events if one.why)
    return [(f"{at:%Y-%m-%d %H:%M}", why) for at, why in reversed(list(told))]


def sent_back_of(record: ShotRecord) -> Decision | None:
    """Return the last decision that sent the shot to an editor; it says what the editor has to do.

    None if there is none since the shot was last processed from the start, or if the shot is in review now.
    """
    back = [one for one in since_restart(record) if one.choice in MUST_SAY_WHAT]
    return back[-1] if back and record.state is not State.IN_REVIEW else None


def missing_in(record: ShotRecord) -> str:
    """Return what a shot on hold waits for, in sentences; empty if the shot is not on hold."""
    if record.state is not State.ON_HOLD:
        return ""
    return next((one.why for one in reversed(record.events) if one.to_state is not one.from_state), "")


def score_of(record: ShotRecord) -> str:
    """Return the score of a shot's edit in words, such as "87 of 100"; empty in a blind review or without a score."""
    edit = record.reports.get("edit", {})
    return "" if is_blind(record) or edit.get("score") is None else f"{edit['score']:.0f} of 100"


def machine_edit_of(record: ShotRecord) -> str:
    """Return a sentence about the machine's own edit, for comparison with an editor's picture.

    Example: ``The machine's own edit had 62 of 100.`` If the machine's edit was not kept, the sentence says so. The
    result is empty if that edit has no score.
    """
    if MACHINE_EDIT not in record.objects:
        return "No edit by the machine is there to compare with."
    score = record.reports.get("machine_edit", {}).get("score")
    return "" if score is None else f"The machine's own edit had {score:.0f} of 100."


def to_be_done(record: ShotRecord) -> list[str]:
    """Return the editor's tasks, from the last decision that sent the shot to an editor, one for each mark.

    Marks are boxes on the picture, each with a text. Without marks, the only task is the decision in words. The result
    is empty if nobody has sent the shot to an editor.

    Args:
        record: the shot's record.
    """
    back = sent_back_of(record)
    return [one.text for one in back.marks] or [back.sentence] if back else []


def platforms_of(record: ShotRecord) -> list[tuple[str, str]]:
    """Return the platforms whose file of the edit can be looked at before the export.

    Each is (name, name for people), such as ``("amazon_main", "Amazon main")``. Empty unless somebody decides about the
    edit now. Also empty in a blind review, because findings of an export would reveal the machine's verdict.

    Args:
        record: the shot's record.
    """
    if record.state not in JUDGED or is_blind(record) or not set(DELIVERED_FROM) <= set(record.objects):
        return []
    judged = record.reports.get("edit", {})
    return [(name, in_words(name)) for name in judged.get("platforms", {}) if name not in judged.get("held", {})]


def digest_of(record: ShotRecord) -> str:
    """Return the first 16 hex digits of the SHA-256 of the picture about which people now decide.

    In review and at sign-off this picture is the edit, in other states the master. The result is empty if the record
    has none.
    """
    return picture_shown(record)[:DIGITS]


def standing_of(record: ShotRecord) -> str:
    """Return a text that is different after anything has happened to the shot.

    An open page keeps it, to notice that it is out of date. Example: ``in_review 12 1 3f0a1b2c4d5e6f70``, which are the
    state, the numbers of events and of decisions, and digits of the picture's hash.

    Args:
        record: the shot's record.
    """
    return f"{record.state} {len(record.events)} {len(record.decisions)} {digest_of(record)}"


def beginning_of(message: str) -> str:
    """Return a message that fits the page: whole, or only its beginning if it is long.

    A message of more than `LONGEST_SENTENCE` (150) characters is cut before its first bracket, colon, semicolon or
    full stop after the first 30 characters. Without such a sign it stays whole.
    """
    if len(message) <= LONGEST_SENTENCE:
        return message
    ends = (message.find(mark, SHORTEST_SENTENCE) for mark in (" (", "; ", ": ", ". "))
    end = min((one for one in ends if one >= 0), default=-1)
    return message if end < 0 else f"{message[:end]}."


def in_words(code: str) -> str:
    """Return a code as words for people: ``leftover_background`` gives ``Leftover background``."""
    return code.replace("_", " ").capitalize()


def _with_place(findings: Sequence[Finding]) -> list[Finding]:
    return [one for one in findings if one.box is not None and one.status is not Status.PASSED]


def _shown(finding: Finding, place: int | None, *, label: str) -> ShownFinding:
    figures = [
        "" if finding.measured is None else measured_in(finding.measured, finding.unit),
        "" if finding.limit is None else f"limit {measured_in(finding.limit, finding.unit)}",
    ]
    return ShownFinding(
        sentence=(sentence := beginning_of(finding.message)),
        whole="" if sentence == finding.message else finding.message,
        status=finding.status,
        stops=finding.stops_approval,
        figure=", ".join(filter(None, [finding.code, finding.status.value, *figures])),
        place=place,
        label="" if place is None else label,
    )


def _offer(record: ShotRecord, choice: Choice) -> Offer:
    worst = [one for one in in_order_of_weight(record.present_findings) if one.status is not Status.PASSED]
    asks = len(REASONS[choice]) > 1 or choice is Choice.CORRECT
    only = "" if asks else REASONS[choice][0].value
    told = () if is_blind(record) else worst
    likely = next((reason for one in told for part, reason in _LIKELY if part in one.code), None)
    reasons = sorted(REASONS[choice], key=lambda one: one is not likely)
    at_once = choice is Choice.APPROVE and not any(one.stops_approval for one in told)
    return Offer(
        choice=choice,
        key=KEYS[choice],
        verb=VERBS[choice],
        reasons=tuple(reasons),
        at_once=Reason.MEETS_STANDARD.value if at_once else only,
        needs_words=choice in MUST_SAY_WHAT or choice is Choice.NO_FAULT,
    )
