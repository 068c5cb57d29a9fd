"""Who may hold a lease, at any age of it and whatever happened before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.errors import LeaseHeldError, LeaseLostError
from packshot.lease import Lease, Owner, claim, release, renew, require_not_passed

HOLDS_S = 60.0
ADA, BOB = Owner(run="ada", attempt="1"), Owner(run="bob", attempt="1")
ADA_AGAIN = Owner(run="ada", attempt="2")
ages = st.floats(0, 600).map(lambda seconds: timedelta(seconds=seconds))


def lease(owner: Owner, number: int = 1, nonce: str = "n", **more: bool) -> Lease:
    return Lease(name="night", owner=owner, number=number, nonce=nonce, holds_s=HOLDS_S, **more)


@given(ages, st.sampled_from([BOB, ADA_AGAIN]), st.booleans(), st.integers(1, 9))
def test_another_owner_gets_it_when_it_has_run_out_or_was_released_and_then_under_a_higher_number(
    age: timedelta, other: Owner, released: bool, number: int
) -> None:
    """Another process of the same run is another owner."""
    present = lease(ADA, number, released=released)
    if released or age.total_seconds() >= HOLDS_S:
        assert claim(present, lease(other), age=age) == lease(other, number + 1)
    else:
        with pytest.raises(LeaseHeldError, match="flow run ada"):
            claim(present, lease(other), age=age)


@given(ages)
def test_whoever_holds_it_claims_it_again_under_the_same_number(age: timedelta) -> None:
    assert claim(lease(ADA, 3), lease(ADA), age=age) == lease(ADA, 3)


def test_a_number_that_is_known_from_elsewhere_is_passed_even_if_the_lease_is_gone() -> None:
    assert claim(None, lease(ADA, 8), age=timedelta(0)).number == 8
    assert claim(lease(BOB, 2, released=True), lease(ADA, 8), age=timedelta(0)).number == 8


def test_an_owner_renews_it_as_long_as_nobody_took_it_even_if_somebody_removed_it() -> None:
    for present in (lease(ADA, nonce="other"), None):
        assert renew(lease(ADA), present, nonce="new") == lease(ADA, nonce="new")


@pytest.mark.parametrize("present", [lease(BOB, 2), lease(ADA_AGAIN, 2), release(lease(ADA), nonce="x")])
def test_whoever_was_taken_over_learns_it_at_the_next_renewal(present: Lease) -> None:
    with pytest.raises(LeaseLostError, match="took its work over"):
        renew(lease(ADA), present, nonce="new")


def test_a_write_is_refused_once_a_later_owner_has_written() -> None:
    require_not_passed(lease(ADA, 2), 2)
    with pytest.raises(LeaseLostError):
        require_not_passed(lease(ADA, 2), 3)
