import numpy as np
import pytest

from packshot.colour import target
from packshot.colour.target import find_target
from packshot.colour.target_values import reference_linear
from packshot.colour.transform import srgb8_to_working
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig
from tests import drawn_products
from tests.drawn_targets import CAMERA, photograph_of_chart
from tests.often import few_often
from tests.shared_data import shared_data

REAL = (
    "macduff_below_fishbox.jpg",
    "macduff_below_fishbox2.jpg",
    "mindvision_TL84.jpg",
    "mindvision_d65.jpg",
    "plantcv_camera-trax.png",
    "plantcv_classic.png",
    "plantcv_multiple_color_card.jpg",
    "plantcv_seedhead-rgb.jpg",
)
TOO_SMALL = ("frobisher_IMG_2600.jpg", "frobisher_IMG_2601.jpg", "frobisher_IMG_2602.jpg")


def photo(path):
    limits = IngestConfig(min_px=100)
    return develop(open_photo(path.read_bytes(), name=path.name, limits=limits)).pixels16


@pytest.mark.parametrize("turned_degrees", [0, 7, 90, 180, 270, 33])
def test_a_target_is_found_however_it_is_turned(turned_degrees):
    reading = find_target(photograph_of_chart(turned_degrees=turned_degrees))
    assert reading is not None
    assert np.abs(np.array(reading.patches) - np.clip(reference_linear(), 0, 1)).max() < 0.01


@pytest.mark.parametrize(("patch_px", "thorough"), [(12, True), (24, False), (100, False)])
def test_a_target_is_found_small_and_large(patch_px, thorough):
    reading = find_target(photograph_of_chart(patch_px=patch_px), thorough=thorough)
    assert reading is not None
    assert reading.side_px == pytest.approx(patch_px * 1.16, rel=0.15)


@pytest.mark.parametrize("side_px", few_often([400, 640, 900, 1100, 1700, 2600], 4))
@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_what_a_quick_search_finds_a_thorough_one_finds_too(side_px, share):
    picture = photograph_of_chart(width=side_px, height=round(side_px * 0.75), patch_px=share * side_px / 8)
    if find_target(picture) is not None:
        assert find_target(picture, thorough=True) is not None


def test_a_thorough_search_begins_as_a_quick_one(monkeypatch):
    tried = []
    monkeypatch.setattr(target, "_candidates", lambda pixels: tried.append(max(pixels.shape)) or [])
    for side_px in (400, 1000, 1200, 3000):
        picture = np.zeros((side_px, side_px, 3), np.uint16)
        tried.clear()
        find_target(picture, thorough=True)
        assert tried[0] == min(1200, side_px)


def test_a_target_is_found_in_a_foreign_light_and_far_under_exposed():
    reading = find_target(photograph_of_chart(camera=CAMERA * 0.12))
    assert reading is not None
    wanted = np.clip(reference_linear(), 0, 1) @ (CAMERA * 0.12).T
    assert np.abs(np.array(reading.patches) - wanted).max() < 0.003


@pytest.mark.parametrize("light", [(1.0, 0.62, 0.25), (0.45, 0.8, 1.0)])
def test_a_target_is_found_in_a_light_of_one_colour_that_the_camera_did_not_balance(light):
    assert find_target(photograph_of_chart(camera=np.diag(light))) is not None


def test_patches_that_the_camera_cut_off_are_named():
    reading = find_target(photograph_of_chart(camera=np.eye(3) * 1.35))
    assert reading is not None
    assert 19 in reading.clipped
    assert 24 not in reading.clipped


def test_reading_twice_gives_the_same():
    picture = photograph_of_chart(turned_degrees=12, patch_px=30)
    assert find_target(picture) == find_target(picture)


def test_a_product_is_no_target():
    assert find_target(srgb8_to_working(drawn_products.pixels())) is None


@pytest.mark.parametrize("name", REAL)
def test_real_targets_are_found(name):
    reading = find_target(photo(shared_data("colour_targets", "photos", name)))
    assert reading is not None
    greys = np.array(reading.patches)[18:].mean(axis=1)
    assert (np.diff(greys) < 0).all()


@pytest.mark.parametrize("name", TOO_SMALL)
def test_targets_of_five_pixels_a_patch_are_left_alone(name):
    assert find_target(photo(shared_data("colour_targets", "photos", name)), thorough=True) is None


def test_real_products_are_no_targets():
    folder = shared_data("products")
    suspects = (
        "clothing-cc0/de28ba6c-c772-4442-98d5-4a80b86f5f53.jpg",
        "clothing-cc0/f86a5843-9501-438a-adfb-f48557a6e5fe.jpg",
        "smartstore/dellinspiron23.png",
        "vendure-unsplash/derick-david-409858-unsplash.jpg",
    )
    assert [name for name in suspects if find_target(photo(folder / name))] == []
