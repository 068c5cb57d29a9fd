from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.routing.features import Features, measure
from tests.packshot.routing.scenes import LIGHT_GREY, WHITE, Scene

WHITE_GOODS = (0.93, 0.93, 0.93)


def plain_box() -> Scene:
    return Scene().box(400, 300, 800, 700)


def test_pale_goods_on_white_have_low_contrast_and_red_ones_have_not() -> None:
    pale = measure(Scene(backdrop=WHITE, fall_off=0.02).box(400, 300, 800, 700, colour=WHITE_GOODS).pixels())
    red = measure(Scene(backdrop=WHITE, fall_off=0.02).box(400, 300, 800, 700).pixels())
    assert pale.low_contrast > 0.7 > 0.1 > red.low_contrast
    assert pale.pale_inside > 0.6 > 0.1 > red.pale_inside


def test_a_colour_as_light_as_the_backdrop_has_an_outline_without_an_edge_of_lightness() -> None:
    same_lightness = Scene(backdrop=LIGHT_GREY, fall_off=0).box(400, 300, 800, 700, colour=(0.74, 0.83, 0.74))
    assert measure(same_lightness.pixels()).weak_outline > 0.5 > measure(plain_box().pixels()).weak_outline


def test_lamps_in_gloss_are_specular_and_a_white_label_is_not() -> None:
    gloss = plain_box()
    for place in range(6):
        gloss.disc(440 + 60 * place, 500, 14, colour=(1.0, 1.0, 1.0))
    label = plain_box().box(430, 330, 770, 670, colour=(1.0, 1.0, 1.0))
    assert measure(gloss.pixels()).specular > 0.01
    assert measure(plain_box().pixels()).specular == 0
    assert measure(label.pixels()).specular < 0.2


def test_a_contact_shadow_is_measured() -> None:
    scene = Scene().shadow(600, 720, 330, 40, depth=0.25).box(400, 300, 800, 700)
    assert measure(scene.pixels()).shadow > 0.02 > measure(plain_box().pixels()).shadow


def test_threads_around_a_product_stray() -> None:
    scene = plain_box()
    random = np.random.default_rng(3)
    for _ in range(120):
        x = int(random.integers(400, 800))
        tip = (x + int(random.integers(-30, 30)), 285)
        scene.line((x, 300), tip, 1, colour=(0.72, 0.62, 0.62))
    assert measure(scene.pixels()).stray_detail > 2 * measure(plain_box().pixels()).stray_detail


def test_noise_is_measured_on_the_backdrop() -> None:
    def noisy(amount: float) -> float:
        return measure(Scene(noise=amount).box(400, 300, 800, 700).pixels()).backdrop_noise

    assert noisy(0.05) > noisy(0.003)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1150), st.integers(0, 850), st.integers(1, 700), st.floats(0, 0.2))
def test_every_figure_stays_in_its_range_whatever_is_photographed(x: int, y: int, size: int, noise: float) -> None:
    figures = measure(Scene(noise=noise).box(x, y, min(1200, x + size), min(900, y + size)).pixels())
    assert all(0 <= getattr(figures, name) <= 1 for name in Features.model_fields)
