"""The browser of the tests: Debian's, the user's, or the one that `.ci/browser.py` has fetched beside Python."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

_PLACES = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
CHROMIUM = next(
    filter(None, (shutil.which(name, path=_PLACES) for name in ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage")
"""What it needs in a container: tests run as root there, and shared memory is small."""

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no browser (Debian: apt install chromium)")
