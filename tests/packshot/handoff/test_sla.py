"""When work is due, and how a due time stands to the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.handoff.sla import Urgency, due_at, urgency
from packshot.record import State
from packshot.specs.handoff import ClientHandoff, Tier, promised
from tests.configs import shipped_configs

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROMISE = shipped_configs().handoff


@pytest.mark.parametrize("tier", Tier)
def test_an_editor_s_work_is_due_by_its_tier(tier: Tier) -> None:
    due = due_at(State.AWAITING_EDITOR, since=NOON, tier=tier, promise=PROMISE)
    assert due - NOON == timedelta(hours=PROMISE.edit_hours[tier])


@pytest.mark.parametrize(
    ("state", "hours"),
    [
        (State.IN_REVIEW, PROMISE.review_hours),
        (State.AWAITING_SIGNOFF, PROMISE.signoff_hours),
        (State.ON_HOLD, PROMISE.hold_hours),
    ],
)
def test_other_waits_are_due_whatever_the_tier(state: State, hours: float) -> None:
    assert {due_at(state, since=NOON, tier=tier, promise=PROMISE) for tier in Tier} == {NOON + timedelta(hours=hours)}


def test_a_client_s_own_word_goes_before_the_general_one() -> None:
    said = ClientHandoff(edit_hours={Tier.BASIC: 2}, review_hours=1, seniors=("Sen Ior",))
    promise = promised(PROMISE, said)
    assert (promise.edit_hours[Tier.BASIC], promise.edit_hours[Tier.COMPLEX]) == (2, PROMISE.edit_hours[Tier.COMPLEX])
    assert (promise.review_hours, promise.signoff_hours) == (1, PROMISE.signoff_hours)
    assert promise.seniors == ("Sen Ior",)
    assert promised(PROMISE, ClientHandoff()) == PROMISE


@given(st.floats(-100, 100), st.floats(0.1, 48))
def test_urgency_only_grows_with_time(hours: float, soon: float) -> None:
    order = list(Urgency)
    before = urgency(NOON, at=NOON + timedelta(hours=hours), soon_hours=soon)
    after = urgency(NOON, at=NOON + timedelta(hours=hours + 1), soon_hours=soon)
    assert order.index(after) >= order.index(before)
    assert (before is Urgency.OVERDUE) == (timedelta(hours=hours) >= timedelta(0))
