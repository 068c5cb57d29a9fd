from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot import record as record_module
from packshot.errors import IllegalTransitionError
from packshot.naming import ShotId
from packshot.record import (
    DONE,
    EDIT,
    FOLLOWS,
    MACHINE,
    MACHINE_EDIT,
    WAITING,
    ShotRecord,
    Source,
    State,
    deliveries_of,
    delivery_reason,
    found_in,
)
from packshot.types import Finding, Sourced, Status

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEW = ShotRecord(
    shot=ShotId(client="acme", batch="spring", shot="A1-MAIN"),
    source=Source(key="inbox/acme/spring/A1-MAIN.jpg", sha256="0" * 64, size_bytes=1),
    facts={"sku": Sourced(value="A1", source="file_name")},
)
ENDS = frozenset({State.REFUSED, State.LIVE})


def step(record: ShotRecord, to: State) -> ShotRecord:
    return record.advance(to, at=NOON + timedelta(seconds=len(record.events)), actor="run-1", why=f"to {to}")


def next_states(record: ShotRecord) -> list[State]:
    """Where a record may go, from the table alone."""
    if record.state is State.FAILED:
        assert record.failed_from is not None
        return [record.failed_from]
    return sorted(FOLLOWS[record.state] | ({State.FAILED} if FOLLOWS[record.state] else set()))


@st.composite
def lives(draw: st.DrawFn) -> ShotRecord:
    record = NEW
    for _ in range(draw(st.integers(0, 25))):
        choices = next_states(record)
        if not choices:
            break
        record = step(record, draw(st.sampled_from(choices)))
    return record


@given(lives())
def test_events_tell_the_whole_life_without_a_gap(record: ShotRecord) -> None:
    told = [State.RECEIVED, *(event.to_state for event in record.events)]
    assert told[-1] is record.state
    assert all(event.from_state is before for event, before in zip(record.events, told, strict=False))
    assert all(earlier.at < later.at for earlier, later in pairwise(record.events))


@given(lives(), st.sampled_from(State))
def test_a_shot_goes_only_where_the_table_allows(record: ShotRecord, to: State) -> None:
    before = record.model_dump_json()
    if to in next_states(record):
        assert step(record, to).state is to
    else:
        with pytest.raises(IllegalTransitionError, match=f"cannot go from '{record.state}' to '{to}'"):
            step(record, to)
    assert record.model_dump_json() == before


@given(lives())
def test_a_failed_shot_goes_back_to_where_it_failed_and_nowhere_else(record: ShotRecord) -> None:
    if record.state in ENDS or record.state is State.FAILED:
        return
    failed = step(record, State.FAILED)
    assert failed.failed_from is record.state
    assert next_states(failed) == [record.state]
    assert step(failed, record.state).state is record.state


@given(lives())
def test_a_record_survives_json(record: ShotRecord) -> None:
    assert ShotRecord.model_validate_json(record.model_dump_json()) == record


@given(lives())
def test_a_restart_begins_again_and_keeps_the_history(record: ShotRecord) -> None:
    again = record.restart(at=NOON + timedelta(days=1), actor="anna", why="new reference")
    assert again.state is State.RECEIVED
    assert again.events[:-1] == record.events
    assert (again.findings, again.reports) == ((), {})
    assert again.facts == record.facts
    assert step(again, State.MASTERED).state is State.MASTERED


