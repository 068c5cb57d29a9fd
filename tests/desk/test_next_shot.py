"""The next shot takes the last one's place on the screen: ready before its turn, never older than the server says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from desk.state import Desk
from packshot.colour.transform import working_to_srgb8
from packshot.ingest.master import read_master
from packshot.naming import ShotId
from packshot.record import EDIT
from tasks.records.stored import change_record, load_record
from tasks.storage.shot_objects import fetch
from tests.chromium import needs_chromium
from tests.desk.people import Browser, said_on
from tests.desk.serving import At, Person
from tests.desk.viewer.browser import Sight, expected
from tests.flows.line import poll
from tests.often import few_often

pytestmark = needs_chromium

READY = "document.querySelector('.ahead .pv-size')?.textContent.startsWith('Whole picture')"
"""The next shot's viewer has looked around and shows the whole picture, unseen."""


def looks(person: Person, shot: ShotId) -> Person:
    """Wait until a shot is on the screen and sharp."""
    person.page.wait_for_selector(f"h1:has-text('{shot.shot}')")
    person.until("window.packshotViewer !== undefined")
    person.page.evaluate("window.packshotViewer.whenSharp()")
    return person


def made_ready(person: Person, shot: ShotId) -> Person:
    """Wait until the next shot is ready: its page and its tiles have come, and nothing is on its way any more."""
    person.until(f"document.querySelector('.ahead')?.dataset.shot === '{shot}'")
    person.until(READY)
    person.page.wait_for_load_state("networkidle")
    return person


def approve(person: Person) -> None:
    """Press the keys of an approval."""
    asks = not person.page.evaluate("document.querySelector('form.panel').dataset.atOnce")
    person.page.keyboard.press("a")
    if asks:
        person.page.keyboard.press("1")


@pytest.fixture
def reviewer(desk: Desk, for_review: list[ShotId], at: At) -> Person:
    """A reviewer who looks at the first of three shots, with the second one ready."""
    desk.waiting.refresh()
    first, second, _ = for_review
    return made_ready(looks(at("Rea Viewer").open(f"/shots/{first}?queue=review&batch={first.batch}"), first), second)


def test_a_decision_brings_the_next_shot_in_one_request_and_without_a_new_page(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    """Kind of test that was missing: one that counts what is asked between the key and the next sharp picture."""
    first, second, _ = for_review
    page = reviewer.page
    page.evaluate("window.same = 'page'")
    assert desk.claims.who(str(first)) == "Rea Viewer"
    assert not desk.claims.who(str(second)), "what is ready is not opened"
    assert not desk.seen.picture("Rea Viewer", str(second))
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.url.removeprefix(reviewer.address))))
    approve(reviewer)
    looks(reviewer, second)
    page.keyboard.press("z")
    page.evaluate("window.packshotViewer.whenSharp()")
    assert asked[0] == ("POST", f"/shots/{first}/decision?queue=review&batch={first.batch}")
    late = [url for method, url in asked if method == "GET" and ("/static/" in url or f"/{second.shot}" in url)]
    assert late == [], "neither script, nor page, nor tile"
    assert page.evaluate("window.same") == "page"
    assert page.url == f"{reviewer.address}/shots/{second}?queue=review&batch={first.batch}"
    assert page.title().startswith(second.shot)
    assert reviewer.focused() == "H1"
    assert "approved." in page.locator("#undo").inner_text()
    assert page.locator(".way").inner_text().split()[:3] == ["1", "of", "2"]
    assert (desk.claims.who(str(first)), desk.claims.who(str(second))) == ("", "Rea Viewer")
    held = desk.outbox.held_by("Rea Viewer")
    assert held
    assert (held.shots, held.answer.decision.picture) == ((first,), load_record(first).objects[EDIT][:16])
    poll(lambda: desk.seen.picture("Rea Viewer", str(second)) or None, until="the page has told it")


