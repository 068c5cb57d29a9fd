"""Find closed batches: those that their clients have uploaded completely and that no run has finished yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from prefect import task

from packshot.batch import Cancellation
from packshot.errors import NamingError, RecordDamagedError
from packshot.keys import batch_from_ready_key, batch_record_key
from packshot.naming import READY, BatchId
from packshot.types import Value
from tasks.batches.cancelling import take_up_again
from tasks.environment.logs import log
from tasks.queries.asking import finished_batches
from tasks.records.bookkeeping import ALWAYS, now
from tasks.records.stored import find_batch
from tasks.storage.bucket import ObjectInfo, Storage, open_storage

CLOCKS_DIFFER = timedelta(hours=1)
"""The clocks of the storage and of the machine that cancelled a batch differ by less."""


class ClosedBatches(Value):
    """The batches that a night has to process.

    Attributes:
        batches: in the order in which they were closed.
        left_out: key of the object ``READY`` in a folder whose name is not allowed for a batch -> what is wrong with
            the name, in words. Such a folder is not processed.
    """

    batches: tuple[BatchId, ...]
    left_out: Mapping[str, str] = {}


@task(name="find closed batches", task_run_name="find closed batches", **ALWAYS)
def closed_batches() -> ClosedBatches:
    """Return the batches that clients have closed and that are neither finished nor cancelled, first closed first.

    A cancelled batch that its client has closed once more since then is taken up again, and returned. So is a batch
    whose record can't be read: its own run reports that. A folder whose name is not allowed for a batch is listed in
    `left_out`; it doesn't stop the others.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    storage, waiting, left_out = open_storage(), list[tuple[datetime, str, BatchId]](), dict[str, str]()
    finished = finished_batches()
    for folder in _inbox_folders(storage):
        try:
            batch = batch_from_ready_key(f"{folder}{READY}")
        except NamingError as error:
            if _closed(storage, folder):
                log().warning("%r closes no batch: %s", f"{folder}{READY}", error)
                left_out[f"{folder}{READY}"] = str(error)
            continue
        if batch is None or batch in finished:
            continue
        closed = _closed(storage, folder)
        if closed and not _is_over(batch, closed):
            waiting.append((closed.modified or now(), str(batch), batch))
    return ClosedBatches(batches=tuple(batch for _, _, batch in sorted(waiting)), left_out=left_out)


def _inbox_folders(storage: Storage) -> Iterator[str]:
    """Yield ``inbox/<client>/<batch>/`` for each batch, without a look at the files in it."""
    for client in storage.folders("inbox/"):
        yield from (f"inbox/{client}/{batch}/" for batch in storage.folders(f"inbox/{client}/"))


def _closed(storage: Storage, folder: str) -> ObjectInfo | None:
    """Return the object that closes a batch; None if the batch is not closed."""
    first = next(storage.list(f"{folder}{READY}"), None)  # the first key with a prefix is itself
    return first if first is not None and first.key == f"{folder}{READY}" else None


def _is_over(batch: BatchId, closed: ObjectInfo) -> bool:
    try:
        record = find_batch(batch)
    except RecordDamagedError:
        return False  # the batch's own run reports it; the other batches go on
    if record is None:
        return False
    if record.cancelled is None:
        return record.finished_at is not None
    if not record.cancelled.is_followed_by(closed.modified):
        return True
    if _was_put_back(batch, record.cancelled):
        log().warning(
            "%s was cancelled, and the bucket was put back from a copy since: the time of its READY says nothing. "
            "If the batch is wanted, submit it again",
            batch,
        )
        return True
    take_up_again(batch)
    log().info("%s was cancelled, and its client has closed it once more: it is taken up again", batch)
    return False


def _was_put_back(batch: BatchId, cancelled: Cancellation) -> bool:
    """Return whether a cancelled batch's record was written long after the cancellation: only a copy of it can be.

    Then READY is a copy, too, and as new as the record.
    """
    written = open_storage().head(batch_record_key(batch)).modified
    return written is not None and written - cancelled.at > CLOCKS_DIFFER
