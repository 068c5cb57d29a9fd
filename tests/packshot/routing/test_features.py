from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.colour.transform import srgb8_to_working
from packshot.routing.decide import decide
from packshot.routing.features import Features, measure
from packshot.types import Complexity, Pixels16
from tests.configs import shipped_configs
from tests.packshot.routing.scenes import WHITE, Scene
from tests.shared_data import shared_data

ROUTING = shipped_configs().routing


def plain_box() -> Scene:
    return Scene().box(400, 300, 800, 700)


def complexity(figures: Features) -> Complexity:
    return decide(figures, category=None, category_source="", config=ROUTING).complexity


def test_a_plain_box_on_a_studio_backdrop_is_simple_and_every_figure_is_low() -> None:
    figures = measure(plain_box().pixels())
    assert complexity(figures) is Complexity.SIMPLE
    assert max(figures.model_dump(exclude={"backdrop_darkness"}).values()) < 0.1


def test_a_wire_frame_is_thin_and_has_gaps() -> None:
    scene = Scene()
    for n in range(12):
        scene.line((300 + 50 * n, 200), (300 + 50 * n, 750), 4).line((300, 200 + 50 * n), (850, 200 + 50 * n), 4)
    figures = measure(scene.pixels())
    assert figures.thin_structure > 0.8
    assert figures.hole_density > 0.8
    assert complexity(figures) is Complexity.COMPLEX


def test_spines_make_an_outline_fuzzy() -> None:
    scene = Scene().disc(600, 450, 200)
    for angle in np.linspace(0, 2 * np.pi, 70, endpoint=False):
        tip = (round(600 + 225 * np.cos(angle)), round(450 + 225 * np.sin(angle)))
        scene.line((600, 450), tip, 3)
    figures = measure(scene.pixels())
    assert figures.fuzzy_outline > ROUTING.medium["fuzzy_outline"] > measure(plain_box().pixels()).fuzzy_outline  # type: ignore[index]


def test_a_veil_over_the_backdrop_is_seen_through_and_an_empty_gap_is_not() -> None:
    ring = Scene().disc(600, 450, 250)
    ring.canvas[:] = np.where(_disc(600, 450, 220), Scene().canvas, ring.canvas)
    glass = Scene().disc(600, 450, 250)
    veil = Scene().canvas + _ripples()
    glass.canvas[:] = np.where(_disc(600, 450, 220), veil, glass.canvas)
    assert measure(ring.pixels()).see_through < 0.02
    assert measure(glass.pixels()).see_through > 0.15


def _disc(x: int, y: int, radius: int) -> np.ndarray:
    ys, xs = np.mgrid[0:900, 0:1200]
    return (((xs - x) ** 2 + (ys - y) ** 2) < radius**2)[..., None]


def _ripples() -> np.ndarray:
    """Faint reflections, some L* high."""
    ys, xs = np.mgrid[0:900, 0:1200]
    return (0.025 * np.sin(xs / 9) * np.sin(ys / 11)).astype(np.float32)[..., None]


def test_pale_on_white_is_a_colour_match_and_red_on_white_is_not() -> None:
    pale = Scene(backdrop=WHITE, fall_off=0.02).box(400, 300, 800, 700, colour=(0.90, 0.90, 0.90))
    red = Scene(backdrop=WHITE, fall_off=0.02).box(400, 300, 800, 700)
    assert measure(pale.pixels()).colour_match > 0.7
    assert measure(red.pixels()).colour_match < 0.05


def test_where_nothing_stands_out_product_and_backdrop_match_completely() -> None:
    figures = measure(Scene().pixels())
    assert figures.colour_match == 1
    assert complexity(figures) is not Complexity.SIMPLE


def test_a_product_that_is_cut_by_the_frame_is_noticed() -> None:
    assert measure(Scene().box(400, 300, 800, 900).pixels()).touches_frame > 0.05
    assert measure(plain_box().pixels()).touches_frame == 0


def test_a_cluttered_backdrop_is_not_explained() -> None:
    scene = Scene(noise=0.01)
    random = np.random.default_rng(5)
    for _ in range(400):
        x, y, radius = random.integers(0, 1200), random.integers(0, 900), random.integers(10, 60)
        scene.disc(int(x), int(y), int(radius), colour=tuple(random.uniform(0.1, 0.9, 3)))
    figures = measure(scene.box(400, 300, 800, 700).pixels())
    assert figures.backdrop_roughness > 0.5
    assert complexity(figures) is Complexity.COMPLEX


