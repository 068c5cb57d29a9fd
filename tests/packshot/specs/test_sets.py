from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from packshot.specs.load import find_problems
from packshot.specs.sets import ProductSets
from tests.packshot.specs.test_load import edit

RULE = ProductSets(views=("MAIN", "PT01"), by_category={"clothing": ("MAIN", "NECK")})


@pytest.mark.parametrize(
    ("categories", "views"),
    [
        ([], ("MAIN", "PT01")),
        (["", "boxes"], ("MAIN", "PT01")),
        (["clothing", "clothing"], ("MAIN", "NECK")),
        (["clothing", ""], ("MAIN", "NECK")),
        (["clothing", "boxes"], ("MAIN", "NECK", "PT01")),
    ],
)
def test_a_category_has_its_own_views_and_shots_that_differ_ask_for_the_views_of_each(
    categories: list[str], views: tuple[str, ...]
) -> None:
    assert RULE.views_of(categories) == views


def test_shots_cannot_wait_for_views_that_nobody_named() -> None:
    with pytest.raises(ValidationError, match="views or by_category where deliver is complete_sets"):
        ProductSets(deliver="complete_sets")


def test_a_category_that_nobody_knows_is_a_problem_with_its_line(folder: Path) -> None:
    edit(folder / "clients" / "example.yaml", "    clothing: [MAIN", "    cloths: [MAIN")
    (problem,) = find_problems(folder)
    assert (problem.field, problem.found) == ("sets.by_category.cloths", "cloths")
    assert problem.line
