"""What may be told of a shot under review: nothing of the machine's opinion where it was drawn for an audit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.blind import AUDIT, UNTOLD, as_listed, as_shown, is_blind, is_unjudged
from packshot.handoff.board import wait_of
from packshot.naming import ShotId
from packshot.record import ShotRecord, Source, State
from packshot.routing.decide import IN_FIGURES
from packshot.types import Finding, Status, Verdict
from tests.configs import shipped_configs

AT = datetime(2026, 3, 1, tzinfo=UTC)
OPINION = "score 73.5, a reviewer decides: Backdrop may be left near the handle."
EDIT = {"score": 73.46, "components": {"edge": 12.0}, "verdict": "human_review", "model": "contrast"}
OF_EDIT = Finding(code="leftover_suspected", status=Status.WARNING, message="Backdrop may be left.", picture="e" * 64)
OF_PHOTOGRAPH = Finding(code="no_profile", status=Status.WARNING, message="The photograph has no profile.")
STOPS = Finding(code="grey_photograph", status=Status.FAILED, message="It is grey.", gate=True)
LIFE = {
    State.MASTERED: "1000 x 1000 px",
    State.ROUTED: "simple: a box",
    State.EDITING_AUTO: "simple enough for the machine",
    State.SCORED: OPINION,
    State.IN_REVIEW: OPINION,
}


def in_review(**reports: Any) -> ShotRecord:
    shot = ShotId(client="acme", batch="b", shot="A1")
    record = ShotRecord(shot=shot, source=Source(key="k", sha256="0" * 64, size_bytes=1))
    for state, why in LIFE.items():
        record = record.advance(state, at=AT, actor="the line", why=why)
    noted = record.note(at=AT, actor="Ada", why="not followed: the picture has changed")
    update = {
        "findings": (OF_EDIT, OF_PHOTOGRAPH, STOPS),
        "reports": {"edit": EDIT, "figures": {"haze": 0.2}, "routing": {"category": "boxes"}, **reports},
        "objects": {"edit.tif": "e" * 64},
    }
    return noted.model_copy(update=update)


DRAWN = in_review(audit={"approved": True, "ratio": 1.0, "score": 73.46})


def test_a_drawn_shot_is_shown_without_the_machine_s_opinion_until_it_is_judged() -> None:
    shown = as_shown(DRAWN)
    assert is_blind(DRAWN)
    assert shown.findings == (OF_PHOTOGRAPH,)
    assert shown.reports == {"edit": {"model": "contrast"}, "routing": {"category": "boxes"}}
    whys = [event.why for event in shown.events]
    assert whys == ["1000 x 1000 px", UNTOLD, UNTOLD, UNTOLD, UNTOLD, "not followed: the picture has changed"]
    for word in ("73", "handle", "audit", "left", "simple"):
        assert word not in shown.model_dump_json(), word

    judged = DRAWN.advance(State.APPROVED, at=AT, actor="Ada", why="Ada approved it")
    assert not is_blind(judged)
    assert as_shown(judged) is as_listed(judged) is judged


def test_how_likely_a_refusal_is_expected_is_not_told_before_the_judgement() -> None:
    """Kind of test that was missing: the reason of the route holds the model's figure too."""
    reason = f"people seldom refuse such a photograph ({IN_FIGURES} 0.003 within 0.125; 2 of 370 refused)"
    routed = DRAWN.events[1].model_copy(update={"why": f"simple: {reason}"})
    assert routed.to_state is State.ROUTED
    told = {"category": "boxes", "reason": reason, "refusal_probability": 0.003}
    record = DRAWN.model_copy(
        update={"events": (DRAWN.events[0], routed, *DRAWN.events[2:]), "reports": {**DRAWN.reports, "routing": told}}
    )
    shown = as_shown(record)
    assert shown.events[1].why == UNTOLD
    assert shown.reports["routing"] == {"category": "boxes"}
    for word in ("0.003", "seldom", "probability", "simple"):
        assert word not in shown.model_dump_json(), word


