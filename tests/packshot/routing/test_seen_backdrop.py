"""Products that fill the frame, on smooth backdrops and on rough ones: measured where backdrop is seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from packshot.colour.backdrop_light import BackdropReading, measure_backdrop
from packshot.routing.decide import decide
from packshot.routing.features import Features, frame_of, measure
from packshot.routing.seen_backdrop import seen_beside
from packshot.types import Complexity
from tests.configs import shipped_configs
from tests.packshot.routing.scenes import LIGHT_GREY, WHITE, Scene

ROUTING = shipped_configs().routing
BLUE, BLACK = (0.15, 0.2, 0.5), (0.03, 0.03, 0.03)
SIDE = 600
Colour = tuple[float, float, float]


def scene(backdrop: Colour = WHITE, fall_off: float = 0.05) -> Scene:
    return Scene(rows=SIDE, columns=SIDE, backdrop=backdrop, fall_off=fall_off)


def bottle(on: Scene, margin: int) -> None:
    middle, top, bottom = SIDE // 2, margin, SIDE - margin
    on.box(middle - 40, top, middle + 40, bottom).box(middle - 130, top + 160, middle + 130, bottom)
    on.box(middle - 130, top + 230, middle + 130, bottom - 70, colour=(0.2, 0.5, 0.3))


def carton(on: Scene, margin: int) -> None:
    on.box(margin, margin, SIDE - margin, SIDE - margin)


def disc(on: Scene, margin: int) -> None:
    on.disc(SIDE // 2, SIDE // 2, SIDE // 2 - margin)


def diamond(on: Scene, margin: int) -> None:
    half = SIDE // 2
    ends = [(half, margin), (SIDE - margin, half), (half, SIDE - margin), (margin, half)]
    cv2.fillPoly(on.canvas, [np.array(ends)], (0.75, 0.15, 0.15), cv2.LINE_AA)


PRODUCTS = {one.__name__: one for one in (bottle, carton, disc, diamond)}


def measured(on: Scene) -> tuple[Features, Complexity, str]:
    figures = measure(on.pixels())
    decision = decide(figures, category=None, category_source="", config=ROUTING)
    return figures, decision.complexity, decision.reason


@pytest.mark.parametrize(
    ("backdrop", "fills"),
    [(WHITE, 0.95), (WHITE, 0.975), (LIGHT_GREY, 0.975), (BLUE, 0.95), (BLACK, 0.96)],
    ids=["white", "white, more", "grey", "blue", "black"],
)
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_product_that_fills_the_frame_is_judged_by_what_it_is(product: str, fills: float, backdrop: Colour) -> None:
    on = scene(backdrop)
    PRODUCTS[product](on, round(SIDE * (1 - fills) / 2))
    figures, complexity, reason = measured(on)
    assert complexity is Complexity.SIMPLE, reason
    assert figures.touches_frame == 0
    assert figures.backdrop_roughness < 0.1
    assert figures.colour_match < 0.1


@pytest.mark.parametrize("backdrop", [LIGHT_GREY, BLUE], ids=["grey", "blue"])
@pytest.mark.parametrize("product", ["bottle", "disc"])
def test_a_product_that_touches_the_frame_goes_to_a_person_who_is_told_so(product: str, backdrop: Colour) -> None:
    on = scene(backdrop, fall_off=0.02)
    PRODUCTS[product](on, 0)
    _, complexity, reason = measured(on)
    assert complexity is not Complexity.SIMPLE
    assert reason.startswith("product at the edge of the frame")


def test_a_product_wider_than_the_frame_is_told_to_touch_it() -> None:
    _, complexity, reason = measured(scene(LIGHT_GREY).box(0, 150, SIDE, 450))
    assert complexity is not Complexity.SIMPLE
    assert reason.startswith("product at the edge of the frame")


def stripes() -> Scene:
    on = scene()
    for n in range(0, SIDE, 60):
        on.box(n, 0, n + 30, SIDE, colour=(0.7, 0.6, 0.5))
    return on


def bricks() -> Scene:
    on = scene((0.6, 0.3, 0.2), 0.0)
    for row, top in enumerate(range(0, SIDE, 45)):
        on.line((0, top), (SIDE, top), 6, colour=(0.85, 0.85, 0.8))
        for left in range(-60 + 50 * (row % 2), SIDE, 100):
            on.line((left, top), (left, top + 45), 6, colour=(0.85, 0.85, 0.8))
    return on


def grain() -> Scene:
    on = scene((0.6, 0.45, 0.3), 0.0)
    random = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, (SIDE, SIDE, 1)), (0, 0), 4)
    on.canvas[:] += (0.08 * random / random.std())[..., None].astype(np.float32)
    return on


@pytest.mark.parametrize("fills", [0.6, 0.95])
@pytest.mark.parametrize("rough", [stripes, bricks, grain])
def test_a_rough_backdrop_stays_rough_however_much_of_it_is_seen(rough, fills: float) -> None:
    on = rough()
    bottle(on, round(SIDE * (1 - fills) / 2))
    figures, complexity, reason = measured(on)
    assert figures.backdrop_roughness > 0.2
    assert complexity is not Complexity.SIMPLE, reason


@pytest.mark.parametrize("colour", [BLACK, BLUE, WHITE], ids=["black", "blue", "white"])
@pytest.mark.parametrize("width", [3, 14])
def test_a_frame_drawn_around_a_picture_is_not_taken_for_the_backdrop(width: int, colour: Colour) -> None:
    on = scene(LIGHT_GREY)
    bottle(on, 100)
    inner = on.canvas[width:-width, width:-width].copy()
    on.canvas[:] = colour
    on.canvas[width:-width, width:-width] = inner
    _, complexity, reason = measured(on)
    assert complexity is not Complexity.SIMPLE, reason


def test_a_picture_without_any_backdrop_is_left_to_a_person() -> None:
    assert measured(scene().box(0, 0, SIDE, SIDE))[1] is not Complexity.SIMPLE


@pytest.mark.parametrize("fills", [0.5, 0.95, 0.975])
@pytest.mark.parametrize("product", PRODUCTS)
def test_the_light_on_the_backdrop_is_not_read_from_a_product_that_fills_the_frame(product: str, fills: float) -> None:
    """A group is corrected to one light by its backdrop: a red carton must not count as one."""
    empty = backdrop_light(scene(LIGHT_GREY))
    on = scene(LIGHT_GREY)
    PRODUCTS[product](on, round(SIDE * (1 - fills) / 2))
    read = backdrop_light(on)
    assert empty is not None
    assert read is not None
    assert np.linalg.norm(np.subtract(read.lab, empty.lab)) < 1
    assert read.left_right == pytest.approx(empty.left_right, abs=0.03)
    assert read.share > 0.6


def backdrop_light(on: Scene) -> BackdropReading | None:
    pixels = on.pixels()
    frame = frame_of(pixels)
    return measure_backdrop(pixels, seen=seen_beside(frame.seen))
