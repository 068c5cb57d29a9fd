"""The hand-over: verified renditions are gathered under a number, certified, packed and reported."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from prefect import task
from prefect.runtime import flow_run

import packshot
from packshot.batch import BatchRecord, Delivery
from packshot.errors import NamingError, ObjectMissingError
from packshot.export.certificate import certificate_json
from packshot.export.delivery import DeliverySummary, Kind, ShotSummary, summarise_shot
from packshot.export.names import require_different_names
from packshot.export.package import manifest_csv, write_package
from packshot.export.report_page import EvidencePicture, ShotPictures, report_html
from packshot.naming import BatchId, ShotId, collisions, delivery_key, shot_key
from packshot.record import DONE, ShotRecord, State
from packshot.types import Value
from tasks.lives import ALWAYS, living, now
from tasks.pictures import thumbnail_name
from tasks.records import change_batch, load_batch, load_records
from tasks.shelf import content_type
from tasks.storage import open_storage

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

    Run again after a failure it goes on with the same number and the same content. What is delivered already stays
    out of it.

    Args:
        only: names of the shots it may take.
    """
    finished = _finish_interrupted(batch)
    record = load_batch(batch)
    records = load_records([ref.shot for ref in record.shots])
    ready = [one for one in records if one.state is State.VERIFIED and one.shot.shot in only]
    clashing = _refuse_clashes(ready, [one for one in records if one.state in DONE])
    ready = [one for one in ready if one.shot.shot not in clashing]
    if not ready:
        return Handover(sentence=finished or "nothing new to deliver", failed=clashing)
    number = _opened(batch, [one.shot.shot for one in ready])
    summary = _summary(record, records, number, {one.shot.shot for one in ready})
    certificate = _hand_over(summary)
    made = _finish(batch, number, ready, files=len(summary.files), certificate=certificate)
    return Handover(sentence="; ".join(filter(None, (finished, made))), failed=clashing)


def _finish(batch: BatchId, number: int, shots: Sequence[ShotRecord], *, files: int, certificate: bytes) -> str:
    """Mark the shots of a delivery that has been handed over, close it, and say what it holds."""
    for one in shots:
        if one.state is State.VERIFIED:
            with living(one.shot) as life:
                life.reach(State.DELIVERED, why=f"delivery {number}")
    _close(batch, number, shots=[one.shot.shot for one in shots], files=files, certificate=certificate)
    return f"delivery {number}: {len(shots)} shots in {files} files"


def _finish_interrupted(batch: BatchId) -> str:
    """Finish what this run had handed over before it was interrupted, if anything; made anew it would be another.

    Shots are marked once everything has been handed over: one that is marked proves that it has.
    """
    begun = _unfinished(load_batch(batch), _me())
    shots = load_records([batch.shot(name) for name in begun.shots]) if begun else []
    if begun is None or not any(one.state in DONE for one in shots):
        return ""
    certificate = open_storage().get(delivery_key(batch, begun.number, CERTIFICATE))
    return _finish(batch, begun.number, shots, files=sum(len(_paths(one)) for one in shots), certificate=certificate)


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


def _opened(batch: BatchId, shots: list[str]) -> int:
    """Take the next number, or the one that this flow run took before it was interrupted."""
    me = _me()

    def open_delivery(record: BatchRecord) -> BatchRecord:
        if _unfinished(record, me):
            return record
        new = Delivery(number=record.next_delivery, at=now(), shots=tuple(shots), opened_by=me)
        return record.model_copy(update={"deliveries": (*record.deliveries, new)})

    opened = _unfinished(change_batch(batch, open_delivery), me)
    assert opened is not None, "it was opened just now"
    return opened.number


def _me() -> str:
    return str(flow_run.id or "command line")


def _unfinished(record: BatchRecord, me: str) -> Delivery | None:
    return next((one for one in record.deliveries if one.opened_by == me and not one.certificate_sha256), None)


def _close(batch: BatchId, number: int, *, shots: Sequence[str], files: int, certificate: bytes) -> None:
    done = {"shots": tuple(shots), "files": files, "certificate_sha256": hashlib.sha256(certificate).hexdigest()}

    def close(record: BatchRecord) -> BatchRecord:
        closed = (one.model_copy(update=done) if one.number == number else one for one in record.deliveries)
        return record.model_copy(update={"deliveries": tuple(closed)})

    change_batch(batch, close)


def _summary(
    record: BatchRecord, records: Sequence[ShotRecord], number: int, now_delivered: set[str]
) -> DeliverySummary:
    """What the delivery says of itself, written as it will be when it is handed over."""
    paths = {ref.shot.shot: ref.path for ref in record.shots}
    return DeliverySummary(
        batch=record.batch,
        number=number,
        at=next(one.at for one in (*load_batch(record.batch).deliveries,) if one.number == number),
        shots=tuple(
            summarise_shot(
                one,
                file=paths[one.shot.shot],
                kind="delivered" if one.shot.shot in now_delivered else _kind(one),
                why=one.events[-1].why if one.events else "",
                in_this_delivery=one.shot.shot in now_delivered,
            )
            for one in records
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


def _hand_over(summary: DeliverySummary) -> bytes:
    """Copy the renditions within storage, write the delivery's own files and the package; return the certificate."""
    storage, batch, number = open_storage(), summary.batch, summary.number
    for shot, file in summary.files:
        storage.copy(_rendition_key(summary, shot.shot, file.path), delivery_key(batch, number, file.path))
    own = {CERTIFICATE: certificate_json(summary), MANIFEST: manifest_csv(summary), REPORT: _report(summary)}
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / PACKAGE
        with package.open("wb") as target:
            write_package(target, _entries(summary, own))
        storage.put_file(delivery_key(batch, number, PACKAGE), package, content_type=content_type(PACKAGE))
    for name, data in own.items():
        storage.put(delivery_key(batch, number, name), data, content_type=content_type(name))
    return own[CERTIFICATE]


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
