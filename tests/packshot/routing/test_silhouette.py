from __future__ import annotations

import numpy as np

from packshot.routing.features import reduced_lab
from packshot.routing.seen_backdrop import see_backdrop
from packshot.routing.silhouette import Silhouette, find_silhouette
from packshot.types import Box
from tests.packshot.routing.scenes import Scene


def silhouette_of(scene: Scene) -> Silhouette:
    lab = reduced_lab(scene.pixels(), side_px=600)  # half size
    return find_silhouette(lab, see_backdrop(lab).backdrop)


def overlap(found: np.ndarray, box: Box) -> float:
    true = np.zeros(found.shape, bool)
    true[box.top : box.bottom, box.left : box.right] = True
    return float((found.astype(bool) & true).sum() / (found.astype(bool) | true).sum())


def test_a_product_on_a_lit_backdrop_is_found_to_the_pixel() -> None:
    shape = silhouette_of(Scene().box(400, 300, 800, 700))
    assert overlap(shape.product, Box(200, 150, 400, 350)) > 0.96


def test_the_contact_shadow_is_not_product() -> None:
    shape = silhouette_of(Scene().shadow(600, 700, 260, 60).box(400, 300, 800, 700))
    assert overlap(shape.product, Box(200, 150, 400, 350)) > 0.9
    assert shape.shadow.sum() > 500


def test_a_smooth_grey_product_is_not_taken_for_its_own_shadow() -> None:
    shape = silhouette_of(Scene().box(400, 300, 800, 700, colour=(0.68, 0.68, 0.68)))
    assert overlap(shape.product, Box(200, 150, 400, 350)) > 0.9


def test_a_grey_part_inside_a_product_belongs_to_it() -> None:
    scene = Scene().box(400, 300, 800, 700).disc(600, 500, 80, colour=(0.7, 0.69, 0.69))
    assert overlap(silhouette_of(scene).product, Box(200, 150, 400, 350)) > 0.95


def test_an_inner_gap_is_filled_in_the_filled_shape_only() -> None:
    scene = Scene().box(400, 300, 800, 700)
    scene.canvas[400:600, 500:700] = Scene().canvas[400:600, 500:700]
    shape = silhouette_of(scene)
    assert shape.product[250, 300] == 0
    assert shape.filled[250, 300] == 1


def test_an_empty_backdrop_has_no_silhouette() -> None:
    shape = silhouette_of(Scene())
    assert shape.area_px == 0
    assert shape.box is None
    assert shape.size_px == 0
