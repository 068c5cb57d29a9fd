from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from packshot.specs.load import default_folder
from packshot.specs.schema import json_schemas, schema_files


def test_the_schema_files_are_those_of_the_models() -> None:
    folder = default_folder() / "schema"
    assert {path.name for path in folder.iterdir()} == set(schema_files())
    for name, text in schema_files().items():
        assert (folder / name).read_text(encoding="utf-8") == text, f"write {name} again: packshot config schema"


@pytest.mark.parametrize("path", sorted(default_folder().rglob("*.yaml")), ids=lambda path: path.name)
def test_every_config_file_names_its_schema_and_fits_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    schema = (path.parent / text.splitlines()[0].split("$schema=")[1]).resolve()
    assert schema.parent == (default_folder() / "schema").resolve()
    plain = json.loads(json.dumps(yaml.safe_load(text), default=str))
    jsonschema.validate(plain, json_schemas()[schema.stem])


def test_a_schema_does_not_ask_for_the_name_that_the_file_gives() -> None:
    for kind in ("platform", "client"):
        assert "name" not in json_schemas()[kind]["properties"]
        assert "title" in json_schemas()[kind]["required"]
