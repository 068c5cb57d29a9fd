"""Decide from a shot's record (its stored history) what comes next: a machine's step, a person's answer, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from prefect import task

from packshot.blind import as_shown, is_blind
from packshot.decision import Choice, Decision, Mark
from packshot.escaping import cell, code, markdown
from packshot.figures import measured_in
from packshot.handoff.deciding import (
    CHOICES,
    LEAST_DIGITS,
    choices_of,
    editors_of,
    picture_shown,
    since_restart,
    taken_by,
)
from packshot.handoff.services import NeededService
from packshot.handoff.sla import due_of
from packshot.handoff.ticket import JobTicket, colour_off
from packshot.keys import job_returned_prefix, shot_key
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from packshot.types import Finding, Status, Value, in_order_of_weight
from tasks.environment.desk_pages import desk_link, desk_page
from tasks.environment.style_guides import promise_to
from tasks.people.drafts import with_draft
from tasks.people.forms import Form, form_for
from tasks.people.tickets import issue_ticket, ticket_page_link
from tasks.records.bookkeeping import ALWAYS, actor, revived
from tasks.records.stored import load_record
from tasks.telling.artifacts import artifact_key, page_artifact, picture
from tasks.telling.displays import at_place, first_sentence, preview_of

SHOWN_DIGITS = 2 * LEAST_DIGITS
_MOST_FINDINGS = 12
_PREFILLED = {State.AWAITING_EDITOR: "editor", State.IN_REVIEW: "reviewer", State.AWAITING_SIGNOFF: "senior"}


class WhoActs(StrEnum):
    """Who has to act next on a shot.

    Values:
        PERSON: a person has to answer a question: a reviewer, an editor, a senior editor, or somebody who knows what is
            missing.
        MACHINE_REDO: the machine edits the shot again, with another cut-out method.
        MACHINE_EDIT: the machine edits the shot for the first time.
        EDITOR: an editor has to edit the shot, but it does not wait in the editors' queue yet.
        NOBODY: the shot is approved, delivered or refused, or a stage of the machine is not finished.
    """

    PERSON = "person"
    MACHINE_REDO = "machine, another method"
    MACHINE_EDIT = "machine, from the start"
    EDITOR = "to be opened for an editor"
    NOBODY = "nobody"


_STEPS = {State.REDO: WhoActs.MACHINE_REDO, **dict.fromkeys(CHOICES, WhoActs.PERSON)}


class Question(Value):
    """A question to a person about a shot that waits. `question_about` makes it.

    Attributes:
        state: the state in which the shot waits; it decides the form's fields.
        description: Markdown above the form's fields.
        picture: first 16 hex digits of the hash of the picture that is shown.
        lead: the most important part of the description, as plain text, for the form's first field.
        also: further choices for this shot, besides the usual choices of its state.
    """

    state: State
    description: str
    picture: str
    lead: str = ""
    also: tuple[Choice, ...] = ()

    def form(self) -> type[Form]:
        """Return the class of the form that asks this question. Prefect shows it, and reads the answer with it."""
        return form_for(self.state, description=self.description, picture=self.picture, lead=self.lead, also=self.also)


class Next(Value):
    """What a shot needs next.

    Attributes:
        step: who has to act.
        state: the state in the shot's record.
        question: what to ask; None unless a person has to act and has not answered yet.
    """

    step: WhoActs
    state: State
    question: Question | None = None


@task(name="look", task_run_name="look · {shot.shot}", **ALWAYS)
def next_step(shot: ShotId, *, objection: str = "", answered: bool = False) -> Next:
    """Return what a shot needs next, as its record says: a person's answer, a step of the machine, or nothing.

    If an editor has to be asked, the draft and the ticket for the editor are stored as well.

    Args:
        objection: why the last answer was refused; shown above the form. It is empty if none was.
        answered: True if the question was asked before and its answer has come. Then the question is not composed
            again.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = revived(load_record(shot), by=actor())
    step = _STEPS.get(record.state, WhoActs.NOBODY)
    if record.state is State.ROUTED:
        automated = record.reports["routing"]["route"] == "automated"
        step = WhoActs.MACHINE_EDIT if automated else WhoActs.EDITOR
    if step is not WhoActs.PERSON or answered:
        return Next(step=step, state=record.state)
    if record.state is State.AWAITING_EDITOR:
        record = with_draft(record)
    return Next(step=step, state=record.state, question=question_about(record, objection=objection))


