"""What is sent as an answer about a shot: whatever is in its fields, a refusal says what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from packshot.decision import Choice
from packshot.errors import DecisionRefusedError
from packshot.naming import batch_id
from packshot.record import ShotRecord, Source
from tasks.people.sent_answers import checked_answer

SHOT = batch_id("acme", "spring").shot("A1_MAIN")
RECORD = ShotRecord(shot=SHOT, source=Source(key="inbox/acme/spring/A1_MAIN.jpg", sha256="a" * 64, size_bytes=1))
REST = {"person": "Rea Viewer", "reason": "meets_standard", "picture": "0" * 16}


@pytest.mark.parametrize(
    "decision",
    [{"decision": made_up} for made_up in ("make_it_nice", "", None, 7, ["approve"], {"approve": 1})] + [{}],
    ids=repr,
)
def test_a_decision_that_there_is_not_is_refused_with_those_that_there_are(decision: Mapping[str, Any]) -> None:
    """Kind of test that was missing: one that sends a field's error together with a decision that nobody knows."""
    with pytest.raises(DecisionRefusedError) as refused:
        checked_answer(RECORD, {**REST, **decision})
    assert all(choice.value in refused.value.allowed for choice in Choice)


def test_another_field_that_is_wrong_is_refused_with_the_reasons_of_the_decision() -> None:
    with pytest.raises(DecisionRefusedError) as refused:
        checked_answer(RECORD, {**REST, "decision": "approve", "reason": "it was late"})
    assert "meets_standard" in refused.value.allowed
    assert "it was late" not in str(refused.value)
