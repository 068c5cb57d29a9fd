"""One folder that all processes of a run of tests share, and that is gone with the run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

NAME = "shared-by-the-processes"


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder; it lies where xdist makes those of its processes."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / NAME
    folder.mkdir(exist_ok=True)
    return folder


def delete_shared_folder(config: pytest.Config) -> None:
    """Delete it at the end of the whole run. Pytest itself keeps the folders of the last few runs."""
    if not hasattr(config, "workerinput"):
        factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
        shutil.rmtree(factory.getbasetemp() / NAME, ignore_errors=True)
