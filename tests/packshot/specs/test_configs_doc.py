"""docs/configs.md describes every key there is, and none that there is not."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest
from pydantic import BaseModel

from packshot.specs import models as specs
from packshot.specs.handoff import LateDeliveries
from packshot.specs.load import default_folder
from packshot.specs.models import NAMING_FIELDS, Feature

DOC = (default_folder().parent / "docs" / "configs.md").read_text(encoding="utf-8")

SECTIONS: dict[str, type[BaseModel]] = {
    "`platforms/<name>.yaml`": specs.Platform,
    "`encoding`": specs.Encoding,
    "`canvas`": specs.Canvas,
    "`fill`": specs.Fill,
    "Edit rules": specs.EditRules,
    "`categories.yaml`": specs.Category,
    "`routing.yaml`": specs.RoutingConfig,
    "A promise": specs.Promise,
    "`audit`": specs.AuditConfig,
    "`picture`": specs.PictureConfig,
    "`colour_match`": specs.ColourMatch,
    "`qc.yaml`": specs.QcConfig,
    "One entry of `rules`": specs.RuleLimits,
    "`ingest.yaml`": specs.IngestConfig,
    "`groups`": specs.GroupLimits,
    "`profiles`": specs.ProfilePolicy,
    "`handoff.yaml`": specs.HandoffConfig,
    "Late deliveries": LateDeliveries,
    "`daily.yaml`": specs.DailyConfig,
    "`models.yaml`": specs.Model,
    "One entry of `sources`": specs.ModelSource,
    "`clients/<name>.yaml`": specs.Client,
    "`handoff` of a client": specs.ClientHandoff,
}


def first_column(heading: str) -> list[str]:
    """The code words in the first column of the table under a heading."""
    section = re.split(rf"^##+ {re.escape(heading)}$", DOC, flags=re.MULTILINE)[1]
    table = re.split(r"^##+ ", section, flags=re.MULTILINE)[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")][2:]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_documented_and_no_other(heading: str) -> None:
    assert sorted(first_column(heading)) == sorted(set(SECTIONS[heading].model_fields) - {"name"})


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
