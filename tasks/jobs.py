"""Jobs for people: a ticket in storage and a waiting run with a form, one for each shot."""

from __future__ import annotations

import json
from copy import copy
from enum import StrEnum
from typing import Any, Self

from prefect import task
from prefect.input import RunInput
from pydantic import Field, create_model

from packshot import pipeline
from packshot.errors import ObjectMissingError, RefusedInputError
from packshot.ingest.master import read_master
from packshot.naming import ShotId, job_out_key, job_returned_prefix, shot_key
from packshot.record import ShotRecord, State
from packshot.types import Value, Verdict
from tasks import pictures, shelf
from tasks.artifacts import plain
from tasks.cache_keys import unit
from tasks.displays import preview_of, show_edit, show_job
from tasks.handovers import EditedShot, Handover, RoutedShot
from tasks.lives import Life, actor, living, revived
from tasks.records import load_record
from tasks.storage import open_storage
from tasks.waiting import create_waiting_run

HUMAN_EDIT = "human-edit/human-edit"
PAUSE_KEY = "editor"


class Decision(StrEnum):
    """What a person decides about a shot."""

    USE_RETURNED_FILE = "use the returned file"
    APPROVE_MACHINE_EDIT = "approve the machine's edit"


class EditorAnswer(RunInput):
    """The form that a waiting shot shows."""

    decision: Decision = Field(title="Decision", description="What the line shall go on with")
    editor: str = Field(title="Your name", description="Stands in the shot's record", min_length=2)
    note: str = Field("", title="Note", description="Anything the next person should know")
    returned_file: str = Field(
        "",
        title="Returned file",
        description="Name or key of the finished picture; empty: the only one in the shot's returned/ folder",
    )

    @classmethod
    def with_initial_data(cls, description: str | None = None, **prefilled: Any) -> type[Self]:
        """Return the form with some fields filled in; unlike Prefect's own, they keep their titles and limits."""
        fields: dict[str, Any] = {}
        for name, value in prefilled.items():
            field = copy(cls.model_fields[name])
            field.default = value
            fields[name] = (field.annotation, field)
        form = create_model(cls.__name__, __base__=cls, **fields)
        form._description = description
        return form


@task(name="open job", task_run_name="open job · {routed.shot.shot}", **unit("open job"))
def open_job(routed: RoutedShot) -> str:
    """Put a shot into an editor's hands: ticket and master in storage, a waiting run. Returns its id."""
    with living(routed.shot) as life:
        why = f"{routed.complexity}: {routed.reason}"
        record = life.reach(State.AWAITING_EDITOR, why=f"an editor's work, {why}")
        show_job(routed.shot, _instructions(record, why))
        return _hand_over(routed, record, why=why, category=routed.category)


@task(name="open review", task_run_name="open review · {edited.shot.shot}", **unit("open review"))
def open_review(edited: EditedShot) -> str:
    """Ask a person about an edit that the machine may not approve by itself. Returns the waiting run's id."""
    with living(edited.shot):
        record = load_record(edited.shot)
        return _hand_over(edited, record, why=edited.reason, category=edited.category)


def _hand_over(handover: Handover, record: ShotRecord, *, why: str, category: str) -> str:
    shot, storage = handover.shot, open_storage()
    storage.copy(shot_key(shot, pictures.picture_to_edit(record)), job_out_key(shot, "master.tif"))
    ticket = json.dumps(_ticket(record, why), indent=1, ensure_ascii=False).encode()
    storage.put(job_out_key(shot, "ticket.json"), ticket, content_type="application/json")
    run_id = create_waiting_run(
        HUMAN_EDIT,
        parameters={"client": shot.client, "batch": shot.batch, "shot": shot.shot},
        form=EditorAnswer.with_initial_data(
            description=_instructions(record, why),
            decision=Decision.APPROVE_MACHINE_EDIT if record.state is State.IN_REVIEW else Decision.USE_RETURNED_FILE,
        ),
        pause_key=PAUSE_KEY,
        name=f"human edit · {shot.client}/{shot.batch} · {shot.shot}",
        tags=[f"client:{shot.client}", f"batch:{shot.batch}", f"category:{category or 'unknown'}", record.state.value],
        idempotency_key=f"human-edit-{handover.content}",
    )
    return str(run_id)


def _ticket(record: ShotRecord, why: str) -> dict[str, Any]:
    shot = record.shot
    return {
        "shot": shot.model_dump(),
        "why": why,
        "facts": {name: fact.value for name, fact in record.facts.items()},
        "take": job_out_key(shot, "master.tif"),
        "put_back_into": job_returned_prefix(shot),
        "size_px": record.reports["reading"]["size"],
        "findings": [finding.model_dump(mode="json") for finding in record.findings if finding.status != "passed"],
    }


