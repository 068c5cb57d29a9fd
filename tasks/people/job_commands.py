"""Do what ``packshot job`` and the review desk ask for: show a job, take it, return a file, answer its question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packshot.blind import as_shown
from packshot.decision import REASONS, Choice, Decision
from packshot.errors import DecisionRefusedError, NamingError, ObjectMissingError
from packshot.handoff.board import Wait, wait_of
from packshot.handoff.deciding import decide, picture_shown, taken_by
from packshot.handoff.ticket import JobTicket
from packshot.keys import job_returned_prefix, shot_key
from packshot.naming import ShotId, batch_id, checked_name
from packshot.outcomes.first_time import By, Rate, first_time_approval
from packshot.record import Event, ShotRecord, State
from packshot.types import Finding, Status, Value
from tasks.environment.style_guides import promise_to
from tasks.people.followed_answers import wait_until_followed
from tasks.people.questions import SHOWN_DIGITS
from tasks.people.sent_answers import checked_answer, send, with_run
from tasks.people.tickets import issue_ticket, ticket_of
from tasks.queries.asking import judged_records
from tasks.records.bookkeeping import now
from tasks.records.stored import change_record, find_batch, load_record
from tasks.runs.resuming import waiting_run_of
from tasks.storage.bucket import open_storage
from tasks.storage.links import link_to
from tasks.storage.shot_objects import content_type

_PICTURES = {State.IN_REVIEW: "edit.tif", State.AWAITING_SIGNOFF: "edit.tif"}


class Job(Value):
    """A shot as a person sees it who has to act on it.

    Attributes:
        shot: its id, CLIENT/BATCH/SHOT.
        state: the state in the shot's record.
        picture: first 16 hex digits of the hash of the picture that is to be decided on.
        run: id of the suspended run that waits for an answer; empty if none waits.
        wait: who has to act, and until when; None if the shot waits for nobody.
        score: of the edit, 0 to 100; None if there is no edit, or the reviewer must not see it (blind review).
        links: file name -> presigned URL. The files are ``preview.webp``, and ``edit.tif`` if the shot is in review or
            waits for a signature, otherwise ``master.tif``. A file that the shot does not have is missing.
        ticket: the editor's job ticket, while the shot waits for an editor; otherwise None.
        findings: those that did not pass; empty in a blind review.
        trail: events of the shot, in order; in a blind review without what tells the machine's verdict.
    """

    shot: str
    state: State
    picture: str
    run: str = ""
    wait: Wait | None = None
    score: float | None = None
    links: Mapping[str, str]
    ticket: JobTicket | None = None
    findings: tuple[Finding, ...]
    trail: tuple[Event, ...]


def shot_id(name: str) -> ShotId:
    """Return the shot that a text such as ``acme/spring/BTL201_MAIN`` names. Whether there is one is not checked.

    Raises:
        NamingError: the text doesn't have three parts, or one of them is not allowed as a name.
    """
    parts = name.split("/")
    if len(parts) != 3:
        raise NamingError(
            "this does not name a shot: give client, batch and shot", repr(name), allowed="CLIENT/BATCH/SHOT"
        )
    client, batch, shot = parts
    return batch_id(client, batch).shot(checked_name(shot, what="shot"))


def job_of(name: str, *, renew: bool = False) -> Job:
    """Return a shot as a person may see it who has to act on it.

    If its reviewer must judge it without the machine's opinion (blind review), verdict and score are left out.

    Args:
        name: the shot, as CLIENT/BATCH/SHOT.
        renew: True signs the links in the editor's ticket again; it matters only while the shot waits for an editor.
    Raises:
        NamingError: the name doesn't have this form.
        ObjectMissingError: there is no such shot, or it waits for an editor and has no ticket.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    shot = shot_id(name)
    record, promise = load_record(shot), promise_to(shot.client)
    run = waiting_run_of(shot)
    ticket = None
    if record.state is State.AWAITING_EDITOR:
        ticket = issue_ticket(record, why=ticket_of(shot).why) if renew else ticket_of(shot)
    told = as_shown(record)
    blind = told is not record
    found = () if blind else tuple(one for one in record.present_findings if one.status is not Status.PASSED)
    shown = [file for file in ("preview.webp", _PICTURES.get(record.state, "master.tif")) if file in record.objects]
    return Job(
        shot=str(shot),
        state=record.state,
        picture=picture_shown(record)[:SHOWN_DIGITS],
        run=str(run.id) if run else "",
        wait=wait_of(record, at=now(), promise=promise),
        score=told.reports.get("edit", {}).get("score"),
        links={file: link_to(shot_key(shot, file), expires_s=_link_s(shot)) for file in shown},
        ticket=ticket,
        findings=found,
        trail=told.events,
    )


def _link_s(shot: ShotId) -> int:
    return int(promise_to(shot.client).link_hours * 3600)


