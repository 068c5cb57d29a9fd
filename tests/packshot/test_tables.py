"""Tables that the line writes: nothing in them runs, however and wherever they are opened, and nothing is lost."""

from __future__ import annotations

import ast
import csv
import io
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packshot.escaping import one_line, table_text
from packshot.tables import csv_table, figure
from tests.hostile_texts import EVERYTHING, TEXTS

ROOT = Path(__file__).resolve().parents[2]
CALCULATIONS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(1)", "=cmd|'/C calc'!A0", '=HYPERLINK("http://evil.example","x")'),
    *("＝1+1", "＋1+1", "－1+1", "＠SUM(1)", "﹦1+1", "\u22121+1"),
    *(" =1+1", "\u00a0=1+1", "\ufeff=1+1", "\u200b=1+1", "\u3000=1+1", "\u2060=1+1", "\u00ad=1+1"),
    *("\n=1+1", "\r=1+1", "\t=1+1", "\r\n=1+1", "\x00=1+1", "\v=1+1", "\u2028=1+1"),
    *("x;=1+1", "x; =1+1;y", "x|=1+1", "x\t=1+1", "x\n=1+1", "x\r\n=1+1,=1+1", '"=1+1', '";=1+1', "'=1+1", "''=1+1"),
)
PARTS = st.sampled_from([*"=+-@＝－'\";|, \t\n1a", "\u00a0", "\ufeff", "\r\n", "SUM(1)"])
CELLS = st.one_of(st.text(max_size=20), st.lists(PARTS, max_size=10).map("".join), st.sampled_from(CALCULATIONS))
_BLANK = re.compile(r"^[\s\"\ufeff\ufffd\u200b-\u200d\u2060\u00ad]+")


def opened(table: str, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table), delimiter=separator))


def runs(cell: str) -> bool:
    """Whether a spreadsheet that forgives much could take a cell for a calculation."""
    return unicodedata.normalize("NFKC", _BLANK.sub("", cell))[:1] in set("=+-@\u2212")


@given(st.lists(st.tuples(CELLS, CELLS), max_size=4))
@example([(cell, cell) for cell in CALCULATIONS])
@example([(EVERYTHING, cell) for cell in TEXTS])
def test_no_cell_runs_however_the_table_is_parted_and_all_can_be_read_back(rows: list[tuple[str, str]]) -> None:
    table = csv_table(("one", "two"), rows)
    for separator in (",", ";", "\t", "|"):
        cells = [cell for row in opened(table, separator) for cell in row]
        assert not [cell for cell in cells if cell and runs(cell)], separator
    read = [tuple(table_text(cell) for cell in row) for row in opened(table, ",")[1:]]
    assert read == [tuple(one_line(cell) for cell in row) for row in rows]


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_a_head_is_guarded_as_any_other_cell(head: list[str]) -> None:
    (row,) = opened(csv_table(head, []), ",")
    assert not [cell for cell in row if cell and runs(cell)]


def test_figures_stay_figures_and_texts_texts() -> None:
    rows = [(3, figure(-0.5, 2), None, "-0.5", "KTL301", figure(None, 2))]
    assert csv_table("abcdef", rows) == "a,b,c,d,e,f\r\n3,-0.50,,'-0.5,KTL301,\r\n"


def test_a_row_of_another_length_is_no_row() -> None:
    with pytest.raises(ValueError, match="1 cells in a table of 2"):
        csv_table("ab", [("x",)])


def test_no_other_place_writes_tables() -> None:
    others = {"to_csv", "to_excel", "to_html", "writerow", "writerows", "DictWriter"}
    floors = ("packshot", "tasks", "flows", "deployments", "benchmarks")
    found = []
    for file in (path for floor in floors for path in (ROOT / floor).rglob("*.py")):
        named = {one.attr for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.Attribute)}
        if named & others and file != ROOT / "packshot" / "tables.py":
            found.append(str(file.relative_to(ROOT)))
    assert not found


def formulas_in_libreoffice(table: str, folder: Path, *, separator: str) -> list[str]:
    """What LibreOffice calculates in a table, with the evaluation of formulas on."""
    folder.mkdir()
    (folder / "table.csv").write_text(table, encoding="utf-8", newline="")
    options = f"CSV:{ord(separator)},34,76,1,,0,false,true,false,false,false,0,true"
    command = [
        *("soffice", f"-env:UserInstallation=file://{folder.parent}/profile", "--headless"),
        *("--convert-to", "fods:OpenDocument Spreadsheet Flat XML", f"--infilter={options}"),
        *("--outdir", str(folder), str(folder / "table.csv")),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return re.findall(r'table:formula="([^"]*)"', (folder / "table.fods").read_text())


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_calculates_nothing_that_somebody_wrote(tmp_path: Path) -> None:
    unguarded = "one,two\r\n" + "".join(f'x,"{cell}"\r\n' for cell in ("=1+1", "y;=2+2;z"))
    assert formulas_in_libreoffice(unguarded, tmp_path / "unguarded", separator=",") == ["of:=1+1"]
    assert "of:=2+2" in formulas_in_libreoffice(unguarded, tmp_path / "parted", separator=";")
    table = csv_table(("one", "two"), [(cell, cell) for cell in (*CALCULATIONS, *TEXTS[:-5], *TEXTS[-4:])])
    table = table.encode("utf-8", "replace").decode()
    for number, separator in enumerate(",;"):
        assert not formulas_in_libreoffice(table, tmp_path / f"guarded{number}", separator=separator)
