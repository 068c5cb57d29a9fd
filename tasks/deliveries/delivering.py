"""Deliver verified renditions: open a numbered delivery, copy the files, write its certificate, report and package."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from prefect import task
from prefect.runtime import flow_run
from pydantic import ValidationError

import packshot
from packshot.batch import BatchRecord, Delivery
from packshot.blind import as_listed
from packshot.errors import NamingError, ObjectMissingError, VerificationError
from packshot.export.certificate import certificate_json
from packshot.export.delivery import DeliveredFile, DeliverySummary, Kind, ShotSummary, summarise_shot
from packshot.export.left_out import in_words
from packshot.export.names import require_own_names
from packshot.export.package import manifest_csv, manifest_xlsx, write_package
from packshot.export.report_page import EvidencePicture, ShotPictures, report_html
from packshot.export.sets import THE_REST
from packshot.figures import counted
from packshot.handoff.rejecting import rejected_in
from packshot.keys import delivery_key, delivery_lease, delivery_prefix, delivery_summary_key, shot_key
from packshot.name_templates import collisions
from packshot.naming import BatchId
from packshot.record import DONE, ShotRecord, State, deliveries_of, delivery_reason
from packshot.types import Value
from tasks.batches.approved import is_approved
from tasks.batches.product_sets import held_for_sets, sets_to_deliver
from tasks.deliveries.letterhead import logo_of, title_of
from tasks.environment.disk import writing_to
from tasks.environment.style_guides import guide_of, taken_away
from tasks.records.bookkeeping import ALWAYS, Life, living, now
from tasks.records.stored import Held, change_batch, load_batch, load_held
from tasks.stages.stored_edits import thumbnail_name
from tasks.storage.bucket import ObjectInfo, open_storage
from tasks.storage.leases import Holder, Patience, holding
from tasks.storage.scratch import fetch_object
from tasks.storage.shot_objects import PLAN, content_type, fetch, plan_of
from tasks.telling.notices import tell

CERTIFICATE, REPORT, PACKAGE = "certificate.json", "report.html", "package.zip"
MANIFEST, WORKBOOK = "manifest.csv", "manifest.xlsx"


class DeliveryOutcome(Value):
    """What `deliver` has done for a batch.

    Attributes:
        sentence: summary for people, such as "delivery 2: 14 shots in 56 files", or "nothing new to deliver".
        failed: names of approved shots that were not delivered, because a file of theirs has the same name as a file of
            another approved or delivered shot of the batch. Case does not matter. These shots are now in the state
            `FAILED`.
    """

    sentence: str
    failed: tuple[str, ...] = ()


@task(name="deliver", task_run_name="deliver · {batch}", **ALWAYS)
def deliver(batch: BatchId, *, only: list[str]) -> DeliveryOutcome:
    """Deliver the verified shots of a batch as one numbered delivery; return what was delivered and what failed.

    First, deliveries that an earlier run opened but did not finish are finished under their own numbers. If another run
    is delivering this batch, this call waits for it. A shot that is already delivered is not delivered again. A shot
    that waits for the rest of its product is left out. A shot whose file name another shot has too gets the state
    `FAILED`. A shot that failed after its files were verified is tried again.

    Args:
        only: names of the exported shots that a new delivery may contain; with an empty list no new delivery is opened.
    Raises:
        LeaseHeldError: another run has been delivering this batch for an hour.
        BatchCancelledError: somebody has cancelled the batch.
        ConfigError: the client's style guide, which says what may go out alone, is wrong or was taken away.
        VerificationError: a stored rendition is not the file that was verified.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    with _turn(batch) as turn:
        finished = _finish_open(batch, turn)
        record = load_batch(batch)
        named = frozenset(only)
        there = [
            _revived(one) if one.record.failed_from is State.VERIFIED and one.record.shot.shot in named else one
            for one in load_held([ref.shot for ref in record.shots])
        ]
        records = [one.record for one in there]
        ready = [one for one in records if one.state is State.VERIFIED and one.shot.shot in named]
        clashing = _refuse_clashes(ready, [one for one in records if one.state in DONE])
        ready = [one for one in ready if one.shot.shot not in clashing]
        if ready:
            _require_its_style_guide(ready[0])
        held = _held(record, records, ready)
        ready = [one for one in ready if one.shot.shot not in held]
        made = ""
        if ready:
            opened = _opened(batch, [one.shot.shot for one in ready])
            made = _carry_out(batch, opened, turn, there=None if clashing else there)
        told = "; ".join(filter(None, (finished, made))) or "nothing new to deliver"
        waits = sum(is_approved(one) and one.shot.shot in held for one in records)
        said = f"; {waits} approved {'shot waits' if waits == 1 else 'shots wait'} for {THE_REST}" if waits else ""
        return DeliveryOutcome(sentence=told + said, failed=tuple(sorted(clashing)))


