"""Decisions at the desk, on a real storage and Prefect; nobody takes the runs, so a run shows what it was sent."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable

import httpx
import pytest
from anyio import to_thread
from prefect.client.orchestration import get_client

from desk.access.roles import Role
from desk.state import Desk
from desk.work.outbox import Outgoing
from packshot.decision import Choice
from packshot.errors import DecisionRefusedError
from packshot.keys import record_key
from packshot.naming import ShotId
from packshot.record import State
from tasks.environment.settings import get_settings
from tasks.people.forms import Answer
from tasks.people.job_commands import answer_job
from tasks.people.sent_answers import CheckedAnswer, checked_answer, send
from tasks.records.stored import change_record, load_record
from tasks.runs.resuming import cancel_waiting, waiting_run_of
from tasks.storage.bucket import Storage
from tests.desk.people import PASSWORD, Browser, picture_on, said_on
from tests.tasks.by_people import follow
from tests.tasks.in_runs import in_a_run

Browse = Callable[[str], Browser]


@pytest.fixture
def reviews(desk: Desk, for_review: list[ShotId]) -> list[ShotId]:
    desk.waiting.refresh()
    return for_review


def sent_to(shot: ShotId, run: object) -> Answer:
    """The answer that a shot's run has been given."""
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run.id).state  # type: ignore[attr-defined]
        history = client.read_flow_run_states(run.id)  # type: ignore[attr-defined]
        assert state
        paused = next(one for one in history if one.is_paused())
        keyset = paused.state_details.run_input_keyset
        assert keyset
        found = client.request("GET", f"/flow_runs/{run.id}/input/{keyset['response']}").json()  # type: ignore[attr-defined]
    return Answer.model_validate(found if isinstance(found, dict) else json.loads(found))


def test_an_approval_is_held_and_then_sent_and_followed_under_the_account_s_name(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    run = waiting_run_of(shot)
    answer = browser.decide(shot, "approve", "meets_standard")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, f"/shots/{reviews[1]}")
    desk.outbox.tick()
    assert waiting_run_of(shot), "it can still be taken back"
    desk.outbox.tick(at_once=True)
    assert not desk.outbox.told("Rea Viewer")
    assert waiting_run_of(shot) is None
    given = sent_to(shot, run)
    assert (given.person, given.decision) == ("Rea Viewer", Choice.APPROVE)
    assert not in_a_run(lambda: follow(shot, given, question=f"{run.id} question-1")).objection  # type: ignore[union-attr]
    record = load_record(shot)
    assert record.state is State.APPROVED
    (decision,) = record.decisions
    assert (decision.by, decision.verified, decision.picture) == ("Rea Viewer", True, record.objects["edit.tif"][:16])
    desk.outbox.tick()
    assert desk.outbox.is_empty
    assert desk.waiting.find(shot) is None


