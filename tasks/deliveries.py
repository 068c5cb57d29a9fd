"""The hand-over: verified renditions are gathered under a number, certified, packed and reported."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from prefect import task
from prefect.runtime import flow_run
from pydantic import ValidationError

import packshot
from packshot.batch import BatchRecord, Delivery
from packshot.errors import NamingError, ObjectMissingError, VerificationError
from packshot.export.certificate import certificate_json
from packshot.export.delivery import DeliveredFile, DeliverySummary, Kind, ShotSummary, summarise_shot
from packshot.export.left_out import in_words
from packshot.export.names import require_different_names
from packshot.export.package import manifest_csv, write_package
from packshot.export.report_page import EvidencePicture, ShotPictures, report_html
from packshot.naming import (
    BatchId,
    ShotId,
    collisions,
    delivery_key,
    delivery_lease,
    delivery_summary_key,
    shot_key,
)
from packshot.record import DONE, ShotRecord, State
from packshot.types import Value
from tasks.leases import Holder, Patience, holding
from tasks.lives import ALWAYS, living, now
from tasks.pictures import thumbnail_name
from tasks.records import change_batch, load_batch, load_records
from tasks.shelf import content_type
from tasks.storage import ObjectInfo, open_storage

CERTIFICATE, MANIFEST, REPORT, PACKAGE = "certificate.json", "manifest.csv", "report.html", "package.zip"


class Handover(Value):
    """What a delivery came to.

    Attributes:
        failed: shots that could not be in it.
    """

    sentence: str
    failed: tuple[str, ...] = ()


@task(name="deliver", task_run_name="deliver · {batch}", **ALWAYS)
def deliver(batch: BatchId, *, only: list[str]) -> Handover:
    """Hand over the verified shots as one numbered delivery, and say in words what it holds.

    Deliveries that somebody began and did not finish are finished first, under their numbers. Another run that
    delivers this batch is waited for. What is delivered already stays out.

    Args:
        only: names of the shots that a new delivery may take.
    """
    with _turn(batch) as turn:
        finished = _finish_open(batch, turn)
        records = load_records([ref.shot for ref in load_batch(batch).shots])
        ready = [one for one in records if one.state is State.VERIFIED and one.shot.shot in only]
        clashing = _refuse_clashes(ready, [one for one in records if one.state in DONE])
        ready = [one for one in ready if one.shot.shot not in clashing]
        if not ready:
            return Handover(sentence=finished or "nothing new to deliver", failed=clashing)
        made = _carry_out(batch, _opened(batch, [one.shot.shot for one in ready]), turn)
        return Handover(sentence="; ".join(filter(None, (finished, made))), failed=clashing)


@task(name="finish open deliveries", task_run_name="finish open deliveries · {batch}", **ALWAYS)
def finish_open_deliveries(batch: BatchId) -> str:
    """Finish what somebody began to hand over, before anything is made anew; say in words what that was."""
    if not _open_ones(load_batch(batch)):
        return ""
    with _turn(batch) as turn:
        return _finish_open(batch, turn)


@contextmanager
def _turn(batch: BatchId) -> Iterator[Holder]:
    """Be the only one that delivers a batch; whoever is at it is waited for."""
    name = delivery_lease(batch)
    with holding(name, Patience.WAIT, above=load_batch(batch).fences.get(name, 0)) as holder:
        yield holder


def _open_ones(record: BatchRecord) -> list[Delivery]:
    return [one for one in record.deliveries if not one.certificate_sha256]


def _finish_open(batch: BatchId, turn: Holder) -> str:
    return "; ".join(filter(None, (_carry_out(batch, one, turn) for one in _open_ones(load_batch(batch)))))


def _carry_out(batch: BatchId, delivery: Delivery, turn: Holder) -> str:
    """Do all of a delivery, or what is left of it. Each step finds out whether it was done.

    What it says of itself is kept from its beginning, so that it comes to the same bytes whoever finishes it.
    """
    summary = _kept(batch, delivery)
    shots = [
        one for one in load_records([batch.shot(name) for name in delivery.shots]) if _fits(one, delivery, summary)
    ]
    if summary is None or len(shots) < len(delivery.shots):
        delivery = _narrowed(batch, delivery, shots)
        if not shots:
            return ""
        summary = _summary(batch, delivery)
        turn.require()
        open_storage().put(
            delivery_summary_key(batch, delivery.number),
            summary.model_dump_json(indent=1).encode(),
            content_type="application/json",
        )
    certificate = _hand_over(summary, turn)
    made = _finish(batch, delivery.number, shots, files=len(summary.files), certificate=certificate)
    return "; ".join(filter(None, (made, in_words(one for one in summary.left_out if one.shot in delivery.shots))))


def _kept(batch: BatchId, delivery: Delivery) -> DeliverySummary | None:
    """What was kept from the beginning of a delivery; None where nothing was, or another version did it."""
    try:
        data = open_storage().get(delivery_summary_key(batch, delivery.number))
        summary = DeliverySummary.model_validate_json(data)
    except (ObjectMissingError, ValidationError):
        return None
    return summary if summary.at == delivery.at else None


def _fits(record: ShotRecord, delivery: Delivery, summary: DeliverySummary | None) -> bool:
    """Whether a shot is still what a delivery took it for: not started again, exported anew, or in another one."""
    if record.state in DONE:
        why = next(event.why for event in reversed(record.events) if event.to_state is State.DELIVERED)
        return why == _reason(delivery.number)
    if (record.failed_from or record.state) is not State.VERIFIED:
        return False
    kept = next((one.files for one in summary.shots if one.shot == record.shot.shot), ()) if summary else None
    return kept is None or {(one.path, one.sha256) for one in kept} == _files(record)


def _reason(number: int) -> str:
    """What a shot's record says of the delivery it went out in."""
    return f"delivery {number}"


