from __future__ import annotations

import hashlib
from importlib import resources

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from packshot.colour.transform import srgb8_to_working
from packshot.errors import ModelError
from packshot.routing import picture
from packshot.routing.picture import NETWORK, look_at, looks_of, picture_words
from packshot.types import Complexity
from tests.configs import shipped_configs
from tests.shared_data import shared_data

CATEGORIES = shipped_configs().categories
RULED = {name for name, one in CATEGORIES.items() if one.complexity not in (None, Complexity.SIMPLE)}

logits = arrays.arrays(np.float32, 1000, elements=st.floats(-20, 20, width=32))


def said(category: str) -> np.ndarray:
    """An answer that is sure of one of a category's words."""
    found = np.zeros(1000, np.float32)
    found[next(iter(picture_words().words[category]))] = 20
    return found


def test_the_words_belong_to_the_network_that_comes_along() -> None:
    data = resources.files("packshot.routing").joinpath(NETWORK).read_bytes()
    assert hashlib.sha256(data).hexdigest() == picture_words().sha256


def test_every_word_speaks_for_one_category_of_the_configs() -> None:
    words = picture_words().words
    places = [place for spoken in words.values() for place in spoken]
    assert len(places) == len(set(places))
    assert all(0 <= place < 1000 for place in places)
    assert set(words) <= set(CATEGORIES)


def test_jewelry_glass_and_fur_have_words() -> None:
    assert {"jewelry", "transparent", "fur", "eyewear", "lingerie"} <= set(picture_words().words)


@pytest.mark.parametrize("category", ["jewelry", "transparent", "shoes", "electronics"])
def test_a_word_that_is_sure_makes_its_category_sure(category: str) -> None:
    looks = looks_of(said(category), CATEGORIES)
    assert looks.category == category
    assert looks.probability > 0.99
    assert (looks.ruled_probability > 0.99) == (category in RULED)


@given(logits)
def test_probabilities_are_shares_of_one(answer: np.ndarray) -> None:
    looks = looks_of(answer, CATEGORIES)
    assert 0 <= looks.probability <= 1.0001
    assert 0 <= looks.ruled_probability <= 1.0001
    assert looks.ruled_category in RULED


def test_a_category_that_the_configs_do_not_know_is_not_seen() -> None:
    looks = looks_of(said("jewelry"), {"shoes": CATEGORIES["shoes"]})
    assert looks.category == "shoes"
    assert looks.probability < 0.01
    assert looks.ruled_probability == 0
    assert looks.ruled_category == ""


def test_a_category_whose_rule_a_client_takes_away_is_no_longer_a_persons() -> None:
    without = CATEGORIES | {"jewelry": CATEGORIES["jewelry"].model_copy(update={"complexity": None})}
    assert looks_of(said("jewelry"), without).ruled_probability < 0.01


@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (1, 1), (224, 224)])
def test_every_shape_of_photograph_can_be_looked_at(shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 40000, np.uint16)
    assert 0 <= look_at(pixels, CATEGORIES).probability <= 1


def test_the_same_photograph_looks_the_same_every_time() -> None:
    pixels = np.random.default_rng(3).integers(0, 65535, (120, 90, 3)).astype(np.uint16)
    assert look_at(pixels, CATEGORIES) == look_at(pixels, CATEGORIES)


@pytest.mark.parametrize(
    ("scene", "category"),
    [("mug-white", "home"), ("tote-white", "bags"), ("wineglass-colour", "transparent")],
)
def test_what_everybody_would_recognise_is_recognised(scene: str, category: str) -> None:
    path = shared_data("studio") / "image" / f"{scene}.jpg"
    photo = cv2.imread(str(path))[..., ::-1]
    looks = look_at(srgb8_to_working(np.ascontiguousarray(photo)), CATEGORIES)
    assert looks.category == category


def test_another_network_than_that_of_the_words_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = picture_words().model_copy(update={"sha256": "0" * 64})
    monkeypatch.setattr(picture, "picture_words", lambda: other)
    picture._loaded.cache_clear()
    with pytest.raises(ModelError, match="not the one its words belong to"):
        look_at(np.zeros((9, 9, 3), np.uint16), CATEGORIES)
    picture._loaded.cache_clear()
