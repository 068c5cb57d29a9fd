"""A client's pages in Chromium: look at 1:1, mark a place, send it back; under axe-core, on a laptop and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from desk.access.attempts import Attempts, Pace
from desk.state import Desk
from desk.work.delivered import File, Sight, seen_file, sight_of
from packshot.decision import Reason
from packshot.naming import BatchId
from packshot.record import State
from tasks.deliveries.delivering import deliver
from tasks.deliveries.share_links import share, unshare
from tasks.records.stored import load_record
from tasks.stages.shot_stages import export_shot
from tasks.storage.bucket import Storage
from tests.chromium import needs_chromium
from tests.desk.serving import At, Person
from tests.desk.test_accessibility import MOVING, violations
from tests.desk.test_layout import troubles
from tests.flows.line import poll
from tests.often import few_often
from tests.tasks.people.test_rejected_deliveries import runs_of
from tests.tasks.shots import approved

pytestmark = needs_chromium
PHONE = {"width": 390, "height": 844}
SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def sight(line: Storage, batch: BatchId) -> Sight:
    """A delivery of two pictures."""
    for one in approved(batch, {"A1": 0.43, "B1": 0.4}):
        export_shot.fn(one)
    deliver.fn(batch, only=["A1", "B1"])
    return sight_of(batch, 1)


@pytest.fixture
def link(sight: Sight) -> str:
    return f"/shared/{share(sight.batch, 1, by='a test')[1]}"


def jpeg_of(sight: Sight, shot: str) -> File:
    return next(one for picture, one in sight.files if picture.shot == shot and one.path.endswith(".jpg"))


def sharp(person: Person) -> Person:
    person.until("window.packshotViewer !== undefined")
    person.page.evaluate("window.packshotViewer.whenSharp()")
    return person


def test_a_client_looks_marks_a_place_and_sends_the_picture_back(desk: Desk, sight: Sight, link: str, at: At) -> None:
    person = at("").open(link)
    page = person.page
    assert troubles(person) == []
    with page.expect_navigation():
        page.get_by_role("link", name="A1 MAIN for Shopify, JPEG").click()
    sharp(person)
    assert troubles(person) == []
    assert page.locator(".pv-bar button, .pv-foot button").all_inner_texts() == [
        "Fit",
        "1:1",
        "2:1",
        "4:1",
        "Mark",
        "White",
        "Grey",
        "Black",
    ]
    page.get_by_text("Send this picture back").click()
    page.get_by_label("The edge of the product is not clean").check()
    page.get_by_role("button", name="Send it back").click()
    assert "Say what is wrong, in words or by a mark" in page.locator(".hint").inner_text()
    page.get_by_role("button", name="Mark the place").click()
    box = page.locator(".pv-stage").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1] + 30)
    page.mouse.up()
    assert page.locator("#marked").inner_text() == "1 place is marked."
    (drawn,) = page.evaluate("window.packshotViewer.marks()")
    with page.expect_navigation():
        page.get_by_role("button", name="Send it back").click()
    assert "Thank you." in page.locator(".side").inner_text()
    assert page.get_by_text("Send this picture back").count() == 0
    sharp(person)
    assert "Mark" not in page.locator(".pv-bar button").all_inner_texts()
    record = load_record(sight.batch.shot("A1"))
    assert record.state is State.AWAITING_EDITOR
    (told,) = record.decisions
    assert told.reason is Reason.EDGE
    (mark,) = told.marks
    one = next(file for file in record.reports["export"]["files"] if file["path"] == told.file.partition("/1/")[2])
    assert mark.box.width == pytest.approx(drawn["width"] / one["scale"], abs=2)
    # The drawn product is in the middle of the photograph and of the file: so is what was marked there.
    assert mark.left == pytest.approx(500, abs=30)
    assert mark.top == pytest.approx(500, abs=30)


def test_it_is_done_by_keyboard_alone(desk: Desk, sight: Sight, link: str, at: At) -> None:
    person = sharp(at("").open(f"{link}/{jpeg_of(sight, 'B1').digest}"))
    page = person.page
    page.locator("#send-back summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.locator("#send-back textarea").focus()
    page.keyboard.type("the strap is cut off")
    page.locator("#send-back button[type=submit]").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    (told,) = load_record(sight.batch.shot("B1")).decisions
    assert (told.note, told.marks) == ("the strap is cut off", ())


NOTE = "the strap is cut off"


def writes(person: Person) -> None:
    """Choose a reason, draw a place on the picture, and write something."""
    page = person.page
    page.get_by_text("Send this picture back", exact=True).click()
    page.get_by_label("The edge of the product is not clean").check()
    page.locator("#send-back textarea").fill(NOTE)
    page.get_by_role("button", name="Mark the place").click()
    for key in ("Enter", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert page.locator("#marked").inner_text() == "1 place is marked."


def written(person: Person) -> tuple[str, list[str], list[dict[str, int]]]:
    """What stands on the page: the words, the reasons that are chosen, the places that are marked."""
    sharp(person)
    person.until("window.packshotViewer.marks().length > 0")
    page = person.page
    assert page.locator("#send-back").get_attribute("open") is not None
    chosen = page.evaluate("[...document.querySelectorAll('#send-back input:checked')].map((one) => one.value)")
    return page.locator("#send-back textarea").input_value(), chosen, page.evaluate("window.packshotViewer.marks()")


def send(person: Person) -> None:
    with person.page.expect_navigation():
        person.page.get_by_role("button", name="Send it back").click()


def away(*_: object, **__: object) -> None:
    raise ConnectionError


def changed(desk: Desk, cut: pytest.MonkeyPatch) -> None:
    cut.setattr("desk.work.delivered.seen_file", lambda number, one: seen_file(number, one._replace(sha256="0" * 64)))


def too_often(desk: Desk, cut: pytest.MonkeyPatch) -> None:
    cut.setattr(desk.guests, "rejections", Attempts(Pace(0, 60.0, 0, 60.0)))


def out_of_reach(desk: Desk, cut: pytest.MonkeyPatch) -> None:
    cut.setattr("desk.pages.shared.send_back", away)


@pytest.mark.parametrize(("trouble", "status"), few_often([(too_often, 429), (out_of_reach, 503), (changed, 409)], 1))
def test_a_refused_answer_costs_neither_words_nor_marks_and_the_next_one_counts(
    desk: Desk,
    sight: Sight,
    link: str,
    at: At,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[Desk, pytest.MonkeyPatch], None],
    status: int,
) -> None:
    """Kind of test that was missing: a form with marks is refused, and what was drawn is looked for."""
    person = sharp(at("").open(f"{link}/{jpeg_of(sight, 'A1').digest}"))
    person.expected = (str(status),)
    writes(person)
    before = written(person)
    with monkeypatch.context() as cut:
        trouble(desk, cut)
        send(person)
    assert "It was not sent." in person.page.locator(".side").inner_text()
    assert written(person) == before == (NOTE, ["edge"], before[2])
    send(person)
    assert "Thank you." in person.page.locator(".side").inner_text()
    (told,) = load_record(sight.batch.shot("A1")).decisions
    assert (told.note, len(told.marks)) == (NOTE, 1)


@pytest.mark.parametrize("arrives", [False, True])
def test_a_lost_answer_costs_neither_words_nor_marks_and_is_said_as_it_is(
    sight: Sight, link: str, at: At, arrives: bool
) -> None:
    """Kind of test that was missing: the answer to a client's form is lost, before and after the server took it."""
    person = sharp(at("").open(address := f"{link}/{jpeg_of(sight, 'A1').digest}"))
    person.expected = ("ERR_",)
    page = person.page
    writes(person)
    before = written(person)

    def cut(route: Any) -> None:
        if arrives:
            route.fetch(max_redirects=0)
        route.abort("connectionreset")

    page.route("**/send-back", cut)
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Send it back").click()
    page.unroute("**/send-back")
    person.open(address)
    if arrives:
        assert "Sent back on" in page.locator(".state").inner_text()
        assert page.evaluate("Object.keys(sessionStorage).filter((one) => one.includes('draft'))") == []
    else:
        assert written(person) == before
        assert "It has not been sent yet." in page.locator("#unsent").inner_text()
        send(person)
    (told,) = load_record(sight.batch.shot("A1")).decisions
    assert (told.note, len(told.marks)) == (NOTE, 1)


