"""Run lint, types, import rules and tests; print one line for each and one for the whole.

    python .ci/checks.py [--all] [PYTEST'S ARGUMENTS]

Without ``--all`` the tests that are marked as slow are left out, and that is said. Every check runs even when one
before it failed. The exit status is 0 only if all of them passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

PROCESSES = (os.cpu_count() or 1) + 1
"""One more than there are cores: the tests of flows mostly wait for servers."""

CHECKS = {
    "lint": [BIN / "ruff", "check", "."],
    "format": [BIN / "ruff", "format", "--check", "."],
    "types": [BIN / "mypy"],
    "import rules": [BIN / "lint-imports"],
}


def main() -> int:
    arguments = sys.argv[1:]
    everything = "--all" in arguments
    arguments = [one for one in arguments if one != "--all"]
    rows: list[tuple[str, bool, str]] = []
    for name, command in CHECKS.items():
        rows.append(_checked(name, command))
    tests_ok, counts = _tests([*([] if everything else ["-m", "not slow"]), *arguments])
    rows.append(("tests", tests_ok, counts if everything else f"{counts} (slow ones left out: make test-all)"))
    print()
    for name, ok, detail in rows:
        print(f"{'ok  ' if ok else 'FAIL'}  {name:<13} {detail}")
    failed = [name for name, ok, _ in rows if not ok]
    print(f"\n{'All checks passed.' if not failed else 'Failed: ' + ', '.join(failed) + '.'}")
    print(counts)
    return 1 if failed else 0


def _checked(name: str, command: list[str | Path]) -> tuple[str, bool, str]:
    started = time.monotonic()
    print(f"== {name}", flush=True)
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    return name, code == 0, f"{time.monotonic() - started:.0f} s"


def _tests(arguments: list[str]) -> tuple[bool, str]:
    """Run pytest in several processes; return whether it passed, and ``N passed, N failed, N skipped``."""
    print("== tests", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        shared = ["-n", str(PROCESSES), "--dist", "loadscope", "--no-loadscope-reorder"]
        command = [BIN / "pytest", "-q", "--durations=25", f"--junitxml={report}", *shared, *arguments]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if not report.exists():
            return False, "0 passed, 1 failed"
        suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return code == 0 and total > skipped, f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped"


if __name__ == "__main__":
    sys.exit(main())
