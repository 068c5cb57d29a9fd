"""docs/settings.md has the settings as they are."""

from __future__ import annotations

from pathlib import Path

from tasks.environment.settings import settings_table
from tasks.results.block import ENVIRONMENT

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text()


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    assert settings_table() in TEXT


def test_what_a_worker_is_told_is_there() -> None:
    for name, value in ENVIRONMENT.items():
        assert f"export {name}={value}" in TEXT