def question_about(record: ShotRecord, *, objection: str = "") -> Question:
    """Return the question to people about a shot that waits.

    If it waits for an editor, the editor's ticket and files are stored as well.

    Args:
        record: the record of a shot that waits for people. Its state decides what is asked.
        objection: why the last answer was refused; shown above the form. It is empty if none was.
    """
    events = as_shown(record).events
    why = next((one.why for one in reversed(events) if one.from_state is not one.to_state), "")
    ticket = issue_ticket(record, why=why) if record.state is State.AWAITING_EDITOR else None
    description = _description(record, why=why, objection=objection, ticket=ticket)
    also = choices_of(record)[len(CHOICES[record.state]) :]
    digits = picture_shown(record)[:SHOWN_DIGITS]
    lead = _lead(record, why=why, objection=objection, ticket=ticket)
    return Question(state=record.state, description=description, picture=digits, lead=lead, also=also)


def show_question(record: ShotRecord, question: Question) -> None:
    """Show a question on the shot's page in Prefect's UI, with the text of the form in which people answer."""
    shot = record.shot
    page_artifact(
        question.description, key=artifact_key("shot", shot.client, shot.batch, shot.shot), description=f"{shot}"
    )


def _description(record: ShotRecord, *, why: str, objection: str, ticket: JobTicket | None) -> str:
    """Return the Markdown above the form's fields."""
    due = due_of(record, promise=promise_to(record.shot.client))
    parts = [
        f"### {markdown(record.shot.shot)}: {_TITLES[record.state]}",
        f"**Not accepted:** {markdown(objection)}" if objection else "",
        _first(record, ticket),
        desk_link(record.shot),
        preview_of(record),
        markdown(why),
        f"**Due** {due:%Y-%m-%d %H:%M} UTC" if due else "",
        *_of_state(record, ticket),
        _history(record),
        f"Picture `{picture_shown(record)[:SHOWN_DIGITS]}`",
    ]
    return "\n\n".join(part for part in parts if part)


def _lead(record: ShotRecord, *, why: str, objection: str, ticket: JobTicket | None) -> str:
    """Return, as plain text, why the last answer was refused, what to look at first, and where."""
    told = f"Not accepted: {objection}" if objection else ""
    said = cell(" ".join(filter(None, [told, _what_matters(record, ticket) or why])))
    return f"{said} {at_full_size(record.shot)}"


def at_full_size(shot: ShotId) -> str:
    """Return a sentence with the address of a shot's page at the review desk, as plain text."""
    return f"Look at it at full size: {desk_page(shot)}"


def _first(record: ShotRecord, ticket: JobTicket | None) -> str:
    matters = _what_matters(record, ticket)
    return f"**{markdown(matters)}**" if matters else ""


def _what_matters(record: ShotRecord, ticket: JobTicket | None) -> str:
    """Return in one plain sentence what a reviewer or senior should look at first, or what an editor has to do; empty
    in other states.
    """
    if ticket is not None:
        return _to_do(ticket)
    if record.state not in (State.IN_REVIEW, State.AWAITING_SIGNOFF):
        return ""
    return "Judge the picture alone." if is_blind(record) else first_sentence(record)


_TITLES = {
    State.IN_REVIEW: "approve the machine's edit?",
    State.AWAITING_EDITOR: "an editor's work",
    State.AWAITING_SIGNOFF: "sign off the editor's work?",
    State.ON_HOLD: "something is missing",
}