def test_what_is_recorded_is_said_to_be_sent_and_the_desk_asks_people_when_it_can(
    desk: Desk, sight: Sight, link: str, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: a step after the record fails. The page said "not sent" and "sent back"."""
    person = sharp(at("").open(f"{link}/{jpeg_of(sight, 'A1').digest}"))
    writes(person)
    shot = sight.batch.shot("A1")
    with monkeypatch.context() as cut:
        cut.setattr("tasks.people.rejected_deliveries.get_client", away)
        send(person)
        said = person.page.locator(".side").inner_text()
        assert "Thank you." in said
        assert "not sent" not in said
        assert load_record(shot).state is State.AWAITING_EDITOR
        assert (len(desk.guests.unfinished), runs_of(shot)) == (1, [])
    poll(lambda: not desk.guests.unfinished or None, until="the desk has tried again")
    assert len(runs_of(shot)) == 1


@pytest.mark.parametrize("scheme", few_often(["light", "dark"], 1))  # one style sheet: `test_accessibility.py` has both
def test_no_page_violates_a_rule_or_is_wider_than_a_screen(
    desk: Desk, sight: Sight, link: str, at: At, scheme: str
) -> None:
    guest = at("", color_scheme=scheme, reduced_motion="reduce")
    for viewport in ({"width": 1280, "height": 720}, PHONE):
        guest.page.set_viewport_size(viewport)
        assert violations(guest.open(link)) == [], viewport
        assert guest.page.evaluate(SIDEWAYS), viewport
        sharp(guest.open(f"{link}/{jpeg_of(sight, 'A1').digest}"))
        guest.page.get_by_text("Send this picture back").click()
        assert violations(guest) == [], viewport
        assert guest.page.evaluate(SIDEWAYS), viewport
        assert guest.page.evaluate(MOVING) == 0
    manager = at("Max Manager", color_scheme=scheme)
    for path in ("/deliveries", f"/deliveries/{sight.batch}"):
        assert violations(manager.open(path)) == [], path
        assert manager.page.evaluate(SIDEWAYS), path
    unshare(sight.batch, 1, by="a test")
    assert violations(guest.open(link)) == []
    guest.complaints[:] = [said for said in guest.complaints if "410" not in said]
