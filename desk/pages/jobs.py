"""Answer an editor's requests: take a job, get its files, upload the finished picture, hand it in or take it back."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from desk.access import audit
from desk.access.roles import Person, Role
from desk.pages.decisions import LONGEST_NOTE, held, whats_next
from desk.pages.forms import own_fields_of, person_of
from desk.pages.queues import place_of
from desk.pages.rendering import desk_of, page, shot_in
from desk.pages.shots import readable_record
from desk.work.job_files import zip_of
from desk.work.workbench import Work
from packshot.decision import Choice, Reason
from packshot.errors import PackshotError, RefusedInputError, TransientError
from packshot.handoff.deciding import taken_by
from packshot.keys import job_returned_prefix
from packshot.naming import ShotId
from packshot.record import ShotRecord, State
from packshot.types import Finding
from tasks.people.job_commands import give_back_job, take_job
from tasks.people.sent_answers import CheckedAnswer, checked_answer
from tasks.people.uploads import begin_upload, checks_of, finish_upload, is_under_way, missing_parts, part_links

_CHECKING = threading.BoundedSemaphore(1)
"""Finished pictures are checked one after the other: each takes the memory of a whole picture."""
LONGEST_FILE_NAME = 200


async def take(request: Request) -> Response:
    """Record that the person takes an editor's job, and return a redirect to the job's page.

    The address names the shot. While an editor has the job, nobody else can hand it in at the desk.

    Raises:
        HTTPException: 403: the person is no editor; 404: there is no such shot; 409: the shot is no job now, or
            somebody else has it.
    """
    shot, person, _, _ = await _job_in(request)
    await _noted(shot, lambda: take_job(str(shot), person=person.name, signed_in=True))
    audit.note("took the job", person=person.name, shot=shot)
    return await _back(request, shot)


async def give_back(request: Request) -> Response:
    """Record that an editor's job is given back, so that others can take it, and return a redirect to the job's page.

    An editor can give back only their own job, a senior can give back every job. A file that the editor has uploaded
    and not handed in is forgotten.

    Raises:
        HTTPException: 403: the person may not give it back; 409: the shot is no job now, or nobody has it.
    """
    shot, person, record, _ = await _job_in(request, roles=frozenset({Role.EDITOR, Role.SENIOR}))
    if taken_by(record) != person.name and Role.SENIOR not in person.roles:
        raise HTTPException(403, "Whoever has the job gives it back, or a senior.")
    await _noted(shot, lambda: give_back_job(str(shot), person=person.name, signed_in=True))
    desk_of(request).work.clear(shot)
    audit.note("gave the job back", person=person.name, shot=shot)
    return await _back(request, shot)


async def files(request: Request) -> Response:
    """Return all files that an editor needs for a job as one zip, which is made while it is sent.

    Raises:
        HTTPException: 403: the person may not see jobs; 409: the shot is no job now, or its files can't be read.
    """
    shot, person = shot_in(request), person_of(request)
    if not person.sees(State.AWAITING_EDITOR):
        raise HTTPException(403, "Your roles do not open jobs.")
    _require_job(await to_thread.run_sync(readable_record, shot))
    try:
        parts = await to_thread.run_sync(zip_of, shot)
    except PackshotError as error:
        raise HTTPException(409, str(error)) from None
    name = f"{shot.client}_{shot.batch}_{shot.shot}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts, media_type="application/zip", headers=headers)


async def upload(request: Request) -> Response:
    """Begin or continue the upload of an editor's finished picture.

    The form's fields are ``name`` and ``size`` (bytes) of the file, and ``changed`` (when it was last changed, as the
    browser says). If the three are those of an upload that has broken off, that upload is continued.

    The answer is JSON with a link for each part that is missing. The browser sends the parts to the storage by these
    links. The JSON has ``part_bytes`` (size of a part), ``parts`` (their number) and ``links`` (part number -> link).
    If the file is not accepted, it has only ``said``, the reason.

    Raises:
        HTTPException: 400: the form can't be read; 403: the person is no editor; 409: the person has not taken the job,
            or the shot is no job now.
    """
    shot, person, record, fields = await _job_in(request)
    _require_own(record, person)
    name, size = fields.get("name", "")[:LONGEST_FILE_NAME], fields.get("size", "")
    if not (size.isascii() and size.isdigit() and len(size) < 16):
        raise HTTPException(400, "The upload cannot be read.")
    file = f"{name} {size} {fields.get('changed', '')[:40]}"
    desk = desk_of(request)
    work = desk.work.of(shot, person.name)
    try:
        known = work is not None and work.file == file and not work.is_checked
        if work is None or not known or not await to_thread.run_sync(is_under_way, work.upload):
            begun = await to_thread.run_sync(lambda: begin_upload(shot, name=name, size_bytes=int(size)))
            work = Work(person.name, file, begun)
            desk.work.put(work)
            audit.note("brings a file", person=person.name, shot=shot, more=name)
        missing = await to_thread.run_sync(missing_parts, work.upload)
        links = await to_thread.run_sync(part_links, work.upload, missing)
    except PackshotError as error:
        return _said(error)
    return JSONResponse({"part_bytes": work.upload.part_size, "parts": work.upload.parts, "links": links})


async def check(request: Request) -> Response:
    """Check an editor's uploaded picture, and return as JSON whether it may be handed in (``passed``).

    The uploaded parts are joined first. The findings are kept for the job's page. If the upload is not complete, or
    the storage can't be reached, the JSON has only ``said``, the reason.

    Raises:
        HTTPException: 403: the person is no editor; 409: there is no upload, the person has not taken the job, or the
            shot is no job now.
    """
    shot, person, record, _ = await _job_in(request)
    _require_own(record, person)
    desk = desk_of(request)
    work = desk.work.of(shot, person.name)
    if work is None:
        raise HTTPException(409, "There is no upload. Choose the file again.")
    if not work.is_checked:
        try:
            await to_thread.run_sync(finish_upload, work.upload)
            checks = await to_thread.run_sync(_checks, record, work)
            work = dataclasses.replace(work, checks=checks)
        except RefusedInputError as error:
            if await to_thread.run_sync(_is_incomplete, work):
                return _said(error)
            work = dataclasses.replace(work, trouble=str(error))
        except PackshotError as error:
            return _said(error)
        desk.work.put(work)
        audit.note("file checked", person=person.name, shot=shot, more=f"{len(work.failed)} failed {work.trouble}")
    return JSONResponse({"passed": work.may_be_handed_in})


async def hand_in(request: Request) -> Response:
    """Hand in an editor's checked picture, and return a redirect to the next shot.

    The answer is held for a while, like a decision; until it is sent, the editor can take it back. If it does not
    count, the shot's page is returned with the reason. The form can have the field ``note``, words for the senior
    editor.

    Raises:
        HTTPException: 403: the person is no editor; 409: there is no picture that passes its checks, the person has not
            taken the job, or the shot is no job now.
    """
    shot, person, record, fields = await _job_in(request)
    desk = desk_of(request)
    _require_own(record, person)
    work = desk.work.of(shot, person.name)
    if work is None or not work.may_be_handed_in:
        raise HTTPException(409, "Bring a picture that passes its checks first.")
    return await held(
        request,
        lambda: _answer(record, person, work, fields),
        coming=whats_next(request),
        said={"handed_in": fields.get("note", "")},
        nothing="Nothing was handed in",
        noted=lambda _: ("handed in", work.upload.name),
    )


async def own_rate(request: Request) -> Response:
    """Return the page with the editor's own rate of first-time approval. Nobody sees the rate of somebody else.

    The rate is the share of the pictures that a second person approved at the first look, and that no client sent back.

    Raises:
        HTTPException: 403: the person is no editor.
    """
    person = person_of(request)
    if Role.EDITOR not in person.roles:
        raise HTTPException(403, "Your roles do not open this page.")
    rate = await to_thread.run_sync(desk_of(request).rates.of, person.name)
    return page(request, "rate", rate=rate)


def _answer(record: ShotRecord, person: Person, work: Work, fields: Mapping[str, str]) -> CheckedAnswer:
    """Return the answer of `packshot job return`, with the picture to be put into the hot folder when it is sent."""
    given = {
        "decision": Choice.RETURN.value,
        "person": person.name,
        "reason": Reason.WORK_DONE.value,
        "picture": fields.get("picture", ""),
        "note": fields.get("note", "")[:LONGEST_NOTE].strip(),
        "returned_file": work.upload.name,
    }
    answer = checked_answer(record, given, signed_in=True)
    target = job_returned_prefix(record.shot) + work.upload.name
    return answer.model_copy(update={"brings": (work.upload.key, target)})


class _Job(NamedTuple):
    """The shot, the upload and the person that a request is about."""

    shot: ShotId
    person: Person
    record: ShotRecord
    fields: Mapping[str, str]


async def _job_in(request: Request, *, roles: frozenset[Role] = frozenset({Role.EDITOR})) -> _Job:
    """Return the job that an address names, for whoever may work on it, and the form's fields.

    Raises:
        HTTPException: 403: their roles don't; 409: it is no job now.
    """
    shot, person = shot_in(request), person_of(request)
    fields = await own_fields_of(request)
    if not person.roles & roles:
        raise HTTPException(403, "Your roles do not work on this shot.")
    record = await to_thread.run_sync(readable_record, shot)
    _require_job(record)
    if desk_of(request).outbox.has(shot):
        raise HTTPException(409, "This job has just been handed in, or decided about.")
    return _Job(shot, person, record, fields)


def _require_job(record: ShotRecord) -> None:
    if record.state is not State.AWAITING_EDITOR:
        raise HTTPException(409, f"This shot is '{record.state.replace('_', ' ')}': it is no job now.")


def _require_own(record: ShotRecord, person: Person) -> None:
    holder = taken_by(record)
    if holder != person.name:
        raise HTTPException(409, f"{holder} has this job." if holder else "Take the job first.")


async def _noted(shot: ShotId, note: Callable[[], None]) -> None:
    try:
        await to_thread.run_sync(note)
    except PackshotError as error:
        raise HTTPException(409, str(error)) from None


async def _back(request: Request, shot: ShotId) -> Response:
    """Lead to the job's page, and let the lists know at once."""
    await to_thread.run_sync(desk_of(request).waiting.read_again, shot)
    return RedirectResponse(f"/shots/{shot}{place_of(request).query}", status_code=303)


def _checks(record: ShotRecord, work: Work) -> tuple[Finding, ...]:
    with _CHECKING:
        return checks_of(record, work.upload)


def _is_incomplete(work: Work) -> bool:
    try:
        return bool(missing_parts(work.upload))
    except PackshotError:
        return False  # the storage has made one object of them


def _said(error: PackshotError) -> Response:
    status = 503 if isinstance(error, TransientError) else 409
    return JSONResponse({"said": str(error)}, status_code=status)