def test_the_same_answer_with_another_name_in_it_counts_as_typed(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    shot = reviews[0]
    run = waiting_run_of(shot)
    browse("Rea Viewer").decide(shot, "approve", "meets_standard")
    desk.outbox.tick(at_once=True)
    given = sent_to(shot, run).model_copy(update={"person": "Ben Viewer"})
    in_a_run(lambda: follow(shot, given))
    assert [(one.by, one.verified) for one in load_record(shot).decisions] == [("Ben Viewer", False)]


def test_a_decision_is_taken_back_and_the_shot_waits_as_before(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    browser.decide(shot, "approve", "meets_standard")
    assert "It has just been decided" in said_on(browser.page_of(shot))
    back = browser.post("/undo")
    assert (back.status_code, back.headers["location"].partition("?")[0]) == (303, f"/shots/{shot}")
    desk.outbox.tick(at_once=True)
    assert waiting_run_of(shot)
    assert not load_record(shot).decisions
    assert "Approve" in browser.page_of(shot)


def test_an_answer_that_arrived_although_no_reply_came_counts_once_and_is_not_taken_back(
    desk: Desk, browse: Browse, reviews: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    run = waiting_run_of(shot)
    browser.decide(shot, "approve", "meets_standard")
    with monkeypatch.context() as cut:
        cut.setattr("desk.work.outbox.send", lambda answer: (send(answer), loses_the_reply()))
        desk.outbox.tick(at_once=True)
    assert waiting_run_of(shot) is None
    assert browser.post("/undo").status_code == 409
    desk.outbox.tick(at_once=True)
    assert not desk.outbox.told("Rea Viewer")
    in_a_run(lambda: follow(shot, sent_to(shot, run), question=f"{run.id} question-1"))  # type: ignore[union-attr]
    desk.outbox.tick(at_once=True)
    assert desk.outbox.is_empty
    assert not desk.outbox.told("Rea Viewer")


def test_an_answer_that_was_tried_again_and_came_second_did_not_count(
    desk: Desk, browse: Browse, reviews: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = reviews[0]
    run = waiting_run_of(shot)
    browse("Rea Viewer").decide(shot, "approve", "meets_standard")
    with monkeypatch.context() as cut:
        cut.setattr("desk.work.outbox.send", lambda answer: loses_the_reply())
        desk.outbox.tick(at_once=True)
    fields = {"decision": "approve", "person": "Ben Viewer", "reason": "meets_standard"}
    send(checked_answer(load_record(shot), {**fields, "picture": load_record(shot).objects["edit.tif"][:16]}))
    desk.outbox.tick(at_once=True)
    in_a_run(lambda: follow(shot, sent_to(shot, run), question=f"{run.id} question-1"))  # type: ignore[union-attr]
    desk.outbox.tick(at_once=True)
    assert desk.outbox.is_empty
    assert "somebody else answered first" in str(desk.outbox.told("Rea Viewer"))


def test_what_could_not_be_sent_is_told_also_while_the_lists_cannot_be_read(
    desk: Desk, browse: Browse, reviews: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    for shot in reviews[:2]:
        browse("Rea Viewer").decide(shot, "approve", "meets_standard")
    monkeypatch.setattr("desk.work.outbox.MOST_TRIES", 1)
    monkeypatch.setattr("desk.work.outbox.send", lambda answer: loses_the_reply())
    monkeypatch.setattr(desk.outbox, "_on_settled", lambda shot: loses_the_reply())
    desk.outbox.tick(at_once=True)
    assert desk.outbox.is_empty
    assert [one.shot for one in desk.outbox.told("Rea Viewer")] == reviews[:2]


@pytest.mark.parametrize("where", ["desk.work.outbox.check_again", "desk.work.outbox.waiting_run_of", "on_settled"])
def test_an_error_that_nobody_foresaw_stops_no_other_decision_and_is_told_and_logged(
    where: str,
    desk: Desk,
    browse: Browse,
    reviews: list[ShotId],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Kind of test that was missing: one with an error of no class that the desk knows."""
    for shot in reviews[:2]:
        browse("Rea Viewer").decide(shot, "approve", "meets_standard")

    def breaks(answer: CheckedAnswer) -> CheckedAnswer:
        if answer.shot == reviews[0]:
            if where == "desk.work.outbox.check_again":
                raise KeyError("a mistake")
            raise DecisionRefusedError("it is refused", "the shot")
        return answer

    def mistaken(shot: ShotId) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr("desk.work.outbox.check_again", breaks)
    if where == "on_settled":
        monkeypatch.setattr(desk.outbox, "_on_settled", mistaken)
    elif where == "desk.work.outbox.waiting_run_of":
        monkeypatch.setattr(where, mistaken)
        desk.outbox._answers[str(reviews[0])].tries = 1
    desk.outbox.tick(at_once=True)
    assert [waiting_run_of(shot) is None for shot in reviews] == [False, True, False]
    assert not desk.outbox.has(reviews[0])
    assert [one.shot for one in desk.outbox.told("Rea Viewer")] == [reviews[0]]
    assert "KeyError: 'a mistake'" in caplog.text
    assert "Traceback" in caplog.text


def loses_the_reply() -> None:
    raise httpx.ReadTimeout("no reply")


def test_the_next_decision_sends_the_last_one(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    browser = browse("Rea Viewer")
    for shot in reviews[:2]:
        browser.decide(shot, "approve", "meets_standard")
    desk.outbox.tick()
    assert [waiting_run_of(shot) is None for shot in reviews] == [True, False, False]
    browser.post("/undo")
    desk.outbox.tick(at_once=True)
    assert [waiting_run_of(shot) is None for shot in reviews] == [True, False, False]


def test_too_late_to_take_back_is_said(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    browser = browse("Rea Viewer")
    browser.decide(reviews[0], "approve", "meets_standard")
    desk.outbox.tick(at_once=True)
    answer = browser.post("/undo")
    assert answer.status_code == 409
    assert "your last decision has been sent" in answer.text


def test_a_form_that_comes_twice_counts_once_and_another_one_does_not_count(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    """Kind of test that was missing: the answer to a decision is lost on the way, and the browser sends it again."""
    shot, browser = reviews[0], browse("Rea Viewer")
    picture = picture_on(browser.page_of(shot))
    first, again = (browser.decide(shot, "approve", "meets_standard", picture=picture) for _ in range(2))
    assert (first.status_code, first.headers["location"]) == (again.status_code, again.headers["location"])
    assert first.status_code == 303
    for name, reason, note in (("Rea Viewer", "flaws_accepted", ""), ("Rea Viewer", "meets_standard", "but look")):
        other = browse(name).decide(shot, "approve", reason, note=note, picture=picture)
        assert (other.status_code, "Somebody has just decided" in said_on(other.text)) == (409, True)
    assert browse("Ben Viewer").decide(shot, "approve", "meets_standard", picture=picture).status_code == 409
    held = desk.outbox.held_by("Rea Viewer")
    assert held
    assert (held.shots, held.answer.decision.reason) == ((shot,), "meets_standard")


def test_a_desk_that_is_killed_loses_what_it_held_and_the_shot_waits_on(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    browse("Rea Viewer").decide(reviews[0], "approve", "meets_standard")
    again = Desk.of(get_settings())
    again.waiting.refresh()
    assert again.waiting.find(reviews[0])
    assert not load_record(reviews[0]).decisions


def test_a_desk_that_ends_in_good_order_sends_what_it_held(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")

    async def a_day() -> None:
        async with desk.at_work():
            await to_thread.run_sync(browser.decide, shot, "approve", "meets_standard")
            assert await to_thread.run_sync(waiting_run_of, shot), "it can still be taken back"

    asyncio.run(a_day())
    assert waiting_run_of(shot) is None


def test_a_decision_about_a_picture_that_has_changed_is_refused_and_says_so(
    browse: Browse, reviews: list[ShotId]
) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    answer = browser.decide(shot, "approve", "meets_standard", picture="0123456789abcdef", note="kept the rim")
    assert answer.status_code == 409
    words = said_on(answer.text)
    assert "Your decision did not count." in words
    assert "the picture has changed since it was shown to you" in words
    assert "kept the rim" in words  # what was written is not lost
    assert waiting_run_of(shot)


def test_a_picture_that_changes_while_the_decision_is_held_is_not_approved(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    browser.decide(shot, "approve", "meets_standard")
    change_record(shot, lambda one: one.model_copy(update={"objects": {**one.objects, "edit.tif": "f" * 64}}))
    desk.outbox.tick(at_once=True)
    assert waiting_run_of(shot)
    assert "the picture has changed" in said_on(browser.get("/queues/review").text)
    assert "did not count" not in said_on(browser.get("/queues/review").text)  # said once


def test_an_editor_is_told_what_to_do_or_it_is_refused(browse: Browse, reviews: list[ShotId]) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    refused = browser.decide(shot, "send to an editor", "edge")
    assert "the editor must know what to do" in said_on(refused.text)
    marks = json.dumps([{"x": 10.4, "y": 20.6, "width": 30, "height": 0.2}])
    assert browser.decide(shot, "send to an editor", "edge", marks=marks).status_code == 303


def test_marks_become_the_places_of_the_answer(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    shot = reviews[0]
    run = waiting_run_of(shot)
    marks = json.dumps([{"x": 10.4, "y": 20.6, "width": 30, "height": 0.2}])
    browse("Rea Viewer").decide(shot, "send to an editor", "edge", marks=marks, note="the strap is bitten")
    desk.outbox.tick(at_once=True)
    (mark,) = sent_to(shot, run).marks
    assert (mark.left, mark.top, mark.right, mark.bottom, mark.text) == (10, 21, 40, 22, "the strap is bitten")


def test_what_no_page_sends_is_refused(browse: Browse, reviews: list[ShotId]) -> None:
    browser = browse("Rea Viewer")
    for marks in ("[", "[" * 20_000, "{}", "[1]", '[{"x": "a"}]', '[{"x": 1e999, "y": 0, "width": 1, "height": 1}]'):
        answer = browser.decide(reviews[0], "send to an editor", "edge", marks=marks)
        assert answer.status_code == 400, marks
    for choice in ("", "sell it", "use the returned file"):
        assert browser.decide(reviews[0], choice, "other", note="x").status_code == 400, choice


def test_a_reason_that_does_not_fit_is_refused(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    browser = browse("Rea Viewer")
    for reason in ("edge", "", "other"):
        assert browser.decide(reviews[0], "approve", reason).status_code == 409, reason
    assert desk.outbox.is_empty


def test_a_form_without_the_session_s_token_decides_nothing(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    browser = browse("Rea Viewer")
    for csrf in ("", browse("Ben Viewer").token()):
        answer = browser.post(f"/shots/{reviews[0]}/decision", csrf=csrf, choice="approve", reason="meets_standard")
        assert answer.status_code == 403
    assert desk.outbox.is_empty


def test_two_reviewers_never_work_on_one_shot(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    rea, ben = browse("Rea Viewer"), browse("Ben Viewer")
    rea.page_of(reviews[0])
    assert "Rea Viewer has it open" in said_on(ben.get(f"/queues/review?batch={reviews[0].batch}").text)
    page = said_on(ben.page_of(reviews[0]))
    assert "Rea Viewer has this shot open." in page
    assert 'name="choice"' not in ben.page_of(reviews[0])
    refused = ben.decide(
        reviews[0], "approve", "meets_standard", picture=load_record(reviews[0]).objects["edit.tif"][:16]
    )
    assert (refused.status_code, desk.outbox.is_empty) == (409, True)
    rea.get("/queues/review")  # a list in another tab does not give it back
    assert desk.claims.who(str(reviews[0])) == "Rea Viewer"
    rea.post(f"/shots/{reviews[0]}/leave")  # what the page sends when it is left
    assert ben.decide(reviews[0], "approve", "meets_standard").status_code == 303


def test_a_record_that_cannot_be_read_is_told_as_such(
    line: Storage, desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    line.put(record_key(reviews[0]), b"{", content_type="application/json")
    browser = browse("Rea Viewer")
    page = browser.get(f"/shots/{reviews[0]}")
    assert page.status_code == 409
    assert record_key(reviews[0]) in said_on(page.text)
    sent = browser.post(f"/shots/{reviews[0]}/decision", choice="approve", reason="meets_standard", picture="0" * 16)
    assert (sent.status_code, desk.outbox.is_empty) == (409, True)


def test_what_somebody_decided_elsewhere_is_said(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    browser.decide(shot, "approve", "meets_standard")
    answer_job(
        str(shot),
        {State.IN_REVIEW: Choice.REJECT},
        also={},
        fields={"person": "Ada", "reason": "out_of_focus", "picture": load_record(shot).objects["edit.tif"][:16]},
    )
    desk.outbox.tick(at_once=True)
    assert "somebody else answered first" in said_on(browser.get("/queues/review").text)


def test_nobody_signs_their_own_work_however_many_roles_they_have(
    desk: Desk, browse: Browse, for_signoff: ShotId
) -> None:
    desk.accounts.add("Edi Tor", set(Role), PASSWORD)
    desk.waiting.refresh()
    refused = browse("Edi Tor").decide(for_signoff, "sign off", "meets_standard")
    assert refused.status_code == 409
    assert "nobody signs off their own work" in said_on(refused.text)


def test_several_are_approved_together_only_where_each_was_seen_and_has_the_finding(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    browser, (code,) = browse("Rea Viewer"), {one.worst_code for one in map(desk.waiting.find, reviews) if one}
    selected = {f"shot:{one}": "1" for one in reviews}
    for one in reviews[:2]:
        browser.post(f"/shots/{one}/seen", picture=picture_on(browser.page_of(one)))
    refused = browser.post("/together?finding=halo", reason="flaws_accepted", **selected)
    assert (refused.status_code, desk.outbox.is_empty) == (303, True)
    words = said_on(browser.get("/queues/review").text)
    assert words.count("it has another finding than the others.") == 2
    assert words.count("you have not looked at it yet.") == 1
    sent = browser.post(f"/together?finding={code}", reason="flaws_accepted", note="looked at both", **selected)
    assert sent.status_code == 303
    held = desk.outbox.held_by("Rea Viewer")
    assert held
    assert held.shots == tuple(reviews[:2])
    desk.outbox.tick(at_once=True)
    assert [waiting_run_of(shot) is None for shot in reviews] == [True, True, False]


def test_what_was_approved_together_is_taken_back_together(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    browser, (code,) = browse("Rea Viewer"), {one.worst_code for one in map(desk.waiting.find, reviews) if one}
    for one in reviews:
        browser.post(f"/shots/{one}/seen", picture=picture_on(browser.page_of(one)))
    browser.post(f"/together?finding={code}", reason="meets_standard", **{f"shot:{one}": "1" for one in reviews})
    assert "3 shots approved." in said_on(browser.get("/queues/review").text)
    assert browser.post("/undo").headers["location"].startswith("/queues/review")
    assert desk.outbox.is_empty


def test_of_several_only_those_are_taken_back_of_which_nothing_was_sent(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    """Kind of test that was missing: the shots of one step stand at different stages."""
    browser, (code,) = browse("Rea Viewer"), {one.worst_code for one in map(desk.waiting.find, reviews) if one}
    for one in reviews:
        browser.post(f"/shots/{one}/seen", picture=picture_on(browser.page_of(one)))
    browser.post(f"/together?finding={code}", reason="meets_standard", **{f"shot:{one}": "1" for one in reviews})
    sending, over, held = (desk.outbox._answers[str(one)] for one in reviews)
    sending.stage = Outgoing.SENDING
    desk.outbox._answers[str(over.shot)] = dataclasses.replace(over, person="Ben Viewer", together=(over.shot,))
    told = desk.outbox.held_by("Rea Viewer")
    assert told
    assert told.shots == (held.shot,)
    assert browser.post("/undo").headers["location"].startswith(f"/shots/{held.shot}")
    assert desk.outbox.shots == {str(sending.shot), str(over.shot)}
    del desk.outbox._answers[str(over.shot)]
    sending.stage = Outgoing.HELD
    assert desk.outbox.undo("Rea Viewer") == (sending.shot,)


def test_a_picture_that_was_not_the_one_seen_is_not_approved_with_others(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    found = desk.waiting.find(shot)
    assert found
    browser.post(f"/shots/{shot}/seen", picture=picture_on(browser.page_of(shot)))
    change_record(shot, lambda one: one.model_copy(update={"objects": {**one.objects, "edit.tif": "f" * 64}}))
    browser.post(f"/together?finding={found.worst_code}", reason="meets_standard", **{f"shot:{shot}": "1"})
    assert desk.outbox.is_empty
    assert said_on(browser.get("/queues/review").text).count("your decision did not count") == 1


def test_a_blind_review_is_never_approved_with_others(desk: Desk, browse: Browse, reviews: list[ShotId]) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    found = desk.waiting.find(shot)
    assert found
    change_record(shot, lambda one: one.model_copy(update={"reports": {**one.reports, "audit": {"chosen": True}}}))
    browser.post(f"/shots/{shot}/seen", picture=picture_on(browser.page_of(shot)))
    browser.post(f"/together?finding={found.worst_code}", reason="meets_standard", **{f"shot:{shot}": "1"})
    assert desk.outbox.is_empty


def test_a_hold_is_released_by_a_senior_with_the_answer_and_its_name(
    desk: Desk, browse: Browse, on_hold: ShotId
) -> None:
    run, browser = waiting_run_of(on_hold), browse("Sen Ior")
    words = said_on(browser.page_of(on_hold))
    assert "What is missing" in words
    assert "that nobody knows: 'dust_remval'" in words
    refused = browser.decide(on_hold, "go on without it", "other")
    assert "needs a note" in said_on(refused.text)
    assert browser.decide(on_hold, "go on without it", "not_needed", note="they mean dust").status_code == 303
    desk.outbox.tick(at_once=True)
    given = sent_to(on_hold, run)
    assert (given.person, given.decision, given.note) == ("Sen Ior", Choice.GO_ON, "they mean dust")
    assert not in_a_run(lambda: follow(on_hold, given)).objection
    record = load_record(on_hold)
    assert (record.state, record.decisions[-1].verified) == (State.ROUTED, True)


def test_a_word_of_the_manifest_is_corrected_at_the_desk_and_a_wrong_one_is_not_lost(
    desk: Desk, browse: Browse, on_hold: ShotId
) -> None:
    run, browser = waiting_run_of(on_hold), browse("Max Manager")
    assert 'name="new_services" maxlength="400" autocomplete="off" spellcheck="false" value="dust_remval"' in (
        browser.page_of(on_hold)
    )
    choice = "correct its name or services"
    refused = browser.decide(on_hold, choice, "corrected", new_services="dust_remuval", note="they mean dust")
    assert "nobody knows this service" in said_on(refused.text)
    assert 'value="dust_remuval"' in refused.text
    assert "they mean dust" in refused.text
    assert browser.decide(on_hold, choice, "corrected", new_services="dust_removal").status_code == 303
    desk.outbox.tick(at_once=True)
    assert not in_a_run(lambda: follow(on_hold, sent_to(on_hold, run))).objection
    record = load_record(on_hold)
    assert (record.state, record.fact("services")) == (State.ROUTED, "dust_removal")
    assert (record.decisions[-1].by, record.decisions[-1].verified) == ("Max Manager", True)


@pytest.mark.parametrize(
    ("choice", "reason", "ends"),
    [("it has arrived", "arrived", State.ON_HOLD), ("reject the photograph", "wrong_product", State.REFUSED)],
)
def test_a_hold_is_rejected_or_told_as_arrived_by_a_manager_and_the_line_looks_itself(
    desk: Desk, browse: Browse, on_hold: ShotId, choice: str, reason: str, ends: State
) -> None:
    run = waiting_run_of(on_hold)
    browse("Max Manager").decide(on_hold, choice, reason)
    desk.outbox.tick(at_once=True)
    objection = in_a_run(lambda: follow(on_hold, sent_to(on_hold, run))).objection
    assert load_record(on_hold).state is ends
    assert ("has not arrived" in objection) == (ends is State.ON_HOLD)


def test_between_the_key_and_the_next_shot_two_records_are_read_and_prefect_is_not_asked(
    desk: Desk, browse: Browse, reviews: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: one that counts what the server does meanwhile."""
    shot, following, _ = reviews
    browser, run = browse("Rea Viewer"), waiting_run_of(shot)
    fields = {"choice": "approve", "reason": "meets_standard", "picture": picture_on(browser.page_of(shot))}
    headers = {"accept": "application/json"}
    token, read, asked, get = browser.token(), list[str](), list[str](), Storage.get_with_etag

    def counted(storage: Storage, key: str) -> tuple[bytes, str]:
        read.append(key)
        return get(storage, key)

    def asks(*_: object) -> None:
        asked.append("Prefect")

    with monkeypatch.context() as counting:
        counting.setattr(Storage, "get_with_etag", counted)
        counting.setattr("tasks.runs.resuming.get_client", asks)
        answer = browser.client.post(f"/shots/{shot}/decision", data={"csrf": token, **fields}, headers=headers)
    assert answer.json()["shot"] == str(following)
    assert sorted(read) == sorted([record_key(shot), record_key(following)])
    assert asked == []
    desk.outbox.tick(at_once=True)
    assert sent_to(shot, run).decision is Choice.APPROVE


def test_a_shot_whose_run_is_gone_is_told_at_once_where_the_lists_do_not_know_it(
    desk: Desk, browse: Browse, reviews: list[ShotId]
) -> None:
    shot, browser = reviews[0], browse("Rea Viewer")
    cancel_waiting(shot, why="somebody has ended it")
    assert browser.decide(shot, "approve", "meets_standard").status_code == 303, "the lists still have it"
    desk.outbox.tick(at_once=True)
    assert [one.shot for one in desk.outbox.told("Rea Viewer")] == [shot]
    assert desk.waiting.find(shot) is None
    refused = browser.decide(shot, "approve", "meets_standard")
    assert refused.status_code == 409
    assert "no run waits for an answer" in said_on(refused.text)
    assert desk.outbox.is_empty
