from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from packshot.errors import TrainingError
from packshot.learning.measures import quality_of
from packshot.learning.training import held_out_probabilities, train
from packshot.routing.model import Example, Stage, read_model

AT = datetime(2026, 3, 1, tzinfo=UTC)


def examples(count: int = 240, *, seed: int = 1) -> list[Example]:
    """Shots whose refusal depends on one figure before the cut-out and on one after it."""
    rng = np.random.default_rng(seed)
    made = []
    for place in range(count):
        thin, apart = rng.random(), rng.random()
        refused = rng.random() < 1 / (1 + np.exp(-8 * (thin + apart - 1.1)))
        figures = {"thin_structure": thin, "disagreement": apart, "texture": rng.random()}
        made.append(
            Example(figures=figures, refused=bool(refused), group=f"g{place // 2}", category="a" if thin < 0.5 else "b")
        )
    return made


def test_the_same_examples_give_the_same_model_and_it_survives_writing() -> None:
    one, other = (train(examples(), at=AT, data="drawn") for _ in range(2))
    assert one == other
    assert read_model(one.model_dump_json().encode(), name="x") == one


def test_the_model_finds_what_matters_and_uses_the_masks_only_after_the_cut_out() -> None:
    model = train(examples(), at=AT, data="drawn")
    weights = dict(zip(model.approve.logistic.names, model.approve.logistic.weights, strict=True))
    assert sorted(weights, key=lambda name: -weights[name])[:2] in (
        ["thin_structure", "disagreement"],
        ["disagreement", "thin_structure"],
    )
    assert "disagreement" not in model.route.logistic.names


def test_probabilities_of_groups_left_out_are_in_order_and_calibrated() -> None:
    made = examples(600)
    found = quality_of(held_out_probabilities(made, Stage.APPROVE, strength=0.3), [one.refused for one in made])
    assert found.auc is not None
    assert found.auc > 0.85
    assert found.calibration_error < 0.07


def test_no_group_is_ever_judged_by_a_model_that_saw_it() -> None:
    made = [one.model_copy(update={"refused": place % 4 < 2, "figures": {}}) for place, one in enumerate(examples())]
    found = held_out_probabilities(made, Stage.ROUTE, strength=1.0)
    assert quality_of(found, [one.refused for one in made]).auc == pytest.approx(0.5, abs=0.2)


def test_shots_that_only_doubtful_edits_came_from_do_not_calibrate() -> None:
    made = [one.model_copy(update={"source": "review"} if place % 2 else {}) for place, one in enumerate(examples())]
    assert len(train(made, at=AT, data="drawn").route.calibration) == len(made) // 2


def test_the_card_says_what_a_person_should_know() -> None:
    card = train(examples(), at=AT, data="drawn shots").card
    assert card["data"] == "drawn shots"
    assert {"route", "approve"} == set(card["stages"])  # type: ignore[call-overload]
    assert set(card["stages"]["route"]["by_category"]) == {"a", "b"}  # type: ignore[index]


@pytest.mark.parametrize("made", [examples(10), [one.model_copy(update={"refused": False}) for one in examples()]])
def test_too_little_to_learn_from_is_an_error(made: list[Example]) -> None:
    with pytest.raises(TrainingError, match="too little"):
        train(made, at=AT, data="")
