from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.errors import ModelError
from packshot.routing.approve import Watch, qc_figures
from packshot.routing.decide import RouteDecision, decide, without_figures
from packshot.routing.features import Features
from packshot.routing.mask_figures import MaskFigures
from packshot.routing.model import ModelUse, RoutingModel, read_model
from packshot.specs.models import Category, Promise
from packshot.types import Complexity, Finding, Route, Status
from tests.configs import shipped_configs
from tests.packshot.routing.models import model_of

CONFIGS = shipped_configs()
MODEL = model_of()
PROMISE = Promise(ratio=0.02)


def route(figures: Features, *, model: RoutingModel = MODEL, category: Category | None = None) -> RouteDecision:
    return decide(figures, category=category, category_source="manifest", config=CONFIGS.routing, model=model)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_figure_that_weighs_raises_the_probability(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ask = MODEL.route.forest.probability
    assert ask({"thin_structure": low}) <= ask({"thin_structure": high})


def test_a_figure_that_was_not_measured_counts_as_usual() -> None:
    assert MODEL.route.forest.probability({}) == pytest.approx(0.5)


def test_the_reasons_are_the_figures_that_raise_the_probability() -> None:
    assert MODEL.route.forest.reasons({"thin_structure": 0.9}) == ("thin_structure",)
    assert MODEL.route.forest.reasons({"thin_structure": 0.1}) == ()


def test_a_model_is_read_as_it_was_written() -> None:
    assert read_model(MODEL.model_dump_json().encode(), name="x") == MODEL


@pytest.mark.parametrize("data", [b"", b"{}", b"\x80\x04cos\nsystem\n"])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="no routing model"):
        read_model(data, name="models/routing/x.json")


def test_a_model_that_was_changed_after_training_is_refused() -> None:
    changed = json.loads(MODEL.model_dump_json())
    changed["route"]["forest"]["intercept"] = -9.0
    with pytest.raises(ModelError, match="not the one that was trained"):
        read_model(json.dumps(changed).encode(), name="x")


def test_the_model_decides_where_no_rule_and_no_complex_limit_does() -> None:
    assert route(Features(thin_structure=0.1)).route is Route.AUTOMATED
    assert route(Features(thin_structure=0.39)).complexity is Complexity.SIMPLE
    assert route(Features(outline_complexity=0.5)).complexity is Complexity.SIMPLE
    assert route(Features(thin_structure=0.9)).complexity is Complexity.COMPLEX


def test_the_record_names_model_and_probability() -> None:
    decision = route(Features(thin_structure=0.1))
    assert decision.model == f"routing model {MODEL.version}"
    assert decision.refusal_probability is not None
    assert "labelled shots refused" in decision.reason
    assert without_figures(f"simple: {decision.reason}") == (
        "simple: people seldom refuse what the machine makes of such a photograph"
    )
    risky = route(Features(outline_complexity=0.5), model=model_of(shots=15))
    assert without_figures(risky.reason).startswith("people may refuse what the machine makes of such a photograph")
    assert not any(sign.isdigit() for sign in without_figures(risky.reason))
    assert without_figures("simple: refusal probability 0.003 within 0.677 (at most 15.0% refused)") == "simple"
    assert without_figures("grainy backdrop 0.31 at or above 0.20 (a note)") == (
        "grainy backdrop 0.31 at or above 0.20 (a note)"
    )


def test_jewelry_is_complex_however_sure_the_model_is() -> None:
    decision = route(Features(), category=CONFIGS.categories["jewelry"])
    assert (decision.complexity, decision.route) == (Complexity.COMPLEX, Route.HUMAN)


def test_where_too_little_is_labelled_everything_goes_to_people_and_the_reason_says_so() -> None:
    decision = route(Features(), model=model_of(shots=15))
    assert decision.route is Route.HUMAN
    assert "not to be had from 15 labelled shots" in decision.reason


def test_categories_that_a_shot_is_not_of_do_not_count_against_it() -> None:
    half_glass = MODEL.route.model_copy(
        update={
            "calibration": tuple(
                one._replace(category="glass" if one.refused else "") for one in MODEL.route.calibration
            )
        }
    )
    model = MODEL.model_copy(update={"route": half_glass})
    known = model.limit(ModelUse.ROUTE, PROMISE, without={"glass"})
    unknown = model.limit(ModelUse.ROUTE, PROMISE)
    assert known.labelled < unknown.labelled
    assert known.bound < unknown.bound or known.accepted >= unknown.accepted


def test_quality_controls_figures_bear_on_the_probability_under_names_of_their_own() -> None:
    quiet = Finding(code="islands", status=Status.PASSED, message="", measured=0.1)
    loud, skipped = quiet.model_copy(update={"measured": 0.9}), quiet.model_copy(update={"measured": None})
    assert qc_figures([loud, quiet.model_copy(update={"code": "fringe"})]) == {"qc_islands": 0.9, "qc_fringe": 0.1}
    assert qc_figures([skipped]) == {}
    watch = Watch(model_of(after="qc_islands"), Features(), PROMISE)
    assert not watch.judge(qc_figures([quiet])).stops_approval
    assert watch.judge(qc_figures([loud])).stops_approval


@pytest.mark.parametrize(("disagreement", "stops"), [(0.05, False), (0.9, True)])
def test_after_the_cut_out_an_edit_that_is_likely_refused_is_not_approved(disagreement: float, stops: bool) -> None:
    watch = Watch(MODEL, Features(), PROMISE)
    finding = watch.judge(MaskFigures(disagreement=disagreement).model_dump())
    assert finding.stops_approval is stops
    assert MODEL.version in finding.message
