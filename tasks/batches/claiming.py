"""Make sure that only one run at a time works on a batch.

The run holds the batch's lease (a stored object that it renews while it works), and the batch's record names the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.runtime import flow_run

from packshot.batch import BatchRecord
from packshot.errors import PackshotError
from packshot.keys import batch_lease, delivery_lease
from packshot.naming import BatchId
from tasks.environment.logs import log
from tasks.records.bookkeeping import now
from tasks.records.stored import change_batch, create_batch, looks_for_cancellation
from tasks.storage.leases import holding, is_held


@contextmanager
def at_work_on(batch: BatchId) -> Iterator[None]:
    """Return a context manager. During its block this run alone works on the batch: it holds the batch's lease.

    The batch's record names the run, so that people see which one it is. If the batch has no record yet, one is made.
    If somebody cancels the batch during the block, the block goes on. After some seconds, when the lease is renewed,
    the run's writes are refused.

    Raises:
        LeaseHeldError: another live run works on the batch; the message names it.
        BatchCancelledError: somebody has cancelled the batch.
    """
    known = create_batch(BatchRecord(batch=batch, received_at=now()))
    name, me = batch_lease(batch), str(flow_run.id or "")
    with holding(name, above=known.fences.get(name, 0), wanted=looks_for_cancellation(batch)):
        change_batch(batch, lambda record: record.model_copy(update={"claimed_by": me}))
        try:
            yield
        finally:
            _let_go(batch, me)


def is_worked_on(batch: BatchId) -> bool:
    """Return True if a run processes this batch now, or delivers it: it holds the lease for that and is alive.

    Raises:
        StorageUnavailableError: the storage does not answer.
    """
    return is_held(batch_lease(batch), delivery_lease(batch))


def _let_go(batch: BatchId, me: str) -> None:
    """Clear the record's ``claimed_by``. It only informs people (the lease protects the batch), so an error is just
    logged.
    """
    try:
        change_batch(
            batch, lambda one: one.model_copy(update={"claimed_by": "" if one.claimed_by == me else one.claimed_by})
        )
    except PackshotError as error:
        log().warning("%s still names this run as the one that processes it: %s", batch, error)
