"""Test whether an S3 server does what Packshot needs, by trials against the server itself.

Leases, records and deliveries depend on conditional writes: if many clients write at the same time, exactly one may
win. Some servers get this wrong. Each trial returns an empty text if the server is right, or a sentence that says what
it did wrong. The trials use objects below ``leases/probe-`` and delete them again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from packshot.errors import ObjectMissingError, PackshotError, RecordConflictError, StorageDeniedError
from packshot.keys import lease_key
from tasks.storage.bucket import Storage
from tasks.storage.s3_errors import s3_errors

CALLERS = 32
ROUNDS = 3
_TYPE = "application/json"
Write = Callable[[bytes], object]


def one_of_many_creates(storage: Storage, *, callers: int = CALLERS) -> str:
    """Return what the server does wrong with If-None-Match, when many create one object at once; empty if nothing.

    Many threads create the same object at the same moment. Exactly one may succeed, and its bytes must be kept.

    Args:
        callers: number of threads.
    """
    name, key = _probe()
    try:
        return _race(storage, key, lambda data: storage.put_if_absent(key, data, content_type=_TYPE), callers)
    finally:
        storage.remove_lease(name)


def one_of_many_replaces(storage: Storage, *, callers: int = CALLERS) -> str:
    """Return what the server does wrong with If-Match when many replace one version at once; empty if nothing.

    Many threads replace the same version of an object at the same moment. Exactly one may succeed, and its bytes must
    be kept.

    Args:
        callers: number of threads.
    """
    name, key = _probe()
    try:
        etag = storage.put_if_absent(key, b"first", content_type=_TYPE).etag
        return _race(storage, key, lambda data: storage.replace_if(key, data, etag=etag, content_type=_TYPE), callers)
    finally:
        storage.remove_lease(name)


def no_update_is_lost(storage: Storage, *, callers: int = 8, times: int = 4) -> str:
    """Return what the server does wrong with If-Match when many count together; empty if nothing.

    Many threads add 1 to the number in one object. A thread whose write is refused reads the number again and retries.
    In the end every addition must be in the number.

    Args:
        callers: number of threads.
        times: how often each thread adds 1.
    """
    name, key = _probe()

    def add(_: int) -> None:
        for _ in range(times):
            while True:
                data, etag = storage.get_with_etag(key)
                with suppress(RecordConflictError):
                    storage.replace_if(key, b"%d" % (int(data) + 1), etag=etag, content_type=_TYPE)
                    break

    try:
        storage.put_if_absent(key, b"0", content_type=_TYPE)
        with ThreadPoolExecutor(callers) as pool:
            list(pool.map(add, range(callers)))
        counted = int(storage.get(key))
        return "" if counted == callers * times else f"of {callers * times} additions {counted} were kept"
    finally:
        storage.remove_lease(name)


def an_old_version_is_not_replaced(storage: Storage) -> str:
    """Return what the server does wrong with If-Match and the ETag of an earlier version; empty if nothing.

    The server must refuse such a write, and keep the present bytes.
    """
    name, key = _probe()
    try:
        old = storage.put_if_absent(key, b"1", content_type=_TYPE).etag
        storage.replace_if(key, b"2", etag=old, content_type=_TYPE)
        with suppress(RecordConflictError):
            storage.replace_if(key, b"3", etag=old, content_type=_TYPE)
            return "it replaced an object although the etag was of an earlier version"
        return "" if storage.get(key) == b"2" else "it refused a write, but stored it"
    finally:
        storage.remove_lease(name)


def what_is_gone_is_not_replaced(storage: Storage) -> str:
    """Return what the server does wrong with If-Match on a deleted object; empty if nothing.

    The server must refuse the write, and must not create the object.
    """
    name, key = _probe()
    etag = storage.put_if_absent(key, b"1", content_type=_TYPE).etag
    storage.remove_lease(name)
    try:
        with suppress(RecordConflictError, ObjectMissingError):
            storage.replace_if(key, b"2", etag=etag, content_type=_TYPE)
            return "it replaced an object that had been removed"
        return "it refused a write, but stored it" if storage.exists(key) else ""
    finally:
        storage.remove_lease(name)


def clock_skew_s(storage: Storage) -> float | None:
    """Return by how many seconds this machine's clock is ahead of the storage's; negative if it is behind.

    None if the storage's answer has no date. Signed requests are refused if the clocks differ by many minutes.

    Raises:
        StorageUnavailableError: the storage does not answer.
        StorageDeniedError: the storage refuses the request.
    """
    with s3_errors(storage.bucket):
        answer = storage._client.head_bucket(Bucket=storage.bucket)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() if date else None


CONDITIONS: dict[str, Callable[[Storage], str]] = {
    "If-None-Match, 32 at once": one_of_many_creates,
    "If-Match, 32 at once": one_of_many_replaces,
    "If-Match, an earlier version": an_old_version_is_not_replaced,
    "If-Match, what is gone": what_is_gone_is_not_replaced,
    "If-Match, no update is lost": no_update_is_lost,
}


def broken_conditions(storage: Storage, *, rounds: int = ROUNDS) -> list[str]:
    """Return one sentence for each kind of conditional write that the storage gets wrong; empty if all are right.

    The kinds are tried in the order of `CONDITIONS`: many clients create one object, replace one version, and so on.

    Example: "If-Match, 32 at once: of 32 writes at once, it accepted 2 instead of one".

    Args:
        rounds: how often each kind is tried; by default 3. A kind that goes wrong is not tried again.
    """
    found = []
    for name, trial in CONDITIONS.items():
        trouble = next(filter(None, (trial(storage) for _ in range(rounds))), "")
        if trouble:
            found.append(f"{name}: {trouble}")
    return found


def require_conditions(storage: Storage) -> None:
    """Try all conditional writes, and raise an error if the storage gets one wrong.

    Objects are written for that, with names of their own, and deleted afterwards.

    Packshot can't work with such a storage: two runs could overwrite each other's work.

    Raises:
        StorageDeniedError: conditional writes are broken; the message says how.
    """
    found = broken_conditions(storage)
    if found:
        raise StorageDeniedError(
            "this storage does not support conditional writes, so two runs could overwrite each other's work",
            f"{storage._client.meta.endpoint_url}/{storage.bucket}",
            found="; ".join(found),
            next_step="Use another S3 server or version; python -m tests.storage_suite tries one.",
        )


def _probe() -> tuple[str, str]:
    name = f"probe-{uuid.uuid4().hex}"
    return name, lease_key(name)


def _race(storage: Storage, key: str, write: Write, callers: int) -> str:
    """Write from many threads at the same moment; return what is wrong with the result, or an empty text."""
    ready = threading.Barrier(callers)

    def attempt(number: int) -> str:
        ready.wait()
        try:
            write(b"%d" % number)
        except RecordConflictError:
            return "lost"
        except PackshotError as error:
            return str(error)
        return "won"

    with ThreadPoolExecutor(callers) as pool:
        outcomes = list(pool.map(attempt, range(callers)))
    winners = [number for number, outcome in enumerate(outcomes) if outcome == "won"]
    errors = [outcome for outcome in outcomes if outcome not in ("won", "lost")]
    if errors:
        return f"of {callers} writes at once, {len(errors)} neither succeeded nor were refused as too late: {errors[0]}"
    if len(winners) != 1:
        return f"of {callers} writes at once, it accepted {len(winners)} instead of one"
    kept = storage.get(key)
    return "" if kept == b"%d" % winners[0] else f"it accepted one write and stored another: {kept[:20]!r}"
