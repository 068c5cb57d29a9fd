"""When shots go out that were approved after their batch did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.handoff.late import PATIENCE, goes_now, goes_out_at, in_words, is_overdue
from packshot.specs.handoff import ClientHandoff, LateDeliveries, promised
from tests.configs import shipped_configs

PROMISE = shipped_configs().handoff
HOURS = get_args(LateDeliveries.model_fields["every_hours"].annotation)
CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("every_hours", "approved", "goes_out"),
    [
        (1, datetime(2026, 11, 29, 13, 20, tzinfo=UTC), datetime(2026, 11, 29, 14, tzinfo=UTC)),
        (1, datetime(2026, 11, 29, 14, tzinfo=UTC), datetime(2026, 11, 29, 15, tzinfo=UTC)),
        (4, datetime(2026, 11, 29, 21, 0, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)),
        (24, datetime(2026, 11, 30, 0, 30, tzinfo=CET), datetime(2026, 11, 30, tzinfo=UTC)),
    ],
)
def test_it_goes_out_at_the_next_hour_of_the_clock(every_hours: int, approved: datetime, goes_out: datetime) -> None:
    rule = LateDeliveries.model_validate({"every_hours": every_hours})
    assert goes_out_at(rule, after=approved) == goes_out


@given(st.sampled_from(HOURS), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_nobody_waits_longer_than_the_hours_and_all_between_two_times_have_one(hours: int, approved: datetime) -> None:
    rule = LateDeliveries.model_validate({"every_hours": hours})
    due = goes_out_at(rule, after=approved)
    assert due is not None
    assert timedelta(0) < due - approved <= timedelta(hours=hours)
    assert goes_out_at(rule, after=due - timedelta(microseconds=1)) == due
    assert len({goes_out_at(rule, after=approved + timedelta(minutes=15 * n)) for n in range(96)}) <= 24 / hours + 1


@pytest.mark.parametrize(
    ("rule", "gathered", "unsettled", "now"),
    [
        (LateDeliveries(count=10), 9, 5, False),
        (LateDeliveries(count=10), 10, 5, True),
        (LateDeliveries(count=10), 1, 0, True),
        (LateDeliveries(count=1), 1, 5, True),
        (LateDeliveries(on_close=True), 500, 0, False),
    ],
)
def test_it_goes_out_at_once_when_there_are_enough_or_none_is_to_come(
    rule: LateDeliveries, gathered: int, unsettled: int, now: bool
) -> None:
    assert goes_now(rule, gathered=gathered, unsettled=unsettled) is now


def test_by_the_configs_that_come_with_packshot_forty_approvals_of_an_hour_are_one_package() -> None:
    rule = PROMISE.late_deliveries
    assert goes_out_at(rule, after=datetime(2026, 11, 29, 13, 20, tzinfo=UTC)) is not None
    assert not goes_now(rule, gathered=40, unsettled=1)
    assert rule.every_hours == 1


def test_a_client_s_own_word_goes_before_the_general_one() -> None:
    own = LateDeliveries(on_close=True)
    assert promised(PROMISE, ClientHandoff(late_deliveries=own)).late_deliveries == own
    assert promised(PROMISE, ClientHandoff()).late_deliveries == PROMISE.late_deliveries


def test_it_is_said_when_it_goes_out_and_known_when_it_should_have() -> None:
    due = datetime(2026, 11, 29, 14, tzinfo=UTC)
    assert in_words(due) == "approved, goes out at 2026-11-29 14:00 UTC"
    assert "packshot batch close" in in_words(None)
    assert not is_overdue(due, at=due + PATIENCE)
    assert is_overdue(due, at=due + PATIENCE + timedelta(seconds=1))
    assert not is_overdue(None, at=due + timedelta(days=90))
