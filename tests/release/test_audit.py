"""Known vulnerabilities: what stops a release, what does not, and what is no answer."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.release.scripts import ROOT, script

AUDIT = script("audit")
TODAY = datetime.date(2026, 12, 1)
BAD = {
    "name": "example",
    "version": "1.0",
    "vulns": [{"id": "GHSA-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"], "description": "..."}],
}
GOOD = {"name": "sound", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "unseen", "skip_reason": "Dependency not found on PyPI and could not be audited: unseen (1.0)"}


def allowed(**changes: Any) -> Any:
    return AUDIT.Allowed(**{"advisory": "CVE-1", "package": "example", "reason": "unused", "until": TODAY} | changes)


def test_a_library_with_an_advisory_stops_the_release() -> None:
    status, lines = AUDIT.judged([GOOD, BAD], [], today=TODAY)
    assert status == AUDIT.FOUND
    assert lines[0] == "FOUND    example 1.0: GHSA-1, fixed in 1.1"


def test_an_allowed_advisory_does_not_and_its_reason_is_printed() -> None:
    status, lines = AUDIT.judged([GOOD, BAD], [allowed()], today=TODAY)
    assert status == AUDIT.OK
    assert lines[0].endswith("until 2026-12-01: unused")


@pytest.mark.parametrize(
    "changes", [{"until": TODAY - datetime.timedelta(days=1)}, {"package": "other"}, {"advisory": "CVE-2"}]
)
def test_an_entry_counts_until_its_last_day_and_for_its_own_advisory_only(changes: dict[str, Any]) -> None:
    status, lines = AUDIT.judged([BAD], [allowed(**changes)], today=TODAY)
    assert status == AUDIT.FOUND
    assert any(line.startswith("unused") for line in lines)


def test_libraries_that_could_not_be_looked_up_are_no_all_clear() -> None:
    status, lines = AUDIT.judged([GOOD, UNKNOWN], [], today=TODAY)
    assert status == AUDIT.SKIPPED
    assert lines[-1].startswith("skipped: 1 of 2 libraries could not be looked up (unseen)")
    assert AUDIT.judged([], [], today=TODAY)[0] == AUDIT.SKIPPED


def test_an_advisory_is_found_even_if_other_libraries_could_not_be_looked_up() -> None:
    assert AUDIT.judged([UNKNOWN, BAD], [], today=TODAY)[0] == AUDIT.FOUND


def test_the_allow_list_is_read_and_an_entry_without_a_reason_is_refused() -> None:
    assert AUDIT.read_allowed(AUDIT.ALLOWED.read_text()) == []
    entry = '[[allowed]]\nadvisory = "CVE-1"\npackage = "example"\nuntil = 2027-01-31\n'
    assert AUDIT.read_allowed(entry + 'reason = "why"') == [
        AUDIT.Allowed("CVE-1", "example", "why", datetime.date(2027, 1, 31))
    ]
    with pytest.raises(ValueError, match="entry 1 lacks reason"):
        AUDIT.read_allowed(entry)


def test_both_lock_files_are_looked_up() -> None:
    assert set(AUDIT.LOCKS) == {path.name for path in ROOT.glob("*.lock")}