def _revived(held: Held) -> Held:
    """Return a failed shot's record as it is after it was put back into the state in which it failed, and stored."""
    life = Life(held.record.shot, known=held)
    life.revive()
    assert life.known is not None
    return life.known


def _require_its_style_guide(shot: ShotRecord) -> None:
    """Raise an error if nobody can know what the client wants of a delivery.

    Args:
        shot: the record of a shot that is to be delivered.
    Raises:
        ConfigError: the client's style guide is wrong, or the shot was made by one that is gone.
    """
    client = shot.shot.client
    if guide_of(client).name != client and PLAN in shot.objects and plan_of(shot).style_guide == client:
        raise taken_away(client)


def _held(record: BatchRecord, records: Sequence[ShotRecord], ready: Sequence[ShotRecord]) -> Mapping[str, str]:
    """Return the shots of products that would not be complete with what is ready, and why they wait."""
    there = {one.shot.shot for one in (*ready, *(one for one in records if one.state in DONE))}
    return held_for_sets(record, sets_to_deliver(record, records, ready=there))


@task(name="finish open deliveries", task_run_name="finish open deliveries · {batch}", **ALWAYS)
def finish_open_deliveries(batch: BatchId) -> str:
    """Finish the deliveries that an earlier run opened but did not finish; return a summary, empty if there was none.

    Call it before shots are exported or reprocessed: an open delivery needs its shots unchanged. If another run is
    delivering this batch, this call waits for it.

    Raises:
        LeaseHeldError: another run has been delivering this batch for an hour.
        BatchCancelledError: somebody has cancelled the batch.
        VerificationError: a stored rendition is not the file that was verified.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = load_batch(batch)
    record.require_not_cancelled()
    if not _open_ones(record):
        return ""
    with _turn(batch) as turn:
        return _finish_open(batch, turn)


@contextmanager
def _turn(batch: BatchId) -> Iterator[Holder]:
    """Hold the batch's delivery lease during the block. If another run holds it, wait."""
    name = delivery_lease(batch)
    with holding(name, Patience.WAIT, above=load_batch(batch).fences.get(name, 0)) as holder:
        yield holder


def _open_ones(record: BatchRecord) -> list[Delivery]:
    return [one for one in record.deliveries if not one.certificate_sha256]


def _finish_open(batch: BatchId, turn: Holder) -> str:
    return "; ".join(filter(None, (_carry_out(batch, one, turn) for one in _open_ones(load_batch(batch)))))


def _carry_out(batch: BatchId, delivery: Delivery, turn: Holder, *, there: Sequence[Held] | None = None) -> str:
    """Finish a delivery from the point that it has reached, and return a sentence about it.

    Every step is idempotent. The summary is stored at the start, so the delivery's files have the same bytes no matter
    which run finishes it. Shots that no longer fit the delivery are taken out of it first.

    Args:
        there: the records of all shots of the batch, if they were just read.
    """
    summary = _kept(batch, delivery)
    if there is None:
        there = load_held([ref.shot for ref in load_batch(batch).shots])
    held = {one.record.shot.shot: one for one in there}
    records = [one.record for one in held.values()]
    named = frozenset(delivery.shots)
    kept = {one.shot: one.files for one in summary.shots} if summary else None
    shots = [one for one in records if one.shot.shot in named and _fits(one, delivery, kept)]
    if len(shots) < len(delivery.shots):
        incomplete = _held(load_batch(batch), records, shots)
        shots = [one for one in shots if one.state in DONE or one.shot.shot not in incomplete]
    if summary is None or len(shots) < len(delivery.shots):
        delivery = _narrowed(batch, delivery, shots)
        if not shots:
            return ""
        summary = _summary(batch, delivery, records)
        turn.require()
        open_storage().put(
            delivery_summary_key(batch, delivery.number),
            summary.model_dump_json(indent=1).encode(),
            content_type="application/json",
        )
    certificate = _hand_over(summary, {name: one.record for name, one in held.items()}, turn)
    made = _finish(
        batch,
        delivery.number,
        [held[one.shot.shot] for one in shots],
        files=len(summary.files),
        certificate=certificate,
    )
    return "; ".join(filter(None, (made, in_words(one for one in summary.left_out if one.shot in named))))


def _kept(batch: BatchId, delivery: Delivery) -> DeliverySummary | None:
    """Return the stored summary of an open delivery; None if it is missing, unreadable or of another delivery."""
    try:
        data = open_storage().get(delivery_summary_key(batch, delivery.number))
        summary = DeliverySummary.model_validate_json(data)
    except (ObjectMissingError, ValidationError):
        return None
    return summary if summary.at == delivery.at else None