def _instructions(record: ShotRecord, why: str) -> str:
    """What the form says above its fields, in Markdown."""
    shot = record.shot
    return (
        f"### {plain(shot.shot)}\n\n{preview_of(record)}\n\n{plain(why)}\n\n"
        f"Take `{job_out_key(shot, 'master.tif')}`, put the finished picture (same size, transparent or on "
        f"exact white) into `{job_returned_prefix(shot)}`, then answer."
    )


def _returned(shot: ShotId, named: str) -> tuple[bytes, str]:
    """The returned file's bytes and key: the one that is named, or the only one there is.

    Raises:
        ObjectMissingError: there is none of that name, none at all, or several.
    """
    storage, folder = open_storage(), job_returned_prefix(shot)
    found = [one.key for one in storage.list(folder)]
    meant = [key for key in found if not named or key.removeprefix(folder) == named.removeprefix(folder)]
    if len(meant) != 1:
        what = "no file of this name was returned" if named else "several files were returned"
        raise ObjectMissingError(
            what if found else "no file was returned",
            folder + named.removeprefix(folder),
            found=", ".join(key.removeprefix(folder) for key in found),
            next_step="Name the one that counts." if found else "Put the finished picture there.",
        )
    return storage.get(meant[0]), meant[0]


class Outcome(Value):
    """What became of a person's answer.

    Attributes:
        objection: why it cannot be followed; empty if it was.
        sentence: what was done.
    """

    objection: str = ""
    sentence: str = ""


@task(name="accept work", task_run_name="accept work · {shot.shot}", **unit("accept work"))
def accept_work(shot: ShotId, answer: EditorAnswer, *, question: str) -> Outcome:
    """Follow a person's answer: take over what was approved or returned, score it, approve the shot in their name.

    Args:
        question: what it answers. Each answer to a question is followed once: one that was sent back stays so, even
            if the file it missed has come since, because by then somebody else may have answered.
    """
    record = revived(load_record(shot), by=actor())
    if record.state not in (State.AWAITING_EDITOR, State.IN_REVIEW):
        return Outcome(sentence=f"The shot is '{record.state}' by now; the answer changes nothing")
    if answer.decision is Decision.APPROVE_MACHINE_EDIT and record.state is not State.IN_REVIEW:
        return Outcome(objection="There is no machine's edit of this shot that could be approved. Return a file.")
    with living(shot) as life:
        if answer.decision is Decision.APPROVE_MACHINE_EDIT:
            why = f"approved by {answer.editor}{_noted(answer)}"
            life.reach(State.APPROVED, why=why, who=answer.editor, reports={"approval": _approval(answer)})
            return Outcome(sentence=why)
        return _adopt(life, record, answer)


def _adopt(life: Life, record: ShotRecord, answer: EditorAnswer) -> Outcome:
    """Take over a returned file. One that is missing or not usable is the person's to mend: no failure of the line."""
    shot = record.shot
    pixels = read_master(shelf.fetch(record, pictures.picture_to_edit(record)))
    plan = shelf.plan_of(record)
    try:
        data, key = _returned(shot, answer.returned_file)
        edit = pipeline.adopt(pixels, data, plan, name=key, group=pictures.group_of(record))
    except (RefusedInputError, ObjectMissingError) as error:
        return Outcome(objection=str(error))
    objects = shelf.keep(shot, pictures.edit_files(pixels, edit, pictures.metadata_of(record)))
    caveat = "" if edit.verdict is Verdict.AUTO_APPROVE else f" ({pictures.verdict_sentence(edit)})"
    why = f"the work of {answer.editor}, score {edit.score:.1f}{caveat}{_noted(answer)}"
    done = life.reach(
        *((State.AWAITING_EDITOR,) if record.state is State.IN_REVIEW else ()),
        *(State.RETURNED, State.SCORED, State.APPROVED),
        why=why,
        who=answer.editor,
        findings=edit.findings,
        reports={"edit": pictures.edit_report(edit, None), "approval": {**_approval(answer), "file": key}},
        objects=objects,
    )
    show_edit(done)
    return Outcome(sentence=why)


def _approval(answer: EditorAnswer) -> dict[str, str]:
    return {"by": answer.editor, "decision": answer.decision.value, "note": answer.note}


def _noted(answer: EditorAnswer) -> str:
    return f": {answer.note}" if answer.note else ""