def answer_job(
    name: str,
    choices: Mapping[State, Choice],
    *,
    also: Mapping[State, Mapping[str, Any]],
    fields: Mapping[str, Any],
    file: Path | None = None,
    wait: bool = False,
) -> str:
    """Answer the question about a waiting shot, so that its run goes on; return the answer as a sentence.

    Example: ``send to an editor: edge (the rim at the left), Ana López``.

    Args:
        name: the shot, as CLIENT/BATCH/SHOT.
        choices: state that the shot may be in -> the decision to send then.
        also: state -> fields that only the form of that state has: field name -> value.
        fields: all other fields of the form: field name -> value.
        file: path of a finished picture on this machine; None: no picture is handed in. The picture is put into the
            shot's folder ``returned/`` in storage, under its own name, once the answer has passed its checks.
        wait: True waits until the run has followed the answer. Then the sentence is that of the decision in the record.
    Raises:
        NamingError: the name doesn't have this form.
        ObjectMissingError: there is no such shot.
        DecisionRefusedError: the shot is in none of the states of `choices`, the answer can't be followed, or somebody
            else answered first.
        TerminalError: the answer was accepted, but the run failed or did not follow it in time.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    shot = shot_id(name)
    record = load_record(shot)
    if record.state not in choices:
        raise DecisionRefusedError(
            "this answer is not possible now",
            str(shot),
            found=f"the shot is '{record.state}'",
            allowed=", ".join(choices),
            next_step="Look at it: packshot job show.",
        )
    given = {"decision": choices[record.state].value, **fields, **also.get(record.state, {})}
    answer = with_run(checked_answer(record, given))
    if file is not None:
        key = job_returned_prefix(shot) + file.name
        open_storage().put_file(key, file, content_type=content_type(file.name))
    run = send(answer)
    return wait_until_followed(record, run).sentence if wait else answer.decision.sentence


def take_job(name: str, *, person: str, signed_in: bool = False) -> None:
    """Record that an editor has begun to work on a shot, so that others see who has it. Nothing is returned.

    Args:
        name: the shot, as CLIENT/BATCH/SHOT.
        person: name of the editor.
        signed_in: True if the person has proved who they are. Then they can't take a job that somebody else has. False
            takes the job over from another editor, because nobody has checked either name.
    Raises:
        DecisionRefusedError: the shot doesn't wait for an editor; or `signed_in` is True and somebody else has the job.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """

    def require_free(record: ShotRecord) -> None:
        holder = taken_by(record)
        if signed_in and holder not in ("", person):
            raise DecisionRefusedError(
                "somebody else has this job",
                str(record.shot),
                found=holder,
                next_step="Take another one, or ask them or a senior to give it back.",
            )

    _note_on_job(shot_id(name), Choice.TAKE, person=person, signed_in=signed_in, allowed=require_free)


def give_back_job(name: str, *, person: str, signed_in: bool = False) -> None:
    """Record that an editor gives a job back, so that any editor can take it.

    Nothing is returned. The job is a shot that waits for an editor.

    Args:
        name: the shot, as CLIENT/BATCH/SHOT.
        person: name of the person who gives it back: the editor who has it, or a senior editor. It is not checked here.
        signed_in: True if the person has proved who they are; the record will state this.
    Raises:
        DecisionRefusedError: the shot doesn't wait for an editor, or nobody has taken it.
        ObjectMissingError: there is no such shot.
        NamingError: `name` doesn't have the form CLIENT/BATCH/SHOT.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    _note_on_job(shot_id(name), Choice.GIVE_BACK, person=person, signed_in=signed_in)


def _note_on_job(
    shot: ShotId,
    choice: Choice,
    *,
    person: str,
    signed_in: bool,
    allowed: Callable[[ShotRecord], None] = lambda record: None,
) -> None:
    """Write a decision that answers no question into a record; the shot goes on waiting."""
    (reason,) = REASONS[choice]

    def change(record: ShotRecord) -> ShotRecord:
        allowed(record)
        picture = picture_shown(record)[:SHOWN_DIGITS]
        said = Decision(choice=choice, by=person, at=now(), reason=reason, picture=picture, verified=signed_in)
        return decide(record, said)

    change_record(shot, change)


def first_time_rates(*, by: By, client: str = "", batch: str = "") -> tuple[Rate, ...]:
    """Return how often editors' work was approved the first time: one `Rate` for each editor, category or client.

    They are sorted by that name. The result is empty if nobody has judged any work.

    Each rate has the number of shots that a second person judged, how many of these were approved the first time, and
    the reasons of the rejections.

    Args:
        by: what there is one rate for: each editor, each category or each client.
        client: only shots of this client; empty means all.
        batch: only shots of batches with this name; empty means all.
    Raises:
        ObjectMissingError: client and batch are both given, and there is no such batch.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    if client and batch and find_batch(batch_id(client, batch)) is None:
        raise ObjectMissingError(
            "there is no such batch", f"{client}/{batch}", next_step="Check the names of client and batch."
        )
    return first_time_approval(judged_records(client=client, batch=batch), by=by)
