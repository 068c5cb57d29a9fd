"""Each page of the desk under axe-core, in light and in dark: names, roles, order, and contrast of WCAG AA."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from desk.access.roles import Role
from desk.state import Desk
from packshot.naming import ShotId
from tests.chromium import needs_chromium
from tests.desk.people import PASSWORD
from tests.desk.serving import At, Person

AXE = Path(__file__).parent / "axe" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SEEN = ["color-contrast"]
"""The rules to which it matters whether a page is light or dark."""
RUN = "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
MOVING = """[...document.querySelectorAll("*")].map((one) => getComputedStyle(one)).filter(
  (style) => style.transitionDuration !== "0s" || style.animationName !== "none").length"""
NAME = "Any Body"


def test_the_checker_is_the_one_that_its_sources_name() -> None:
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() in (AXE.parent / "SOURCES.md").read_text()


def violations(person: Person, rules: Sequence[str] = TAGS) -> list[str]:
    """What axe says of the page, one line for each rule and element."""
    person.page.evaluate(AXE.read_text())
    found = person.page.evaluate(RUN, list(rules))["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@needs_chromium
@pytest.mark.parametrize(("scheme", "rules"), [("light", TAGS), ("dark", SEEN)], ids=["light", "dark"])
def test_no_page_violates_a_rule(
    desk: Desk, for_review: list[ShotId], for_signoff: ShotId, on_hold: ShotId, at: At, scheme: str, rules: list[str]
) -> None:
    desk.accounts.add(NAME, set(Role), PASSWORD)
    desk.waiting.refresh()
    person = at("", color_scheme=scheme, reduced_motion="reduce").open("/sign-in")
    assert violations(person, rules) == []
    person.signed_in(NAME)
    batch, finding = for_review[0].batch, next(one.worst_code for one in desk.waiting.all() if one.worst_code)
    for path in ("/queues/review", f"/queues/review?batch={batch}&finding={finding}", "/my-rate", "/nowhere"):
        assert violations(person.open(path), rules) == [], path
    for shot in (for_review[0], for_signoff, on_hold):
        for opens in ("", "e", "?"):  # opened anew each time: Escape leads back to the list where nothing is open
            person.open(f"/shots/{shot}").until("window.packshotViewer !== undefined")
            person.page.evaluate("window.packshotViewer.whenSharp()")
            if opens:
                person.page.keyboard.press(opens)
            assert violations(person, rules) == [], (shot, opens)
    assert person.page.evaluate(MOVING) == 0
    person.complaints[:] = [said for said in person.complaints if "404" not in said]  # /nowhere
