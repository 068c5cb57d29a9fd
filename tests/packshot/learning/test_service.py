from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from packshot.errors import ModelError
from packshot.learning.comparing import compare
from packshot.learning.service import SHIPPED, ModelInService
from packshot.routing.model import Example
from packshot.specs.models import Promise
from tests.packshot.routing.models import model_of

TOLD: dict[str, Any] = {"at": datetime(2026, 3, 1, tzinfo=UTC), "by": "flow run 1", "why": "better"}


def shots(count: int = 200) -> list[Example]:
    """Shots that are refused where matte and network disagree."""
    return [
        Example(
            figures={"disagreement": place / count, "texture": (place % 7) / 7},
            refused=place > 0.5 * count,
            group=f"g{place}",
        )
        for place in range(count)
    ]


def test_the_shipped_model_serves_first_and_a_promoted_one_then() -> None:
    assert ModelInService().version == SHIPPED
    after = ModelInService().promote("v1", **TOLD)
    assert (after.version, after.changes[-1].why) == ("v1", "better")


def test_rolling_back_leads_to_the_model_before_and_the_history_stays() -> None:
    both = ModelInService().promote("v1", **TOLD).promote("v2", **TOLD)
    back = both.roll_back(**TOLD)
    assert back.version == "v1"
    assert len(back.changes) == 3
    assert ModelInService().promote("v1", **TOLD).roll_back(**TOLD).version == SHIPPED


def test_where_no_other_model_ever_served_there_is_no_way_back() -> None:
    with pytest.raises(ModelError, match="no model to go back to"):
        ModelInService().roll_back(**TOLD)


def test_a_broken_promise_tightens_once_for_the_same_audits_and_never_without_end() -> None:
    once = ModelInService().tighten(audited=60, **TOLD)
    assert once.strictness == 0.5
    assert once.tighten(audited=60, **TOLD) == once
    strict = once
    for audited in range(61, 90):
        strict = strict.tighten(audited=audited, **TOLD)
    assert strict.strictness == 0.125
    assert strict.relax(audited=200, **TOLD).strictness == 1
    assert once.promised(Promise(ratio=0.02)).ratio == 0.01


def test_a_better_candidate_is_recognised_and_a_worse_one_is_not() -> None:
    good, poor = model_of(after="disagreement"), model_of(after="texture")
    assert compare(good, poor, shots()).better
    assert not compare(poor, good, shots()).better
    assert not compare(good, good, shots()).better


def test_on_too_few_shots_no_model_is_better() -> None:
    found = compare(model_of(after="disagreement"), model_of(after="texture"), shots(40))
    assert not found.better
    assert "it takes 60" in found.why
