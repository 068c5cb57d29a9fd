"""What drawn scenes prove nothing of is approved only by real photographs that people judged."""

from __future__ import annotations

import dataclasses

import pytest

from packshot.routing.approve import Watch
from packshot.routing.features import Features
from packshot.routing.model import JudgedPhoto, ModelUse, RoutingModel, read_model, shipped_model, version_of
from packshot.routing.proof import kinds_of
from packshot.specs.models import Promise
from packshot.specs.stages import Unproven
from packshot.types import Finding, Status
from tests.configs import shipped_configs
from tests.packshot.routing.models import model_of

PROMISE = Promise(ratio=0.02)
REAL_ONLY = shipped_configs().routing.real_only
PLAIN = Features(shadow=0.02, low_contrast=0.1, pale_inside=0.0)
ON_FLOOR = Features(shadow=0.3)
PALE = Features(low_contrast=0.8, pale_inside=0.35, backdrop_darkness=0.05)
DARK = Features(backdrop_darkness=0.85)


def with_real(count: int, *, refused: int = 0, kind: Unproven = Unproven.UNNAMED) -> RoutingModel:
    """A model that has seen so many real photographs of a kind, and drawn ones of which none of low doubt is wrong."""
    made = model_of()
    seen = tuple(JudgedPhoto(0.01, place < refused, "", (kind,)) for place in range(count))
    approve = made.approve.model_copy(update={"seen": seen})
    version = version_of(trained_at=made.trained_at, route=made.route, approve=approve)
    return made.model_copy(update={"approve": approve, "version": version})


def proof(model: RoutingModel, features: Features, category: str) -> Finding:
    watch = Watch(model, features, PROMISE, category=category, real_only=REAL_ONLY)
    assert not watch.judge({"disagreement": 0.001}).stops_approval, "by drawn scenes it would be approved"
    return watch.proof({"disagreement": 0.001})


@pytest.mark.parametrize(
    ("features", "category", "kinds"),
    [
        (PLAIN, "boxes", ()),
        (PLAIN, "", (Unproven.UNNAMED,)),
        (ON_FLOOR, "boxes", (Unproven.ON_FLOOR,)),
        (PALE, "boxes", (Unproven.PALE_ON_PALE,)),
        (PALE.model_copy(update={"backdrop_darkness": 0.4}), "boxes", ()),
        (DARK, "boxes", (Unproven.DARK_BACKDROP,)),
        (
            PALE.model_copy(update={"shadow": 0.2}),
            "",
            (Unproven.UNNAMED, Unproven.ON_FLOOR, Unproven.PALE_ON_PALE),
        ),
    ],
)
def test_a_shot_s_kinds_follow_from_its_figures_and_its_category(
    features: Features, category: str, kinds: tuple[Unproven, ...]
) -> None:
    assert kinds_of(features.model_dump(), category) == kinds


@pytest.mark.parametrize(
    ("before", "edit", "kinds"),
    [
        (PLAIN, {"qc_base_unproven": 0.06}, (Unproven.ON_FLOOR,)),
        (PLAIN, {"qc_base_unproven": 0.04}, ()),
        (ON_FLOOR, {"qc_base_unproven": 0.04}, ()),  # its base is its own evidence
        (ON_FLOOR, {"pale_rim": 0.01}, (Unproven.ON_FLOOR,)),  # no base was found to prove anything
        (PLAIN, {"pale_rim": 0.07}, (Unproven.PALE_ON_PALE,)),
        (PALE, {"pale_rim": 0.0}, (Unproven.PALE_ON_PALE,)),
    ],
)
def test_the_finished_edit_tells_its_kinds_too(
    before: Features, edit: dict[str, float], kinds: tuple[Unproven, ...]
) -> None:
    assert kinds_of({**before.model_dump(), **edit}, "boxes") == kinds


def test_a_kind_that_only_the_finished_edit_shows_waits_as_well() -> None:
    watch = Watch(model_of(), PLAIN, PROMISE, category="boxes", real_only=REAL_ONLY)
    assert not watch.proof({"disagreement": 0.001, "qc_base_unproven": 0.02}).stops_approval
    assert watch.proof({"disagreement": 0.001, "qc_base_unproven": 0.08}).stops_approval


def test_a_client_may_take_the_risk_of_one_kind_and_the_finding_says_so() -> None:
    taken = Watch(model_of(), ON_FLOOR, PROMISE, (), "boxes", REAL_ONLY, (Unproven.ON_FLOOR,))
    found = taken.proof({"disagreement": 0.001})
    assert (found.status, found.stops_approval) == (Status.WARNING, False)
    assert "The client's style guide takes the risk" in found.message
    assert "It stands on a visible floor" in found.message
    both = dataclasses.replace(taken, features=ON_FLOOR.model_copy(update={"backdrop_darkness": 0.9}))
    waits = both.proof({"disagreement": 0.001})
    assert waits.stops_approval, "the risk of another kind is not taken"
    assert "visible floor" not in waits.message


@pytest.mark.parametrize(("features", "category"), [(PLAIN, ""), (ON_FLOOR, "boxes"), (PALE, "boxes"), (DARK, "boxes")])
def test_without_real_photographs_no_drawn_scene_speaks_for_such_a_shot(features: Features, category: str) -> None:
    found = proof(model_of(), features, category)
    assert found.stops_approval
    assert "too few real photographs" in found.message
    assert (found.measured, found.limit) == (0, 149)


def test_a_plain_named_shot_needs_no_such_proof() -> None:
    assert not proof(model_of(), PLAIN, "boxes").stops_approval


@pytest.mark.parametrize(("count", "refused", "stops"), [(148, 0, True), (149, 0, False), (200, 4, True)])
def test_real_photographs_of_its_kind_prove_it_when_there_are_enough_and_few_were_refused(
    count: int, refused: int, stops: bool
) -> None:
    assert proof(with_real(count, refused=refused), PLAIN, "").stops_approval is stops


def test_real_photographs_of_one_kind_say_nothing_of_another() -> None:
    assert proof(with_real(300, kind=Unproven.ON_FLOOR), PLAIN, "").stops_approval


def test_a_promise_counts_real_photographs_apart_and_says_when_they_are_too_few() -> None:
    none, few = (model.limit(ModelUse.APPROVE, PROMISE).sentence for model in (model_of(), with_real(20, refused=3)))
    assert "0 of 0 real photographs refused: too few real photographs" in none
    assert "3 of 20 real photographs refused: too few real photographs" in few
    assert (
        "1 of 400 real photographs refused: at most 1.2%"
        in with_real(400, refused=1).limit(ModelUse.APPROVE, PROMISE).sentence
    )


def test_the_shipped_model_says_what_it_has_seen_of_real_photographs_and_that_they_are_too_few() -> None:
    model = shipped_model()
    refused = sum(one.refused for one in model.approve.seen)
    assert 0 < refused < len(model.approve.seen) < 149
    assert (
        f"{refused} of {len(model.approve.seen)} real photographs refused: too few real photographs"
        in model.limit(ModelUse.APPROVE, PROMISE).sentence
    )
    assert all(model.real_limit(ModelUse.APPROVE, PROMISE, kind).probability is None for kind in Unproven)


def test_what_real_photographs_say_cannot_be_changed_unnoticed() -> None:
    model = with_real(200)
    assert read_model(model.model_dump_json().encode(), name="x") == model
    assert model.version != model_of().version
