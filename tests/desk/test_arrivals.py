"""What a page needs arrives late, in part, twice or not at all: the page works, or says so in words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from desk.state import Desk
from packshot.naming import ShotId
from tests.chromium import needs_chromium
from tests.desk.serving import At, Person

pytestmark = needs_chromium
LATE_S = 1.0
BROKEN = ("Failed to load resource", "Tile ", "Failed to fetch", "preload")
"""What the browser itself says of what did not come."""
WELL = """(() => {
  const stage = document.querySelector(".pv-stage")?.getBoundingClientRect();
  const said = document.querySelector(".pv-size")?.textContent ?? "";
  return Boolean(stage && stage.height > 80 && said.startsWith("Whole picture"));
})()"""
"""The viewer shows a picture, and is large enough to be looked at."""
ABSENT_PAGE = "<html><body>The proxy has no server.</body></html>"


class Case(NamedTuple):
    """What does not come, and what the page says then.

    Attributes:
        absent: patterns of addresses.
        said: the page's words about it.
        works: whether the picture is shown all the same.
        does: names of the buttons that ask for what does not come.
    """

    absent: tuple[str, ...]
    said: tuple[str, ...]
    works: bool
    does: tuple[str, ...] = ()


STAYS = "If these words stay, load the page again."
CASES = (
    Case(("**/desk.css",), (), works=True),
    Case(("**/desk.js",), (f"Deciding is being made ready. {STAYS}",), works=True),
    Case(("**/deciding.js",), (f"Deciding is being made ready. {STAYS}",), works=True),
    Case(("**/viewer.js",), (f"The picture is being opened. {STAYS}",), works=False),
    Case(("**/stage.js",), (f"The picture is being opened. {STAYS}",), works=False),
    Case(("**/viewer.css",), ("The viewer's style sheet did not arrive.",), works=False),
    Case(("**/openseadragon.min.js",), ("The viewer's engine did not arrive.",), works=False),
    Case(("**/edit/*/picture.json",), ("The picture did not arrive",), works=False),
    Case(
        ("**/master/*/picture.json", "**/overlays.json"),
        ("The picture to compare with (Master) did not arrive", "The list of overlays did not arrive"),
        works=True,
    ),
    Case(("**/guides.json",), ("The frame of the platforms did not arrive",), works=True, does=("Frame",)),
    Case(("**/halo/picture.json",), ("The overlay did not arrive",), works=True, does=("Halo",)),
    Case(("**/edit/*/*/*.webp",), ("A part of the picture did not arrive",), works=True),
)


def unavailable(route: Any) -> None:
    route.fulfill(status=503, body=ABSENT_PAGE, content_type="text/html")


def cut_off(route: Any) -> None:
    route.abort("connectionreset")


def ending(ends: Callable[[Any], None], asked: list[str]) -> Callable[[Any], None]:
    """Answer so, and note what was asked for."""

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        ends(route)

    return answer


def words(person: Person) -> str:
    return str(person.page.evaluate("document.body.innerText"))


def says(person: Person, *sentences: str) -> None:
    for one in sentences:
        person.until(f"document.body.innerText.includes({one!r})")


@pytest.fixture
def reviewer(desk: Desk, for_review: list[ShotId], at: At) -> Person:
    desk.waiting.refresh()
    person = at("Rea Viewer")
    person.expected = BROKEN
    return person


def test_what_does_not_arrive_is_said_and_the_rest_of_the_page_works(
    for_review: list[ShotId], reviewer: Person
) -> None:
    """Kind of test that was missing: each script, style sheet, picture and answer is absent in turn."""
    page = reviewer.page
    for number, case in enumerate(CASES):
        ends = (unavailable, cut_off)[number % 2]
        asked: list[str] = []
        for pattern in case.absent:
            page.route(pattern, ending(ends, asked))
        reviewer.open(f"/shots/{for_review[0]}")
        if case.works:
            reviewer.until(WELL)
        for name in case.does:
            page.locator(".pv-bar button:enabled", has_text=name).click()
        says(reviewer, *case.said)
        assert asked, case
        assert ABSENT_PAGE not in words(reviewer)
        assert case.said or STAYS not in words(reviewer), case
        seen = page.evaluate("window.packshotViewer?.whenSharp().then(() => true, () => false) ?? false")
        assert seen == (case.works and "A part" not in str(case.said)), "what was not seen does not count as seen"
        for pattern in case.absent:
            page.unroute(pattern)


@pytest.mark.slow  # quicker: what never comes is tried above, and the viewer's own files in viewer/test_viewer.py
@pytest.mark.parametrize("late", ["desk.css", "desk.js", "ahead.js", "viewer.js", "shown.js", "viewer.css"])
def test_a_page_works_whichever_of_its_files_arrives_last(
    desk: Desk, for_review: list[ShotId], reviewer: Person, late: str
) -> None:
    def answer_late(route: Any) -> None:
        time.sleep(LATE_S)
        route.continue_()

    reviewer.page.route(f"**/{late}", answer_late)
    reviewer.open(f"/shots/{for_review[0]}").until(WELL)
    reviewer.page.evaluate("window.packshotViewer.whenSharp()")
    reviewer.until(f"!document.body.innerText.includes({STAYS!r})")
    reviewer.page.keyboard.press("e")
    assert reviewer.page.locator("form.panel:visible h2").inner_text() == "Send to an editor"


def once(route: Any, told: Mapping[str, Any]) -> None:
    """Let the server answer, and the browser get something else."""
    route.fetch()
    route.fulfill(**told) if told else route.abort("connectionreset")


LOST: Mapping[str, Callable[[Any], Any]] = {
    "not known": cut_off,
    "an error": unavailable,
    "done, and no answer": lambda route: once(route, {}),
    "done, and half an answer": lambda route: once(route, {"status": 200, "body": '{"to": "/queu'}),
    "twice": lambda route: (route.fetch(), route.continue_()),
}


def test_a_decision_without_an_answer_is_said_and_counts_once_when_it_is_made_again(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    """Kind of test that was missing: the answer to a decision is lost, before and after the server has taken it."""
    page, first = reviewer.page, for_review[0]
    for name, loses in LOST.items():
        reviewer.open(f"/shots/{first}?queue=review&batch={first.batch}").until(WELL)
        page.get_by_role("button", name="Draw marks").click()
        for key in ("Enter", "ArrowRight", "Enter", "Escape"):
            page.keyboard.press(key)
        page.route("**/decision*", loses, times=1)
        page.keyboard.press("e")
        page.keyboard.press("1")
        if name != "twice":
            says(reviewer, "Decide the same again: it counts once.")
            assert page.evaluate("window.packshotViewer.marks().length") == 1, name
            page.keyboard.press("1")
        page.wait_for_selector(f"h1:has-text('{for_review[1].shot}')")
        assert "did not count" not in words(reviewer), name
        held = desk.outbox.held_by("Rea Viewer")
        assert held, name
        assert (held.shots, len(held.answer.decision.marks)) == ((first,), 1)
        assert desk.outbox.undo("Rea Viewer") == (first,)
        assert desk.outbox.is_empty


@pytest.mark.slow  # quicker: the answer to a decision is lost, above
def test_a_next_page_that_does_not_come_is_loaded_as_a_whole(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    page, (first, second, _) = reviewer.page, for_review
    held: list[Any] = []
    page.route(re.compile(r"/ahead(\?|$)"), lambda route: held.append(route))
    address = f"{reviewer.address}/shots/{first}?queue=review&batch={first.batch}"
    page.goto(address, wait_until="commit")  # a request that is never answered keeps Chromium's own event waiting
    reviewer.until(WELL)
    with page.expect_navigation(wait_until="commit"):
        page.keyboard.press("j")
    page.wait_for_selector(f"h1:has-text('{second.shot}')")
    assert held
    assert desk.claims.who(str(second)) == "Rea Viewer"


@pytest.mark.slow  # quicker: as above
def test_a_desk_that_is_away_is_said(for_review: list[ShotId], reviewer: Person) -> None:
    page = reviewer.page
    page.clock.install()
    reviewer.open(f"/queues/review?batch={for_review[0].batch}")
    page.route("**/counts", cut_off, times=1)
    page.clock.run_for(11_000)
    says(reviewer, "The desk does not answer.")
    page.clock.run_for(11_000)
    reviewer.until("document.getElementById('stale').hidden")


def test_a_picture_is_not_approved_before_it_is_on_the_screen(
    desk: Desk, for_review: list[ShotId], reviewer: Person
) -> None:
    """Kind of test that was missing: a key that comes before the picture."""
    page, first = reviewer.page, for_review[0]
    address = f"/shots/{first}?queue=review&batch={first.batch}"
    page.route("**/edit/*/*/*.webp", cut_off)
    reviewer.open(address).until("window.packshotViewer !== undefined")
    page.keyboard.press("a")
    page.keyboard.press("1")
    says(reviewer, "Approve it when you have seen it.")
    assert desk.outbox.is_empty
    page.unroute("**/edit/*/*/*.webp")
    reviewer.open(address).until(WELL)
    page.evaluate("window.packshotViewer.whenSharp()")
    page.keyboard.press("a")
    if page.locator("form.panel:visible").count():
        page.keyboard.press("1")
    page.wait_for_selector(f"h1:has-text('{for_review[1].shot}')")
    assert desk.outbox.has(first)
