"""Claim, renew and release leases: small stored objects by which no two runs do the same work.

    with holding(batch_lease(batch)) as holder:
        ...                      # renewed in the background; after a loss, records refuse writes

A lease is claimed by a conditional write. While its owner lives, a thread renews it every few seconds. If the owner
dies, the lease expires, and another run can take it over. Each new owner gets a higher number (a fencing token), so
that a late write of an earlier owner can be refused.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

from prefect.runtime import flow_run
from pydantic import ValidationError

from packshot import lease as leases
from packshot.errors import (
    BatchCancelledError,
    LeaseHeldError,
    LeaseLostError,
    ObjectMissingError,
    PackshotError,
    RecordConflictError,
    TransientError,
)
from packshot.keys import batch_lease, delivery_lease, lease_key, part_lease, run_lease
from packshot.lease import RENEWALS, Lease, Owner
from packshot.naming import BatchId
from tasks.environment.clocks import passed_s
from tasks.environment.settings import get_settings
from tasks.environment.troubles import Troubles
from tasks.storage.bucket import open_storage
from tasks.storage.patience import only_while, unchecked

POLL_S = 1.0
LONGEST_WAIT_S = 3600.0
"""How long a claim waits for another run."""
_JSON = "application/json"
_OUTAGE_S = 120.0
_log = logging.getLogger("packshot")


class Patience(Enum):
    """What a run does if another run holds the lease that it wants.

    A lease is a small object in storage that shows who is at work on something. If the holder is another process of the
    same run, the run always waits until that process has ended. With WATCH and WAIT it gives up after one hour
    (`LONGEST_WAIT_S`).

    Values:
        NONE: it gives up at once. To give up means that `LeaseHeldError` is raised.
        WATCH: it looks whether the lease is renewed. If so, its owner lives, and the run gives up. If the lease expires
            instead, the run takes it over.
        WAIT: it waits until the lease is released or has expired.
    """

    NONE = "give up at once"
    WATCH = "see whether it is renewed: give up if it is, take over if it is not"
    WAIT = "wait until it is free"


class StoredLease(NamedTuple):
    """A lease as it was read from storage: the small object that shows which run is at work on something.

    Attributes:
        lease: who holds it, its number, and how long it lasts without being renewed.
        etag: the storage's mark of this version, for the next conditional write.
        age: time since it was written, by the storage's clock.
    """

    lease: Lease
    etag: str
    age: timedelta

    @property
    def is_alive(self) -> bool:
        """True if the lease's owner may still be at work: the lease was not released and has not expired."""
        return self.lease.is_alive(self.age)


def look(name: str) -> StoredLease | None:
    """Return the lease of this name as it is now; None if nobody has ever claimed it, or if it was deleted.

    A lease is a small object in storage that shows who is at work on something. If the object can't be read, it is
    returned as a released lease, so that it can be claimed.

    Args:
        name: the lease's name, such as ``batches/acme/spring``; functions of `packshot.keys` make it.
    Raises:
        StorageUnavailableError: the storage does not answer.
    """
    try:
        with unchecked():
            data, etag, age = open_storage().get_with_age(lease_key(name))
    except ObjectMissingError:
        return None
    try:
        return StoredLease(Lease.model_validate_json(data), etag, age)
    except ValidationError:
        _log.warning("%s is not a lease and is written again", lease_key(name))
        nobody = Owner(run="", attempt="")
        return StoredLease(Lease(name=name, owner=nobody, number=0, nonce="", holds_s=0, released=True), etag, age)


def is_held(*names: str) -> bool:
    """Return True if somebody is at work under at least one of these leases: it is neither released nor expired.

    A lease that nobody has ever claimed, or that was deleted, is not held.

    Args:
        names: the leases' names, such as ``batches/acme/spring``; functions of `packshot.keys` make them.
    Raises:
        StorageUnavailableError: the storage does not answer.
    """
    found = map(look, names)
    return any(seen is not None and seen.is_alive for seen in found)


