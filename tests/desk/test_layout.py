"""Every page has room for what stands on it, on a laptop and on a large screen of double density."""

from __future__ import annotations

from typing import Any

import pytest

from desk.access.roles import Role
from desk.state import Desk
from packshot.naming import ShotId
from tests.chromium import needs_chromium
from tests.desk.people import PASSWORD
from tests.desk.serving import LAPTOP, At, Person

LARGE = {"viewport": {"width": 1920, "height": 1080}, "device_scale_factor": 2}
SCREENS: dict[str, dict[str, Any]] = {"laptop": {"viewport": LAPTOP}, "4K": LARGE}
NAME = "Maximiliane Freifrau von Hohenstein-Aschersleben"
TROUBLES = """(() => {
  const found = [];
  const words = (one) => (one.innerText || one.getAttribute("aria-label") || one.name || "").trim().slice(0, 40);
  const said = (one) => `${one.tagName.toLowerCase()} "${words(one)}"`;
  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth) found.push(`the page is ${page.scrollWidth} px wide`);
  const isSeen = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 1;
  const controls = [...document.querySelectorAll("a, button, input, select, textarea, summary")].filter(isSeen);
  const inside = (one) => {
    const box = one.getBoundingClientRect();
    let { left, right, top, bottom } = box;
    for (let over = one.parentElement; over; over = over.parentElement) {
      const [room, style] = [over.getBoundingClientRect(), getComputedStyle(over)];
      const scrolls = (way) => ["auto", "scroll"].includes(way);
      if (scrolls(style.overflowX)) [left, right] = [Math.max(left, room.left), Math.min(right, room.right)];
      if (scrolls(style.overflowY)) [top, bottom] = [Math.max(top, room.top), Math.min(bottom, room.bottom)];
    }
    return { left, right, top, bottom };
  };
  for (const one of controls) {
    const box = inside(one);
    if (one.closest(".skip")) continue;
    if (box.left < -0.5 || box.right > innerWidth + 0.5) found.push(`${said(one)} reaches beyond the page`);
    const isWhole = !one.matches("button, a.button, .bar a") || one.scrollWidth <= one.clientWidth + 1;
    if (!isWhole) found.push(`${said(one)} is cut`);
  }
  const lies = controls.filter((one) => !one.closest(".skip")).map(
    (one) => [one, inside(one), Boolean(one.closest(".decide"))]);
  for (const [first, a, aSticks] of lies)
    for (const [second, b, bSticks] of lies) {
      if (first === second || aSticks !== bSticks || first.contains(second) || second.contains(first)) continue;
      if (first.compareDocumentPosition(second) & Node.DOCUMENT_POSITION_PRECEDING) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1.5 && down > 1.5) found.push(`${said(first)} lies on ${said(second)}`);
    }
  for (const bar of document.querySelectorAll(".bar, .pv-bar")) {
    const tops = new Set([...bar.querySelectorAll("a, button, input:not([type=hidden])")].filter(isSeen).map(
      (one) => Math.round((one.getBoundingClientRect().top + one.getBoundingClientRect().bottom) / 8)));
    if (tops.size > 1) found.push(`${bar.className} takes more than one row`);
  }
  return found;
})()"""
"""What has no room: beyond the page, cut, on something else, or a bar that takes two rows."""


def troubles(person: Person) -> list[str]:
    return list(person.page.evaluate(TROUBLES))


def draw(person: Person, many: int) -> None:
    """Draw so many marks by keyboard."""
    person.page.get_by_role("button", name="Draw marks").click()
    for key in ("Enter", "ArrowRight", "Enter") * many:
        person.page.keyboard.press(key)
    assert person.page.evaluate("window.packshotViewer.marks().length") == many


@needs_chromium
@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_has_room_for_what_stands_on_it(
    desk: Desk, for_review: list[ShotId], edited_again: ShotId, for_editor: ShotId, on_hold: ShotId, at: At, screen: str
) -> None:
    """Kind of test that was missing: one that measures where things lie."""
    desk.accounts.add(NAME, set(Role), PASSWORD)
    desk.waiting.refresh()
    person = at("", **SCREENS[screen]).open("/sign-in")
    assert troubles(person) == []
    person.signed_in(NAME)
    batch, finding = for_review[0].batch, next(one.worst_code for one in desk.waiting.all() if one.worst_code)
    lists = ("/queues/review", f"/queues/review?batch={batch}&finding={finding}", "/queues/overdue")
    for path in (*lists, "/find?words=A1", "/my-rate", "/numbers", "/deliveries", f"/batches/acme/{batch}"):
        assert troubles(person.open(path)) == [], path
    for shot in (for_review[1], edited_again, for_editor, on_hold):
        for opens in ("", "e", "c", "x"):
            person.open(f"/shots/{shot}").until("window.packshotViewer !== undefined")
            person.page.evaluate("window.packshotViewer.whenSharp()")
            if opens:
                person.page.keyboard.press(opens)
            assert troubles(person) == [], (shot, opens)
    draw(person, 12)
    assert troubles(person) == []
