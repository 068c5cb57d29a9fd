"""A lease: who is at work on something, proven anew every few seconds for as long as the work goes on.

No clock of one machine is compared with another's. How long ago a lease was written is told by the storage, which
writes it down and tells the time by the same clock; how long a holder may still rely on it, by the holder's own clock
since it asked. So clocks that are minutes apart change nothing.

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
"""How often a lease is renewed within the time it holds: so many less one may fail before it runs out."""


class Owner(Value):
    """Who holds a lease.

    Attributes:
        run: id of the flow run, or ``command line``.
        attempt: of the process that works on the run, unlike that of any other: two copies of one run are two owners.
    """

    run: str
    attempt: str


class Lease(Value):
    """What stands in storage.

    Attributes:
        name: what it is a lease of, such as ``batches/acme/spring``.
        number: grows with each owner. A write that matters carries it, so that a later owner's cannot be undone.
        nonce: new with each write; without it two writes could look the same, and a condition on the content would
            let an old one pass.
        holds_s: seconds that it holds after each write. Whoever dies is taken over after this long.
        released: the owner has let go of it; it can be claimed at once.
    """

    name: str
    owner: Owner
    number: int
    nonce: str
    holds_s: float
    released: bool = False

    def is_alive(self, age: timedelta) -> bool:
        """Return whether its owner must be taken to be at work.

        Args:
            age: time since it was written, by the clock of the storage.
        """
        return not self.released and age.total_seconds() < self.holds_s


def claim(present: Lease | None, free: Lease, *, age: timedelta) -> Lease:
    """Return the lease as a new owner writes it.

    Args:
        present: as it stands in storage; None where there is none.
        free: as the owner would write it where nobody ever had it; its number is the least that it may get.
        age: time since `present` was written, by the clock of the storage.
    Raises:
        LeaseHeldError: another owner holds it and is alive.
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
    """Return the lease as its owner writes it again. An expired one that nobody took is still its owner's.

    Args:
        mine: as the owner wrote it last.
        present: as it stands in storage; None where somebody removed it.
    Raises:
        LeaseLostError: another owner has taken it over.
    """
    if present is not None and (present.owner != mine.owner or present.released):
        raise lost(mine, to=present)
    return mine.model_copy(update={"nonce": nonce})


def release(mine: Lease, *, nonce: str) -> Lease:
    """Return the lease as its owner leaves it."""
    return mine.model_copy(update={"nonce": nonce, "released": True})


def lost(mine: Lease, *, to: Lease | None = None) -> LeaseLostError:
    """Return the error of an owner whose lease another one has."""
    return LeaseLostError(
        "this run was not heard of for too long, and another one took its work over",
        mine.name,
        found=f"flow run {to.owner.run}, number {to.number}" if to else "a later owner",
        allowed=f"number {mine.number}",
        next_step="Nothing needs to be done: the other run goes on with it.",
    )


def require_not_passed(mine: Lease, written: int) -> None:
    """Refuse a write that a later owner has passed.

    Args:
        written: the highest number that has written there.
    Raises:
        LeaseLostError: it is higher than this lease's.
    """
    if written > mine.number:
        raise lost(mine)
