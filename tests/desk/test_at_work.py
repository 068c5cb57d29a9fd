"""A person's page in Chromium, by keyboard, on a real storage and Prefect; nobody takes the runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.state import Desk
from packshot.naming import ShotId
from packshot.record import State
from tasks.records.stored import load_record
from tasks.runs.resuming import waiting_run_of
from tests.chromium import needs_chromium
from tests.desk.pages.test_decisions import sent_to
from tests.desk.people import LEAST_PART_BYTES, in_three_parts
from tests.desk.serving import At
from tests.flows.line import poll
from tests.tasks.by_people import cut_out_by_hand, follow
from tests.tasks.in_runs import in_a_run

pytestmark = needs_chromium


def test_a_number_after_e_is_the_reason_and_never_lands_in_the_note(
    desk: Desk, for_review: list[ShotId], at: At
) -> None:
    """Kind of test that was missing: one that presses the keys of a choice that needs words."""
    desk.waiting.refresh()
    person = at("Rea Viewer").open(f"/shots/{for_review[0]}")
    person.until("window.packshotViewer !== undefined")
    page = person.page
    page.keyboard.press("e")
    page.keyboard.press("1")
    assert page.locator("#offer-2 .hint").inner_text() == "Say what is to be done (N), or draw marks."
    assert page.locator("#offer-2 textarea").input_value() == ""
    page.keyboard.press("2")
    assert page.locator("#offer-2 textarea").input_value() == ""
    page.keyboard.press("n")
    page.keyboard.type("the 2 straps")
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("2")
    held = desk.outbox.held_by("Rea Viewer")
    assert held
    assert (held.shots, held.answer.decision.note) == ((for_review[0],), "the 2 straps")


def test_shots_with_the_same_finding_are_approved_together_after_each_was_seen(
    desk: Desk, for_review: list[ShotId], at: At
) -> None:
    desk.waiting.refresh()
    batch = for_review[0].batch
    finding = same_finding(desk, for_review)
    person = at("Rea Viewer").open(f"/queues/review?batch={batch}&finding={finding}")
    page = person.page
    assert page.locator("td input[type=checkbox]:disabled").count() == 3
    with page.expect_navigation():
        page.keyboard.press("Enter")
    for number in (1, 2):  # the first two, one after the other; the third is not looked at
        person.until("window.packshotViewer !== undefined")
        page.evaluate("window.packshotViewer.whenSharp()")
        name = str(for_review[number - 1])
        poll(lambda name=name: desk.seen.picture("Rea Viewer", name) or None, until="the page has told it")
        if number == 1:
            with page.expect_navigation():
                page.keyboard.press("j")
            page.wait_for_selector(f"h1:has-text('{for_review[1].shot}')")
    with page.expect_navigation():
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Select all seen").click()
    assert page.locator("td input[type=checkbox]:checked").count() == 2
    with page.expect_navigation():
        page.get_by_role("button", name="Approve selected: Flaws accepted").click()
    assert "2 shots approved." in page.locator("#undo").inner_text()
    held = desk.outbox.held_by("Rea Viewer")
    assert held
    assert held.shots == tuple(for_review[:2])
    with page.expect_navigation():
        page.keyboard.press("u")
    assert desk.outbox.is_empty


def same_finding(desk: Desk, shots: list[ShotId]) -> str:
    """The code that is the worst of all these shots."""
    found = [desk.waiting.find(one) for one in shots]
    (code,) = {one.worst_code for one in found if one}
    assert code
    return code


def test_an_editor_s_day_by_keyboard_with_an_upload_that_breaks_off(
    desk: Desk, for_editor: ShotId, at: At, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = in_three_parts(cut_out_by_hand())
    monkeypatch.setattr("tasks.people.uploads.PART_BYTES", LEAST_PART_BYTES)
    finished = tmp_path / "E1 final.png"
    finished.write_bytes(data)
    desk.waiting.refresh()
    run = waiting_run_of(for_editor)
    person = at("Edi Tor").open(f"/shots/{for_editor}")
    page = person.page
    with page.expect_navigation():
        page.keyboard.press("t")
    page.wait_for_selector("text=You have this job.")
    page.route("**/*partNumber=2*", lambda route: route.abort())
    page.locator("#file").set_input_files(finished)
    page.wait_for_selector("text=The connection broke off. Choose the file again: it goes on where it stopped.")
    assert all("ERR_FAILED" in said for said in person.complaints)
    person.complaints.clear()
    page.unroute("**/*partNumber=2*")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    with page.expect_navigation():
        page.locator("#file").set_input_files(finished)
    page.wait_for_selector("text=Every check passed")
    assert len(sent) == 1, sent
    assert "partNumber=2" in sent[0]
    assert not sent[0].startswith(person.address), "straight to the storage"
    with page.expect_navigation():
        page.keyboard.press("h")
    page.wait_for_selector("text=handed in.")
    desk.outbox.tick(at_once=True)
    assert not in_a_run(lambda: follow(for_editor, sent_to(for_editor, run))).objection
    record = load_record(for_editor)
    assert record.state is State.AWAITING_SIGNOFF
    assert (record.decisions[-1].by, record.decisions[-1].verified) == ("Edi Tor", True)
