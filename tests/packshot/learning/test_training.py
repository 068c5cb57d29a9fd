from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest

from packshot.errors import TrainingError
from packshot.learning import training
from packshot.learning.measures import quality_of
from packshot.learning.training import held_out_probabilities, train
from packshot.routing.model import Example, ModelUse, RoutingModel, read_model

AT = datetime(2026, 3, 1, tzinfo=UTC)
SHIPPED = {"TREES": training.TREES, "FOLDS": training.FOLDS}
SMALL = {"TREES": 10, "FOLDS": 4}
"""Enough for what most tests are about; a training takes a third of the time."""


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


@pytest.fixture(scope="module", autouse=True)
def small_trainings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in SMALL.items():
            patched.setattr(training, name, value)
        yield


@pytest.fixture(scope="module")
def model(small_trainings: None) -> RoutingModel:
    return train(examples(), at=AT, data="drawn shots")


def test_the_same_examples_give_the_same_model_and_it_survives_writing(model: RoutingModel) -> None:
    assert train(examples(), at=AT, data="drawn shots") == model
    assert read_model(model.model_dump_json().encode(), name="x") == model


def test_the_model_finds_what_matters_and_uses_the_masks_only_after_the_cut_out(model: RoutingModel) -> None:
    forest = model.approve.forest
    usual = {"thin_structure": 0.5, "disagreement": 0.5, "texture": 0.5}
    for name in ("thin_structure", "disagreement"):
        assert forest.probability({**usual, name: 0.95}) > forest.probability({**usual, name: 0.05}) + 0.2
        assert name in forest.reasons({**usual, name: 0.95})
    assert abs(forest.probability({**usual, "texture": 0.95}) - forest.probability({**usual, "texture": 0.05})) < 0.2
    assert "disagreement" not in model.route.forest.names


def test_probabilities_of_groups_left_out_are_in_order_and_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SHIPPED.items():
        monkeypatch.setattr(training, name, value)
    made = examples(600)
    found = quality_of(held_out_probabilities(made, ModelUse.APPROVE, least_in_leaf=4), [one.refused for one in made])
    assert found.auc is not None
    assert found.auc > 0.85
    assert found.calibration_error < 0.07


def test_no_group_is_ever_judged_by_a_model_that_saw_it() -> None:
    made = [one.model_copy(update={"refused": place % 4 < 2, "figures": {}}) for place, one in enumerate(examples())]
    found = held_out_probabilities(made, ModelUse.ROUTE, least_in_leaf=4)
    assert quality_of(found, [one.refused for one in made]).auc == pytest.approx(0.5, abs=0.2)


def test_shots_that_only_doubtful_edits_came_from_do_not_calibrate() -> None:
    made = [one.model_copy(update={"source": "review"} if place % 2 else {}) for place, one in enumerate(examples())]
    assert len(train(made, at=AT, data="drawn").route.calibration) == len(made) // 2


def test_the_card_says_what_a_person_should_know(model: RoutingModel) -> None:
    card = model.card
    assert card["data"] == "drawn shots"
    assert {"route", "approve"} == set(card["stages"])  # type: ignore[call-overload]
    assert set(card["stages"]["route"]["by_category"]) == {"a", "b"}  # type: ignore[index]


@pytest.mark.parametrize("made", [examples(10), [one.model_copy(update={"refused": False}) for one in examples()]])
def test_too_little_to_learn_from_is_an_error(made: list[Example]) -> None:
    with pytest.raises(TrainingError, match="too little"):
        train(made, at=AT, data="")


def test_the_forest_says_what_scikit_learn_s_says() -> None:
    made = examples()
    forest = training.fit(made, ModelUse.APPROVE, least_in_leaf=4)
    table, _ = training._table(made, ModelUse.APPROVE)
    shares = training._trees(table, made, least_in_leaf=4).predict_proba(table)[:, 1]
    ours = [sum(one.shares[one.path(list(row))[-1]] for one in forest.trees) / len(forest.trees) for row in table]
    assert np.allclose(ours, shares, atol=0.005)


def test_what_quality_control_measured_is_learnt_from_after_the_cut_out_alone() -> None:
    made = [
        one.model_copy(update={"figures": {"texture": 0.5, "qc_fringe": 0.9 if one.refused else 0.1}})
        for one in examples()
    ]
    found = train(made, at=AT, data="drawn shots")
    assert "qc_fringe" in found.approve.forest.names
    assert not [name for name in found.route.forest.names if name.startswith("qc_")]
    usual = {"texture": 0.5}
    forest = found.approve.forest
    assert forest.probability({**usual, "qc_fringe": 0.9}) > forest.probability({**usual, "qc_fringe": 0.1}) + 0.5


def test_judged_photographs_of_the_line_are_counted_apart_from_drawn_ones_with_their_kinds() -> None:
    made = examples()
    real = [one.model_copy(update={"source": "audit", "category": ""}) for one in made[:40]]
    seen = [one.model_copy(update={"source": "review"}) for one in made[40:60]]
    model = train([*real, *seen, *made[60:]], at=AT, data="some")
    assert len(model.approve.calibration) == len(made) - 20
    assert len(model.approve.seen) == 40, "what people saw because it was doubted is no fair sample"
    assert {one.kinds for one in model.approve.seen} == {("unnamed",)}
    assert read_model(model.model_dump_json().encode(), name="x") == model
