"""Try shots again that failed for a passing reason.

Such a reason passes by itself: the storage or a server was away, or a disk was full. Each task has already retried for
some seconds before. Servers need a minute or two to be started again. A person needs longer to free disk space.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from packshot.naming import BatchId
from packshot.record import DONE, WAITING, ShotRecord, State
from tasks.environment.logs import log
from tasks.environment.settings import get_settings
from tasks.records.stored import load_records

_AT_REST = WAITING | DONE | {State.REFUSED, State.APPROVED, State.EXPORTED, State.VERIFIED}


def pauses_s() -> tuple[float, ...]:
    """Return how long a run of a batch waits before its second and its third try, in seconds: by default (60, 240).

    The result is empty if the setting ``PACKSHOT_AGAIN_AFTER_S`` is 0: there is then only one try.
    """
    first = get_settings().again_after_s
    return (first, 4 * first) if first else ()


def passing(batch: BatchId, names: Iterable[str]) -> list[str]:
    """Return the names of the shots for which another try may succeed, in the given order.

    They are of two kinds. Some failed for a reason that may pass by itself. Others stopped in the middle of their work:
    they failed at a moment when their record could not be written. Shots whose record can't be read are left out.

    Args:
        names: the shots of the batch to look at.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    return [record.shot.shot for record in load_records([batch.shot(name) for name in names]) if _may_pass(record)]


def _may_pass(record: ShotRecord) -> bool:
    return record.failed_in_passing or record.state not in {*_AT_REST, State.FAILED}


def rest(names: Iterable[str], pause_s: float) -> None:
    """Wait before the next try, and log which shots are tried again.

    Args:
        names: names of these shots.
        pause_s: how long to wait, in seconds.
    """
    log().warning("failed in passing; tried again in %g s: %s", pause_s, ", ".join(sorted(names)))
    time.sleep(pause_s)
