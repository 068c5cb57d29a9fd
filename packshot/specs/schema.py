"""Make JSON schemas of the config files, for text editors that check YAML and explain its keys while people type.

The meaning of a key is in the docstring of its model, under ``Attributes:``. The schemas and the tables of
``docs/configs.md`` take it from there.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from pydantic import TypeAdapter

from packshot.specs.daily import DailyConfig
from packshot.specs.load import CATEGORIES, MODELS
from packshot.specs.models import Client, HandoffConfig, IngestConfig, Platform, QcConfig, ResolvedRules, RoutingConfig
from packshot.specs.returns import ReturnsConfig

_KINDS: dict[str, TypeAdapter[Any]] = {
    "platform": TypeAdapter(Platform),
    "client": TypeAdapter(Client),
    "categories": CATEGORIES,
    "defaults": TypeAdapter(ResolvedRules),
    "qc": TypeAdapter(QcConfig),
    "routing": TypeAdapter(RoutingConfig),
    "ingest": TypeAdapter(IngestConfig),
    "models": MODELS,
    "handoff": TypeAdapter(HandoffConfig),
    "returns": TypeAdapter(ReturnsConfig),
    "daily": TypeAdapter(DailyConfig),
}
_NAMED = ("Platform", "Client", "Category", "Model")
"""Models whose name comes from the file or entry and is not stated inside it."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schemas of the files in ``configs/``: kind of file, such as ``qc`` -> its schema."""
    return {kind: _explained(_without_names(adapter.json_schema())) for kind, adapter in _KINDS.items()}


def schema_files() -> dict[str, str]:
    """Return the files of ``configs/schema/``: file name, such as ``qc.json`` -> its text."""
    return {f"{kind}.json": json.dumps(schema, indent=2) + "\n" for kind, schema in json_schemas().items()}


def _without_names(schema: dict[str, Any]) -> dict[str, Any]:
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("title") in _NAMED:
            part["properties"].pop("name")
            part["required"].remove("name")
    return schema


def meanings(docstring: str) -> dict[str, str]:
    """Return what each field of a model means: name -> text.

    The texts come from the section ``Attributes:`` of the model's docstring.

    Example:
        ``"Attributes:\\n    min_px, max_px: sides."`` gives ``{"min_px": "sides.", "max_px": "sides."}``.

    Args:
        docstring: the model's docstring. Without the section the result is empty.
    """
    _, _, section = inspect.cleandoc(docstring).partition("Attributes:\n")
    entries = re.findall(r"^    (\w+(?:, \w+)*): (.+(?:\n      .+)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def _explained(schema: dict[str, Any]) -> dict[str, Any]:
    """Move the descriptions of fields from a model's docstring to the fields."""
    for part in (schema, *schema.get("$defs", {}).values()):
        docstring = part.get("description", "")
        if "Attributes:" not in docstring:
            continue
        part["description"] = docstring.partition("Attributes:")[0].strip()
        keys = part.get("properties", {})  # a word of an enumeration has none
        for name in keys.keys() & (told := meanings(docstring)).keys():
            keys[name]["description"] = told[name]
    return schema
