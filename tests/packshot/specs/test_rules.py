from __future__ import annotations

import pytest
from pydantic import ValidationError

from packshot.specs.models import EditRules, Shadow


def test_rules_state_what_they_say_and_nothing_else() -> None:
    assert EditRules().stated() == {}
    assert EditRules(shadow=Shadow.KEEP, colour_reference_required=False).stated() == {
        "shadow": Shadow.KEEP,
        "colour_reference_required": False,
    }


def test_fill_and_margin_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="not both"):
        EditRules(fill_ratio=0.9, margin_ratio=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fill_ratio": 0},
        {"fill_ratio": 1.01},
        {"margin_ratio": 0.5},
        {"margin_ratio": -0.1},
        {"max_upscale_ratio": 0.9},
        {"max_upscale_ratio": 2.1},
        {"colour_mean_delta_e": 0},
        {"shadow": "soft"},
        {"fill": 0.9},
    ],
)
def test_rules_that_cannot_be_followed_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EditRules(**wrong)  # type: ignore[arg-type]
