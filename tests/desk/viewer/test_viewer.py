"""The viewer in a real browser: what is on the screen is what is in the file, pixel by pixel."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import srgb_profile
from packshot.colour.transform import working_to_srgb8
from packshot.looking.overlays import matte_edge
from packshot.looking.shades import OFF_WHITE_RGB
from packshot.naming import batch_id
from packshot.qc.white import find_off_white
from packshot.types import Pixels8
from tests.chromium import needs_chromium
from tests.desk.viewer.browser import Sight, expected, serving
from tests.desk.viewer.shots import HEIGHT, OFF_WHITE, WIDTH, drawn, stored
from tests.often import few_often

pytestmark = needs_chromium

FINDINGS = [
    {"code": "fringe", "sentence": "A rim is left.", "box": [1200, 700, 256, 256], "status": "failed"},
    {"code": "non_white_background", "sentence": "Not white.", "box": [0, 0, 90, 60], "status": "warning"},
]
LABELS = """async ([places, zoom]) => {
  const { viewerIn } = await import("/static/viewer/viewer.js");
  const [old, place] = [document.getElementById("viewer"), document.createElement("div")];
  Object.assign(place.dataset, { ...old.dataset, findings: JSON.stringify(places) });
  Object.assign(place.style, { position: "fixed", inset: "0" });
  old.append(place);
  const viewer = viewerIn(place).api();
  await viewer.whenSharp();
  await viewer.zoom(zoom);
  await viewer.whenSharp();
  return [...place.querySelectorAll(".pv-findings text")].map((one) => one.textContent).filter(Boolean);
}"""
"""The labels that are seen in a viewer of these findings."""
Open = Callable[..., Sight]
LATE_S = 1.5
"""A file that comes so late is there after everything else."""


@pytest.fixture
def open_viewer(chromium: Any, storage: Any) -> Iterator[Open]:
    """Open the viewer of a shot; what goes wrong in the page fails the test.

    `late` is an address and what answers requests for it.
    """
    record = stored(batch_id("acme", f"viewer-{uuid.uuid4().hex[:8]}"))
    sights: list[Sight] = []
    kinds = {"edit": "edit.tif", "master": "master.tif"}
    with serving(record, findings=FINDINGS, kinds=kinds) as address:

        def opened(
            *, ratio: float = 1, size: tuple[int, int] = (1280, 720), late: tuple[Any, ...] = (), **options: Any
        ) -> Sight:
            context = chromium.new_context(
                viewport={"width": size[0], "height": size[1]}, device_scale_factor=ratio, **options
            )
            sights.append(Sight(context.new_page()))
            if late:
                sights[-1].page.route(*late)
            return sights[-1].open(address)

        yield opened
        for sight in sights:
            sight.page.context.close()
    assert [trouble for sight in sights for trouble in sight.troubles] == []


@pytest.fixture(scope="module")
def edit() -> Pixels8:
    return working_to_srgb8(drawn().edit)


@pytest.fixture(scope="module")
def master() -> Pixels8:
    return working_to_srgb8(drawn().master)


def same(sight: Sight, picture: Pixels8) -> None:
    """The stage shows exactly these pixels."""
    seen = sight.stage()
    wanted, rows, columns = expected(picture, seen.shape, sight.place())
    assert wanted.shape[0] > 300
    assert wanted.shape[1] > 300
    np.testing.assert_array_equal(seen[rows, columns], wanted)


@pytest.mark.parametrize(
    ("times", "ratio"), few_often([(1, 1), (2, 1.5), (4, 2), (1, 1.5), (1, 2), (2, 1), (2, 2), (4, 1), (4, 1.5)], 3)
)
def test_whole_magnifications_show_the_files_pixels(open_viewer: Open, edit: Pixels8, ratio: float, times: int) -> None:
    sight = open_viewer(ratio=ratio)
    sight.do(f"zoom({times})")
    assert sight.place()[0] == times
    same(sight, edit)


@pytest.mark.parametrize("ratio", few_often([2, 1], 1))
def test_a_finding_is_seen_at_1_to_1_and_exactly(open_viewer: Open, edit: Pixels8, ratio: int) -> None:
    sight = open_viewer(ratio=ratio)
    sight.do("goTo(0)")
    times, left, top = sight.place()
    stage = sight.stage().shape
    assert times == 1
    assert left + 1200 >= 0
    assert top + 700 >= 0
    assert left + 1456 <= stage[1]
    assert top + 956 <= stage[0]
    same(sight, edit)
    assert "Finding 1 of 2: A rim is left." in sight.page.locator(".pv-words [role=status]").inner_text()
    mark = {**FINDINGS[0], "label": "M1"}
    labels = sight.page.evaluate(LABELS, [[FINDINGS[0], FINDINGS[1], {**FINDINGS[0], "code": "halo"}, mark], "fit"])
    assert labels == ["1 3 M1", "2"], "labels at one corner would hide each other"
    beside = {**FINDINGS[0], "box": [1220, 715, 256, 256]}
    labels = [sight.page.evaluate(LABELS, [[*FINDINGS, beside], zoom]) for zoom in ("fit", 4)]
    assert labels == [["1 3", "2"], ["1", "2", "3"]], "and so would labels at corners that are near on the screen"


@pytest.mark.parametrize("ratio", few_often([1, 2], 1))
def test_before_is_at_the_same_place_and_exact(open_viewer: Open, edit: Pixels8, master: Pixels8, ratio: int) -> None:
    sight = open_viewer(ratio=ratio)
    sight.do("zoom(1)")
    place = sight.place()
    sight.do("toggleBefore()")
    assert sight.place() == place
    same(sight, master)
    sight.do("toggleBefore()")
    same(sight, edit)


def test_the_slider_shows_both_each_exact_on_its_side(open_viewer: Open, edit: Pixels8, master: Pixels8) -> None:
    sight = open_viewer(ratio=2)
    sight.do("zoom(1)")
    sight.page.get_by_role("button", name="Before and after beside each other").click()
    sight.page.get_by_role("slider").fill("30")
    seen = sight.sharp().stage()
    divider = round(seen.shape[1] * 0.3)
    for picture, part in ((master, slice(0, divider)), (edit, slice(divider, None))):
        wanted, rows, columns = expected(picture, seen.shape, sight.place())
        full = seen.copy()
        full[rows, columns] = wanted
        np.testing.assert_array_equal(seen[:, part], full[:, part])


@pytest.mark.parametrize("ratio", few_often([1, 2], 1))
def test_an_overlay_changes_no_other_pixel_and_counts_like_the_checker(
    open_viewer: Open, edit: Pixels8, ratio: int
) -> None:
    sight = open_viewer(ratio=ratio, size=(2000, 1400))
    sight.do("toggleOverlay('off_white')").do("zoom(1)")
    counted = find_off_white(drawn().edit, drawn().matte == 0).count
    assert f"{counted} background pixels are not exactly white" in sight.page.locator(".pv-legend").inner_text()
    marked = edit.copy()
    for column, row in OFF_WHITE:
        marked[row, column] = OFF_WHITE_RGB
    same(sight, marked)
    assert int((sight.stage() == OFF_WHITE_RGB).all(axis=2).sum()) == counted


def test_the_picture_comes_back_when_the_browsers_process_for_drawing_dies(open_viewer: Open, edit: Pixels8) -> None:
    sight = open_viewer()
    sight.do("zoom(1)")
    drawing = [one for one in psutil.Process().children(recursive=True) if "--type=gpu-process" in one.cmdline()]
    assert drawing
    for one in drawing:
        one.kill()
    sight.filled_stage()
    same(sight, edit)


@pytest.mark.parametrize("late", few_often(["viewer.css", "openseadragon.min.js", "picture.json", "overlays.json"], 1))
def test_the_picture_is_seen_whichever_file_of_the_page_arrives_last(
    open_viewer: Open, edit: Pixels8, late: str
) -> None:
    waited = []

    def answer_late(route: Any) -> None:
        time.sleep(LATE_S)
        waited.append(route.request.url)
        route.continue_()

    sight = open_viewer(late=(f"**/{late}", answer_late))
    assert waited
    sight.do("zoom(1)")
    same(sight, edit)


_COUNT_FRAMES = """() => {
  const real = window.requestAnimationFrame.bind(window);
  window.framesAsked = 1;
  window.requestAnimationFrame = (callback) => { window.framesAsked += 1; return real(callback); };
}"""


def test_a_page_that_stands_still_asks_for_no_frame_and_moves_again_exactly(open_viewer: Open, edit: Pixels8) -> None:
    sight = open_viewer()
    sight.do("zoom(1)")
    sight.page.evaluate(_COUNT_FRAMES)
    sight.until("(() => { const asked = window.framesAsked; window.framesAsked = 0; return asked === 0; })()")
    sight.page.wait_for_timeout(1000)
    assert sight.page.evaluate("window.framesAsked") == 0
    sight.do("zoom(2)")
    assert sight.page.evaluate("window.framesAsked") > 0
    same(sight, edit)


def test_two_overlays_at_4_to_1_are_not_smoothed(open_viewer: Open, edit: Pixels8) -> None:
    sight = open_viewer()
    sight.do("toggleOverlay('off_white')").do("toggleOverlay('matte_edge')").do("zoom(4)")
    marked = edit.copy()
    for column, row in OFF_WHITE:
        marked[row, column] = OFF_WHITE_RGB
    marked[matte_edge(drawn().matte).values > 0] = (0, 200, 255)
    same(sight, marked)


def test_overlays_come_one_after_the_other_and_then_none(open_viewer: Open) -> None:
    sight = open_viewer()
    pressed = sight.page.locator("[aria-label=Overlays] [aria-pressed=true]")
    seen = []
    for _ in range(6):
        sight.do("nextOverlay()")
        seen.append([pressed.nth(number).inner_text() for number in range(pressed.count())])
    assert seen == [["Off-white"], ["Edge"], ["Halo"], ["Colour"], [], ["Off-white"]]


def test_no_off_white_pixel_is_lost_when_the_whole_picture_is_seen(open_viewer: Open) -> None:
    sight = open_viewer(size=(700, 500))
    sight.do("toggleOverlay('off_white')")
    magnification, left, top = sight.place()
    assert magnification < 0.5
    seen = (sight.stage() == OFF_WHITE_RGB).all(axis=2)
    for column, row in OFF_WHITE:
        x, y = round(left + column * magnification), round(top + row * magnification)
        assert seen[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].any()


def test_moving_by_mouse_and_keys_stays_on_whole_pixels(open_viewer: Open, edit: Pixels8) -> None:
    sight = open_viewer(ratio=1.5)
    sight.do("zoom(2)")
    stage = sight.page.locator(".pv-stage")
    stage.hover(position={"x": 300, "y": 300})
    sight.page.mouse.down()
    sight.page.mouse.move(361, 333.5)
    sight.page.mouse.up()
    stage.focus()
    sight.page.keyboard.press("ArrowDown")
    same(sight.sharp(), edit)


def test_the_wheel_steps_through_whole_magnifications_and_keeps_the_place(open_viewer: Open, edit: Pixels8) -> None:
    sight = open_viewer()
    box = sight.page.locator(".pv-stage").bounding_box()
    at = (box["x"] + 400, box["y"] + 300)
    sight.page.mouse.move(*at)

    def below() -> tuple[float, float]:
        magnification, left, top = sight.place()
        return (400 - left) / magnification, (300 - top) / magnification

    before = below()
    for wanted in (1, 2, 4):
        sight.page.mouse.wheel(0, -100)
        sight.until(f"window.packshotViewer.place().magnification === {wanted}")
    after = below()
    assert max(abs(one - other) for one, other in zip(before, after, strict=True)) < 3
    same(sight.sharp(), edit)


def test_the_page_is_not_marked_for_a_screen_that_is_like_srgb(open_viewer: Open) -> None:
    assert not open_viewer().page.get_by_text("more colours than sRGB").is_visible()


def test_the_surround_has_the_wanted_colour(open_viewer: Open) -> None:
    sight = open_viewer(size=(1800, 800))
    for name, level in (("white", 255), ("grey", 128), ("black", 0)):
        sight.do(f"surround('{name}')")
        assert (sight.stage()[:, :20] == level).all()


def test_picked_values_are_the_files_and_their_lab_and_delta_e_are_the_lines(open_viewer: Open, edit: Pixels8) -> None:
    sight = open_viewer()
    sight.page.get_by_role("button", name="Read single pixels").click()
    sight.page.keyboard.press("ArrowLeft")
    sight.until("document.querySelector('.pv-readout').textContent.includes('Master RGB')")
    words = sight.page.locator(".pv-readout").inner_text()
    x, y = (int(value) for value in words.split(" · ")[0].split(", "))
    assert abs(x - WIDTH // 2) <= 2
    assert abs(y - HEIGHT // 2) <= 1
    rgb = edit[y, x]
    lab = lab_of(rgb[None, None], icc=srgb_profile())
    away = float(delta_e_2000(lab, np.array([100.0, 0, 0]))[0, 0])
    assert "Edit RGB " + " ".join(map(str, rgb)) in words
    shown = words.split("Lab ")[1].split(" · ")[0].split()
    assert np.abs(np.array(shown, float) - lab[0, 0]).max() < 0.06
    assert abs(float(words.split("ΔE to white ")[1].split()[0]) - away) < 0.06
    assert "Master RGB" in words


def test_marks_are_drawn_with_the_mouse_and_come_back_as_pixels_of_the_picture(open_viewer: Open) -> None:
    sight = open_viewer()
    sight.do("zoom(1)")
    _, left, top = sight.place()
    sight.page.get_by_role("button", name="Draw marks for an editor").click()
    box = sight.page.locator(".pv-stage").bounding_box()
    sight.page.mouse.move(box["x"] + 200.5, box["y"] + 150.5)
    sight.page.mouse.down()
    sight.page.mouse.move(box["x"] + 259.5, box["y"] + 199.5)
    sight.page.mouse.up()
    assert sight.page.evaluate("window.packshotViewer.marks()") == [
        {"x": 200 - left, "y": 150 - top, "width": 60, "height": 50}
    ]


def test_marks_are_drawn_and_removed_with_the_keyboard_alone(open_viewer: Open) -> None:
    sight = open_viewer()
    sight.page.get_by_role("button", name="Draw marks for an editor").focus()
    for key in ("Enter", "Enter", *["Shift+ArrowRight"] * 4, *["Shift+ArrowDown"] * 3, "Enter"):
        sight.page.keyboard.press(key)
    (mark,) = sight.page.evaluate("window.packshotViewer.marks()")
    assert (mark["width"], mark["height"]) == (41, 31)
    assert abs(mark["x"] - WIDTH // 2) <= 1
    assert abs(mark["y"] - HEIGHT // 2) <= 1
    sight.page.keyboard.press("Delete")
    assert sight.page.evaluate("window.packshotViewer.marks()") == []


def test_every_control_has_a_name_and_is_reached_by_tab(open_viewer: Open) -> None:
    sight = open_viewer()
    names = set()
    for _ in range(40):
        sight.page.keyboard.press("Tab")
        names.add(sight.page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))
    wanted = {
        "Fit: Show the whole picture",
        "1:1, in pixels of the screen",
        "Halo along the outline",
        "Edge of the cut-out",
        "Surround black",
    }
    assert wanted <= names
    buttons = sight.page.locator(".pv button")
    assert all(buttons.nth(number).get_attribute("aria-label") for number in range(buttons.count()))


def test_a_picture_that_is_gone_is_told_in_words(open_viewer: Open, storage: Any) -> None:
    sight = open_viewer()
    answer = sight.page.evaluate("fetch('/pictures/a/b/c/edit/0123456789abcdef/picture.json').then(one => one.text())")
    assert "load its page again" in answer
    assert [one.startswith(("404", "error: Failed to load resource")) for one in sight.troubles] == [True, True]
    sight.troubles.clear()
