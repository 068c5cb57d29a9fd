"""The configs that come with Packshot, and a folder of them that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from packshot.specs.load import default_folder
from packshot.specs.models import Configs
from tests.configs import shipped_configs


@pytest.fixture(scope="session")
def configs() -> Configs:
    return shipped_configs()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "configs"
    shutil.copytree(default_folder(), copy)
    return copy
