"""Define the forms that people fill in about shots: one for each state, the same in Prefect's UI, API and command line.

A form has only the fields and choices that make sense in its state. Every filled-in form is read as an `Answer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, cast
from uuid import UUID

from prefect.input import RunInput
from prefect.input.run_input import Keyset
from pydantic import Field, create_model

from packshot.decision import REASONS, Choice, ColourWord, Mark, Reason
from packshot.handoff.deciding import CHOICES
from packshot.record import State

_ALWAYS = ("decision", "person", "reason", "picture", "note")
_ALSO = {
    State.IN_REVIEW: ("marks", "returned_file", "override"),
    State.AWAITING_EDITOR: ("returned_file", "override"),
    State.AWAITING_SIGNOFF: ("marks", "colour", "edited_by", "done"),
    State.ON_HOLD: ("new_name", "new_services"),
}


APPROVALS = frozenset({Choice.APPROVE, Choice.SIGN})
"""Choices that no form proposes: whoever sends a form without a look must not approve a picture by it."""


class Answer(RunInput):
    """A person's answer about a shot: all fields that any form has. Each form shows some of them.

    Each field's `description` says what the field means, in the words that the form shows.
    """

    decision: Choice = Field(title="Decision", description="What shall become of the shot")
    person: str = Field(title="Your name", description="Stands in the shot's record", min_length=2)
    reason: Reason = Field(title="Reason", description="The reason code; 'other' needs a note")
    picture: str = Field(
        title="Picture",
        description="Hash of the picture that you judge. Leave it: a decision about another picture is refused",
        min_length=8,
    )
    note: str = Field("", title="Note", description="What the next person should know")
    marks: list[Mark] = Field(
        default_factory=list, title="Marks", description="Places in pixels of the picture, and what to do there"
    )
    returned_file: str = Field(
        "",
        title="Returned file",
        description="Name of the finished picture; empty: the only one in the shot's returned/ folder",
    )
    override: str = Field(
        "",
        title="Accept in spite of failed checks",
        description="The reason, for the record and the certificate. Empty: failed checks send the work back",
    )
    colour: ColourWord = Field(
        ColourWord.NOT_COMPARED, title="Colours", description="Compare with the product or its reference in your hand"
    )
    edited_by: str = Field("", title="Edited by", description="The editor's name, if Packshot does not know it")
    new_name: str = Field(
        "",
        title="Correct name",
        description="The name that the file should have had, as the client's other files are named. For "
        f"'{Choice.CORRECT}'",
    )
    new_services: str = Field(
        "", title="Correct services", description=f"The services that are meant, in known words. For '{Choice.CORRECT}'"
    )
    done: list[str] = Field(
        default_factory=list, title="Done", description="What the last round asked for and you have seen done"
    )


class Form(RunInput):
    """Base class of the forms that people fill in. `form_for` makes one for each state.

    The class decides only what people see: every filled-in form is read as an `Answer`, which has the fields of all
    forms. A run can show several forms, one after the other, and must be able to read the answer to an earlier one.
    """

    @classmethod
    def load(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> Answer:  # type: ignore[override]
        """Return the person's answer to this form.

        Args:
            keyset: Prefect's keys of the form and of its answer.
            flow_run_id: the run that asked; None means the current run.
        """
        return cast(Answer, Answer.load(keyset, flow_run_id=flow_run_id))

    @classmethod
    async def aload(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> Answer:  # type: ignore[override]
        """Return the person's answer to this form, without blocking the event loop.

        Args:
            keyset: Prefect's keys of the form and of its answer.
            flow_run_id: the run that asked; None means the current run.
        """
        return await Answer.aload(keyset, flow_run_id=flow_run_id)


def form_for(
    state: State, *, description: str, picture: str, lead: str = "", also: Sequence[Choice] = (), **prefilled: Any
) -> type[Form]:
    """Return the form for a shot that waits in some state: a class that Prefect shows to people.

    Args:
        state: the state in which the shot waits for people.
        description: Markdown above the fields. Prefect's default pages often have no space for it, so what a person
            must read belongs into `lead`.
        picture: hash of the picture that is shown, at least 8 hex digits.
        lead: text that a person must always read, as plain text. It is shown at the first field.
        also: further choices for this shot, besides the usual choices of the state.
        prefilled: proposed values by field name of `Answer`.
    Raises:
        KeyError: in this state no person is asked.
    """
    choices = (*CHOICES[state], *also)
    reasons = tuple(dict.fromkeys(reason for choice in choices for reason in REASONS[choice]))
    fields: dict[str, Any] = {name: _asked(name, prefilled) for name in Answer.model_fields if name in _names(state)}
    approves = not APPROVALS.isdisjoint(choices)
    named = [choice.value for choice in choices]
    fields["decision"] = _one_of("decision", named, proposed=not approves, said=lead)
    fields["reason"] = _one_of("reason", [reason.value for reason in reasons], proposed=not approves)
    fields["picture"] = _asked("picture", {"picture": picture})
    form = create_model("Answer", __base__=Form, **fields)
    form._description = description
    return form


def _names(state: State) -> tuple[str, ...]:
    return (*_ALWAYS, *_ALSO[state])


def _asked(name: str, prefilled: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the type and field of `Answer`, with the proposed value if there is one.

    A required field stays required: the UI shows the proposed value, but an answer without the field is rejected.
    """
    field = copy(Answer.model_fields[name])
    if name in prefilled and field.is_required():
        field.json_schema_extra = {"default": prefilled[name]}
    elif name in prefilled:
        field.default = prefilled[name]
    return field.annotation, field


def _one_of(name: str, values: list[str], *, proposed: bool, said: str = "") -> tuple[Any, Any]:
    """Return a required field that accepts one of the given words.

    Args:
        proposed: whether the form is filled in with the first word.
        said: what stands at the field in place of its usual description.
    """
    field = Answer.model_fields[name]
    extra: dict[str, Any] = {"enum": values, **({"default": values[0]} if proposed else {})}
    return str, Field(title=field.title, description=said or field.description, json_schema_extra=extra)