class Holder:
    """One run's hold on a lease: the right to work on something alone. A thread renews it. Thread-safe.

    `holding` makes it. The lease is lost if another run has taken it over, because it was not renewed in time.

    Attributes:
        lease: the lease as it was last written; before `claim`, as it will be written first.
    """

    def __init__(self, name: str, *, above: int = 0, wanted: Callable[[], None] = lambda: None) -> None:
        """Prepare a lease, the right to work on something alone. This process holds it only after `claim`.

        Args:
            name: the lease's name, such as ``batches/acme/spring``.
            above: the highest number that an owner of this lease is known to have had, for example from the batch's
                record; the new number will be higher. It matters if the lease's object was deleted.
            wanted: called at each renewal, without arguments. If it raises a `BatchCancelledError`, the lease is
                released, and `require` raises this error from then on.
        """
        owner = Owner(run=str(flow_run.id or "command line"), attempt=uuid.uuid4().hex)
        self.lease = Lease(name=name, owner=owner, number=above + 1, nonce="", holds_s=get_settings().lease_s)
        self._etag, self._asked_at = "", 0.0
        self._lost: LeaseLostError | BatchCancelledError | None = None
        self._wanted = wanted
        self._lock, self._over = threading.Lock(), threading.Event()
        self._troubles = Troubles(_log)
        self._thread = threading.Thread(target=self._keep, name=f"lease {name}", daemon=True)

    def claim(self, patience: Patience) -> None:
        """Get the lease, so that this run alone may do the work that the lease guards. A thread then renews the lease.

        Args:
            patience: what to do if somebody else holds the lease.
        Raises:
            LeaseHeldError: somebody else holds it and is alive, and `patience` is over.
            TransientError: the storage could not be reached for two minutes.
        """
        watched = _Watched(patience, self.lease.owner.run)
        while True:
            try:
                seen = look(self.lease.name)
                free = self.lease.model_copy(update={"nonce": uuid.uuid4().hex})
                mine = leases.claim(seen.lease if seen else None, free, age=watched.age(seen))
                self._write(mine, over=seen)
                break
            except LeaseHeldError as held:
                watched.wait_or_raise(held)
            except (RecordConflictError, ObjectMissingError):
                time.sleep(random.uniform(0, 0.1))  # somebody else was first: read the lease again
            except TransientError as error:
                watched.wait_out(error)
        self._thread.start()

    def require(self) -> Lease:
        """Return the lease if this run still holds it. If it may have expired, it is renewed first.

        Call it before a write that only the lease's owner may make.

        Raises:
            LeaseLostError: another run has taken the lease over.
            BatchCancelledError: somebody has cancelled the batch, so the work is not wanted any more.
            StorageUnavailableError: the lease had to be renewed, and the storage does not answer.
        """
        with self._lock:
            if self._lost is None and passed_s() - self._asked_at > self.lease.holds_s * (1 - 1 / RENEWALS):
                self._renew()
            if self._lost is not None:
                raise self._lost
            return self.lease

    def release(self) -> None:
        """Stop renewing the lease and release it, so that others can claim it at once.

        A lost lease is left alone. If the storage can't be reached, that is logged, and the lease expires by itself.
        """
        self._over.set()
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._lost is not None or not self._etag:
            return
        try:
            self._write(leases.release(self.lease, nonce=uuid.uuid4().hex), over=self._etag)
        except PackshotError as error:
            _log.warning("the lease %s will expire by itself: %s", self.lease.name, error)

    def _keep(self) -> None:
        """Renew the lease in time until it is released or lost; runs in a thread."""
        while not self._over.wait(self.lease.holds_s / RENEWALS):
            with self._lock:
                if self._over.is_set() or self._lost is not None:
                    return
                try:
                    self._renew()
                    if self._lost is None:
                        self._troubles.over(f"renew the lease {self.lease.name}")
                except PackshotError as error:
                    self._troubles.say(f"renew the lease {self.lease.name}", error)
            self._stop_if_unwanted()

    def _stop_if_unwanted(self) -> None:
        try:
            with unchecked():
                self._wanted()
        except BatchCancelledError as cancelled:
            _log.warning("%s", cancelled)
            with self._lock:
                self._let_go()
                self._lost = self._lost or cancelled
        except PackshotError as error:
            self._troubles.say(f"look whether {self.lease.name} is still wanted", error)

    def _renew(self) -> None:
        """Write the lease again; if another owner has it now, remember that it is lost."""
        nonce = uuid.uuid4().hex
        try:
            try:
                self._write(leases.renew(self.lease, self.lease, nonce=nonce), over=self._etag)
            except (RecordConflictError, ObjectMissingError):
                # It is another owner's, or our own earlier renewal whose response was lost, or it was deleted.
                seen = look(self.lease.name)
                self._write(leases.renew(self.lease, seen.lease if seen else None, nonce=nonce), over=seen)
        except LeaseLostError as lost:
            self._lost = lost
            _log.warning("%s", lost)

    def _write(self, lease: Lease, *, over: StoredLease | str | None) -> None:
        asked_at = passed_s()
        data, key = lease.model_dump_json().encode(), lease_key(lease.name)
        with unchecked():
            if over is None:
                info = open_storage().put_if_absent(key, data, content_type=_JSON)
            else:
                etag = over.etag if isinstance(over, StoredLease) else over
                info = open_storage().replace_if(key, data, etag=etag, content_type=_JSON)
        self.lease, self._etag, self._asked_at = lease, info.etag, asked_at


class _Watched:
    """Another owner's lease, watched while a claim waits for it."""

    def __init__(self, patience: Patience, run: str) -> None:
        self._patience, self._run = patience, run
        self._began = self._since = self._well_at = time.monotonic()
        self._seen: StoredLease | None = None
        self._renewed = False

    def age(self, seen: StoredLease | None) -> timedelta:
        """Return the age of a lease that another run holds, to decide whether it has expired; zero if there is none.

        The age is the greater of two times: since the lease was written, by the storage's clock; and since this process
        first saw it in its present form.

        Args:
            seen: the lease as it was just read; None if there is none.
        """
        now = self._well_at = time.monotonic()
        if seen is None:
            return timedelta(0)
        if self._seen is None or seen.lease.nonce != self._seen.lease.nonce:
            self._renewed = self._seen is not None
            self._seen, self._since = seen, now
        return max(seen.age, timedelta(seconds=now - self._since))

    def wait_or_raise(self, held: LeaseHeldError) -> None:
        waits = self._patience is Patience.WAIT or (self._patience is Patience.WATCH and not self._renewed)
        is_a_copy = self._seen is not None and self._seen.lease.owner.run == self._run != "command line"
        if not is_a_copy and (not waits or time.monotonic() - self._began > LONGEST_WAIT_S):
            raise held  # a copy never gives up: it would end the run while the run works
        time.sleep(POLL_S)

    def wait_out(self, error: TransientError) -> None:
        if time.monotonic() - self._well_at > _OUTAGE_S:
            raise error
        time.sleep(POLL_S)