def test_separate_objects_are_counted() -> None:
    scene = Scene().box(200, 300, 400, 600).box(500, 300, 700, 600).box(800, 300, 1000, 600)
    assert measure(scene.pixels()).objects == pytest.approx(1 - 1 / 3, abs=1e-3)
    assert measure(plain_box().pixels()).objects == 0


def test_a_print_has_edges_and_texture_and_a_plain_face_has_not() -> None:
    printed = plain_box()
    for n in range(20):
        printed.line((400, 300 + 20 * n), (799, 300 + 20 * n), 6, colour=(0.1, 0.1, 0.3))
    figures, plain = measure(printed.pixels()), measure(plain_box().pixels())
    assert figures.edge_density > 0.4 > plain.edge_density
    assert figures.texture > 0.4 > plain.texture


@settings(max_examples=12)
@given(st.integers(30, 60), st.integers(30, 60), st.floats(0.5, 1.5))
def test_figures_do_not_depend_on_where_the_product_is_or_how_large_the_photograph(
    left: int, top: int, scale: float
) -> None:
    pixels = Scene().box(left * 8, top * 6, left * 8 + 380, top * 6 + 300).pixels()
    size = (round(1200 * scale), round(900 * scale))
    turned = np.ascontiguousarray(np.rot90(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))
    for figures in (measure(pixels), measure(turned)):
        assert complexity(figures) is Complexity.SIMPLE


@pytest.mark.parametrize("shape", [(16, 16), (1, 1), (3, 900), (700, 2), (40, 60)])
@pytest.mark.parametrize("value", [0, 30000, 65535])
def test_tiny_and_flat_pictures_are_measured_too(shape: tuple[int, int], value: int) -> None:
    figures = measure(np.full((*shape, 3), value, np.uint16))
    assert figures.touches_frame == 0


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(8, 90), st.integers(8, 90))
def test_every_figure_lies_between_zero_and_one_even_for_noise(seed: int, rows: int, columns: int) -> None:
    random = np.random.default_rng(seed)
    figures = measure(random.integers(0, 65536, (rows, columns, 3), dtype=np.uint16))
    assert all(0 <= figure <= 1 for figure in figures.model_dump().values())


def test_measuring_leaves_the_master_as_it_is_and_gives_the_same_figures_again() -> None:
    pixels = plain_box().pixels()
    before = pixels.copy()
    assert measure(pixels) == measure(pixels)
    assert np.array_equal(pixels, before)


def test_features_survive_json() -> None:
    figures = measure(plain_box().pixels())
    assert Features.model_validate_json(figures.model_dump_json()) == figures


def test_twelve_megapixels_are_measured_without_a_second_look_at_every_pixel() -> None:
    pixels = cv2.resize(plain_box().pixels(), (4000, 3000))
    measure(pixels)
    took_s = []
    for _ in range(5):
        start = time.process_time()
        measure(pixels)
        took_s.append(time.process_time() - start)
    # Far above what it takes (0.1 to 0.2 s of processor time), far below a pass in float over every pixel.
    assert min(took_s) < 1.0


def photograph(path: Path) -> Pixels16:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return srgb8_to_working(np.ascontiguousarray(bgr[..., ::-1]))


EASY = ["bottlelabel", "chromekettle", "headphones", "mug", "tote"]
HARD = ["basket", "cactus", "wineglass"]


@pytest.mark.parametrize("kind", [*EASY, *HARD])
def test_studio_photographs_go_where_a_retoucher_would_send_them(kind: str) -> None:
    paths = sorted(shared_data("studio", "image").glob(f"{kind}-*.jpg"))
    assert paths
    for path in paths:
        simple = complexity(measure(photograph(path))) is Complexity.SIMPLE
        assert simple == (kind in EASY), path.name


def test_a_white_box_goes_to_the_machine_unless_it_stands_on_white() -> None:
    for backdrop, expected in {"lightgrey": True, "midgrey": True, "white": False}.items():
        path = shared_data("studio", "image", f"whitebox-{backdrop}.jpg")
        assert (complexity(measure(photograph(path))) is Complexity.SIMPLE) == expected, backdrop


def test_no_scene_of_the_product_set_goes_to_the_machine() -> None:
    """Photographs of 1000 px and more whose backdrop is no studio's."""
    import csv

    folder = shared_data("products")
    with (folder / "manifest.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["backdrop"] == "scene"]
    large = [row for row in rows if max(int(row["width"]), int(row["height"])) >= 1000]
    assert len(large) > 25
    machine = [
        row["file"] for row in large if complexity(measure(photograph(folder / row["file"]))) is Complexity.SIMPLE
    ]
    assert machine == []
