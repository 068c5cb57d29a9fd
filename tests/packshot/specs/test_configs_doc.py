"""docs/configs.md describes every key there is, and none that there is not."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest
from pydantic import BaseModel

from packshot.specs import models as specs
from packshot.specs.load import default_folder
from packshot.specs.models import NAMING_FIELDS, Feature
from packshot.specs.schema import json_schemas, meanings
from tests.docs.tables import KEYS

DOC = (default_folder().parent / "docs" / "configs.md").read_text(encoding="utf-8")


def first_column(heading: str) -> list[str]:
    """The code words in the first column of the table under a heading."""
    section = re.split(rf"^##+ {re.escape(heading)}$", DOC, flags=re.MULTILINE)[1]
    table = re.split(r"^##+ ", section, flags=re.MULTILINE)[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")][2:]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


def described_parts() -> dict[str, set[str]]:
    """Model of a config file, or of a part of one -> the keys of it that its schema explains."""
    return {
        part["title"]: {key for key, one in part["properties"].items() if one.get("description")}
        for schema in json_schemas().values()
        for part in (schema, *schema.get("$defs", {}).values())
        if "properties" in part
    }


def test_every_model_of_a_config_file_has_its_table() -> None:
    assert described_parts().keys() == {model.__name__ for model in KEYS.values()} | {"ResolvedRules"}


@pytest.mark.parametrize("model", KEYS.values(), ids=lambda model: model.__name__)
def test_every_key_is_explained_for_the_table_and_for_the_schema(model: type[BaseModel]) -> None:
    keys = set(model.model_fields) - {"name"}
    assert set(meanings(model.__doc__ or "")) == keys
    assert keys <= described_parts()[model.__name__]


def test_every_feature_is_documented_and_no_other() -> None:
    assert sorted(first_column("The features")) == sorted(feature.value for feature in Feature)


def test_the_defaults_have_the_keys_of_the_edit_rules_but_for_the_margin() -> None:
    assert set(specs.ResolvedRules.model_fields) == set(specs.EditRules.model_fields) - {"margin_ratio"}


@pytest.mark.parametrize(
    "words",
    [specs.Format, specs.Profile, specs.Background, specs.Shadow, specs.Authority, specs.Tier],
    ids=lambda words: words.__name__,
)
def test_every_word_that_a_key_takes_is_documented(words: type[StrEnum]) -> None:
    assert [word.value for word in words if f"`{word.value}`" not in DOC] == []


def test_every_naming_field_is_documented() -> None:
    names = DOC.split("## Names")[1]
    assert [field for field in NAMING_FIELDS if f"`{field}`" not in names] == []