def reachable(start: State) -> set[State]:
    seen, todo = {start}, [start]
    while todo:
        new = FOLLOWS[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


@pytest.mark.parametrize("state", sorted(set(State) - ENDS - {State.FAILED}))
def test_no_shot_is_ever_stuck_delivery_can_be_reached_from_every_state(state: State) -> None:
    assert State.DELIVERED in reachable(state)


def test_every_state_can_be_reached_and_has_its_place_in_the_table() -> None:
    assert set(FOLLOWS) == set(State)
    assert reachable(State.RECEIVED) == set(State) - {State.FAILED}


def test_nothing_is_exported_that_nobody_approved() -> None:
    leads_to = {state for state, after in FOLLOWS.items() if State.EXPORTED in after}
    assert leads_to == {State.APPROVED}
    assert {state for state, after in FOLLOWS.items() if State.DELIVERED in after} == {State.VERIFIED}


def test_a_shot_that_waits_or_is_done_is_not_failed_or_refused() -> None:
    assert not (WAITING | DONE) & {State.FAILED, State.REFUSED}
    assert not WAITING & DONE


def test_the_life_drawn_in_the_module_is_the_one_in_the_table() -> None:
    drawn = re.findall(r"^    (.*)$", record_module.__doc__ or "", re.MULTILINE)
    edges = set()
    for chain in (chain for line in drawn for chain in re.split(r"\s{2,}", line) if "any" not in chain):
        steps = [part.split(" | ") for part in chain.split(" -> ")]
        edges |= {(one, other) for these, those in pairwise(steps) for one in these for other in those}
    assert len(edges) > 20
    for one, other in edges:
        assert State(other) in FOLLOWS[State(one)], (one, other)


def test_findings_and_objects_are_added_and_reports_replaced_by_stage() -> None:
    finding = Finding(code="duplicate", status=Status.WARNING, message="seen before")
    first = NEW.advance(
        State.MASTERED, at=NOON, actor="r", why="w", findings=(finding,), reports={"a": {"x": 1}}, objects={"m": "1"}
    )
    second = first.advance(
        State.ROUTED, at=NOON, actor="r", why="w", findings=(finding,), reports={"a": {"x": 2}}, objects={"n": "2"}
    )
    assert second.findings == (finding, finding)
    assert second.reports == {"a": {"x": 2}}
    assert second.objects == {"m": "1", "n": "2"}
    again = second.restart(at=NOON, actor="r", why="w")
    assert (again.findings, again.reports, again.objects) == ((), {}, {}), "an old picture is not taken for the new one"
    assert NEW.objects == {}


def test_an_unknown_fact_is_an_empty_text() -> None:
    assert NEW.fact("sku") == "A1"
    assert NEW.fact("asin") == ""


@pytest.mark.parametrize(
    ("facts", "product"),
    [
        ({"sku": "A1", "asin": "B0", "gtin": "4006381333931"}, "A1"),
        ({"asin": "B0", "gtin": "4006381333931"}, "B0"),
        ({"gtin": "4006381333931"}, "4006381333931"),
        ({"view": "MAIN"}, ""),
    ],
)
def test_a_product_is_its_sku_else_its_asin_else_its_gtin(facts: dict[str, str], product: str) -> None:
    known = {name: Sourced(value=value, source="manifest") for name, value in facts.items()}
    assert NEW.model_copy(update={"facts": known}).product == product


def found(code: str, status: Status, *, picture: str = "", gate: bool = False) -> Finding:
    return Finding(code=code, status=status, message=code, picture=picture, gate=gate)


def test_findings_on_an_edit_that_was_replaced_are_not_true_any_more() -> None:
    assert [one.picture for one in found_in("1", (found("a", Status.PASSED), found("b", Status.FAILED)))] == ["1", "1"]
    photograph, old, new = found("p", Status.WARNING), found("o", Status.FAILED, picture="1"), found("n", Status.PASSED)
    mine = new.model_copy(update={"picture": "2"})
    record = NEW.model_copy(update={"findings": (photograph, old, mine), "objects": {EDIT: "2"}})
    assert record.present_findings == (photograph, mine)
    assert NEW.model_copy(update={"findings": (photograph, old)}).present_findings == (photograph,)


def test_the_worst_finding_is_the_one_that_stops_approval_and_none_is_worst_if_all_passed() -> None:
    passed, warning = found("passed", Status.PASSED), found("warning", Status.WARNING)
    failed, stopping = found("failed", Status.FAILED), found("gate", Status.FAILED, gate=True)
    record = NEW.model_copy(update={"findings": (passed, warning, failed, stopping)})
    assert record.worst_finding == stopping
    assert NEW.model_copy(update={"findings": (passed, warning, failed)}).worst_finding == failed
    assert NEW.model_copy(update={"findings": (passed,)}).worst_finding is None


def test_only_the_last_failure_says_whether_it_may_pass() -> None:
    passing = NEW.advance(State.FAILED, at=NOON, actor="r", why="a disk was full", passing=True)
    assert passing.failed_in_passing
    revived = step(passing, State.RECEIVED)
    assert not revived.failed_in_passing
    assert not step(revived, State.FAILED).failed_in_passing


def test_a_note_changes_neither_the_state_nor_since_when() -> None:
    assert NEW.since is None
    begun = step(NEW, State.MASTERED)
    noted = begun.note(at=NOON + timedelta(hours=1), actor="Ada", why="looked at")
    assert (noted.state, noted.since) == (State.MASTERED, NOON)
    assert noted.note(at=NOON, actor="Ada", why="again").failed_from is None
    assert NEW.note(at=NOON, actor="Ada", why="looked at").since is None


def test_a_delivery_counts_once_even_if_the_shot_failed_after_it() -> None:
    verified = NEW.model_copy(update={"state": State.VERIFIED})
    out = verified.advance(State.DELIVERED, at=NOON, actor="r", why=delivery_reason(12))
    assert deliveries_of(verified) == ()
    assert deliveries_of(out) == (12,)
    failed = out.advance(State.FAILED, at=NOON, actor="r", why="x")
    back = failed.advance(State.DELIVERED, at=NOON, actor="r", why=delivery_reason(12))
    assert deliveries_of(back) == (12,)


@pytest.mark.parametrize(
    ("state", "allowed"),
    [(State.ON_HOLD, "refused, routed"), (State.LIVE, "nothing: this is an end")],
)
def test_a_refused_step_says_which_are_allowed(state: State, allowed: str) -> None:
    with pytest.raises(IllegalTransitionError, match=f"allowed {allowed}"):
        step(NEW.model_copy(update={"state": state}), State.RECEIVED)


def test_names_that_stored_records_have_stay_as_they_are() -> None:
    assert [str(state) for state in State] == [
        *("received", "refused", "mastered", "routed", "on_hold", "editing_auto", "awaiting_editor", "returned"),
        *("scored", "in_review", "redo", "awaiting_signoff", "approved", "exported", "verified", "delivered", "live"),
        "failed",
    ]
    assert (MACHINE, EDIT, MACHINE_EDIT, delivery_reason(3)) == (
        "machine",
        "edit.tif",
        "machine_edit.tif",
        "delivery 3",
    )
