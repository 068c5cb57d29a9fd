"""Drawn photographs on the line: submitted, mastered, routed, edited with a drawn network, approved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from packshot import pipeline
from packshot.batch import BatchRecord
from packshot.ingest.master import read_master
from packshot.keys import batch_record_key, record_key, shots_prefix
from packshot.naming import BatchId, ShotId
from packshot.pipeline import Edit
from packshot.record import EDIT, ShotRecord, State, found_in
from packshot.specs.models import Plan
from packshot.types import Verdict
from tasks.batches.stock import take_stock
from tasks.index.keeping import note
from tasks.records.bookkeeping import Life, now
from tasks.records.stored import create_batch, load_batch, load_record
from tasks.results.handovers import ApprovedShot, BatchStock, RoutedShot
from tasks.stages import stored_edits
from tasks.stages.first_edit import AFTER_VERDICT
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot, route_shot
from tasks.storage import shot_objects
from tasks.storage.bucket import open_storage
from tasks.storage.inbox import open_inbox
from tests import drawn_products
from tests.drawn_products import ContrastNetwork

photograph = cache(drawn_products.photograph)
HEAD = "file,sku,asin,category,view,platforms"


def submitted(batch: BatchId, files: Mapping[str, bytes], *, rows: str = "") -> BatchStock:
    """A batch that its client has closed and a run has claimed and counted."""
    inbox = open_inbox()
    manifest = {"manifest.csv": f"{HEAD}\n{rows}".encode()} if rows else {}
    for path, data in {**files, **manifest}.items():
        inbox.upload(batch, path, data, content_type="application/octet-stream")
    inbox.close(batch)
    create_batch(BatchRecord(batch=batch, received_at=now()))
    return take_stock.fn(batch)


def routed(
    batch: BatchId,
    products: Mapping[str, float],
    *,
    platforms: str = "shopify",
    category: str = "boxes",
    others: Mapping[str, bytes] | None = None,
) -> list[RoutedShot]:
    """A batch of drawn photographs after stage 2.

    Args:
        products: name of the shot -> radius of its product, as a share of the photograph.
        others: files that were uploaded too, and are not accepted.
    """
    rows = [f'{name}.jpg,{name},B0PACK{n:04},{category},MAIN,"{platforms}"\n' for n, name in enumerate(products)]
    files = {f"{name}.jpg": photograph(radius_ratio=ratio) for name, ratio in products.items()}
    stock = submitted(batch, {**files, **(others or {})}, rows="".join(rows))
    mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    groups = group_shots.fn(batch, mastered)
    return [route_shot.fn(one, group=groups[one.name]) for one in mastered if not one.refused]


@cache
def _edit_of(master_tif: bytes, plan_json: bytes) -> Edit:
    plan = Plan.model_validate_json(plan_json)
    return pipeline.edit(read_master(master_tif), ContrastNetwork(), plan)


def edited(shot: ShotId, *, verdict: Verdict | None = None) -> None:
    """Write a shot's edit as stage 3A does, by a network that is quick to draw.

    Args:
        verdict: one that the line shall come to, whatever the score.
    """
    record = load_record(shot)
    edit = _edit_of(shot_objects.fetch(record, "master.tif"), shot_objects.fetch(record, "plan.json"))
    pixels = read_master(shot_objects.fetch(record, "master.tif"))
    files = stored_edits.edit_files(pixels, edit, stored_edits.metadata_of(record))
    objects = shot_objects.keep(shot, files)
    Life(shot).reach(
        State.EDITING_AUTO,
        *AFTER_VERDICT[verdict or edit.verdict],
        why=stored_edits.verdict_sentence(edit),
        findings=found_in(objects[EDIT], edit.findings),
        reports={"edit": stored_edits.edit_report(edit, ContrastNetwork())},
        objects=objects,
    )


def approved(
    batch: BatchId,
    products: Mapping[str, float],
    *,
    platforms: str = "shopify",
    others: Mapping[str, bytes] | None = None,
) -> list[ApprovedShot]:
    """A batch of drawn photographs that the line has approved."""
    shots = routed(batch, products, platforms=platforms, others=others)
    for one in shots:
        edited(one.shot, verdict=Verdict.AUTO_APPROVE)
    return [ApprovedShot.of(load_record(one.shot), generation=0) for one in shots]


def twin(template: BatchId, batch: BatchId) -> list[ShotId]:
    """Copy a batch of the same client under another name, within storage, and return its shots.

    The records say the new name, and so does the index, as after each write of the line's. Plans and pictures are the
    same bytes. The inbox stays empty.
    """
    storage = open_storage()
    shots = [ref.shot.shot for ref in load_batch(template).shots]
    renamed = {batch_record_key(template), *(record_key(template.shot(name)) for name in shots)}
    for info in storage.list(shots_prefix(template).removesuffix("shots/")):
        target = info.key.replace(template.batch, batch.batch)
        if info.key in renamed:
            said = storage.get(info.key).replace(template.batch.encode(), batch.batch.encode())
            stored = storage.put(target, said, content_type="application/json")
            kind = BatchRecord if info.key == batch_record_key(template) else ShotRecord
            note(kind.model_validate_json(said), stored.etag, bucket=storage.bucket)
        else:
            source = {"Bucket": storage.bucket, "Key": info.key}
            storage._client.copy_object(Bucket=storage.bucket, Key=target, CopySource=source)
    return [batch.shot(name) for name in shots]
