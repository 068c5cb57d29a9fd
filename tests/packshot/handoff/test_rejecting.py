"""A client sends a delivered picture back: what it leads to, when it counts, and where its marks are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.decision import BY_CLIENT, REASONS, Choice, Decision, Mark, Reason, answer_to, standing
from packshot.errors import DecisionRefusedError
from packshot.framing.fit import fit
from packshot.handoff.deciding import choices_of, decide, picture_shown
from packshot.handoff.rejecting import (
    WORDS,
    Delivered,
    on_the_photograph,
    reject_delivered,
    rejected_in,
    rejection,
)
from packshot.naming import ShotId
from packshot.outcomes.daily_counts import sent_back_of
from packshot.outcomes.daily_values import Day
from packshot.outcomes.daily_work import by_hour
from packshot.record import ShotRecord, Source, State, deliveries_of, delivery_reason
from packshot.specs.models import Canvas
from packshot.types import Box, Size

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FILE = Delivered(number=1, path="shopify/A1.jpg", sha256="f" * 64)
LINE = (State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, State.APPROVED, State.EXPORTED, State.VERIFIED)


def delivered(number: int = 1, *, files: tuple[Delivered, ...] = (FILE,)) -> ShotRecord:
    record = ShotRecord(
        shot=ShotId(client="acme", batch="spring", shot="A1"),
        source=Source(key="inbox/acme/spring/A1.jpg", sha256="0" * 64, size_bytes=1),
        reports={
            "reading": {"size": [1000, 800]},
            "export": {"files": [{"path": one.path, "sha256": one.sha256, "passed": True} for one in files]},
        },
    )
    for to in LINE:
        record = record.advance(to, at=NOON, actor="run", why="the line")
    return record.advance(State.DELIVERED, at=NOON, actor="run", why=delivery_reason(number))


def said(
    file: Delivered = FILE, *, reason: Reason = Reason.EDGE, note: str = "the rim is bitten", **more: Any
) -> Decision:
    given = {
        "client": "acme",
        "at": NOON + timedelta(hours=1),
        "marks": (),
        "key": "deliveries/acme/spring/1/x",
        **more,
    }
    return rejection(file, reason=reason, note=note, **given)


@pytest.mark.parametrize("reason", WORDS)
def test_every_reason_of_a_client_brings_the_shot_back_to_an_editor(reason: Reason) -> None:
    after = reject_delivered(delivered(), said(reason=reason), FILE)
    assert after.state is State.AWAITING_EDITOR
    assert after.decisions[-1].choice is WORDS[reason][0]
    assert after.events[-1].actor == "client acme"
    assert "the rim is bitten" in after.events[-1].why


def test_each_decision_of_a_client_has_its_reasons_and_every_one_is_said_in_the_client_s_words() -> None:
    offered = {choice: {reason for reason, (one, _) in WORDS.items() if one is choice} for choice in BY_CLIENT}
    assert offered == {choice: set(REASONS[choice]) for choice in BY_CLIENT}


@pytest.mark.parametrize(
    "file",
    [
        FILE.model_copy(update={"sha256": "e" * 64}),
        FILE.model_copy(update={"path": "amazon_main/A1.jpg"}),
        FILE.model_copy(update={"number": 2}),
    ],
)
def test_a_file_that_is_not_the_one_that_was_delivered_is_refused(file: Delivered) -> None:
    with pytest.raises(DecisionRefusedError, match="not the delivered one any more"):
        reject_delivered(delivered(), said(file), file)


def test_a_file_of_an_earlier_delivery_is_refused_once_a_correction_is_out() -> None:
    corrected = delivered(2)
    with pytest.raises(DecisionRefusedError, match="not the delivered one any more"):
        reject_delivered(corrected, said(), FILE)


@pytest.mark.parametrize("state", [one for one in State if one is not State.DELIVERED])
def test_only_a_delivered_shot_comes_back(state: State) -> None:
    with pytest.raises(DecisionRefusedError, match="not the delivered one any more"):
        reject_delivered(delivered().model_copy(update={"state": state}), said(), FILE)


def test_the_first_rejection_counts_and_another_changes_nothing_also_by_another_file_of_the_shot() -> None:
    other = Delivered(number=1, path="amazon_main/A1.jpg", sha256="d" * 64)
    once = reject_delivered(delivered(files=(FILE, other)), said(), FILE)
    for file in (FILE, other):
        assert reject_delivered(once, said(file, reason=Reason.COLOUR), file) == once
    told = rejected_in(once, 1)
    assert told
    assert told.reason is Reason.EDGE
    assert rejected_in(once, 2) is None


def test_a_correction_can_be_sent_back_too() -> None:
    once = reject_delivered(delivered(), said(), FILE)
    for to in (State.RETURNED, State.SCORED, State.AWAITING_SIGNOFF, State.APPROVED, State.EXPORTED, State.VERIFIED):
        once = once.advance(to, at=NOON, actor="run", why="the line")
    corrected = once.advance(State.DELIVERED, at=NOON, actor="run", why=delivery_reason(2))
    assert deliveries_of(corrected) == (1, 2)
    second = FILE.model_copy(update={"number": 2})
    again = reject_delivered(corrected, said(second), second)
    assert [one.question for one in again.decisions] == ["delivery-1", "delivery-2"]


def test_nothing_comes_back_without_a_word_or_a_mark() -> None:
    mark = Mark(left=1, top=2, right=30, bottom=40, text="here")
    with pytest.raises(DecisionRefusedError, match="must know what to do"):
        reject_delivered(delivered(), said(note=" "), FILE)
    assert reject_delivered(delivered(), said(note="", marks=(mark,)), FILE).decisions[-1].marks == (mark,)
    with pytest.raises(DecisionRefusedError, match="needs a note"):
        reject_delivered(delivered(), said(reason=Reason.OTHER, note="", marks=(mark,)), FILE)
    outside = mark.model_copy(update={"right": 1001})
    with pytest.raises(DecisionRefusedError, match="outside of the picture"):
        reject_delivered(delivered(), said(marks=(outside,)), FILE)


@pytest.mark.parametrize("choice", sorted(BY_CLIENT))
@pytest.mark.parametrize("state", State)
def test_nobody_answers_a_question_of_the_line_as_a_client(choice: Choice, state: State) -> None:
    record = delivered().model_copy(update={"state": state})
    with pytest.raises(DecisionRefusedError, match="cannot be decided"):
        decide(record, said().model_copy(update={"choice": choice, "reason": REASONS[choice][0]}))


PHOTOGRAPH = Size(3000, 2000)


@given(
    st.tuples(st.integers(0, 2000), st.integers(0, 1500), st.integers(50, 900), st.integers(50, 400)),
    st.floats(0.5, 1),
    st.integers(300, 3000),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_mark_on_a_file_lies_at_the_same_place_of_the_photograph(
    subject: tuple[int, int, int, int], fill: float, longest: int, where: tuple[float, float]
) -> None:
    """Also where the frame reaches beyond the photograph."""
    left, top, width, height = subject
    canvas = Canvas(aspect="1:1", min_px=100, recommended_px=longest)
    placed = fit(Box(left, top, left + width, top + height), canvas=canvas, fill_ratio=fill, max_upscale_ratio=3)
    x, y = left + where[0] * (width - 1), top + where[1] * (height - 1)
    seen_x, seen_y = int(placed.scale * x + placed.left), int(placed.scale * y + placed.top)
    (mark,) = on_the_photograph(
        [Box(seen_x, seen_y, seen_x + 1, seen_y + 1)],
        size=placed.canvas,
        window=placed.window,
        photograph=PHOTOGRAPH,
        text="here",
    )
    off = 2 + 2 / placed.scale
    assert abs(mark.left - x) <= off
    assert abs(mark.top - y) <= off


@given(st.lists(st.integers(-50, 1500), min_size=4, max_size=4))
def test_every_mark_lies_on_the_photograph_and_has_an_area(sides: list[int]) -> None:
    left, top = sides[0], sides[1]
    box = Box(left, top, left + abs(sides[2]) + 1, top + abs(sides[3]) + 1)
    (mark,) = on_the_photograph(
        [box], size=Size(1000, 1000), window=Box(-700, -300, 2300, 2700), photograph=PHOTOGRAPH, text="here"
    )
    assert 0 <= mark.left < mark.right <= PHOTOGRAPH.width
    assert 0 <= mark.top < mark.bottom <= PHOTOGRAPH.height


def answered(record: ShotRecord, **more: Any) -> ShotRecord:
    """The record after a senior has told the client that it is no fault of ours."""
    said_so: dict[str, Any] = {
        "choice": Choice.NO_FAULT,
        "by": "Sen Ior",
        "at": NOON + timedelta(hours=2),
        "reason": Reason.AS_ORDERED,
        "picture": picture_shown(record),
        "note": "The strap belongs to the bag.",
    }
    return decide(record, Decision(**{**said_so, **more}))


def sent_back() -> ShotRecord:
    record = delivered().model_copy(update={"objects": {"master.tif": "a" * 64, "edit.tif": "e" * 64}})
    return reject_delivered(record, said(), FILE)


def test_a_client_is_told_that_it_is_no_fault_and_the_picture_stays_delivered_as_it_was() -> None:
    record = sent_back()
    assert choices_of(record)[-1] is Choice.NO_FAULT
    after = answered(record)
    assert (after.state, deliveries_of(after)) == (State.DELIVERED, (1,))
    told = rejected_in(after, 1)
    assert told
    answer = answer_to(told, after.decisions)
    assert answer
    assert answer.note == "The strap belongs to the bag."
    assert answer_to(told, record.decisions) is None
    assert standing(after.decisions) == (answer,)
    assert reject_delivered(after, said(reason=Reason.COLOUR), FILE) is after, "one rejection of a delivery counts"


def test_no_client_is_told_so_without_words_or_when_none_sent_it_back() -> None:
    with pytest.raises(DecisionRefusedError, match="the client must be told why"):
        answered(sent_back(), note=" ")
    ours = delivered().model_copy(
        update={"state": State.AWAITING_EDITOR, "objects": {"master.tif": "a" * 64, "edit.tif": "e" * 64}}
    )
    assert Choice.NO_FAULT not in choices_of(ours)
    with pytest.raises(DecisionRefusedError, match="cannot be decided"):
        answered(ours)


def test_a_fault_that_was_none_counts_for_nobody() -> None:
    record = answered(sent_back())
    ends = datetime(2026, 11, 24, 6, tzinfo=UTC)
    day = Day(date=NOON.date(), begins=ends - timedelta(days=1), ends=ends)
    assert sent_back_of([sent_back()], day).faults == 1
    assert sent_back_of([record], day).faults == 0
    assert sum(by_hour([record], day, reached=State.DELIVERED)) == 1, "it was not delivered a second time"


def test_a_client_can_still_be_answered_while_an_editor_has_the_job() -> None:
    record = sent_back()
    for choice in (Choice.TAKE, Choice.GIVE_BACK):
        takes = {"choice": choice, "by": "Ada", "at": NOON + timedelta(hours=2), "reason": REASONS[choice][0]}
        record = decide(record, Decision(**{**takes, "picture": picture_shown(record)}))
        assert choices_of(record)[-1] is Choice.NO_FAULT
    assert answered(record).state is State.DELIVERED


def test_the_client_of_a_correction_that_was_refused_in_the_studio_is_not_answered() -> None:
    record = sent_back()
    told = {"by": "Ada", "at": NOON + timedelta(hours=2), "note": "the rim"}
    for choice, by in ((Choice.RETURN, "Ada"), (Choice.REJECT_WORK, "Sen Ior")):
        words = {**told, "choice": choice, "by": by, "reason": REASONS[choice][0], "picture": picture_shown(record)}
        record = decide(record, Decision(**words))
    assert record.state is State.AWAITING_EDITOR
    assert Choice.NO_FAULT not in choices_of(record)
    with pytest.raises(DecisionRefusedError, match="cannot be decided"):
        answered(record)


def test_what_was_decided_before_the_delivery_does_not_hide_that_the_client_sent_it_back() -> None:
    approved = Decision(
        choice=Choice.APPROVE, by="Sen Ior", at=NOON, reason=REASONS[Choice.APPROVE][0], picture="e" * 64
    )
    record = delivered().model_copy(update={"decisions": (approved,)})
    assert choices_of(reject_delivered(record, said(), FILE))[-1] is Choice.NO_FAULT