def _files(record: ShotRecord) -> set[tuple[str, str]]:
    """Path and SHA-256 of each of a shot's verified files."""
    return {(one["path"], one["sha256"]) for one in record.reports.get("export", {}).get("files", ()) if one["passed"]}


def _narrowed(batch: BatchId, delivery: Delivery, shots: Sequence[ShotRecord]) -> Delivery:
    """Keep in an open delivery only the shots that it can still hold; one that holds none gives its number back."""
    narrowed = delivery.model_copy(update={"shots": tuple(one.shot.shot for one in shots)})

    def narrow(record: BatchRecord) -> BatchRecord:
        kept = (narrowed if one.number == delivery.number else one for one in record.deliveries)
        return record.model_copy(update={"deliveries": tuple(one for one in kept if one.shots)})

    change_batch(batch, narrow)
    return narrowed


def _finish(batch: BatchId, number: int, shots: Sequence[ShotRecord], *, files: int, certificate: bytes) -> str:
    """Mark the shots of a delivery that has been handed over, close it, and say what it holds."""
    for one in shots:
        if one.state not in DONE:
            with living(one.shot) as life:
                life.reach(State.DELIVERED, why=_reason(number))
    _close(batch, number, files=files, certificate=certificate)
    return f"delivery {number}: {len(shots)} shots in {files} files"


def _refuse_clashes(ready: Sequence[ShotRecord], delivered: Sequence[ShotRecord]) -> tuple[str, ...]:
    """Fail the shots that want a name which another shot wants or has; the others can go on without them."""
    wanted = [(path, one.shot.shot) for one in (*ready, *delivered) for path in _paths(one)]
    clashes = collisions(wanted)
    names = {shot for shots in clashes.values() for shot in shots}
    for record in ready:
        if record.shot.shot in names:
            mine = [
                pair for pair in wanted if pair[0].lower() in clashes and record.shot.shot in clashes[pair[0].lower()]
            ]
            try:
                with living(record.shot):
                    require_different_names(mine)
            except NamingError:
                continue
    return tuple(sorted(names & {one.shot.shot for one in ready}))


def _paths(record: ShotRecord) -> list[str]:
    """Where a shot's verified files lie in a delivery."""
    return [file["path"] for file in record.reports.get("export", {}).get("files", ()) if file["passed"]]


