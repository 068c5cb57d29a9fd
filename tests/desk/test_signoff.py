"""The sign-off page: the editor's work against master and machine's edit, and what was to be done, to be ticked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from html import unescape

import pytest

from desk.pages import shots
from desk.state import Desk
from desk.work.glances import KEPT_S, Glances
from desk.work.showing import history_of
from packshot.decision import Choice
from packshot.keys import batch_record_key, record_key, shot_key
from packshot.naming import ShotId
from packshot.record import EDIT, MACHINE_EDIT, State
from tasks.people import forms
from tasks.people.answers import _machine_edit
from tasks.people.forms import Answer
from tasks.people.jobs import open_waiting_run
from tasks.records.stored import change_batch, change_record, load_record
from tasks.runs.resuming import cancel_waiting, waiting_run_of
from tasks.storage.bucket import Storage
from tests.chromium import needs_chromium
from tests.desk.pages.test_decisions import sent_to
from tests.desk.people import Browser, said_on
from tests.desk.serving import At
from tests.desk.test_accessibility import violations
from tests.often import few_often
from tests.tasks.by_people import follow
from tests.tasks.in_runs import in_a_run

Browse = Callable[[str], Browser]


def test_the_machine_s_edit_is_kept_when_an_editor_s_takes_its_place(
    line: Storage, for_review: list[ShotId], edited_again: ShotId
) -> None:
    record = load_record(edited_again)
    kept = record.objects[MACHINE_EDIT]
    assert kept != record.objects[EDIT]
    assert hashlib.sha256(line.get(shot_key(edited_again, MACHINE_EDIT))).hexdigest() == kept
    assert record.reports["machine_edit"]["score"] is not None
    assert _machine_edit(record) == {}, "the second round keeps the first edit"


def test_a_copy_that_was_made_before_the_process_died_counts(line: Storage, for_review: list[ShotId]) -> None:
    record = load_record(for_review[0])
    first = _machine_edit(record)
    line.put(shot_key(record.shot, EDIT), b"the editor's", content_type="image/tiff", replaces=True)
    assert _machine_edit(record) == first == {MACHINE_EDIT: record.objects[EDIT]}


def test_the_page_offers_the_machine_s_edit_to_compare_with(browse: Browse, edited_again: ShotId) -> None:
    page = browse("Sen Ior").page_of(edited_again)
    (kinds,) = re.findall(r"data-kinds='([^']*)'", page)
    objects = load_record(edited_again).objects
    assert json.loads(unescape(kinds))["machine"] == objects[MACHINE_EDIT][:16]
    words = said_on(page)
    assert "The machine's own edit had" in words
    assert "As it will be delivered: Shopify" in words
    assert "The colours were compared with no reference." in words


def test_a_shot_that_the_machine_never_edited_says_so(browse: Browse, for_signoff: ShotId, desk: Desk) -> None:
    desk.waiting.refresh()
    page = browse("Sen Ior").page_of(for_signoff)
    assert "No edit by the machine is there to compare with." in said_on(page)
    assert '"machine"' not in unescape(page)


def test_it_is_signed_off_only_when_everything_that_was_to_be_done_is_ticked(
    browse: Browse, edited_again: ShotId, desk: Desk
) -> None:
    senior = browse("Sen Ior")
    assert said_on(senior.page_of(edited_again)).count("Close the hole.") >= 1
    refused = senior.decide(edited_again, "sign off", "meets_standard", **{"done:0": "yes", "note": "nearly"})
    assert refused.status_code == 409
    assert "Not ticked as done: Cut the strap." in said_on(refused.text)
    assert re.search(r'name="done:0"[^>]* checked', refused.text)
    assert not re.search(r'name="done:1"[^>]* checked', refused.text)
    assert desk.outbox.is_empty
    signed = senior.decide(edited_again, "sign off", "meets_standard", **{"done:0": "yes", "done:1": "yes"})
    assert signed.status_code == 303
    assert desk.outbox.has(edited_again)
    held = desk.outbox.held_by("Sen Ior")
    assert held
    given = Answer.model_validate(dict(held.answer.fields))
    assert not in_a_run(lambda: follow(edited_again, given, question="run-3")).objection
    decided = load_record(edited_again)
    assert decided.decisions[-1].done == ("Close the hole.", "Cut the strap.")
    assert "(seen as done: Close the hole.; Cut the strap.)" in history_of(decided)[0][1]


def test_a_run_that_waits_since_before_ticks_were_recorded_takes_the_answer_without_them(
    browse: Browse, edited_again: ShotId, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setitem(forms._ALSO, State.AWAITING_SIGNOFF, ("marks", "colour", "edited_by"))
        cancel_waiting(edited_again, why="its form is of an earlier version")
        in_a_run(lambda: open_waiting_run(load_record(edited_again), generation=9, category="boxes"))
    run = waiting_run_of(edited_again)
    ticked = {"done:0": "yes", "done:1": "yes"}
    assert browse("Sen Ior").decide(edited_again, "sign off", "meets_standard", **ticked).status_code == 303
    desk.outbox.tick(at_once=True)
    given = sent_to(edited_again, run)
    assert (given.decision, given.done) == (Choice.SIGN, [])
    outcome = in_a_run(lambda: follow(edited_again, given, question="run-3"))
    assert not outcome.objection
    assert load_record(edited_again).decisions[-1].verified


def test_work_is_rejected_without_a_tick(browse: Browse, edited_again: ShotId, desk: Desk) -> None:
    assert browse("Sen Ior").decide(edited_again, Choice.REJECT_WORK.value, "edge", note="again").status_code == 303


def test_the_neighbours_of_its_shoot_group_stand_beside_it_a_few_however_large_the_group(
    browse: Browse, edited_again: ShotId, for_review: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = {one.shot: "set 1" for one in for_review}
    change_batch(edited_again.in_batch, lambda record: record.model_copy(update={"groups": groups}))
    page = browse("Sen Ior").page_of(edited_again)
    assert "Beside it in the shoot group" in page
    for one in for_review[1:]:
        assert f'href="/shots/{one}?' in page
    monkeypatch.setattr(shots, "MOST_NEIGHBOURS", 1)
    page = browse("Sen Ior").page_of(edited_again)
    assert [f'href="/shots/{one}?' in page for one in for_review[1:]].count(True) == 1


def test_a_batch_is_not_read_for_each_page_of_its_shots(
    browse: Browse, desk: Desk, for_review: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: one that counts what a page reads. A batch's record is as long as its batch."""
    desk.waiting.refresh()
    browser, key, get = browse("Rea Viewer"), batch_record_key(for_review[0].in_batch), Storage.get_with_etag
    change_batch(for_review[0].in_batch, lambda record: record.model_copy(update={"groups": {"A1": "1", "A3": "1"}}))
    read = []

    def counted(storage: Storage, asked: str) -> tuple[bytes, str]:
        read.append(asked)
        return get(storage, asked)

    monkeypatch.setattr(Storage, "get_with_etag", counted)
    pages = [browser.page_of(one) for one in (for_review[0], for_review[2])]
    before = len(read)
    pages.append(browser.page_of(for_review[0]))
    assert ["Beside it in the shoot group" in one for one in pages] == [True, True, True]
    assert read.count(key) == 1
    assert read[before:] == [record_key(for_review[0])], "the shots beside it were read for the pages before"


