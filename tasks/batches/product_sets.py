"""Find which views the products of a batch must have, and which of them are missing.

A client's style guide may ask for certain views of each product, such as ``MAIN`` and ``BACK``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from prefect import task

from packshot.batch import BatchRecord, ShotRef
from packshot.errors import ConfigError
from packshot.export.sets import ProductSet, held_back, product_sets, set_shot
from packshot.ingest.facts import gather_facts
from packshot.ingest.metadata import Metadata
from packshot.naming import BatchId
from packshot.record import ShotRecord
from packshot.specs.models import Client
from tasks.environment.style_guides import guide_of
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import change_batch


def sets_of(
    batch: BatchRecord, records: Iterable[ShotRecord], *, ready: Collection[str] | None = None
) -> tuple[ProductSet, ...]:
    """Return the products of a batch that must have certain views, each with the views that it lacks, if any.

    Empty if the client's style guide asks for no views, or can't be read.

    Args:
        batch: the batch's record.
        records: the records of all shots of the batch.
        ready: names of the shots that count as present; None means those that are approved or delivered.
    """
    guide = _guide(batch.batch.client)
    if guide is None or not (guide.sets.views or guide.sets.by_category):
        return ()
    refs = {ref.shot.shot: ref for ref in batch.shots}
    named = [_with_facts(one, refs.get(one.shot.shot), guide) for one in records]
    return product_sets(
        (set_shot(one, ready=None if ready is None else one.shot.shot in ready) for one in named), guide.sets
    )


def held_for_sets(batch: BatchRecord, sets: Iterable[ProductSet]) -> Mapping[str, str]:
    """Return all shots of incomplete products: shot -> the reason, in words, why an approved one is not delivered yet.

    Shots of these products that are not approved are in it too; the caller picks the approved ones.

    Empty if the client also takes incomplete products, if somebody has closed the batch, or if the client's style guide
    can't be read.

    Args:
        batch: the batch's record.
        sets: the products of the batch, from `sets_of`.
    """
    guide = _guide(batch.batch.client)
    together = guide is not None and guide.sets.together and batch.closed_at is None
    return held_back(sets) if together else {}


def note_closed(batch: BatchId) -> None:
    """Note in a batch's record that its shots no longer wait for the rest of their product. Nothing is returned.

    The record keeps the time of the first such note.

    Raises:
        ObjectMissingError: the batch has no record.
    """
    change_batch(batch, lambda one: one.model_copy(update={"closed_at": one.closed_at or now()}))


@task(name="close", task_run_name="close · {batch}", **ALWAYS)
def close(batch: BatchId) -> None:
    """Close a batch: its shots no longer wait for the rest of their product, now and later. It is a task of Prefect.

    Raises:
        ObjectMissingError: the batch has no record.
    """
    note_closed(batch)


def _guide(client: str) -> Client | None:
    try:
        return guide_of(client)
    except ConfigError:
        return None  # its shots are not processed; what was there before is shown without sets


def _with_facts(record: ShotRecord, ref: ShotRef | None, guide: Client) -> ShotRecord:
    """Return a record with what its file's name and the manifest say, where the photograph itself was never read."""
    if record.facts or ref is None:
        return record
    facts = gather_facts(ref.path, manifest_row=ref.row, client=guide, metadata=Metadata())
    return record.model_copy(update={"facts": facts})