ROUTES = (
    {"complexity": "simple", "route": "automated", "reason": "nothing stands out", "refusal_probability": 0.01},
    {"complexity": "medium", "route": "human", "reason": "fine detail", "features": {"edge_density": 0.9}, "tag": None},
)
OPINIONS = ("score 98.2, approved", "score 61.0, a reviewer decides: Backdrop may be left near the handle.")


@st.composite
def of_one_photograph(draw: st.DrawFn) -> ShotRecord:
    """A shot in review whose photograph is always the same, with any opinion of the machine."""
    opinion = draw(st.sampled_from(OPINIONS))
    found = draw(st.lists(st.sampled_from([OF_EDIT, STOPS]), unique=True))
    reports = {
        "edit": {**EDIT, "score": draw(st.floats(0, 100)), "verdict": draw(st.sampled_from(Verdict)).value},
        "routing": {"category": "boxes", "model": "rules only", **draw(st.sampled_from(ROUTES))},
        "group": {"part": "g1"},
    }
    if draw(st.booleans()):
        reports["figures"] = {"haze": draw(st.floats(0, 1))}
    if draw(st.booleans()):
        reports[AUDIT] = {"approved": draw(st.booleans()), "ratio": draw(st.floats(0, 1))}
    drawn = in_review(**reports)
    complexity = reports["routing"]["complexity"]
    whys = {State.ROUTED: f"{complexity}: a box", State.SCORED: opinion, State.IN_REVIEW: opinion}
    events = tuple(
        one.model_copy(update={"why": whys.get(one.to_state, one.why)}) if one.from_state is not one.to_state else one
        for one in drawn.events
    )
    return drawn.model_copy(update={"findings": (OF_PHOTOGRAPH, *found), "events": events})


@given(of_one_photograph(), of_one_photograph())
def test_two_opinions_of_one_photograph_cannot_be_told_apart(one: ShotRecord, other: ShotRecord) -> None:
    """Kind of test that was missing: not which words may be there, but that nothing depends on the opinion."""
    assert as_listed(one) == as_listed(other)
    if is_blind(one) and is_blind(other):
        assert as_shown(one) == as_shown(other)
    promise = shipped_configs().handoff
    assert wait_of(one, at=AT, promise=promise) == wait_of(other, at=AT, promise=promise)


def test_what_a_person_said_of_a_hold_is_told() -> None:
    held = in_review().events[1].model_copy(update={"from_state": State.ON_HOLD, "why": "Ada: go on"})
    record = DRAWN.model_copy(update={"events": (held, *DRAWN.events[2:])})
    assert as_shown(record).events[0].why == "Ada: go on"


def test_a_list_tells_as_little_of_a_review_that_was_not_drawn() -> None:
    seen = in_review()
    assert as_shown(seen) is seen
    assert as_listed(seen) == as_listed(DRAWN)


@pytest.mark.parametrize("record", [DRAWN, in_review()])
def test_a_review_that_failed_for_a_time_tells_no_more(record: ShotRecord) -> None:
    failed = record.advance(State.FAILED, at=AT, actor="the line", why="the storage was away")
    assert is_unjudged(failed)
    listed = as_listed(failed)
    assert listed.events[-1].why == "the storage was away"
    assert "73" not in listed.model_dump_json()


def test_an_earlier_verdict_on_the_same_photograph_is_not_told_either() -> None:
    again = DRAWN.advance(State.REDO, at=AT, actor="Ada", why="Ada: another method")
    for state in (State.EDITING_AUTO, State.SCORED, State.IN_REVIEW):
        again = again.advance(state, at=AT, actor="the line", why=OPINION)
    whys = [event.why for event in as_shown(again).events]
    assert OPINION not in whys
    assert "Ada: another method" in whys
