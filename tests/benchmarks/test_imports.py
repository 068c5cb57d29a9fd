"""Whatever a benchmark takes from the line is still there."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import benchmarks

NAMES = sorted(path.stem for folder in benchmarks.__path__ for path in Path(folder).glob("[!_]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_imported_and_says_what_it_is_for(name: str) -> None:
    assert importlib.import_module(f"benchmarks.{name}").__doc__
