"""Ask for known vulnerabilities of every locked library.

    .venv-tools/bin/python .ci/audit.py

Exit status 0: all were looked up, and none has an advisory but those in `advisories.toml`. 1: one has. 3: skipped,
because advisories could not be asked for; pip-audit itself calls that "no known vulnerabilities".
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-tools.lock", "requirements-render.lock", "requirements-uv.lock")
ALLOWED = ROOT / ".ci" / "advisories.toml"
OK, FOUND, SKIPPED = 0, 1, 3
TIMEOUT_S = 900


class Allowed(NamedTuple):
    """An advisory that does not stop a release, why, and until when."""

    advisory: str
    package: str
    reason: str
    until: datetime.date


def main() -> int:
    """Print one line for each thing found and one for the whole; return the exit status."""
    allowed = read_allowed(ALLOWED.read_text())
    looked_up: list[Mapping[str, Any]] = []
    for lock in LOCKS:
        answer, trouble = _asked(lock)
        if answer is None:
            print(f"skipped: pip-audit could not ask for advisories of {lock}: {trouble}")
            return SKIPPED
        looked_up += answer
    status, lines = judged(looked_up, allowed, today=datetime.datetime.now(datetime.UTC).date())
    print("\n".join(lines))
    return status


def _asked(lock: str) -> tuple[list[Mapping[str, Any]] | None, str]:
    """Return what pip-audit says of each library in a lock file, or None and why not."""
    audit = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip"]
    try:
        done = subprocess.run(
            [*audit, "--format", "json", "--progress-spinner", "off"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        return list(json.loads(done.stdout)["dependencies"]), ""
    except (ValueError, KeyError):
        return None, (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    except subprocess.TimeoutExpired:
        return None, f"no answer within {TIMEOUT_S} s"


def read_allowed(text: str) -> list[Allowed]:
    """Return the entries of the allow-list.

    Raises:
        ValueError: an entry lacks its reason or its last day.
    """
    entries = []
    for number, entry in enumerate(tomllib.loads(text).get("allowed", []), start=1):
        missing = [key for key in Allowed._fields if not entry.get(key)]
        if missing:
            raise ValueError(f"advisories.toml: entry {number} lacks {', '.join(missing)}")
        entries.append(Allowed(**entry))
    return entries


def judged(
    looked_up: Sequence[Mapping[str, Any]], allowed: Sequence[Allowed], *, today: datetime.date
) -> tuple[int, list[str]]:
    """Return the exit status and what to print.

    Args:
        looked_up: pip-audit's `dependencies`: each with name and version, and either `vulns` or `skip_reason`.
        allowed: an entry counts until its last day, for its package only.
    """
    in_force = {(one.advisory, one.package): one for one in allowed if one.until >= today}
    lines, met = [], set()
    for library in looked_up:
        for advisory in library.get("vulns", []):
            names = [advisory["id"], *advisory.get("aliases", [])]
            excuse = next(
                (in_force[name, library["name"]] for name in names if (name, library["name"]) in in_force), None
            )
            fixed = ", ".join(advisory.get("fix_versions", [])) or "no version yet"
            what = f"{library['name']} {library['version']}: {advisory['id']}, fixed in {fixed}"
            if excuse is None:
                lines.append(f"FOUND    {what}")
            else:
                met.add(excuse)
                lines.append(f"allowed  {what}; until {excuse.until}: {excuse.reason}")
    found = any(line.startswith("FOUND") for line in lines)
    lines += [f"unused   {one.advisory} of {one.package} in advisories.toml" for one in allowed if one not in met]
    left_out = sorted({str(library["name"]) for library in looked_up if "skip_reason" in library})
    if left_out:
        lines.append(
            f"skipped: {len(left_out)} of {len(looked_up)} libraries could not be looked up "
            f"({', '.join(left_out[:5])}{', ...' if len(left_out) > 5 else ''}). Is the index of advisories reachable?"
        )
    else:
        lines.append(f"{len(looked_up)} libraries looked up.")
    return (FOUND if found else SKIPPED if left_out or not looked_up else OK), lines


if __name__ == "__main__":
    sys.exit(main())
