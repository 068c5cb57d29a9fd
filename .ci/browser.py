"""Get a browser for the tests that need one, if there is none.

    .venv/bin/python .ci/browser.py

Debian's Chromium where this may install packages, else the one that Playwright downloads. Where neither can be had, it
says so and the tests in a browser are skipped. It never fails: a mirror that is away is no fault of the code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

BIN = Path(sys.executable).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
FONTS = ("fonts-dejavu-core", "fonts-liberation")
"""Without a font a page has no letters, and the tests that read it fail."""
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts")
TIMEOUT_S = 600
PLAYWRIGHTS = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def main() -> int:
    """Print which browser there is, or why there is none."""
    print(f"browser: {browser() or fetched()}", flush=True)
    return 0


def browser() -> str | None:
    """Return the path of a browser that starts: on the PATH, or beside this Python."""
    places = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    found = (shutil.which(name, path=places) for name in NAMES)
    return next((path for path in found if path and _starts(path)), None)


def fetched() -> str:
    """Return the path of a browser that was fetched now, or a sentence that says why there is none."""
    ways: Mapping[str, Callable[[], str]] = {"apt": _by_apt, "Playwright": _by_playwright}
    troubles = []
    for name, way in ways.items():
        trouble = way()
        if not trouble and (path := browser()):
            return path
        troubles.append(f"{name}: {trouble or 'what it installed does not start'}")
    return f"skipped: no browser, so tests in a browser are left out ({'; '.join(troubles)})"


def _by_apt() -> str:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "not root on Debian"
    return _run("apt-get", "update", "--quiet") or _run(
        "apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "chromium", *FONTS
    )


def _by_playwright() -> str:
    if not any(path.suffix in (".ttf", ".otf", ".ttc") for place in FONT_FOLDERS for path in Path(place).rglob("*.*")):
        return "no font is installed"
    trouble = _run(sys.executable, "-m", "playwright", "install", "chromium")
    if trouble:
        return trouble
    told = subprocess.run([sys.executable, "-c", PLAYWRIGHTS], capture_output=True, text=True, check=False)
    beside = BIN / NAMES[0]
    beside.unlink(missing_ok=True)
    beside.symlink_to(told.stdout.strip() or "missing")
    return ""


def _starts(path: str) -> bool:
    return not _run(path, "--version")


def _run(*command: str) -> str:
    """Run a command; return why it failed, or nothing."""
    surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {error}"
    lines = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()]
    return "" if done.returncode == 0 else (lines or [f"exit status {done.returncode}"])[-1][:200]


if __name__ == "__main__":
    sys.exit(main())
