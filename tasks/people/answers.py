"""Follow a person's answer to a question about a shot: check it, apply it once, and record the result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from prefect import task

from packshot.blind import is_blind
from packshot.decision import Choice, Decision
from packshot.errors import DecisionRefusedError, ObjectMissingError, RefusedInputError
from packshot.handoff.deciding import decide, require_followable
from packshot.keys import job_returned_prefix, shot_key
from packshot.naming import ShotId
from packshot.pipeline import METHODS
from packshot.record import EDIT, MACHINE_EDIT, ShotRecord, found_in
from packshot.types import Finding, Status
from tasks.environment.configs import configs_in_force
from tasks.environment.style_guides import promise_to
from tasks.people.corrections import correct
from tasks.people.forms import Answer
from tasks.people.holds import note_for_others, still_missing
from tasks.people.returned_work import take_over
from tasks.people.verified_answers import is_vouched_for
from tasks.records.bookkeeping import actor, living, now, revived
from tasks.records.stored import change_record, load_record
from tasks.results.cache_keys import unit
from tasks.results.handovers import Outcome
from tasks.stages import stored_edits
from tasks.storage import shot_objects
from tasks.storage.bucket import ObjectInfo, open_storage
from tasks.telling.displays import show_edit
from tasks.telling.notices import tell

NOT_FOLLOWED = "not followed"
"""First words of the event that says why an answer was refused."""

REDOS = len(METHODS) - 1
"""How many times the machine can edit a shot again: once with each further cut-out method."""


@task(name="follow answer", task_run_name="follow answer · {shot.shot}", **unit("follow answer"))
def follow_answer(shot: ShotId, answer: Answer, *, question: str) -> Outcome:
    """Apply a person's answer to a shot; return an `Outcome` that says what was done, or why the answer was refused.

    The result is cached. So an answer that was applied already gives its first result again, and a refused one is not
    tried again, even if a missing file has arrived since: somebody else may have answered in the meantime. A refusal is
    a result, not an error; the run then asks again.

    Args:
        answer: the filled-in form.
        question: id of the question: ``<run id>-<number>``. The number is 1 for the first question of that run. An
            answer to the same question is applied only once.
    """
    read: list[ObjectInfo] = []
    with living(shot):
        try:
            return _followed(shot, answer, question=question, read=read)
        except (DecisionRefusedError, RefusedInputError, ObjectMissingError) as error:
            return _refused(shot, answer, str(error), question=question, read=read)


def _followed(shot: ShotId, answer: Answer, *, question: str, read: list[ObjectInfo]) -> Outcome:
    """Apply an answer and return what was done. A returned file is added to `read` once it has been read."""
    record = revived(load_record(shot), by=actor())
    known = next((one for one in record.decisions if one.question == question), None)
    if known is not None:
        return Outcome(sentence=known.sentence)
    decision = _decision(shot, answer, question=question)
    seniors = promise_to(shot.client).seniors
    require_followable(record, decision, seniors=seniors, redos=REDOS)
    with_it: dict[str, Any] = {}
    file: ObjectInfo | None = None
    if decision.choice is Choice.ARRIVED:
        _require_arrived(record)
    correction = correct(record, decision) if decision.choice is Choice.CORRECT else None
    if correction is not None:
        with_it = {"objects": shot_objects.keep(shot, {shot_objects.PLAN: correction.plan_file}, over=record.objects)}
    if decision.choice is Choice.RETURN:
        data, file = _read_returned(shot, answer.returned_file)
        read.append(file)
        decision = decision.model_copy(update={"file": file.key})
        with_it = _work(record, decision, file, data)

    def change(one: ShotRecord) -> ShotRecord:
        reports = dict(with_it.get("reports", {}))
        if file is not None:
            reports["returned"] = _seen(one, file)
        given = {**with_it, "reports": reports}
        decided = decide(revived(one, by=actor()), decision, seniors=seniors, redos=REDOS, **given)
        return decided if correction is None else correction.over(decided)

    done = change_record(shot, change)
    if correction is not None:
        note_for_others(done)
    if decision.choice is Choice.NO_FAULT:
        said = f"{decision.sentence}. The page behind the client's link shows it."
        tell(done, "client_answered", said, once=_mark(question))
    if decision.choice is Choice.RETURN or is_blind(record):
        show_edit(done)
    return Outcome(sentence=decision.sentence)


def _decision(shot: ShotId, answer: Answer, *, question: str) -> Decision:
    return Decision(
        choice=answer.decision,
        by=" ".join(answer.person.split()),
        at=now(),
        reason=answer.reason,
        picture=answer.picture,
        question=question,
        note=answer.note.strip(),
        marks=tuple(answer.marks),
        override=answer.override.strip(),
        edited_by=" ".join(answer.edited_by.split()),
        verified=is_vouched_for(shot, answer),
        colour=answer.colour,
        new_name=" ".join(answer.new_name.split()),
        new_services=" ".join(answer.new_services.split()),
        done=tuple(answer.done),
    )


def _require_arrived(record: ShotRecord) -> None:
    missing = still_missing(record)
    if missing:
        raise DecisionRefusedError(
            "what the shot waits for has not arrived",
            str(record.shot),
            found=" ".join(one.sentence for one in missing).removesuffix("."),
            next_step="Upload it first, or let the shot go on without it.",
        )


def _returned(shot: ShotId, named: str) -> ObjectInfo:
    """Return the returned file: the named one, or the only one in the shot's folder.

    Raises:
        ObjectMissingError: there is no file of that name, no file at all, or several files and no name was given.
    """
    folder = job_returned_prefix(shot)
    found = list(open_storage().list(folder))
    meant = [one for one in found if not named or one.key.removeprefix(folder) == named.removeprefix(folder)]
    if len(meant) != 1:
        what = "no file of this name was returned" if named else "several files were returned"
        raise ObjectMissingError(
            what if found else "no file was returned",
            folder + named.removeprefix(folder),
            found=", ".join(one.key.removeprefix(folder) for one in found),
            next_step="State which file counts." if found else "Put the finished picture there.",
        )
    return meant[0]


def _read_returned(shot: ShotId, named: str) -> tuple[bytes, ObjectInfo]:
    """Return the bytes of the returned file that `_returned` names, and its metadata with the ETag of these bytes.

    Its editor may replace it between the listing and the reading. The version that was read is the one that counts as
    used.

    Raises:
        ObjectMissingError: as for `_returned`.
        RefusedInputError: it is larger than any photograph may be.
    """
    file, most = _returned(shot, named), configs_in_force().ingest.max_bytes
    if file.size_bytes > most:
        raise RefusedInputError(
            "the returned file is too large to be read",
            file.key,
            found=f"{file.size_bytes:,} bytes",
            allowed=f"at most {most:,} bytes",
            next_step="Return it with fewer layers, or compressed.",
        )
    data, etag = open_storage().get_with_etag(file.key)
    return data, file.model_copy(update={"etag": etag})


def _work(record: ShotRecord, decision: Decision, file: ObjectInfo, data: bytes) -> dict[str, Any]:
    """Check, score and store a returned file; return the fields that the record gets, which are not yet written.

    Raises:
        DecisionRefusedError: a check failed, and the answer does not override failed checks.
    """
    taken = take_over(record, data, name=file.key)
    if taken.failed and not decision.override:
        raise DecisionRefusedError(
            "the returned picture does not pass its checks",
            file.key,
            found=" ".join(one.message for one in taken.failed),
            next_step="Correct it and return it again. Or accept it as it is, with a reason.",
        )
    overridden = tuple(_overridden(one, decision) for one in taken.failed)
    edit = taken.edit()
    machine = _machine_edit(record)
    objects = shot_objects.keep(
        record.shot, stored_edits.edit_files(taken.pixels, edit, stored_edits.metadata_of(record))
    )
    return {
        "findings": found_in(objects[EDIT], (*taken.checks, *overridden, *edit.findings)),
        "reports": {
            "edit": stored_edits.edit_report(edit, None),
            **(_machine_report(record) if machine else {}),
            "approval": {"by": decision.by, "decision": decision.choice.value, "note": decision.note, "file": file.key},
        },
        "objects": {**objects, **machine},
    }


def _machine_edit(record: ShotRecord) -> dict[str, str]:
    """Keep the machine's edit under a name of its own before an editor's picture takes its place; return name and hash.

    The result is empty if the machine made none, or it is kept already. A copy that was made before this process was
    started again counts, although the picture itself has been replaced since.
    """
    sha256 = record.objects.get(EDIT, "")
    if not sha256 or MACHINE_EDIT in record.objects or not record.reports.get("edit", {}).get("model"):
        return {}
    source, target = (shot_key(record.shot, name) for name in (EDIT, MACHINE_EDIT))
    copied = open_storage().copy_verified(source, target, sha256=sha256)
    return {MACHINE_EDIT: sha256} if copied.sha256 == sha256 else {}


def _machine_report(record: ShotRecord) -> dict[str, Any]:
    """Return the record's report on the machine's edit that is kept: what it scored, and by which method."""
    edit = record.reports["edit"]
    return {"machine_edit": {name: edit.get(name) for name in ("score", "verdict", "method")}}


def _overridden(failed: Finding, decision: Decision) -> Finding:
    return Finding(
        code="check_overridden",
        status=Status.WARNING,
        message=f"{decision.by} took the work over although '{failed.code}' failed: {decision.override}",
        measured=failed.measured,
        limit=failed.limit,
        unit=failed.unit,
    )


def _seen(record: ShotRecord, *files: ObjectInfo) -> Mapping[str, Any]:
    """Return the report on returned files with these added, by ETag, so that the hot folder doesn't use one twice."""
    before = record.reports.get("returned", {}).get("seen", {})
    return {"seen": {**before, **{file.key: file.etag for file in files}}}


def _refused(shot: ShotId, answer: Answer, why: str, *, question: str, read: list[ObjectInfo]) -> Outcome:
    """Record why an answer was refused and which file it was about, and send a notice: the person may have left the
    page.

    If a file was read, that version of it counts as used. A better one that its editor has put in its place meanwhile
    does not.
    """
    files = read
    if answer.decision is Choice.RETURN and not read:
        try:
            files = [_returned(shot, answer.returned_file)]
        except ObjectMissingError:
            files = []

    def change(record: ShotRecord) -> ShotRecord:
        noted = record.note(at=now(), actor=answer.person, why=f"{NOT_FOLLOWED} ({answer.decision}): {why}")
        return noted.model_copy(update={"reports": {**noted.reports, "returned": _seen(noted, *files)}})

    after = change_record(shot, change)
    told = f"The answer '{answer.decision}' of {answer.person} was not followed: {why} It is asked again."
    tell(after, "answer_refused", told, once=_mark(question))
    return Outcome(objection=why)


def _mark(question: str) -> str:
    """Return what identifies a question in the name of a notice."""
    return hashlib.sha256(question.encode()).hexdigest()[:16]
