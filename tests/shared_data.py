"""Real and hostile pictures that live beside the repository, for tests only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_data(*parts: str) -> Path:
    """Return a folder or file of the shared test data; skip the test where it is missing."""
    root = Path(os.environ.get("PACKSHOT_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"shared test data is missing: {path} (set PACKSHOT_SHARED_DATA)")
    return path


def shared_faults(*parts: str) -> Path:
    """Return a file of the shared folder of faulty inputs; skip the test where it is missing."""
    return shared_data("..", "faults", *parts)
