"""The table of odd files: written in place of the one before, with figures that agree with its rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.formats import in_document, run
from packshot.explained import GROUPS
from tests.shared_data import shared_data

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
SECTION = re.compile(r"^## (\S+/\S+)\n\n(\d+) files?, (\d+) accepted\.\n\n((?:\|.*\n?)+)", re.MULTILINE)


def test_the_sections_of_folders_are_replaced_and_what_stands_before_them_is_kept(tmp_path: Path) -> None:
    document = tmp_path / "formats.md"
    document.write_text("# Files\n\n## One picture\n\nText.\n\n## icc/pictures\n\nold\n\n## raw/decodable\n\nold\n")
    refused = "| hostile/oddities/b/c.png | PNG | refused | x |  |  |"
    rows = ["| icc/pictures/a.jpg | JPEG | accepted |  | 0 | 0 |", refused, refused]
    written = in_document(document, rows)
    assert written.startswith("# Files\n\n## One picture\n\nText.\n\n## icc/pictures\n\n1 file, 1 accepted.\n")
    assert "## hostile/oddities\n\n2 files, 0 accepted.\n" in written
    assert "| b/c.png | PNG |" in written
    assert "old" not in written


def test_the_figures_of_the_document_are_those_of_its_rows() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    sections = SECTION.findall(text)
    rows = {folder: body.strip().split("\n")[2:] for folder, _, _, body in sections}
    for folder, files, accepted, _ in sections:
        assert len(rows[folder]) == int(files), folder
        assert sum("| accepted |" in row for row in rows[folder]) == int(accepted), folder
    counts = re.search(r"\*\*(\d+) files: (\d+) accepted, (\d+) refused", text)
    assert counts is not None
    everything = [row for found in rows.values() for row in found]
    accepted = sum("| accepted |" in row for row in everything)
    assert tuple(map(int, counts.groups())) == (len(everything), accepted, len(everything) - accepted)


def test_the_findings_in_the_document_are_those_that_there_are() -> None:
    known = {code for group in GROUPS.values() for code in group.codes}
    text = DOCUMENT.read_text(encoding="utf-8")
    named = [
        row.split(" | ")[3] for *_, body in SECTION.findall(text) for row in body.split("\n") if "| accepted |" in row
    ]
    assert {code for cell in named for code in cell.strip().split(", ") if code} <= known


@pytest.mark.parametrize("group", ["The client's file", "Paths in a file"])
def test_every_finding_on_a_file_is_named_in_the_document(group: str) -> None:
    """Kind of test that was missing: a finding that none of the compared files has was in no table."""
    cells = DOCUMENT.read_text(encoding="utf-8").replace("|", ",").replace("`", "").split(",")
    assert GROUPS[group].codes
    assert set(GROUPS[group].codes) <= {cell.strip() for cell in cells for cell in cell.split("\n")}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_the_document_says_of_each_file_is_what_is_read_now(tmp_path: Path) -> None:
    """Kind of test that was missing: the rows were right on the day they were made."""
    data = shared_data("icc", "pictures").parents[1]
    said = {
        data / folder / row.split(" | ")[0].removeprefix("| "): row.split(" | ")[1:4]
        for folder, _, _, body in SECTION.findall(DOCUMENT.read_text(encoding="utf-8"))
        for row in body.strip().split("\n")[2:]
    }
    assert len(said) > 200
    changed = {}
    for outcome in run(said, tmp_path):
        now = [str(one).replace("|", "/") for one in (outcome.recognised, outcome.done, outcome.detail)]
        if now != [cell.strip() for cell in said[outcome.path]]:
            changed[str(outcome.path.relative_to(data))] = (now, said[outcome.path])
    assert not changed, "write the table anew, as its head says"
