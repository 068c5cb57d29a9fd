"""Write job tickets to storage: what an editor has to do on a shot, the files for it, and presigned links to these."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import NamedTuple

from packshot.errors import ObjectMissingError, RecordConflictError
from packshot.handoff.deciding import picture_shown
from packshot.handoff.holds import Need, paired
from packshot.handoff.sla import due_at
from packshot.handoff.ticket import JobTicket, Scope, TicketFile, job_ticket, scope_of, ticket_json
from packshot.handoff.ticket_page import ticket_html
from packshot.handoff.upload_form import UploadForm
from packshot.keys import inbox_key, job_out_key, job_returned_prefix, reference_key, shot_key
from packshot.naming import ShotId, path_trouble
from packshot.record import ShotRecord, State
from packshot.specs.handoff import HandoffConfig
from packshot.specs.models import Plan
from tasks.environment.configs import configs_in_force
from tasks.environment.desk_pages import desk_page
from tasks.environment.style_guides import guide_of, promise_to
from tasks.people.drafts import DRAFT, NECK_JOINT, with_neck_joint
from tasks.people.products import siblings_of
from tasks.records.bookkeeping import now
from tasks.records.stored import change_record, find_batch, load_record
from tasks.stages.references import ListedFile, listed_reference
from tasks.stages.stored_edits import picture_to_edit
from tasks.storage import shot_objects
from tasks.storage.bucket import open_storage
from tasks.storage.links import link_to, upload_form

TICKET_JSON, TICKET_HTML = "ticket.json", "ticket.html"


def scope_for(record: ShotRecord, plan: Plan) -> Scope:
    """Return the work that people have to do on a shot: its services, and an estimate of how much work it is.

    A service is one kind of work, such as a clipping path. Each comes once, with the reason why the shot needs it. The
    estimate is one of four tiers, from basic to super complex, with the reason.

    Args:
        record: the shot's record.
        plan: the shot's plan.
    """
    return scope_of(record, plan, ghost_mannequin=guide_of(record.shot.client).handoff.ghost_mannequin)


def issue_ticket(record: ShotRecord, *, why: str) -> JobTicket:
    """Store what an editor needs for a shot, in the shot's folder ``out/``, and return the ticket.

    Stored are the picture to edit, its references, the draft (a picture with the machine's clipping path, to begin
    from) if there is one, and the ticket as JSON and as a page. A repeated call gives the same ticket with new links.
    The amount of work goes into the shot's record, because the due time depends on it.

    Args:
        record: the record of a shot that waits for an editor.
        why: why an editor has to work on it, in words.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    at, promise = now(), promise_to(record.shot.client)
    plan = shot_objects.plan_of(record)
    scope = scope_for(record, plan)
    if scope.ghost_mannequin and plan.view in promise.ghost_mannequin_views:
        record = with_neck_joint(record, next(_paired(Need.NECK_SHOT, record, promise), None))
    reference = _reference(record, promise)
    take = tuple(_take(record, promise, at=at, ghost_mannequin=scope.ghost_mannequin))
    expires = at + timedelta(hours=promise.link_hours)
    ticket = job_ticket(
        record,
        plan,
        scope=scope,
        why=why,
        at=at,
        due_at=due_at(State.AWAITING_EDITOR, since=record.since or at, tier=scope.estimate.tier, promise=promise),
        links_expire_at=expires,
        take=take if reference.file is None else (*take, reference.file),
        reference_lost=reference.lost,
        put_back_into=job_returned_prefix(record.shot),
        put_back_form=_put_back_form(record.shot, promise),
        desk_page=desk_page(record.shot),
        picture=picture_shown(record),
    )
    _store(record, ticket)
    return ticket


def _put_back_form(shot: ShotId, promise: HandoffConfig) -> UploadForm:
    return upload_form(
        job_returned_prefix(shot),
        most_bytes=configs_in_force().ingest.max_bytes,
        expires_s=int(promise.link_hours * 3600),
    )


def _take(record: ShotRecord, promise: HandoffConfig, *, at: datetime, ghost_mannequin: bool) -> Iterator[TicketFile]:
    """Copy the files that the editor needs into the out/ folder, and yield each with its presigned URL."""
    shot = record.shot
    yield _copied("master", shot_key(shot, picture_to_edit(record)), job_out_key(shot, "master.tif"), promise)
    if record.reports.get("draft", {}).get("made"):
        yield _copied(
            "master with the machine's cut-out and a draft of the path",
            shot_key(shot, DRAFT),
            job_out_key(shot, DRAFT),
            promise,
        )
    if ghost_mannequin and record.reports.get("neck_joint", {}).get("made"):
        what = "neck joint: both photographs as layers, with a draft mask of the mannequin"
        yield _copied(what, shot_key(shot, NECK_JOINT), job_out_key(shot, NECK_JOINT), promise)
    if "edit.tif" in record.objects:
        yield _copied("edit so far", shot_key(shot, "edit.tif"), job_out_key(shot, "edit-so-far.tif"), promise)
    needs = [Need.COLOUR_REFERENCE, *([Need.NECK_SHOT] if ghost_mannequin else [])]
    for need in needs:
        for theirs in _paired(need, record, promise):
            name = f"{need.value.replace('_', '-')}-{theirs.batch}-{theirs.shot}.tif"
            source = shot_key(theirs, picture_to_edit(load_record(theirs)))
            yield _copied(need.value.replace("_", " "), source, job_out_key(shot, name), promise)


