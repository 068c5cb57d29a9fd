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
from packshot.record import DONE, FOLLOWS, WAITING, ShotRecord, Source, State
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
