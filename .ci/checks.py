"""Run lint, types, import rules and tests; print one line for each and one for the whole.

    python .ci/checks.py [--all] [PYTEST'S ARGUMENTS]

Without ``--all`` the tests that are marked as slow are left out, and that is said. Every check runs even when one
before it failed; types and import rules are checked while the tests run, which mostly wait. The exit status is 0 only
if all of them passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

PROCESSES = (os.cpu_count() or 1) + 1
"""One more than there are cores: the tests of flows mostly wait for servers."""

QUICK = {"lint": [BIN / "ruff", "check", "."], "format": [BIN / "ruff", "format", "--check", "."]}
BESIDE_THE_TESTS = {"types": [BIN / "mypy"], "import rules": [BIN / "lint-imports"]}


class Checked(NamedTuple):
    name: str
    ok: bool
    detail: str
    output: str


def main() -> int:
    arguments = sys.argv[1:]
    everything = "--all" in arguments
    arguments = [one for one in arguments if one != "--all"]
    rows = [_checked(name, command) for name, command in QUICK.items()]
    _tell(rows)
    with ThreadPoolExecutor(1) as beside:
        others = [beside.submit(_checked, name, command) for name, command in BESIDE_THE_TESTS.items()]
        tests_ok, counts = _tests([*([] if everything else ["-m", "not slow"]), *arguments])
        rows += (found := [one.result() for one in others])
    _tell(found)
    said = counts if everything else f"{counts} (slow ones left out: make test-all)"
    rows.append(Checked("tests", tests_ok, said, output=""))
    print()
    for one in rows:
        print(f"{'ok  ' if one.ok else 'FAIL'}  {one.name:<13} {one.detail}")
    failed = [one.name for one in rows if not one.ok]
    print(f"\n{'All checks passed.' if not failed else 'Failed: ' + ', '.join(failed) + '.'}")
    print(counts)
    return 1 if failed else 0


def _checked(name: str, command: list[str | Path]) -> Checked:
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    return Checked(name, done.returncode == 0, f"{time.monotonic() - started:.0f} s", done.stdout)


def _tell(found: list[Checked]) -> None:
    for one in found:
        print(f"== {one.name}\n{one.output}", end="", flush=True)


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
