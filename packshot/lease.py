"""Show who is working on something: a lease is a small stored object that its owner renews every few seconds.

The clocks of two machines are never compared. The age of a lease comes from the storage alone: it states the time of
the last write and the present time. How long an owner may rely on its lease is measured with the owner's own monotonic
clock. So clocks that differ by minutes do no harm.

    free ── claim ──► held by A, number 1 ── renew ──► held by A, number 1
                          │ not renewed for its time          │ released
                          ▼                                   ▼
                      claim by B, number 2                 claim by B, number 2
"""

from __future__ import annotations

from datetime import timedelta

from packshot.errors import LeaseHeldError, LeaseLostError
from packshot.types import Value

RENEWALS = 5
"""How many times a lease is renewed within its lifetime. So all of these but one may fail before it expires."""


class Owner(Value):
    """One process that holds a lease.

    Attributes:
        run: id of the flow run, or ``command line``.
        attempt: unique id of the process that works on the run. Two processes of one run are therefore two owners.
    """

    run: str
    attempt: str


class Lease(Value):
    """A lease as it is stored: it shows who is working on something, so that nobody else begins with it.

    Attributes:
        name: the thing that it protects, for example ``batches/acme/spring``.
        owner: who holds it, or held it last.
        number: fencing token: grows with each owner. Important writes carry it, so that an earlier owner can't
            overwrite a later one's.
        nonce: new for each write. Without it two writes could have the same content and so the same ETag, and a
            conditional write could pass by mistake.
        holds_s: lifetime in seconds after each write. When its owner dies, others can claim it after this time.
        released: the owner has released it, so it can be claimed at once.
    """

    name: str
    owner: Owner
    number: int
    nonce: str
    holds_s: float
    released: bool = False

    def is_alive(self, age: timedelta) -> bool:
        """Return whether the lease's owner may still be at work: the lease is neither released nor expired.

        Args:
            age: time since the lease was written, by the storage's clock.
        """
        return not self.released and age.total_seconds() < self.holds_s


def claim(present: Lease | None, free: Lease, *, age: timedelta) -> Lease:
    """Return the lease that a process must write into storage to become its owner.

    Its number is one higher than that of the lease in storage, so that an earlier owner can be told apart. The number
    stays the same if the process already holds the lease.

    Args:
        present: the lease in storage; None if there is none.
        free: the lease as the process would write it if there were none in storage. The result's number is never lower
            than that of `free`.
        age: time since `present` was written, by the storage's clock.

    Raises:
        LeaseHeldError: another owner holds the lease and has neither released it nor let it expire.
    """
    if present is None:
        return free
    if present.owner != free.owner and present.is_alive(age):
        raise LeaseHeldError(
            "somebody else is at work on it",
            free.name,
            found=f"flow run {present.owner.run}",
            next_step="Nothing needs to be done: if that run ends or dies, the next one takes over.",
        )
    keeps = present.owner == free.owner and not present.released
    return free.model_copy(update={"number": max(free.number, present.number + (0 if keeps else 1))})


def renew(mine: Lease, present: Lease | None, *, nonce: str) -> Lease:
    """Return the lease that its owner must write into storage to keep it.

    An expired lease that nobody else has claimed can still be renewed.

    Args:
        mine: the lease as its owner last wrote it.
        present: the lease in storage; None if somebody deleted it.
        nonce: a new text for this write, see `Lease`.

    Raises:
        LeaseLostError: another owner has taken the lease over, or it is released.
    """
    if present is not None and (present.owner != mine.owner or present.released):
        raise lost(mine, to=present)
    return mine.model_copy(update={"nonce": nonce})


def release(mine: Lease, *, nonce: str) -> Lease:
    """Return the lease that its owner must write into storage to give it up, so that others can claim it at once.

    Args:
        mine: the lease as its owner last wrote it.
        nonce: a new text for this write, see `Lease`.
    """
    return mine.model_copy(update={"nonce": nonce, "released": True})


def lost(mine: Lease, *, to: Lease | None = None) -> LeaseLostError:
    """Return the error for an owner whose lease another owner has taken over. The error is not raised here.

    Args:
        mine: the lease as its owner last wrote it.
        to: the new owner's lease; None if it is not known.
    """
    return LeaseLostError(
        "this run was not heard of for too long, and another one took its work over",
        mine.name,
        found=f"flow run {to.owner.run}, number {to.number}" if to else "a later owner",
        allowed=f"number {mine.number}",
        next_step="Nothing needs to be done: the other run goes on with it.",
    )


def require_not_passed(mine: Lease, written: int) -> None:
    """Raise an error if a later owner of a lease has already changed a record. Otherwise nothing happens.

    So a run that has lost its lease without noticing does not overwrite the later owner's work.

    Args:
        mine: the lease under which a run is about to write the record.
        written: the highest number of a lease under which the record was written; 0 if there was none.

    Raises:
        LeaseLostError: `written` is higher than the number of `mine`.
    """
    if written > mine.number:
        raise lost(mine)