def _opened(batch: BatchId, shots: list[str]) -> Delivery:
    """Open a delivery under the next number."""
    me = str(flow_run.id or "command line")

    def open_delivery(record: BatchRecord) -> BatchRecord:
        new = Delivery(number=record.next_delivery, at=now(), shots=tuple(shots), opened_by=me)
        return record.model_copy(update={"deliveries": (*record.deliveries, new)})

    return change_batch(batch, open_delivery).deliveries[-1]


def _close(batch: BatchId, number: int, *, files: int, certificate: bytes) -> None:
    done = {"files": files, "certificate_sha256": hashlib.sha256(certificate).hexdigest()}

    def close(record: BatchRecord) -> BatchRecord:
        closed = (one.model_copy(update=done) if one.number == number else one for one in record.deliveries)
        return record.model_copy(update={"deliveries": tuple(closed)})

    change_batch(batch, close)


def _summary(batch: BatchId, delivery: Delivery) -> DeliverySummary:
    """What a delivery says of itself, written as it will be when it is handed over."""
    record = load_batch(batch)
    paths = {ref.shot.shot: ref.path for ref in record.shots}
    return DeliverySummary(
        batch=batch,
        number=delivery.number,
        at=delivery.at,
        shots=tuple(
            summarise_shot(
                one,
                file=paths[one.shot.shot],
                kind="delivered" if one.shot.shot in delivery.shots else _kind(one),
                why=one.events[-1].why if one.events else "",
                in_this_delivery=one.shot.shot in delivery.shots,
            )
            for one in load_records([ref.shot for ref in record.shots])
        ),
        ignored=record.ignored,
        findings=record.findings,
        code_version=packshot.__version__,
        pipeline_version=packshot.PIPELINE_VERSION,
    )


def _kind(record: ShotRecord) -> Kind:
    if record.state in DONE:
        return "delivered"
    if record.state is State.REFUSED:
        return "refused"
    return "failed" if record.state is State.FAILED else "waiting"


def _hand_over(summary: DeliverySummary, turn: Holder) -> bytes:
    """Copy the renditions within storage, write the delivery's own files and the package; return the certificate."""
    storage, batch, number = open_storage(), summary.batch, summary.number
    for shot, file in summary.files:
        turn.require()
        copied = storage.copy(_rendition_key(summary, shot.shot, file.path), delivery_key(batch, number, file.path))
        _require_verified(copied, file)
    own = {CERTIFICATE: certificate_json(summary), MANIFEST: manifest_csv(summary), REPORT: _report(summary)}
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / PACKAGE
        with package.open("wb") as target:
            write_package(target, _entries(summary, own))
        turn.require()
        storage.put_file(delivery_key(batch, number, PACKAGE), package, content_type=content_type(PACKAGE))
    for name, data in own.items():
        turn.require()
        storage.put(delivery_key(batch, number, name), data, content_type=content_type(name))
    return own[CERTIFICATE]


def _require_verified(copied: ObjectInfo, file: DeliveredFile) -> None:
    if copied.sha256 != file.sha256:
        raise VerificationError(
            "the file to be delivered is not the one that was verified",
            copied.key,
            found=f"SHA-256 {copied.sha256[:8] or 'unknown'}",
            allowed=file.sha256[:8],
            next_step="Run the batch again: the shot is exported anew.",
        )


def _entries(summary: DeliverySummary, own: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The package's content, one file in memory at a time."""
    yield from own.items()
    for shot, file in summary.files:
        yield file.path, open_storage().get(_rendition_key(summary, shot.shot, file.path))


def _rendition_key(summary: DeliverySummary, shot: str, path: str) -> str:
    return shot_key(summary.batch.shot(shot), f"renditions/{path}")


def _report(summary: DeliverySummary) -> bytes:
    """The page for the client, with the pictures of every shot that is not delivered already."""
    return report_html(summary, pictures=partial(_pictures, summary))


def _pictures(summary: DeliverySummary, shot: ShotSummary) -> ShotPictures:
    """What there is to see of a shot: before and after, the worst places, its renditions in small."""
    which = summary.batch.shot(shot.shot)
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


def _picture(shot: ShotId, name: str) -> bytes:
    """One of a shot's pictures; empty if there is none."""
    try:
        return open_storage().get(shot_key(shot, name))
    except ObjectMissingError:
        return b""