def _fits(record: ShotRecord, delivery: Delivery, kept: Mapping[str, Sequence[DeliveredFile]] | None) -> bool:
    """Return whether a shot can still go out in a delivery.

    It cannot if it was started again, was exported with other files, or went out in another delivery.

    Args:
        kept: the files of each shot, as the delivery's summary has them; None if it has no summary yet.
    """
    if record.state in DONE:
        return deliveries_of(record)[-1:] == (delivery.number,)
    if (record.failed_from or record.state) is not State.VERIFIED:
        return False
    return kept is None or {(one.path, one.sha256) for one in kept.get(record.shot.shot, ())} == _files(record)


def _files(record: ShotRecord) -> set[tuple[str, str]]:
    """Return path and SHA-256 of each verified file of a shot."""
    return {(one["path"], one["sha256"]) for one in record.reports.get("export", {}).get("files", ()) if one["passed"]}


def _narrowed(batch: BatchId, delivery: Delivery, shots: Sequence[ShotRecord]) -> Delivery:
    """Reduce an open delivery to some of its shots and return it. A delivery without shots is removed, so its number is
    free again.
    """
    narrowed = delivery.model_copy(update={"shots": tuple(one.shot.shot for one in shots)})

    def narrow(record: BatchRecord) -> BatchRecord:
        kept = (narrowed if one.number == delivery.number else one for one in record.deliveries)
        return record.model_copy(update={"deliveries": tuple(one for one in kept if one.shots)})

    change_batch(batch, narrow)
    return narrowed


def _finish(batch: BatchId, number: int, shots: Sequence[Held], *, files: int, certificate: bytes) -> str:
    """Mark the shots as delivered, close the delivery, and return a sentence about it."""
    for one in shots:
        if one.record.state not in DONE:
            with living(one.record.shot, known=one) as life:
                _tell_corrected(life.reach(State.DELIVERED, why=delivery_reason(number)), number)
    _close(batch, number, files=files, certificate=certificate)
    return f"delivery {number}: {counted(len(shots), 'shot')} in {counted(files, 'file')}"


def _tell_corrected(record: ShotRecord, number: int) -> None:
    """Say that a correction is out, if the client had sent the picture back."""
    told = [said for one in deliveries_of(record) if one < number and (said := rejected_in(record, one))]
    if told:
        words = f"Corrected in delivery {number}. The client had said: {told[-1].sentence}."
        tell(record, "client_answered", words, once=f"delivery-{number}")


def _refuse_clashes(ready: Sequence[ShotRecord], delivered: Sequence[ShotRecord]) -> frozenset[str]:
    """Fail the ready shots whose file names clash with those of another shot; return their names.

    The shots without a clash can then be delivered. Names are compared without regard to case.
    """
    shared: dict[str, dict[str, tuple[str, ...]]] = {}
    for path, shots in collisions(
        (path, one.shot.shot) for one in (*ready, *delivered) for path in _paths(one)
    ).items():
        for shot in shots:
            shared.setdefault(shot, {})[path] = shots
    refused = sorted(one.shot.shot for one in ready if one.shot.shot in shared)
    for name in refused:
        with suppress(NamingError), living(ready[0].shot.in_batch.shot(name)):
            require_own_names(name, shared[name])
    return frozenset(refused)


def _paths(record: ShotRecord) -> list[str]:
    """Return the paths of a shot's verified files, relative to the delivery's folder."""
    return [file["path"] for file in record.reports.get("export", {}).get("files", ()) if file["passed"]]


def _opened(batch: BatchId, shots: list[str]) -> Delivery:
    """Add a delivery with the next number to the batch's record, and return it."""
    me = str(flow_run.id or "command line")

    def open_delivery(record: BatchRecord) -> BatchRecord:
        new = Delivery(number=record.next_delivery, at=now(), shots=tuple(shots), opened_by=me)
        return record.model_copy(update={"deliveries": (*record.deliveries, new)})

    return change_batch(batch, open_delivery).deliveries[-1]


def _close(batch: BatchId, number: int, *, files: int, certificate: bytes) -> None:
    done = {"files": files, "certificate_sha256": hashlib.sha256(certificate).hexdigest()}

    def close(record: BatchRecord) -> BatchRecord:
        closed = tuple(one.model_copy(update=done) if one.number == number else one for one in record.deliveries)
        gone = {shot for one in closed if one.number == number for shot in one.shots}
        gathered = {shot: at for shot, at in record.gathered.items() if shot not in gone}
        return record.model_copy(update={"deliveries": closed, "gathered": gathered})

    change_batch(batch, close)


