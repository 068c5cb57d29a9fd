"""What looked-at photographs say of the promise, in a model made by hand."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.seen.editing import Result
from benchmarks.seen.evidence import evidence_of, with_evidence
from benchmarks.seen.photographs import Half
from benchmarks.seen.table import Pair
from packshot.routing.model import JudgedPhoto, ModelUse, read_model
from packshot.specs.models import Promise
from tests.packshot.routing.models import model_of

PROMISE = Promise(ratio=0.02)
NIGHT = {"route": "automated", "refusal_probability": 0.02, "category": "shoes", "kinds": ["on_floor"]}
EDIT = Result(
    "a/b.jpg", "a" * 64, "a/b", Half.CHOSEN_ON.value, "line", "11", verdict="auto_approve", night=NIGHT, score=95.0
)


@pytest.mark.parametrize(
    "silent",
    [
        {"half": Half.ONLY_REPORTED.value},
        {"verdict": "human_review"},
        {"night": {**NIGHT, "route": "human"}},
    ],
    ids=["half that is only reported", "held back", "routed to people"],
)
def test_only_approved_edits_of_the_half_that_limits_are_chosen_on_speak(silent: dict[str, object]) -> None:
    pairs = [
        Pair(EDIT, True, frozenset()),
        Pair(EDIT, False, frozenset()),
        Pair(dataclasses.replace(EDIT, **silent), False, frozenset()),  # type: ignore[arg-type]
    ]
    assert evidence_of(pairs) == (
        JudgedPhoto(0.02, False, "shoes", ("on_floor",)),
        JudgedPhoto(0.02, True, "shoes", ("on_floor",)),
    )


def test_refused_real_photographs_tighten_the_limit_and_are_told_of() -> None:
    model, refused = model_of(), tuple(JudgedPhoto(0.001, place < 9, "shoes", ()) for place in range(12))
    shown = with_evidence(model, refused)
    before, after = (one.limit(ModelUse.APPROVE, PROMISE) for one in (model, shown))
    assert before.probability is not None
    assert after.probability is None or after.probability < before.probability
    assert "9 of 12 real photographs refused: too few real photographs" in after.sentence
    assert read_model(shown.model_dump_json().encode(), name="x").version != model.version


def test_new_evidence_takes_the_place_of_the_old() -> None:
    model = model_of()
    once = with_evidence(model, (JudgedPhoto(0.011, True, "bags", ()), JudgedPhoto(0.02, False, "", ())))
    again = with_evidence(once, (JudgedPhoto(0.03, False, "boxes", ()),))
    assert again == with_evidence(model, (JudgedPhoto(0.03, False, "boxes", ()),))
