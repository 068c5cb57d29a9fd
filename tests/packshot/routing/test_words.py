from __future__ import annotations

import pytest

from packshot.routing.words import category_in_words, doubtful_category
from packshot.types import Sourced
from tests.configs import shipped_configs

CATEGORIES = shipped_configs().categories


@pytest.mark.parametrize(
    ("path", "category"),
    [
        ("day 1/gold_ring_0012.jpg", "jewelry"),
        ("Weinglas-hoch.tif", "transparent"),
        ("boucles d'oreilles 3.jpg", "jewelry"),
        ("SHIRT-blue.JPG", "clothing"),
        ("faux fur coat.png", "fur"),
    ],
)
def test_a_word_in_the_name_says_the_category(path: str, category: str) -> None:
    assert category_in_words(path, (), CATEGORIES) == Sourced(value=category, source="file_name")


def test_the_name_goes_before_the_metadata() -> None:
    assert category_in_words("shoe_1.jpg", ("Necklace",), CATEGORIES) == Sourced(value="shoes", source="file_name")
    assert category_in_words("0001.jpg", ("", "Necklace"), CATEGORIES) == Sourced(value="jewelry", source="metadata")


@pytest.mark.parametrize("path", ["IMG_0001.jpg", "spring_01.jpg", "rings/0001.jpg", "B07GTFSCHB.jpg", "x.jpg"])
def test_parts_of_words_and_folders_say_nothing(path: str) -> None:
    assert category_in_words(path, (), CATEGORIES) is None


@pytest.mark.parametrize("path", ["camera 2.jpg", "tablet_0003.jpg", "notebook.jpg"])
def test_a_word_alone_makes_no_shot_simple(path: str) -> None:
    assert category_in_words(path, (), CATEGORIES) is None


def test_where_words_fit_two_categories_the_stricter_rule_wins() -> None:
    found = category_in_words("ring-box.jpg", (), CATEGORIES)
    assert found is not None
    assert found.value == "jewelry"


@pytest.mark.parametrize(
    ("word", "meant"),
    [("kettels", "kettle"), ("jewlry", "jewelry"), ("electric kettels", "kettle"), ("Uren", "Uhren"), ("qqqqq", "")],
)
def test_a_word_that_names_no_category_is_told_with_what_was_meant(word: str, meant: str) -> None:
    (told,) = doubtful_category(Sourced(value=word, source="manifest"), CATEGORIES)
    assert told.code == "category_unknown"
    assert word in told.message
    assert "manifest" in told.message
    assert (f"did you mean {meant}?" in told.message) == bool(meant)


@pytest.mark.parametrize("word", ["kettle", "Kettles and kitchen", "jewelry", "Apparel > Jewellery > Rings"])
def test_a_word_that_names_a_category_is_no_doubt(word: str) -> None:
    assert doubtful_category(Sourced(value=word, source="manifest"), CATEGORIES) == ()


def test_no_word_is_no_doubt() -> None:
    assert doubtful_category(None, CATEGORIES) == ()
