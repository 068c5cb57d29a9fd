"""Find the shots of a batch that people or the machine approved and that are not yet delivered."""

from __future__ import annotations

from prefect import task

from packshot.naming import BatchId
from packshot.record import ShotRecord, State
from tasks.batches.product_sets import held_for_sets, sets_of
from tasks.records.bookkeeping import ALWAYS
from tasks.records.stored import load_batch, load_records
from tasks.results.handovers import ApprovedShot

TO_DELIVER = (State.APPROVED, State.EXPORTED, State.VERIFIED)
"""States of a shot that is approved and not yet delivered."""


@task(name="find approved shots", task_run_name="find approved shots · {batch}", **ALWAYS)
def approved_shots(batch: BatchId, *, only: list[str]) -> list[ApprovedShot]:
    """Return the shots of a batch that are approved and not yet delivered, as stage 4 (the export) takes them.

    They come in the order of the batch's record, which is by name. A shot is left out if it waits for the other views
    of its product, or if its record can't be read.

    Args:
        only: names of the shots to consider; empty means all of the batch. A name that the batch lacks is ignored.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = load_batch(batch)
    refs = {ref.shot.shot: ref for ref in record.shots}
    records = load_records([ref.shot for ref in record.shots])
    held = held_for_sets(record, sets_of(record, records))
    named = frozenset(only)
    wanted = [one for one in records if (not named or one.shot.shot in named) and one.shot.shot not in held]
    return [ApprovedShot.of(one, generation=refs[one.shot.shot].generation) for one in wanted if is_approved(one)]


def is_approved(record: ShotRecord) -> bool:
    """Return True if a shot is approved and not yet delivered, also if its export has failed."""
    return (record.failed_from or record.state) in TO_DELIVER
