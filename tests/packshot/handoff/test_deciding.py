"""What people may decide: about the picture they saw, in their own name, once, and never about their own work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.decision import MOST_MARKS, REASONS, Choice, ColourWord, Decision, Mark, Reason
from packshot.errors import DecisionRefusedError
from packshot.handoff.deciding import (
    CHOICES,
    LEADS_TO,
    UNKNOWN_EDITOR,
    decide,
    editors_of,
    picture_shown,
    require_followable,
    same_person,
    since_restart,
    taken_by,
)
from packshot.naming import ShotId
from packshot.record import FOLLOWS, ShotRecord, Source, State
from packshot.types import Finding, Status

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MASTER, EDIT = "a" * 64, "e" * 64
NEW = ShotRecord(
    shot=ShotId(client="acme", batch="spring", shot="A1"),
    source=Source(key="inbox/acme/spring/A1.jpg", sha256="0" * 64, size_bytes=1),
    objects={"master.tif": MASTER, "edit.tif": EDIT},
)
ON_THE_WAY = {
    State.IN_REVIEW: (State.EDITING_AUTO, State.SCORED, State.IN_REVIEW),
    State.AWAITING_EDITOR: (State.AWAITING_EDITOR,),
    State.AWAITING_SIGNOFF: (State.AWAITING_EDITOR,),
    State.ON_HOLD: (State.ON_HOLD,),
}


def waiting(state: State) -> ShotRecord:
    record = NEW
    for to in (State.MASTERED, State.ROUTED, *ON_THE_WAY[state]):
        record = record.advance(to, at=NOON, actor="run", why="the line")
    return (
        decide(record, decision(Choice.RETURN, by="Ada", picture=MASTER)) if state is State.AWAITING_SIGNOFF else record
    )


def decision(choice: Choice, **values: Any) -> Decision:
    picture = EDIT if choice in (*CHOICES[State.IN_REVIEW], *CHOICES[State.AWAITING_SIGNOFF]) else MASTER
    said: dict[str, Any] = {
        "choice": choice,
        "by": "Sen Ior",
        "at": NOON + timedelta(minutes=5),
        "reason": REASONS[choice][0],
        "picture": picture,
        "note": "left rim",
        **({"new_name": "CUP_MAIN"} if choice is Choice.CORRECT else {}),
    }
    return Decision(**{**said, **values})


EVERY = [(state, choice) for state, choices in CHOICES.items() for choice in choices]


def about(state: State, choice: Choice) -> Decision:
    return decision(choice, picture=picture_shown(waiting(state)))


@pytest.mark.parametrize(("state", "choice"), EVERY)
def test_every_choice_leads_where_it_says_with_name_time_and_reason(state: State, choice: Choice) -> None:
    after = decide(waiting(state), about(state, choice))
    assert after.state is LEADS_TO[choice][-1]
    assert after.decisions[-1].choice is choice
    assert (after.events[-1].actor, after.events[-1].at) == ("Sen Ior", NOON + timedelta(minutes=5))
    assert after.decisions[-1].reason.replace("_", " ") in after.events[-1].why


@pytest.mark.parametrize(("state", "choice"), EVERY)
def test_every_step_of_a_choice_is_one_the_state_machine_knows(state: State, choice: Choice) -> None:
    after = decide(waiting(state), about(state, choice))
    steps = after.events[len(waiting(state).events) :]
    assert all(step.to_state in FOLLOWS[step.from_state] for step in steps)


@given(st.sampled_from(EVERY), st.text("0123456789abcdef", min_size=8, max_size=64))
def test_a_decision_about_another_picture_is_never_followed(case: tuple[State, Choice], other: str) -> None:
    state, choice = case
    record = waiting(state)
    if picture_shown(record).startswith(other):
        return
    with pytest.raises(DecisionRefusedError, match="the picture has changed since it was shown"):
        decide(record, about(state, choice).model_copy(update={"picture": other}))


@pytest.mark.parametrize(("state", "choice"), EVERY)
@pytest.mark.parametrize("picture", ["", "aaaa", "   "])
def test_a_decision_that_does_not_say_which_picture_is_refused(state: State, choice: Choice, picture: str) -> None:
    with pytest.raises(DecisionRefusedError, match="which picture"):
        decide(waiting(state), about(state, choice).model_copy(update={"picture": picture}))


@pytest.mark.parametrize(("state", "choice"), EVERY)
@pytest.mark.parametrize("name", ["", "  ", "-", "."])
def test_nothing_is_decided_without_a_name(state: State, choice: Choice, name: str) -> None:
    with pytest.raises(DecisionRefusedError, match="needs a name"):
        decide(waiting(state), about(state, choice).model_copy(update={"by": name}))


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("case", EVERY)
def test_only_a_reason_that_fits_counts(case: tuple[State, Choice], reason: Reason) -> None:
    state, choice = case
    said = about(state, choice).model_copy(update={"reason": reason})
    if reason in REASONS[choice]:
        assert decide(waiting(state), said).decisions[-1].reason is reason
    else:
        with pytest.raises(DecisionRefusedError, match="no reason for"):
            decide(waiting(state), said)


WITHOUT_A_FORM = {(State.AWAITING_EDITOR, Choice.TAKE), (State.AWAITING_EDITOR, Choice.GIVE_BACK)}
NOT_OFFERED = [
    (state, choice)
    for state in State
    for choice in Choice
    if choice not in CHOICES.get(state, ()) and (state, choice) not in WITHOUT_A_FORM
]


@pytest.mark.parametrize(("state", "choice"), NOT_OFFERED)
def test_what_a_state_does_not_offer_is_refused(state: State, choice: Choice) -> None:
    record = NEW.model_copy(update={"state": state})
    with pytest.raises(DecisionRefusedError, match="cannot be decided"):
        decide(record, decision(choice))


def test_an_editor_who_is_sent_to_must_be_told_what_to_do() -> None:
    silent = decision(Choice.SEND_TO_EDITOR, note="")
    with pytest.raises(DecisionRefusedError, match="must know what to do"):
        decide(waiting(State.IN_REVIEW), silent)
    mark = Mark(left=1, top=2, right=30, bottom=40, text="the handle is cut off")
    after = decide(waiting(State.IN_REVIEW), silent.model_copy(update={"marks": (mark,)}))
    assert after.state is State.AWAITING_EDITOR
    assert after.decisions[-1].marks == (mark,)


@pytest.mark.parametrize("area", [(5, 5, 5, 9), (5, 5, 9, 5), (9, 5, 5, 9)])
def test_a_mark_has_an_area(area: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = area
    with pytest.raises(ValueError, match="must be greater"):
        Mark(left=left, top=top, right=right, bottom=bottom, text="here")


@pytest.mark.parametrize("choice", CHOICES[State.AWAITING_SIGNOFF])
@pytest.mark.parametrize("name", ["Ada", "ada", " ADA ", "Áda", "ada.", "Аda", "A\u00adda", "Ａｄａ"])
def test_nobody_judges_their_own_work_however_they_spell_their_name(choice: Choice, name: str) -> None:
    with pytest.raises(DecisionRefusedError, match="own work"):
        decide(waiting(State.AWAITING_SIGNOFF), decision(choice, by=name))


def test_an_earlier_editor_of_the_shot_cannot_sign_either() -> None:
    sent_back = decide(waiting(State.AWAITING_SIGNOFF), decision(Choice.REJECT_WORK))
    again = decide(sent_back, decision(Choice.RETURN, by="Bob", picture=MASTER))
    assert editors_of(again) == ("Ada", "Bob")
    for editor in ("Ada", "Bob"):
        with pytest.raises(DecisionRefusedError, match="own work"):
            decide(again, decision(Choice.SIGN, by=editor))


def test_only_seniors_sign_where_there_are_any() -> None:
    record = waiting(State.AWAITING_SIGNOFF)
    with pytest.raises(DecisionRefusedError, match="only a senior"):
        decide(record, decision(Choice.SIGN, by="Zoe"), seniors=("Sen Ior",))
    assert decide(record, decision(Choice.SIGN, by="sen ior"), seniors=("Sen Ior",)).state is State.APPROVED


def test_where_nobody_knows_the_editor_whoever_signs_says_whose_work_it_is() -> None:
    record = decide(waiting(State.AWAITING_EDITOR), decision(Choice.RETURN, by=UNKNOWN_EDITOR, picture=MASTER))
    with pytest.raises(DecisionRefusedError, match="nobody knows who edited"):
        decide(record, decision(Choice.SIGN))
    with pytest.raises(DecisionRefusedError, match="own work"):
        decide(record, decision(Choice.SIGN, edited_by="sen ior"))
    assert decide(record, decision(Choice.SIGN, edited_by="Ada")).decisions[-1].edited_by == "Ada"


def test_the_same_answer_again_changes_nothing_and_another_one_is_told() -> None:
    record = waiting(State.IN_REVIEW)
    first = decision(Choice.APPROVE, question="run-1")
    after = decide(record, first)
    assert decide(after, first.model_copy(update={"at": NOON + timedelta(days=1)})) == after
    with pytest.raises(DecisionRefusedError, match=r"answered already; found approve, by Sen Ior"):
        decide(after, first.model_copy(update={"by": "Bob"}))


def test_the_machine_is_asked_again_only_as_often_as_it_has_methods() -> None:
    record = decide(waiting(State.IN_REVIEW), decision(Choice.REDO), redos=1)
    for to in (State.EDITING_AUTO, State.SCORED, State.IN_REVIEW):
        record = record.advance(to, at=NOON + timedelta(hours=1), actor="run", why="again")
    with pytest.raises(DecisionRefusedError, match="tried every method"):
        decide(record, decision(Choice.REDO), redos=1)


def test_work_whose_colours_are_refused_cannot_be_signed() -> None:
    with pytest.raises(DecisionRefusedError, match="colours you refuse"):
        decide(waiting(State.AWAITING_SIGNOFF), decision(Choice.SIGN, colour=ColourWord.REFUSED))


@pytest.mark.parametrize(
    ("word", "status"), [(ColourWord.CONFIRMED, Status.PASSED), (ColourWord.NOT_COMPARED, Status.SKIPPED)]
)
def test_what_a_person_said_of_the_colours_is_a_finding(word: ColourWord, status: Status) -> None:
    after = decide(waiting(State.AWAITING_SIGNOFF), decision(Choice.SIGN, colour=word))
    assert [(one.code, one.status) for one in after.findings] == [("colour_by_eye", status)]


def test_taking_a_job_changes_no_state_and_ends_with_the_wait() -> None:
    record = waiting(State.AWAITING_EDITOR)
    taken = decide(record, decision(Choice.TAKE, by="Ada", picture=MASTER))
    assert (taken.state, taken_by(taken), taken_by(record)) == (State.AWAITING_EDITOR, "Ada", "")
    returned = decide(taken, decision(Choice.RETURN, by="Ada", picture=MASTER))
    assert taken_by(returned) == ""


def test_a_restart_keeps_every_decision_but_begins_to_count_anew() -> None:
    decided = decide(waiting(State.IN_REVIEW), decision(Choice.APPROVE))
    restarted = decided.restart(at=NOON + timedelta(days=1), actor="Zoe", why="new wish")
    assert restarted.decisions == decided.decisions
    assert since_restart(restarted) == ()


def test_two_names_are_two_people() -> None:
    assert same_person("Jörg  Müller", "jorg_muller")
    assert not same_person("Ada Lovelace", "Ada Byron")


SIZED = {"reading": {"size": [400, 300]}}


def marked(right: int, bottom: int, *, count: int = 1) -> Decision:
    mark = Mark(left=0, top=0, right=right, bottom=bottom, text="here")
    return decision(Choice.SEND_TO_EDITOR, marks=(mark,) * count)


@pytest.mark.parametrize(("right", "bottom"), [(401, 300), (400, 301), (10**12, 2)])
def test_marks_outside_of_the_picture_are_refused(right: int, bottom: int) -> None:
    record = waiting(State.IN_REVIEW).model_copy(update={"reports": SIZED})
    assert decide(record, marked(400, 300)).state is State.AWAITING_EDITOR
    with pytest.raises(DecisionRefusedError, match="mark 1 lies outside of the picture"):
        decide(record, marked(right, bottom))


def test_marks_are_so_many_that_somebody_can_work_through_them() -> None:
    record = waiting(State.IN_REVIEW)
    assert decide(record, marked(9, 9, count=MOST_MARKS)).state is State.AWAITING_EDITOR
    with pytest.raises(DecisionRefusedError, match="too many marks"):
        decide(record, marked(9, 9, count=MOST_MARKS + 1))


def test_a_job_that_was_given_back_is_free_and_one_that_nobody_took_cannot_be() -> None:
    record = waiting(State.AWAITING_EDITOR)
    with pytest.raises(DecisionRefusedError, match="nobody has taken this job"):
        decide(record, decision(Choice.GIVE_BACK, by="Ada", picture=MASTER))
    taken = decide(record, decision(Choice.TAKE, by="Ada", picture=MASTER))
    assert taken_by(decide(taken, decision(Choice.GIVE_BACK, by="Ada", picture=MASTER))) == ""


def test_a_job_is_taken_for_one_wait_only() -> None:
    taken = decide(waiting(State.AWAITING_EDITOR), decision(Choice.TAKE, by="Ada", picture=MASTER))
    signed = decide(taken, decision(Choice.RETURN, by="Ada", picture=MASTER, at=NOON + timedelta(minutes=6)))
    back = decide(signed, decision(Choice.REJECT_WORK, at=NOON + timedelta(minutes=7)))
    assert (back.state, taken_by(back)) == (State.AWAITING_EDITOR, "")


def test_a_job_that_is_taken_in_the_moment_in_which_it_begins_is_taken() -> None:
    record = waiting(State.AWAITING_EDITOR)
    assert taken_by(decide(record, decision(Choice.TAKE, by="Ada", picture=MASTER, at=record.since))) == "Ada"


def test_a_picture_brought_in_review_passes_through_the_editor_s_state() -> None:
    before = waiting(State.IN_REVIEW)
    after = decide(before, decision(Choice.RETURN, by="Ada"))
    steps = [event.to_state for event in after.events[len(before.events) :]]
    assert steps == [State.AWAITING_EDITOR, State.RETURNED, State.SCORED, State.AWAITING_SIGNOFF]


def test_the_returned_work_is_added_to_the_record() -> None:
    told = Finding(code="moved", status=Status.WARNING, message="it moved")
    record = waiting(State.AWAITING_EDITOR).model_copy(update={"reports": {"a": {"x": 1}}})
    after = decide(
        record,
        decision(Choice.RETURN, by="Ada", picture=MASTER),
        findings=(told,),
        reports={"b": {"y": 2}},
        objects={"edit.tif": "f" * 64},
    )
    assert after.findings == (told,)
    assert after.reports == {"a": {"x": 1}, "b": {"y": 2}}
    assert after.objects == {"master.tif": MASTER, "edit.tif": "f" * 64}


def test_what_was_said_of_the_colours_is_about_the_picture_that_was_signed() -> None:
    after = decide(waiting(State.AWAITING_SIGNOFF), decision(Choice.SIGN, colour=ColourWord.CONFIRMED))
    assert [one.picture for one in after.findings] == [EDIT]
    sent_back = decide(waiting(State.AWAITING_SIGNOFF), decision(Choice.REJECT_WORK, colour=ColourWord.CONFIRMED))
    assert sent_back.findings == ()


@pytest.mark.parametrize("choice", [Choice.SEND_TO_EDITOR, Choice.REJECT])
def test_the_reason_other_needs_a_note_and_marks_are_none(choice: Choice) -> None:
    mark = Mark(left=1, top=2, right=30, bottom=40, text="here")
    assert Reason.OTHER in REASONS[choice]
    other = decision(choice, reason=Reason.OTHER, note=" ", marks=(mark,))
    with pytest.raises(DecisionRefusedError, match="'other' needs a note"):
        decide(waiting(State.IN_REVIEW), other)
    assert decide(waiting(State.IN_REVIEW), other.model_copy(update={"note": "a hair on it"})).decisions


def test_eight_digits_of_a_picture_are_enough_in_any_spelling_and_seven_are_not() -> None:
    record = waiting(State.IN_REVIEW)
    assert decide(record, decision(Choice.APPROVE, picture=f" {EDIT[:8].upper()} ")).state is State.APPROVED
    with pytest.raises(DecisionRefusedError, match="which picture"):
        decide(record, decision(Choice.APPROVE, picture=EDIT[:7]))


def test_two_letters_are_a_name() -> None:
    assert decide(waiting(State.IN_REVIEW), decision(Choice.APPROVE, by="Al")).state is State.APPROVED


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ({}, "master.tif"),
        ({"correction": {"kind": "identity"}}, "master.tif"),
        ({"correction": {"kind": "target"}}, "corrected.tif"),
    ],
)
def test_outside_of_review_the_picture_is_the_master_as_its_group_corrects_it(group: dict[str, Any], name: str) -> None:
    objects = {"master.tif": "1", "corrected.tif": "2", "edit.tif": "3"}
    record = waiting(State.AWAITING_EDITOR).model_copy(update={"objects": objects, "reports": {"group": group}})
    assert picture_shown(record) == objects[name]
    assert picture_shown(record.model_copy(update={"objects": {}})) == ""


def test_decisions_count_from_the_moment_of_the_last_restart() -> None:
    decided = decide(waiting(State.IN_REVIEW), decision(Choice.SEND_TO_EDITOR))
    at = decided.decisions[0].at
    assert since_restart(decided) == decided.decisions
    again = decided.restart(at=at, actor="Zoe", why="w")
    assert since_restart(again) == decided.decisions
    mastered = again.advance(State.MASTERED, at=at, actor="run", why="w")
    assert since_restart(mastered.restart(at=at + timedelta(seconds=1), actor="Zoe", why="w")) == ()


def test_the_same_words_without_a_question_are_a_second_decision() -> None:
    taken = decide(waiting(State.AWAITING_EDITOR), decision(Choice.TAKE, by="Ada", picture=MASTER))
    assert len(decide(taken, decision(Choice.TAKE, by="Ada", picture=MASTER)).decisions) == 2
    asked = decide(taken, decision(Choice.TAKE, by="Ada", picture=MASTER, question="q"))
    assert len(decide(asked, decision(Choice.TAKE, by="Ada", picture=MASTER, question="q")).decisions) == 2


def test_marks_on_a_picture_of_unknown_size_are_not_measured() -> None:
    assert decide(waiting(State.IN_REVIEW), marked(10**6, 10**6)).state is State.AWAITING_EDITOR


def test_a_correction_that_corrects_nothing_is_refused_and_one_is_told_with_its_words() -> None:
    with pytest.raises(DecisionRefusedError, match="nothing is corrected"):
        decide(waiting(State.ON_HOLD), decision(Choice.CORRECT, picture=MASTER, new_name=""))
    after = decide(waiting(State.ON_HOLD), decision(Choice.CORRECT, picture=MASTER, new_services="retouch", note=""))
    said = "(name: CUP_MAIN) (services: retouch), Sen Ior"
    assert after.events[-1].why == f"correct its name or services: corrected {said}"


TO_AN_EDITOR = [
    (State.IN_REVIEW, Choice.SEND_TO_EDITOR),
    (State.AWAITING_SIGNOFF, Choice.REJECT_WORK),
    (State.AWAITING_SIGNOFF, Choice.CHANGE_REQUEST),
]


@pytest.mark.parametrize(("state", "choice"), TO_AN_EDITOR)
def test_no_way_to_an_editor_goes_without_words(state: State, choice: Choice) -> None:
    assert decide(waiting(state), decision(choice)).state is State.AWAITING_EDITOR
    with pytest.raises(DecisionRefusedError, match="must know what to do"):
        decide(waiting(state), decision(choice, note=" "))


def reviewed_again(record: ShotRecord) -> ShotRecord:
    for to in (State.EDITING_AUTO, State.SCORED, State.IN_REVIEW):
        record = record.advance(to, at=NOON + timedelta(hours=1), actor="run", why="again")
    return record


def test_the_machine_may_be_asked_once_unless_it_has_more_methods() -> None:
    once = reviewed_again(decide(waiting(State.IN_REVIEW), decision(Choice.REDO)))
    for check in (decide, require_followable):
        with pytest.raises(DecisionRefusedError, match="tried every method"):
            check(once, decision(Choice.REDO))
    twice = reviewed_again(decide(once, decision(Choice.REDO), redos=2))
    with pytest.raises(DecisionRefusedError, match="tried every method"):
        decide(twice, decision(Choice.REDO), redos=2)
    require_followable(waiting(State.IN_REVIEW), decision(Choice.REDO))


@pytest.mark.parametrize("choice", [one for one in CHOICES[State.IN_REVIEW] if one is not Choice.REDO])
def test_a_shot_whose_methods_are_used_up_can_still_be_decided(choice: Choice) -> None:
    once = reviewed_again(decide(waiting(State.IN_REVIEW), decision(Choice.REDO)))
    assert decide(once, decision(choice)).state is LEADS_TO[choice][-1]


@pytest.mark.parametrize("choice", [Choice.REJECT_WORK, Choice.CHANGE_REQUEST])
def test_work_whose_colours_are_refused_goes_back_to_its_editor(choice: Choice) -> None:
    after = decide(waiting(State.AWAITING_SIGNOFF), decision(choice, colour=ColourWord.REFUSED))
    assert after.state is State.AWAITING_EDITOR


@pytest.mark.parametrize("name", ["A", "王", "A."])
def test_one_letter_is_no_name_neither_of_who_decides_nor_of_who_edited(name: str) -> None:
    with pytest.raises(DecisionRefusedError, match="needs a name"):
        decide(waiting(State.IN_REVIEW), decision(Choice.APPROVE, by=name))
    unknown = decide(waiting(State.AWAITING_EDITOR), decision(Choice.RETURN, by=UNKNOWN_EDITOR, picture=MASTER))
    with pytest.raises(DecisionRefusedError, match="nobody knows who edited"):
        decide(unknown, decision(Choice.SIGN, edited_by=name))
    assert decide(unknown, decision(Choice.SIGN, edited_by="Al")).state is State.APPROVED


def test_only_the_last_return_decides_whether_the_editor_is_known() -> None:
    ada = decide(waiting(State.AWAITING_SIGNOFF), decision(Choice.REJECT_WORK))
    unknown = decide(ada, decision(Choice.RETURN, by=UNKNOWN_EDITOR, picture=MASTER))
    with pytest.raises(DecisionRefusedError, match="nobody knows who edited"):
        decide(unknown, decision(Choice.SIGN))
    sent_back = decide(unknown, decision(Choice.REJECT_WORK, edited_by="Bob"))
    known = decide(sent_back, decision(Choice.RETURN, by="Bob", picture=MASTER))
    assert decide(known, decision(Choice.SIGN)).state is State.APPROVED


def test_a_job_belongs_to_whoever_took_it_last() -> None:
    record = waiting(State.AWAITING_EDITOR)
    for choice, by in ((Choice.TAKE, "Ada"), (Choice.GIVE_BACK, "Ada"), (Choice.TAKE, "Bob")):
        record = decide(record, decision(choice, by=by, picture=MASTER))
    assert taken_by(record) == "Bob"


def test_what_was_found_earlier_stays_in_the_record() -> None:
    earlier, later = (Finding(code=code, status=Status.WARNING, message=code) for code in ("halo", "moved"))
    record = waiting(State.AWAITING_EDITOR).model_copy(update={"findings": (earlier,)})
    after = decide(record, decision(Choice.RETURN, by="Ada", picture=MASTER), findings=(later,))
    assert after.findings == (earlier, later)


def test_a_note_while_the_shot_waits_for_the_machine_is_no_restart() -> None:
    decided = decide(waiting(State.IN_REVIEW), decision(Choice.SEND_TO_EDITOR))
    at = decided.decisions[0].at
    noted = decided.restart(at=at, actor="Zoe", why="w").note(at=at + timedelta(seconds=1), actor="run", why="w")
    assert since_restart(noted) == decided.decisions


@pytest.mark.parametrize("words", [{"new_name": "CUP_MAIN"}, {"new_services": "retouch"}])
def test_a_new_name_or_new_services_alone_are_a_correction(words: dict[str, str]) -> None:
    corrects = decision(Choice.CORRECT, picture=MASTER, **{"new_name": "", **words})
    assert decide(waiting(State.ON_HOLD), corrects).state is State.ROUTED


LOOK = "Look at the shot as it is now; nothing was changed."
OTHER = "0123456789abcdef"
REFUSALS = [
    (
        State.IN_REVIEW,
        decision(Choice.SIGN),
        "'sign off' cannot be decided about a shot that is 'in_review'; "
        f"allowed {', '.join(CHOICES[State.IN_REVIEW])}. {LOOK}",
    ),
    (
        State.IN_REVIEW,
        decision(Choice.APPROVE, by="-"),
        "a decision needs a name; found '-'. Give your name.",
    ),
    (
        State.IN_REVIEW,
        decision(Choice.APPROVE, reason=Reason.EDGE),
        f"this is no reason for 'approve'; found edge; allowed {', '.join(REASONS[Choice.APPROVE])}. "
        "Choose one of these.",
    ),
    (
        State.IN_REVIEW,
        decision(Choice.APPROVE, picture="eeee"),
        "a decision must say which picture it is about; found 'eeee'; allowed at least 8 digits of the picture's hash, "
        "as the form and the ticket show it. Look at the picture, then decide.",
    ),
    (
        State.IN_REVIEW,
        decision(Choice.APPROVE, picture=OTHER * 4),
        f"the picture has changed since it was shown to you; found a decision about {OTHER}; allowed about {'e' * 16}, "
        "which lies there now. Look at the new one, then decide again.",
    ),
    (
        State.IN_REVIEW,
        marked(9, 9, count=MOST_MARKS + 1),
        f"there are too many marks; found {MOST_MARKS + 1}; allowed at most {MOST_MARKS}. "
        "Mark the worst places, and say the rest in the note.",
    ),
    (
        State.IN_REVIEW,
        marked(401, 300),
        "mark 1 lies outside of the picture; found right 401, bottom 300; allowed at most 400 x 300 px. Draw it again.",
    ),
    (
        State.AWAITING_SIGNOFF,
        decision(Choice.SIGN, by="Ada"),
        "nobody signs off their own work; found Ada edited this shot; allowed a second person. "
        "Ask another senior editor.",
    ),
    (
        State.AWAITING_SIGNOFF,
        decision(Choice.SIGN, by="Zoe"),
        "only a senior editor signs off; found Zoe; allowed Sen Ior, Lea. "
        "Ask one of them, or add the name to configs/handoff.yaml.",
    ),
    (
        State.AWAITING_EDITOR,
        decision(Choice.GIVE_BACK, picture=MASTER),
        "nobody has taken this job. Look at the shot as it is now.",
    ),
]


@pytest.mark.parametrize(("state", "said", "told"), REFUSALS)
def test_a_refusal_tells_the_shot_what_was_found_what_is_allowed_and_what_to_do(
    state: State, said: Decision, told: str
) -> None:
    record = waiting(state).model_copy(update={"reports": SIZED})
    with pytest.raises(DecisionRefusedError) as caught:
        decide(record, said, seniors=("Sen Ior", "Lea"))
    assert str(caught.value) == f"acme/spring/A1: {told}"


def test_a_shot_that_waits_for_nobody_says_so() -> None:
    with pytest.raises(DecisionRefusedError, match="allowed nothing: it does not wait for anybody"):
        decide(NEW, decision(Choice.APPROVE))