def test_a_shot_beside_another_shows_its_new_state_after_a_while(
    for_review: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    shot, other, times = for_review[0], for_review[1], [0.0]
    glances = Glances(clock=lambda: times[0])
    absent = shot.in_batch.shot("nobody")
    assert [(one.shot, one.state) for one in glances.of([other, absent, shot])] == [
        (other, State.IN_REVIEW),
        (shot, State.IN_REVIEW),
    ]
    change_record(shot, lambda record: record.model_copy(update={"state": State.APPROVED}))
    assert glances.of([shot])[0].state is State.IN_REVIEW
    times[0] = KEPT_S
    assert [one.state for one in glances.of([shot, other])] == [State.APPROVED, State.IN_REVIEW]
    monkeypatch.setattr("desk.work.glances.MOST_KEPT", 1)
    glances.of([shot])
    times[0] = 2 * KEPT_S
    assert len(glances.of([shot, other])) == 2
    assert len(glances._known) == 1


@needs_chromium
@pytest.mark.parametrize("scheme", few_often(["light", "dark"], 1))
def test_a_senior_compares_ticks_and_signs_by_keyboard(edited_again: ShotId, desk: Desk, at: At, scheme: str) -> None:
    senior = at("Sen Ior", color_scheme=scheme).open(f"/shots/{edited_again}")
    senior.until("window.packshotViewer !== undefined")
    senior.page.evaluate("window.packshotViewer.whenSharp()")
    assert violations(senior) == []
    senior.page.get_by_role("button", name="Machine's edit").click()
    senior.page.wait_for_selector("text=Before: Machine's edit")
    for name in ("Close the hole.", "Cut the strap."):
        senior.page.get_by_label(name).focus()
        senior.page.keyboard.press("Space")
    senior.page.keyboard.press("a")
    assert violations(senior) == []
    senior.page.keyboard.press("1")
    senior.page.wait_for_selector("#undo")
    assert desk.outbox.has(edited_again)