def _summary(batch: BatchId, delivery: Delivery, records: Sequence[ShotRecord]) -> DeliverySummary:
    """Return the summary of a delivery, as the certificate and the report show it."""
    record = load_batch(batch)
    named = frozenset(delivery.shots)
    there = {*named, *(one.shot.shot for one in records if one.state in DONE)}
    paths = {ref.shot.shot: ref.path for ref in record.shots}
    return DeliverySummary(
        batch=batch,
        number=delivery.number,
        at=delivery.at,
        shots=tuple(
            summarise_shot(
                one,
                file=paths[one.shot.shot],
                kind="delivered" if one.shot.shot in named else _kind(one),
                why=one.events[-1].why if one.events else "",
                in_this_delivery=one.shot.shot in named,
                number=delivery.number,
            )
            for one in map(as_listed, records)
        ),
        ignored=record.ignored,
        findings=record.findings,
        products=sets_to_deliver(record, records, ready=there),
        title=title_of(batch.client),
        logo=logo_of(batch.client),
        code_version=packshot.__version__,
        pipeline_version=packshot.PIPELINE_VERSION,
    )


def _kind(record: ShotRecord) -> Kind:
    if record.state in DONE:
        return "delivered"
    if record.state is State.REFUSED:
        return "refused"
    return "failed" if record.state is State.FAILED else "waiting"


def _hand_over(summary: DeliverySummary, records: Mapping[str, ShotRecord], turn: Holder) -> bytes:
    """Write all files of a delivery to storage, and return the certificate.

    Renditions are copied inside the storage. The package, manifest, report and certificate are written after them.
    """
    storage, batch, number = open_storage(), summary.batch, summary.number
    there = {one.key for one in storage.list(delivery_prefix(batch, number))}
    for shot, file in summary.files:
        turn.require()
        to = delivery_key(batch, number, file.path)
        rendition = _rendition_key(summary, shot.shot, file.path)
        copied = storage.copy_verified(rendition, to, sha256=file.sha256, is_new=to not in there)
        _require_verified(copied, file)
    own = {
        CERTIFICATE: certificate_json(summary),
        MANIFEST: manifest_csv(summary),
        WORKBOOK: manifest_xlsx(summary),
        REPORT: _report(summary, records),
    }
    with _folder_for(PACKAGE) as folder:
        package = folder / PACKAGE
        with writing_to(folder, PACKAGE), package.open("wb") as target:
            write_package(target, _entries(summary, own))
        turn.require()
        storage.put_file(delivery_key(batch, number, PACKAGE), package, content_type=content_type(PACKAGE))
    for name, data in own.items():
        turn.require()
        storage.put(delivery_key(batch, number, name), data, content_type=content_type(name))
    return own[CERTIFICATE]


@contextmanager
def _folder_for(what: str) -> Iterator[Path]:
    """Yield a temporary folder, which is removed at the end."""
    with writing_to(Path(tempfile.gettempdir()), what):
        folder = tempfile.TemporaryDirectory(prefix="packshot-")
    with folder as path:
        yield Path(path)


def _require_verified(copied: ObjectInfo, file: DeliveredFile) -> None:
    if copied.sha256 != file.sha256:
        raise VerificationError(
            "the file to be delivered is not the one that was verified",
            copied.key,
            found=f"SHA-256 {copied.sha256[:8] or 'unknown'}",
            allowed=file.sha256[:8],
            next_step="Run the batch again, so that the shot is exported again.",
        )


def _entries(summary: DeliverySummary, own: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the package's files as (path, bytes), so that only one file is in memory at a time."""
    yield from own.items()
    for shot, file in summary.files:
        yield file.path, fetch_object(_rendition_key(summary, shot.shot, file.path), sha256=file.sha256)


def _rendition_key(summary: DeliverySummary, shot: str, path: str) -> str:
    return shot_key(summary.batch.shot(shot), f"renditions/{path}")


def _report(summary: DeliverySummary, records: Mapping[str, ShotRecord]) -> bytes:
    """Return the client's HTML page. Shots from earlier deliveries are shown without pictures."""
    return report_html(summary, pictures=partial(_pictures, summary, records))


def _pictures(summary: DeliverySummary, records: Mapping[str, ShotRecord], shot: ShotSummary) -> ShotPictures:
    """Return a shot's pictures for the report: before and after, evidence of findings, thumbnails of the renditions."""
    which = records[shot.shot]
    if shot.kind == "delivered" and not shot.files:
        return ShotPictures()
    evidence = [
        EvidencePicture(code=one["code"], message=one["message"], picture=picture)
        for number, one in enumerate(shot.evidence, start=1)
        if (picture := _picture(which, f"evidence/{number}-{one['code']}.webp"))
    ]
    return ShotPictures(
        preview=_picture(which, "preview.webp"),
        evidence=tuple(evidence),
        renditions={file.path: _picture(which, thumbnail_name(file.path)) for file in shot.files},
    )


def _picture(record: ShotRecord, name: str) -> bytes:
    """Return one of a shot's pictures; empty bytes if there is none."""
    try:
        return fetch(record, name) if name in record.objects else open_storage().get(shot_key(record.shot, name))
    except ObjectMissingError:
        return b""