class _Reference(NamedTuple):
    """The picture that a shot's colours are compared with: the file, or why there is none although one was named."""

    file: TicketFile | None = None
    lost: str = ""


def _reference(record: ShotRecord, promise: HandoffConfig) -> _Reference:
    """Copy the picture that the client's manifest names as the colour reference into the out/ folder, and return it.

    It is what the line measured, of which the batch keeps a copy. Where an earlier version grouped the batch, there is
    none: then it is the client's file as it was listed. The link never leads into the client's own folder, because the
    client may put another picture there while the editor works.
    """
    batch, named = record.shot.in_batch, record.fact("reference")
    kept = record.reports.get("group", {}).get("reference_file", "")
    if kept:
        target = job_out_key(record.shot, f"reference{PurePosixPath(kept).suffix}")
        return _Reference(_copied("reference", reference_key(batch, kept), target, promise))
    found = find_batch(batch) if named and not path_trouble(named) else None
    listed = listed_reference(found, named) if found is not None else None
    return _Reference() if listed is None else _as_listed(record.shot, listed, promise)


def _as_listed(shot: ShotId, listed: ListedFile, promise: HandoffConfig) -> _Reference:
    """Copy a client's file, as it was listed, into the out/ folder, and return it. If it has changed since, an earlier
    copy counts.
    """
    storage, target = open_storage(), job_out_key(shot, f"reference{PurePosixPath(listed.path).suffix.casefold()}")
    try:
        if listed.etag or not storage.exists(target):
            storage.copy(inbox_key(shot.in_batch, listed.path), target, etag=listed.etag)
    except (RecordConflictError, ObjectMissingError):
        if not storage.exists(target):
            return _Reference(lost="not among the files: the client has replaced or deleted it since it was listed")
    return _Reference(TicketFile(what="reference", key=target, link=_link(target, promise)))


def _paired(need: Need, record: ShotRecord, promise: HandoffConfig) -> Iterator[ShotId]:
    """Yield the other shots of the product that meet a need, such as its neck shot."""
    product, client = record.product, record.shot.client
    for one in paired(need, product=product, siblings=siblings_of(client, product), config=promise):
        theirs = ShotId(client=client, batch=one.batch, shot=one.shot)
        if theirs != record.shot:
            yield theirs


def _copied(what: str, source: str, target: str, promise: HandoffConfig) -> TicketFile:
    open_storage().copy(source, target)
    return TicketFile(what=what, key=target, link=_link(target, promise))


def _link(key: str, promise: HandoffConfig) -> str:
    name = PurePosixPath(key).name
    return link_to(key, expires_s=int(promise.link_hours * 3600), download_name=name)


def _store(record: ShotRecord, ticket: JobTicket) -> None:
    storage, shot = open_storage(), record.shot
    preview = shot_objects.fetch(record, "preview.webp")
    storage.put(job_out_key(shot, TICKET_JSON), ticket_json(ticket), content_type="application/json")
    page = ticket_html(ticket, preview=preview)
    storage.put(job_out_key(shot, TICKET_HTML), page, content_type="text/html; charset=utf-8")
    job = {
        "tier": ticket.tier.value,
        "services": [one.service.value for one in ticket.services],
        "links_expire_at": ticket.links_expire_at.isoformat(),
    }
    change_record(shot, lambda one: one.model_copy(update={"reports": {**one.reports, "job": job}}))


def ticket_of(shot: ShotId) -> JobTicket:
    """Return a shot's job ticket for an editor, as it was last issued. Its links may have expired.

    Raises:
        ObjectMissingError: the shot has no ticket.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    return JobTicket.model_validate_json(open_storage().get(job_out_key(shot, TICKET_JSON)))


def ticket_page_link(shot: ShotId) -> str:
    """Return a new presigned link to the page of a shot's job ticket; empty if there is no ticket.

    The link is valid for as many hours as the client's hand-off rules say (``link_hours``).

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    key = job_out_key(shot, TICKET_HTML)
    try:
        open_storage().head(key)
    except ObjectMissingError:
        return ""
    return link_to(key, expires_s=int(promise_to(shot.client).link_hours * 3600))
