"""Run lint, types, import rules and tests; print one line for each and one for the whole.

    python .ci/checks.py [--all | --third] [PYTEST'S ARGUMENTS]

Without ``--all`` the tests that are marked as slow are left out, and that is said; so are the documents' site and the
look-up of known vulnerabilities. With ``--third`` a third of the slow tests runs, and all else that ``--all`` runs
but the count of covered lines. Which third, the commit says: over a few commits each slow test has run.

Every check runs even when one before it failed; types and import rules are checked while the site is built and the
tests run, which mostly wait. A check that cannot run here is skipped, and the reason is said. The exit status is 0 only
if none failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from browser import browser

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

PROCESSES = (os.cpu_count() or 1) + 1
"""One more than there are cores: the tests of flows mostly wait for servers."""

QUICK = {"lint": [BIN / "ruff", "check", "."], "format": [BIN / "ruff", "format", "--check", "."]}
BESIDE_THE_TESTS = {"types": [BIN / "mypy"], "import rules": [BIN / "lint-imports"]}


THIRDS = 3
MODULES_SHOWN = 60
SKIPPED = 3
"""Exit status of a check that cannot run here; its last line says why."""


class Checked(NamedTuple):
    name: str
    outcome: str  # ok, FAIL, skip
    detail: str
    output: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="run the slow tests too")
    parser.add_argument("--third", action="store_true", help="run a third of the slow tests too")
    chosen, arguments = parser.parse_known_args()
    everything = chosen.all or chosen.third
    rows = [_checked(name, command) for name, command in QUICK.items()]
    with ThreadPoolExecutor(1) as beside:
        others = [beside.submit(_checked, name, command) for name, command in BESIDE_THE_TESTS.items()]
        rows += _with_tools() if everything else []
        _tell(rows)
        slow, left_out = _slow(chosen)
        tests_ok, counts = _tests([*slow, *arguments])
        rows += (found := [one.result() for one in others])
    if chosen.all:
        rows += (covered := [_checked("coverage", ["make", "--silent", "coverage"])])
        found += covered
    _tell(found)
    rows += [Checked("tests", "ok" if tests_ok else "FAIL", counts + left_out), _with_browser()]
    print()
    for one in rows:
        print(f"{one.outcome:<4}  {one.name:<13} {one.detail}")
    failed = [one.name for one in rows if one.outcome == "FAIL"]
    print(f"\n{'All checks passed.' if not failed else 'Failed: ' + ', '.join(failed) + '.'}")
    print(counts)
    return 1 if failed else 0


def _slow(chosen: argparse.Namespace) -> tuple[list[str], str]:
    """Return pytest's arguments for the slow tests, and the words for what is left out."""
    if chosen.all:
        return [], ""
    if not chosen.third:
        return ["-m", "not slow"], " (slow ones left out: make test-all)"
    third = _commit() % THIRDS
    return [f"--slow-third={third}"], f" (slow ones: part {third + 1} of {THIRDS}, by the commit; all: make test-all)"


def _commit() -> int:
    """Return the number of the commit that is checked out; where there is none, that of the day."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=False, capture_output=True, text=True)
    return int(done.stdout.strip(), 16) if done.returncode == 0 else int(time.time() // 86_400)


def _checked(name: str, command: list[str | Path]) -> Checked:
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode == SKIPPED:
        return Checked(name, "skip", done.stdout.strip().splitlines()[-1].removeprefix("skipped: "), done.stdout)
    return Checked(name, "FAIL" if done.returncode else "ok", f"{time.monotonic() - started:.0f} s", done.stdout)


def _with_tools() -> list[Checked]:
    """Run the checks whose tools live in an environment of their own; where that cannot be made, they are skipped."""
    tools = _checked("tools", ["make", "--silent", "tools"])
    if tools.outcome == "FAIL":
        why = "could not be installed, so documents and advisories are not checked: see above"
        return [tools._replace(outcome="skip", detail=why)]
    audit = [ROOT / ".venv-tools" / "bin" / "python", ROOT / ".ci" / "audit.py"]
    return [tools, _checked("documents", ["make", "--silent", "docs"]), _checked("advisories", audit)]


def _with_browser() -> Checked:
    found = browser()
    said = found or "none is installed: tests in a browser are left out"
    return Checked("browser", "ok" if found else "skip", said)


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
    print(_slowest_modules(suite), flush=True)
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return code == 0 and total > skipped, f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped"


def _slowest_modules(suite: ElementTree.Element) -> str:
    """Return the modules that took longest, fixtures included: where to begin when the tests are to be quicker.

    A module's time holds the start of the servers that it was the first to need.
    """
    seconds: dict[str, float] = defaultdict(float)
    for test in suite.iter("testcase"):
        seconds[test.get("classname", "")] += float(test.get("time", 0))
    order = sorted(seconds, key=seconds.__getitem__, reverse=True)
    longest = [f"{seconds[module]:7.1f} s  {module}" for module in order[:MODULES_SHOWN]]
    rest = sum(seconds[module] for module in order[MODULES_SHOWN:])
    return "\n".join(["== the modules that took longest", *longest, f"{rest:7.1f} s  all others"])


if __name__ == "__main__":
    sys.exit(main())
