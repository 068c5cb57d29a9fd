"""Find which views the products of a batch must have, and which of them are missing.

A client's style guide may ask for certain views of each product, such as ``MAIN`` and ``BACK``. Views may come in
several batches; the index (database tables of all shots and batches) says which other batches of the client have
photographs of a product.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from prefect import task

from packshot.batch import BatchRecord, ShotRef
from packshot.errors import ConfigError, RecordDamagedError
from packshot.export.sets import READY, ProductSet, SetShot, held_back, product_sets, set_shot
from packshot.ingest.facts import gather_facts
from packshot.ingest.metadata import Metadata
from packshot.naming import BatchId
from packshot.record import DONE, ShotRecord
from packshot.specs.models import Client
from tasks.environment.style_guides import guide_of
from tasks.queries.asking import records_of_products
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import change_batch, find_batch, load_records


def sets_of(
    batch: BatchRecord, records: Iterable[ShotRecord], *, ready: Collection[str] | None = None
) -> tuple[ProductSet, ...]:
    """Return the products of a batch that must have certain views, each with the views that it lacks, if any.

    Views of other batches of the client count once they are approved. The index (a database table of all shots, filled
    from their records) says where they are, so the answer may be some seconds old. Before a delivery use
    `sets_to_deliver`. The result is empty if the client's style guide asks for no views, or can't be read.

    Args:
        batch: the batch's record.
        records: the records of all shots of the batch.
        ready: names of the shots that count as present; None means those that are approved or delivered.
    """
    return _sets(batch, records, ready, _as_indexed)


def sets_to_deliver(
    batch: BatchRecord, records: Iterable[ShotRecord], *, ready: Collection[str]
) -> tuple[ProductSet, ...]:
    """Return the products of a batch that must have certain views, each with the views that it lacks, for a delivery.

    Views of other batches of the client count once they are approved. Unlike in `sets_of`, the records of these batches
    decide that, not only the index, a database table of all shots that may be some seconds old. For each view that
    another batch has, one record is read from storage, rarely more. The result is empty if the client's style guide
    asks for no views, or can't be read.

    Args:
        batch: the batch's record.
        records: the records of all shots of the batch.
        ready: names of the batch's shots that count as present.
    """
    return _sets(batch, records, ready, _as_stored)


_Shots: TypeAlias = Sequence[ShotRecord]


def _sets(
    batch: BatchRecord,
    records: Iterable[ShotRecord],
    ready: Collection[str] | None,
    as_known: Callable[[_Shots], _Shots],
) -> tuple[ProductSet, ...]:
    """Return the products of a batch. The index is asked only about those for which the batch alone does not do."""
    guide = _guide(batch.batch.client)
    if guide is None or not (guide.sets.views or guide.sets.by_category):
        return ()
    refs = {ref.shot.shot: ref for ref in batch.shots}
    named = [_with_facts(one, refs.get(one.shot.shot), guide) for one in records]
    own = [set_shot(one, ready=None if ready is None else one.shot.shot in ready) for one in named]
    alone = product_sets(own, guide.sets)
    lacking = {one.product.casefold(): frozenset(one.lacks) for one in alone if not one.complete}
    if not lacking:
        return alone
    found = [
        one
        for one in records_of_products(batch.batch.client, lacking)
        if one.shot.in_batch != batch.batch and _counts_for(one, lacking)
    ]
    return product_sets(own, guide.sets, elsewhere=_elsewhere(as_known(found)))


def _counts_for(record: ShotRecord, lacking: Mapping[str, frozenset[str]]) -> bool:
    product, view = _shows(record)
    return view in lacking.get(product, ())


def _elsewhere(records: _Shots) -> Iterator[SetShot]:
    """Yield shots of other batches. An approved one of a cancelled batch does not count: it never goes out."""
    waiting = {one.shot.in_batch for one in records if one.state in READY and one.state not in DONE}
    cancelled = {batch for batch in sorted(waiting, key=str) if _is_cancelled(batch)}
    for one in records:
        counts = one.state in READY and (one.state in DONE or one.shot.in_batch not in cancelled)
        yield set_shot(one, ready=counts, elsewhere=True)


def _is_cancelled(batch: BatchId) -> bool:
    try:
        known = find_batch(batch)
    except RecordDamagedError:
        return True  # nothing of it goes out either
    return known is None or known.cancelled is not None


def _as_indexed(records: _Shots) -> _Shots:
    return records


def _as_stored(records: _Shots) -> _Shots:
    """Return records as storage has them, where they decide whether a view is there; the others as the index has them.

    If several shots show a view, one is read; the next one only if the first is no longer ready.
    """
    views: dict[tuple[str, str], list[ShotRecord]] = {}
    for one in sorted(records, key=lambda one: one.state not in DONE):
        if one.state in READY:
            views.setdefault(_shows(one), []).append(one)
    read = [one for one in records if one.state not in READY]
    while views:
        now_read = load_records([some.pop(0).shot for some in views.values()])
        read += now_read
        there = {_shows(one) for one in now_read if one.state in READY}
        views = {view: some for view, some in views.items() if some and view not in there}
    return read


def _shows(record: ShotRecord) -> tuple[str, str]:
    """Return the product and the view that a shot shows."""
    shot = set_shot(record)
    return shot.product.casefold(), shot.view


def held_for_sets(batch: BatchRecord, sets: Iterable[ProductSet]) -> Mapping[str, str]:
    """Return all shots of incomplete products: shot -> the reason, in words, why it can't be delivered yet.

    The result also has the shots of these products that are not approved yet. Their reason names only the missing
    views.

    The result is empty if the client also takes incomplete products, if somebody has closed the batch, or if the
    client's style guide can't be read.

    Args:
        batch: the batch's record.
        sets: the products of the batch, from `sets_of`.
    """
    return held_back(sets) if _together(batch) else {}


def waits_for_others(batch: BatchRecord, sets: Iterable[ProductSet]) -> Mapping[str, str]:
    """Return the shots that wait because another batch with views of their product must be delivered first.

    The result is name of the shot -> the reason, one clause. All views of their products are approved. As soon as the
    other batch is delivered, a delivery of these shots is planned. The result is empty if no shot waits for another
    batch, or if the client's style guide does not ask that all shots of a product are delivered together.

    Args:
        batch: the batch's record.
        sets: the products of the batch, from `sets_of`.
    """
    if not _together(batch):
        return {}
    return {
        shot: f"goes out after batch {one.elsewhere[one.to_come[0]]}, which completes its product"
        for one in sets
        if one.complete and one.to_come
        for shot in one.shots
    }


def takes_complete_sets(client: str) -> bool:
    """Return True if a client's style guide asks that all shots of a product are delivered together, not one by one.

    False also if the style guide can't be read.

    Args:
        client: the client's short name, for example ``acme``.
    """
    guide = _guide(client)
    return guide is not None and guide.sets.together


def _together(batch: BatchRecord) -> bool:
    """Return whether the shots of a product of this batch still wait for each other."""
    return batch.closed_at is None and takes_complete_sets(batch.batch.client)


def note_closed(batch: BatchId) -> None:
    """Note in a batch's record that its shots no longer wait for the rest of their product. Nothing is returned.

    The record keeps the time of the first such note.

    Raises:
        ObjectMissingError: the batch has no record.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    change_batch(batch, lambda one: one.model_copy(update={"closed_at": one.closed_at or now()}))


@task(name="close", task_run_name="close · {batch}", **ALWAYS)
def close(batch: BatchId) -> None:
    """Deliver a batch's shots without the rest of their products from now on. It is a task of Prefect.

    That ends the waiting for missing views; it has nothing to do with the file ``READY``, which ends the upload. Shots
    of the batch that are approved later do not wait either. A second call changes nothing.

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