_HELD: ContextVar[tuple[Holder, ...]] = ContextVar("held leases", default=())


@contextmanager
def holding(
    name: str, patience: Patience = Patience.WATCH, *, above: int = 0, wanted: Callable[[], None] = lambda: None
) -> Iterator[Holder]:
    """Return a context manager. During its block this run alone works on something: it holds a lease in storage.

    The context manager yields the `Holder`, and a thread renews the lease. Records of shots and batches that are
    changed in the block are written under this lease: if it is lost, such a write raises `LeaseLostError`. At the end
    of the block the lease is released.

    Args:
        name: the lease's name, such as ``batches/acme/spring``; functions of `packshot.keys` make it.
        patience: what to do if somebody else holds the lease.
        above: the highest number that an owner of this lease is known to have had, for example from the batch's record;
            0 if none is known.
        wanted: called without arguments before the block and at each renewal. It raises a `BatchCancelledError` if the
            work is not wanted any more. Then the block is not begun; or the lease is released, and each write of a
            record in the block raises this error.
    Raises:
        LeaseHeldError: somebody else holds it and is alive, and `patience` is over.
        BatchCancelledError: `wanted` has raised it.
        TransientError: the storage could not be reached for two minutes.
    """
    wanted()
    holder = Holder(name, above=above, wanted=wanted)
    holder.claim(patience)
    token = _HELD.set((*_HELD.get(), holder))
    try:
        with only_while(holder.require):
            yield holder
    finally:
        _HELD.reset(token)
        holder.release()


@contextmanager
def at_work() -> Iterator[None]:
    """Return a context manager. During its block a lease in storage shows others that this flow run's process is alive.

    A thread renews the lease every few seconds. If the same run has two processes, the second waits until the first has
    ended. A subflow in the same process gets no lease of its own: the lease of the outermost flow counts for all.
    Outside a flow run, no lease is held. After the block the lease is deleted.

    Raises:
        TransientError: on entering, the storage could not be reached for two minutes.
    """
    if not flow_run.id or any(holder.lease.name.startswith(run_lease("")) for holder in _HELD.get()):
        yield
        return
    name, holder = run_lease(str(flow_run.id)), None
    try:
        with holding(name) as holder:
            yield
    finally:
        if holder is not None and holder.lease.released:
            forget(name)


def forget(name: str) -> None:
    """Delete the lease by which a flow run showed that it was alive, because the run has ended.

    If that fails, the error is only logged.

    Args:
        name: the lease's name, ``runs/<id>``, as `packshot.keys.run_lease` returns it.
    """
    try:
        open_storage().remove_lease(name)
    except PackshotError as error:
        _log.warning("the lease %s stays behind: %s", name, error)


def run_of_process() -> str:
    """Return the id of the flow run that this process was started for; empty outside a flow run.

    A subflow runs in the process of its parent, so in a subflow it is the id of the outermost run.
    """
    prefix = run_lease("")
    ours = (one.lease.name.removeprefix(prefix) for one in _HELD.get() if one.lease.name.startswith(prefix))
    return next(ours, "")


def require_not_lost(batch: BatchId) -> list[Lease]:
    """Return the leases under which the current work may change a batch's record, after checking them.

    A lease is the right to work on something alone. The result has the leases of the batch and of its delivery that the
    current work holds. It is empty for a command, or for a worker that only helps. Each lease is renewed if it may have
    expired.

    Raises:
        LeaseLostError: another run has taken one of them over, or the part of the batch on which this run works.
        BatchCancelledError: somebody has cancelled the batch.
        StorageUnavailableError: a lease had to be renewed, and the storage does not answer.
    """
    about = (batch_lease(batch), delivery_lease(batch))
    for holder in _HELD.get():
        if holder.lease.name.startswith(part_lease(batch)):
            holder.require()
    return [holder.require() for holder in _HELD.get() if holder.lease.name in about]


def require_none_lost() -> None:
    """Check that no other run has taken over what the current work is about. If none has, nothing happens.

    The current work may hold leases (rights to work on something alone): for its run, its batch, its part of a batch.
    Call it before a write that is not protected otherwise.

    Raises:
        LeaseLostError: another run or process has taken one of them over.
        BatchCancelledError: somebody has cancelled the batch on which the current work is.
        StorageUnavailableError: a lease had to be renewed, and the storage does not answer.
    """
    for holder in _HELD.get():
        holder.require()