def _of_state(record: ShotRecord, ticket: JobTicket | None) -> list[str]:
    if is_blind(record):
        return []
    if record.state is State.IN_REVIEW:
        return [_score(record), _findings(record), _evidence(record)]
    if record.state is State.AWAITING_SIGNOFF:
        editors = ", ".join(dict.fromkeys(editors_of(record)))
        return [
            f"**Edited by** {markdown(editors)}; somebody else signs.",
            _colour(record),
            _score(record),
            _findings(record),
            _evidence(record),
        ]
    if ticket is None:
        return []
    page = ticket_page_link(record.shot)
    taken = taken_by(record)
    back = ticket.sent_back
    return [
        f"**Sent back** by {markdown(back.by)}: {markdown(_said(back))}" if back else "",
        f"**Taken by** {markdown(taken)}" if taken else "",
        _listed("What is to be done", [f"- **{_name(one)}**: {markdown(one.why)}" for one in ticket.services]),
        _colour(record),
        _listed("What the machine found", map(_finding, in_order_of_weight(ticket.noticed)[:_MOST_FINDINGS])),
        f"**Tier** {ticket.tier.replace('_', ' ')} ({markdown(ticket.tier_why)})",
        f"[The ticket as a page]({page})" if page else "",
        "\n".join(f"- [{markdown(one.what)}]({one.link})" for one in ticket.take),
        f"Take {code(ticket.take[0].key)}, put the finished picture (same size, transparent or on exact white) into "
        f"{code(job_returned_prefix(record.shot))}. Packshot collects it there. Or answer here.",
    ]


def _to_do(ticket: JobTicket) -> str:
    """Return what an editor has to do, in one sentence: what somebody asked for, else the services."""
    back = ticket.sent_back
    if back:
        return f"To do: {_said(back)}."
    return f"To do: {', '.join(map(_name, ticket.services))}." if ticket.services else ""


def _name(one: NeededService) -> str:
    return one.service.replace("_", " ")


def _listed(title: str, lines: Iterable[str]) -> str:
    """Return Markdown with a title above a list; empty without lines."""
    found = "\n".join(lines)
    return f"**{title}**\n\n{found}" if found else ""


def _said(decision: Decision) -> str:
    marks = "; ".join(f"{number}. {_mark(one)}" for number, one in enumerate(decision.marks, start=1))
    return ". ".join(filter(None, [decision.reason.replace("_", " "), decision.note, marks]))


def _mark(mark: Mark) -> str:
    return f"{mark.text} (at {mark.left}, {mark.top}, {mark.box.width} x {mark.box.height} px)"


def _colour(record: ShotRecord) -> str:
    """Return how far the product's colour is from its reference, before the edit and now."""
    figures = colour_off(record)
    reference = markdown(record.fact("reference"))
    return f"**Colour** against {reference or 'its reference'}: delta E 2000 of {figures}" if figures else ""


def _score(record: ShotRecord) -> str:
    edit = record.reports.get("edit", {})
    if "score" not in edit:
        return ""
    points = " · ".join(
        f"{name} {value:.1f}" for name, value in edit.get("components", {}).items() if value is not None
    )
    return f"**Score** {edit['score']:.1f} of 100{f' ({points})' if points else ''}"


def _findings(record: ShotRecord) -> str:
    """Return the findings to show, the weightiest first; colour differences even if they passed."""
    told = [one for one in record.present_findings if one.status is not Status.PASSED or "delta" in one.unit.lower()]
    return "\n".join(map(_finding, in_order_of_weight(told)[:_MOST_FINDINGS]))


def _finding(finding: Finding) -> str:
    """Return a finding as text: the sentence first, then code and measurement, by which it can be looked up."""
    figure = "" if finding.measured is None else f" {measured_in(finding.measured, finding.unit)}"
    gate = "**Stops approval.** " if finding.stops_approval else ""
    return f"- {gate}{markdown(finding.message)} ({code(finding.code)} {finding.status}{figure})"


def _evidence(record: ShotRecord) -> str:
    """Return the pictures of evidence at 1:1, before and after side by side."""
    shown = []
    for number, one in enumerate(record.reports.get("edit", {}).get("evidence", ()), start=1):
        place: Any = picture(shot_key(record.shot, f"evidence/{number}-{one['code']}.webp"), alt=one["code"])
        shown.append(f"**{markdown(one['code'])}** {at_place(one['box'])}: {markdown(one['message'])}\n\n{place}")
    return "\n\n".join(shown)


def _history(record: ShotRecord) -> str:
    decisions = since_restart(record)
    lines = [f"- {one.at:%Y-%m-%d %H:%M} {markdown(one.sentence)}" for one in decisions]
    return "\n".join(["**So far**", "", *lines]) if lines else ""
