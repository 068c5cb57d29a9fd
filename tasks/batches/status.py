"""Report the status of a batch at any time: before it is processed, while a run works on it, and afterwards."""

from __future__ import annotations

from packshot.errors import ObjectMissingError
from packshot.keys import inbox_key, inbox_prefix
from packshot.naming import READY, BatchId
from packshot.record import State
from tasks.batches.claiming import is_worked_on
from tasks.batches.fates import AT_WORK, Fate, Summary
from tasks.batches.summing_up import survey
from tasks.queries.asking import batch_records
from tasks.records.stored import find_batch
from tasks.storage.bucket import open_storage


def standing_of(batch: BatchId) -> Summary:
    """Return what has become of every photograph of a batch so far.

    The answer comes from the index, a database table of all shots that is filled from their records, so it may be some
    seconds old. While a run is at work, unfinished shots have the kind ``at work`` and don't count as failed. For a
    batch that no run has begun, the result has no photographs; `Summary.stands` says whether the client has closed it.

    Raises:
        ObjectMissingError: nobody has uploaded such a batch.
        RecordDamagedError: the batch's record can't be read.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    record = find_batch(batch)
    if record is None:
        return Summary(batch=batch, fates=(), stands=_not_begun(batch))
    summary = survey(batch, briefs=batch_records(batch))
    if record.cancelled is not None:
        return summary.model_copy(update={"stands": record.cancelled.sentence})
    if not is_worked_on(batch):
        return summary
    fates = tuple(_under_way(fate) for fate in summary.fates)
    return summary.model_copy(update={"fates": fates, "stands": "A run is at work on it now"})


def _not_begun(batch: BatchId) -> str:
    storage = open_storage()
    if storage.exists(inbox_key(batch, READY)):
        return "Submitted, not started: the next night will process it, or start process-batch now"
    if next(iter(storage.list(inbox_prefix(batch))), None) is not None:
        return f"Being uploaded, not closed: no night processes it before its folder has the file {READY}"
    raise ObjectMissingError(
        "this batch was never uploaded",
        str(batch),
        next_step="Check the names of client and batch, or upload it: packshot batch submit.",
    )


def _under_way(fate: Fate) -> Fate:
    if fate.kind != "failed" or fate.state is State.FAILED or fate.unreadable:
        return fate
    return fate.model_copy(update={"kind": AT_WORK, "why": f"so far: {fate.state}"})
