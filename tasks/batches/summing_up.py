"""Sum up a batch from the records of its shots: what became of each file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prefect import task

from packshot.batch import BatchRecord, ShotRef
from packshot.blind import as_listed
from packshot.errors import RecordDamagedError
from packshot.export import sets
from packshot.export.left_out import left_out_of
from packshot.export.warned import warned_of
from packshot.handoff import late
from packshot.handoff.board import wait_of
from packshot.naming import READY, BatchId
from packshot.record import DONE, WAITING, ShotRecord, State
from tasks.batches.approved import TO_DELIVER
from tasks.batches.fates import Fate, Summary
from tasks.batches.product_sets import held_for_sets, sets_of, waits_for_others
from tasks.environment.logs import log
from tasks.environment.style_guides import promise_shown
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import change_batch, find_record, load_batch, load_records
from tasks.telling.displays import show_table


def survey(batch: BatchId, *, briefs: Iterable[ShotRecord] = ()) -> Summary:
    """Return what became of every photograph of a batch, read from the records. Nothing is written.

    Args:
        briefs: records that the caller has already, also in short form, as the index (a database table of all shots)
            keeps them (`packshot.outcomes.indexed`). The records of all other shots are read from storage.
    Raises:
        ObjectMissingError: the batch has no record.
        RecordDamagedError: the batch's record can't be read.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = load_batch(batch)
    records = {one.shot.shot: one for one in briefs}
    others = [ref.shot for ref in record.shots if ref.shot.shot not in records]
    records |= {one.shot.shot: one for one in load_records(others)}
    products = sets_of(record, records.values())
    held, joined = held_for_sets(record, products), waits_for_others(record, products)
    known = {shot: one for one in products for shot in one.shots}
    fates = tuple(
        _in_its_set(_gathered(record, fate_of(ref, records.get(ref.shot.shot))), known=known, held=held, joined=joined)
        for ref in record.shots
    )
    warnings = warned_of(as_listed(records[ref.shot.shot]) for ref in record.shots if ref.shot.shot in records)
    return Summary(batch=batch, fates=fates, findings=record.findings, warnings=warnings, products=products)


def _in_its_set(
    fate: Fate, *, known: Mapping[str, sets.ProductSet], held: Mapping[str, str], joined: Mapping[str, str]
) -> Fate:
    """Return a fate with its product; changed to waiting if it is approved and waits for the rest of its product.

    Args:
        held: shot -> the reason, where the product is not complete.
        joined: shot -> the reason, where the product is complete, and its other part has not gone out yet.
    """
    product = known.get(fate.shot)
    if product is None:
        return fate
    named = {"product": product.product, "lacks": product.lacking, "from_elsewhere": product.from_elsewhere}
    fate = fate.model_copy(update=named)
    why = held.get(fate.shot) or (joined.get(fate.shot) if fate.kind == "failed" else None)
    if not why or fate.state not in TO_DELIVER:
        return fate
    return fate.model_copy(
        update={"kind": "waiting", "with_whom": sets.THE_REST, "due": None, "why": f"approved, {why}"}
    )


def fate_of(ref: ShotRef, record: ShotRecord | None) -> Fate:
    """Return what became of one photograph of a batch: delivered, waiting, refused or failed, and why.

    Product sets and deliveries of late approvals are not considered; `survey` adds these.

    Args:
        ref: the photograph's entry in its batch's record.
        record: the shot's record; None if it is missing or can't be read, which counts as failed.
    """
    if record is None:
        why = _without_record(ref)
        return Fate(shot=ref.shot.shot, file=ref.path, kind="failed", state=State.RECEIVED, why=why, unreadable=True)
    told = as_listed(record)
    kinds = {State.REFUSED: "refused"} | dict.fromkeys(DONE, "delivered") | dict.fromkeys(WAITING, "waiting")
    kind = kinds.get(record.state, "failed")
    last = record.events[-1].why if record.events else "nothing happened yet"
    stopped = kind == "failed" and record.state is not State.FAILED
    wait = wait_of(record, at=now(), promise=promise_shown(record.shot.client)) if kind == "waiting" else None
    return Fate(
        shot=ref.shot.shot,
        file=ref.path,
        kind=kind,
        state=record.state,
        why=f"stopped at '{record.state}': {last}" if stopped else _why(told),
        category=record.reports.get("routing", {}).get("category", "") or record.fact("category"),
        score=told.reports.get("edit", {}).get("score"),
        files=sum(one["passed"] for one in record.reports.get("export", {}).get("files", [])),
        with_whom=wait.with_whom if wait else "",
        since=wait.since if wait else None,
        due=wait.due if wait else None,
        left_out=left_out_of(record),
        passing=stopped or record.failed_in_passing,
    )


def _gathered(batch: BatchRecord, fate: Fate) -> Fate:
    """Return the fate of a shot, changed to waiting if its late approval is gathered for a later delivery."""
    if fate.shot not in batch.gathered or fate.state not in TO_DELIVER:
        return fate
    due = batch.gathered[fate.shot]
    if late.is_overdue(due, at=now()):
        why = f"approved, but not delivered at {due:%Y-%m-%d %H:%M} UTC; deliver it now: packshot batch close"
        return fate.model_copy(update={"why": why})
    said = {"kind": "waiting", "with_whom": late.NEXT_DELIVERY, "due": due, "why": late.in_words(due)}
    return fate.model_copy(update=said)


def _without_record(ref: ShotRef) -> str:
    try:
        find_record(ref.shot)
    except RecordDamagedError as error:
        return str(error)
    return "it has no record"


def _why(record: ShotRecord) -> str:
    """Return the reason for a shot's state. For a delivered shot it is the reason of its approval."""
    approved = [event.why for event in record.events if event.to_state is State.APPROVED]
    return approved[-1] if approved and record.state in DONE else record.events[-1].why


@task(name="sum up", task_run_name="sum up · {batch}", **ALWAYS)
def summarise(batch: BatchId) -> Summary:
    """Return what became of every photograph of a batch, and show it as a table in Prefect's UI.

    If no shot failed, the batch is marked as finished in its record. There is an exception: if the client had not
    closed the batch when its files were listed, more files may come, so the next night looks at the batch again. Each
    finding about the batch, and each distinct warning about its photographs, is logged once.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    summary = survey(batch)
    show_table(batch, summary.rows, summary.sentence)
    for finding in summary.findings:
        log().warning("%s: %s", finding.code, finding.message)
    for warned in summary.warnings:
        log().warning("%s", warned.sentence)
    if not summary.failed:
        change_batch(batch, _finished)
    return summary


def _finished(record: BatchRecord) -> BatchRecord:
    was_closed = READY in record.ignored
    return record.model_copy(update={"finished_at": record.finished_at or (now() if was_closed else None)})
