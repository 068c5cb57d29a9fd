"""Send a person's answer about a shot: check it against the record, then give it to the run that waits.

The command line and the review desk answer through these functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import FlowRun
from pydantic import ConfigDict, ValidationError

from packshot.decision import REASONS, Choice, Decision, Mark
from packshot.errors import DecisionRefusedError
from packshot.handoff.deciding import require_followable
from packshot.naming import ShotId
from packshot.record import ShotRecord
from packshot.types import Value
from tasks.environment.style_guides import promise_to
from tasks.people.answers import REDOS
from tasks.people.corrections import correct
from tasks.people.forms import Answer
from tasks.people.verified_answers import vouch
from tasks.records.bookkeeping import now
from tasks.records.stored import load_record
from tasks.runs.resuming import form_fields, resume, waiting_run_of
from tasks.storage.bucket import open_storage


class CheckedAnswer(Value):
    """A person's answer to the question about a shot, after it has passed its checks. `checked_answer` makes it.

    Attributes:
        record: the shot's record when the answer was checked.
        decision: the answer in the form in which the record will keep it.
        fields: the form's fields, as they are sent: field name -> value.
        run: the suspended run that waits for the answer; None if it was not looked up yet (`with_run`).
        signed_in: True if the person has proved who they are.
        brings: (key of the finished picture that an editor hands in, key under which Packshot collects the picture);
            None without a picture.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    record: ShotRecord
    decision: Decision
    fields: Mapping[str, Any]
    run: FlowRun | None = None
    signed_in: bool = False
    brings: tuple[str, str] | None = None

    @property
    def shot(self) -> ShotId:
        """The shot that the answer is about."""
        return self.record.shot


def checked_answer(record: ShotRecord, fields: Mapping[str, Any], *, signed_in: bool = False) -> CheckedAnswer:
    """Return a person's answer after checking that the shot's record allows it. Nothing is sent yet.

    Prefect is not asked; so whether a run waits for the answer is not checked (`with_run` does that).

    Args:
        record: the shot's record as it is now.
        fields: the form's fields: field name of `Answer` -> value; the decision is one of them.
        signed_in: True if the person has proved who they are. The record will state this.
    Raises:
        DecisionRefusedError: a field is wrong, or the answer can't be followed.
    """
    shot = record.shot
    answer = _read(shot, fields)
    decision = _decision(answer)
    require_followable(record, decision, seniors=promise_to(shot.client).seniors, redos=REDOS)
    if decision.choice is Choice.CORRECT:
        correct(record, decision)
    return CheckedAnswer(record=record, decision=decision, fields=fields, signed_in=signed_in)


def with_run(answer: CheckedAnswer) -> CheckedAnswer:
    """Return a checked answer together with the suspended run that waits for it.

    If the answer has its run already, Prefect is not asked.

    Raises:
        DecisionRefusedError: no run waits for an answer about this shot: somebody else has answered, or it is at work.
    """
    run = answer.run or waiting_run_of(answer.shot)
    if run is None:
        raise DecisionRefusedError(
            "no run waits for an answer about this shot",
            str(answer.shot),
            found="somebody else answered first, or the run is at work",
            next_step="Look at the shot again in a moment: packshot job show.",
        )
    return answer.model_copy(update={"run": run})


def check_again(answer: CheckedAnswer) -> CheckedAnswer:
    """Return an answer after a second check, against the shot's record as it is now.

    Use it if time has passed since the first check. Prefect is not asked: `run`, the suspended run that waits for the
    answer, stays as it is in the given answer.

    Raises:
        DecisionRefusedError: somebody else has answered since the first check, or the picture has changed.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = load_record(answer.shot)
    require_followable(record, answer.decision, seniors=promise_to(answer.shot.client).seniors, redos=REDOS)
    return answer.model_copy(update={"record": record})


def send(answer: CheckedAnswer) -> UUID:
    """Send a checked answer to the run that waits for it, so that the run goes on; return the run's id.

    A picture that is handed in is copied to its place in storage first.

    Raises:
        DecisionRefusedError: no run waits, somebody else answered first, or the form rejects this answer.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    run = with_run(answer).run
    assert run is not None
    if answer.brings:
        open_storage().copy(*answer.brings)
    fields = dict(answer.fields)
    if "done" in fields and "done" not in form_fields(run):
        del fields["done"]  # the run waits since before forms asked for it
    if answer.signed_in:
        vouch(answer.shot, _read(answer.shot, fields))
    resume(run, fields)
    return run.id


def _read(shot: ShotId, fields: Mapping[str, Any]) -> Answer:
    try:
        return Answer.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors()[0]
        raise DecisionRefusedError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}", str(shot), allowed=_allowed(fields.get("decision"))
        ) from None


def _allowed(decision: object) -> str:
    """Return in words which reasons a decision can have; which decisions there are if this is none."""
    known = {choice.value: choice for choice in Choice}
    if not isinstance(decision, str) or decision not in known:
        return f"decisions: {', '.join(known)}"
    return f"reasons: {', '.join(reason.value for reason in REASONS[known[decision]])}"


def _decision(answer: Answer) -> Decision:
    return Decision(
        choice=answer.decision,
        by=answer.person,
        at=now(),
        reason=answer.reason,
        picture=answer.picture,
        note=answer.note,
        marks=tuple(Mark.model_validate(one) for one in answer.marks),
        edited_by=answer.edited_by,
        colour=answer.colour,
        new_name=" ".join(answer.new_name.split()),
        new_services=" ".join(answer.new_services.split()),
        done=tuple(answer.done),
    )