@pytest.mark.slow  # quicker: tests/desk/viewer/test_viewer.py compares pixels, the test above what is asked
@pytest.mark.parametrize("key", ["a", "j"])
def test_what_is_shown_then_is_the_file_pixel_by_pixel(
    desk: Desk, for_review: list[ShotId], reviewer: Person, key: str
) -> None:
    second = for_review[1]
    if key == "a":
        approve(reviewer)
    else:
        reviewer.page.keyboard.press("j")
    looks(reviewer, second)
    reviewer.page.keyboard.press("z")
    sight = Sight(reviewer.page).sharp()
    record = load_record(second)
    picture = working_to_srgb8(read_master(fetch(record, EDIT)))
    seen = sight.stage()
    wanted, rows, columns = expected(picture, seen.shape, sight.place())
    assert wanted.shape[0] > 300
    np.testing.assert_array_equal(seen[rows, columns], wanted)
    assert desk.outbox.is_empty is (key == "j")


@pytest.mark.slow  # quicker: the first test, for one decision
def test_three_decisions_leave_one_viewer_and_the_list_is_next(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    page, canvases = reviewer.page, "document.querySelectorAll('canvas').length"
    of_one = page.evaluate("document.querySelectorAll('#viewer canvas').length")
    assert page.evaluate(canvases) == 2 * of_one
    for shot, following in ((for_review[0], for_review[1]), (for_review[1], for_review[2])):
        looks(made_ready(reviewer, following), shot)
        approve(reviewer)
    looks(reviewer, for_review[2])
    assert page.evaluate(canvases) == of_one, "nothing else is left, so nothing is ready"
    with page.expect_navigation():
        approve(reviewer)
    page.wait_for_selector("h1:has-text('Review')")
    assert all(desk.outbox.has(one) for one in for_review)


def test_a_shot_that_somebody_else_opened_meanwhile_is_passed_over(
    desk: Desk, for_review: list[ShotId], reviewer: Person, browse: Callable[[str], Browser]
) -> None:
    second, third = for_review[1:]
    assert "Approve" in said_on(browse("Ben Viewer").page_of(second)), "what Rea has ready is free"
    approve(reviewer)
    looks(reviewer, third)
    assert (desk.claims.who(str(second)), desk.claims.who(str(third))) == ("Ben Viewer", "Rea Viewer")


@pytest.mark.parametrize("key", few_often(["a", "j"], 1))
def test_a_shot_that_has_changed_since_its_page_was_made_ready_is_loaded_anew(
    desk: Desk, for_review: list[ShotId], reviewer: Person, key: str
) -> None:
    second = for_review[1]
    change_record(
        second, lambda one: one.model_copy(update={"objects": {**one.objects, EDIT: one.objects["master.tif"]}})
    )
    reviewer.page.evaluate("window.same = 'page'")
    with reviewer.page.expect_navigation():
        if key == "a":
            approve(reviewer)
        else:
            reviewer.page.keyboard.press("j")
    reviewer.page.wait_for_selector(f"h1:has-text('{second.shot}')")
    reviewer.until("document.readyState === 'complete'")
    assert reviewer.page.evaluate("window.same ?? ''") == ""
    new = load_record(second).objects[EDIT][:16]
    assert reviewer.page.locator("input[name=picture]").first.get_attribute("value") == new


def test_a_decision_that_does_not_count_stays_on_its_shot_with_the_marks(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    first, page = for_review[0], reviewer.page
    desk.claims.release("Rea Viewer")
    assert desk.claims.take(str(first), "Ben Viewer") == "Ben Viewer"
    page.get_by_role("button", name="Draw marks").click()
    for key in ("Enter", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("window.packshotViewer.marks().length") == 1
    approve(reviewer)
    page.wait_for_selector("text=Your decision did not count.")
    assert "Ben Viewer has this shot open" in page.locator(".side").inner_text()
    assert page.evaluate("window.packshotViewer.marks().length") == 1
    assert desk.outbox.is_empty
    assert len(reviewer.complaints) == 1, "the browser notes the refusal"
    assert "409" in reviewer.complaints.pop()


def marked_and_written(person: Person) -> None:
    """Draw a mark for an editor, and say what is to be done, without sending it."""
    page = person.page
    page.get_by_role("button", name="Draw marks").click()
    for key in ("Enter", "Shift+ArrowRight", "Enter", "Escape"):
        page.keyboard.press(key)
    page.keyboard.press("e")
    page.keyboard.press("n")
    page.keyboard.type("Close the hole.")
    page.keyboard.press("Escape")


def test_words_and_marks_outlast_a_session_that_ended_and_a_decision_that_is_taken_back(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    """Kind of test that was missing: a page is left with words and marks that were not sent, and comes again."""
    first, page = for_review[0], reviewer.page
    marked_and_written(reviewer)
    drawn = page.evaluate("window.packshotViewer.marks()")
    assert len(drawn) == 1

    def all_there() -> None:
        looks(reviewer, first)
        reviewer.until("window.packshotViewer.marks().length > 0")
        assert page.evaluate("window.packshotViewer.marks()") == drawn
        assert "It has not been sent." in page.locator("#unsent").inner_text()
        page.keyboard.press("e")
        assert page.evaluate("document.querySelector('form.panel:not([hidden]) textarea').value") == "Close the hole."

    reviewer.expected = ("401", "Tile")
    page.context.clear_cookies()
    with page.expect_navigation():
        page.keyboard.press("1")
    page.wait_for_selector("input[name=password]")
    reviewer.signed_in("Rea Viewer").open(f"/shots/{first}?queue=review&batch={first.batch}")
    all_there()
    page.keyboard.press("1")
    looks(reviewer, for_review[1])
    assert page.evaluate("window.packshotViewer.marks()") == []
    assert not page.locator("#unsent").is_visible()
    held = desk.outbox.held_by("Rea Viewer")
    assert held
    assert (held.answer.decision.note, len(held.answer.decision.marks)) == ("Close the hole.", 1)
    with page.expect_navigation():
        page.keyboard.press("u")
    all_there()
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    assert page.evaluate("Object.keys(sessionStorage).filter((one) => one.includes('draft'))") == []


@pytest.mark.slow  # quicker: tests/desk/test_lists.py says that a message is kept for a page that is seen
def test_a_message_about_an_earlier_decision_comes_with_the_next_shot(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    desk.outbox.tell("Rea Viewer", for_review[2], "somebody else answered first.")
    approve(reviewer)
    looks(reviewer, for_review[1])
    assert "somebody else answered first." in reviewer.page.locator(".notices").inner_text()


@pytest.mark.slow  # quicker: as above
def test_such_a_message_is_not_lost_when_the_next_page_is_loaded_as_a_whole(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    change_record(for_review[1], lambda one: one.model_copy(update={"objects": {**one.objects, EDIT: "0" * 64}}))
    desk.outbox.tell("Rea Viewer", for_review[2], "somebody else answered first.")
    reviewer.expected = ("404",)  # that picture is nowhere
    with reviewer.page.expect_navigation():
        approve(reviewer)
    reviewer.page.wait_for_selector("text=somebody else answered first.")


@pytest.mark.slow  # quicker: tests/desk/test_at_work.py goes from shot to shot
def test_the_way_back_leads_to_the_page_before(desk: Desk, for_review: list[ShotId], reviewer: Person) -> None:
    reviewer.page.keyboard.press("j")
    looks(reviewer, for_review[1])
    reviewer.page.go_back()
    looks(reviewer, for_review[0])
    assert desk.claims.who(str(for_review[0])) == "Rea Viewer"


@pytest.mark.slow  # quicker: tests/desk/pages/test_signing.py, for the form alone
def test_who_is_signed_out_meanwhile_is_led_to_the_sign_in(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    reviewer.expected = ("401", "Tile")
    reviewer.page.context.clear_cookies()
    with reviewer.page.expect_navigation():
        approve(reviewer)
    reviewer.page.wait_for_selector("input[name=password]")
    assert desk.outbox.is_empty
