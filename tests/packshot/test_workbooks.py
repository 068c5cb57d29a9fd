"""Workbooks that the line writes keep every character and run nothing; our own reader reads them back."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import example, given
from hypothesis import strategies as st

from packshot.escaping import one_line
from packshot.sheets.workbook import read_workbook
from packshot.workbooks import workbook
from tests.hostile_texts import TEXTS

GTINS = ("04006381333931", "4006381333931", "00012345678905", "1.23457E+11", "0", "=1+1", "-AB 1", "＝A1")
CELLS = st.one_of(st.text(max_size=12), st.sampled_from(GTINS), st.integers(0, 10**9), st.none())


def read_back(data: bytes) -> list[list[str]]:
    sheet = read_workbook(data, lambda cells: cells.count("gtin"), most_rows=10_000, most_columns=100)
    return [list(sheet.head), *sheet.below]


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
@example([(one, one) for one in GTINS])
@example([(one, "x") for one in TEXTS])
@example([("A_x0041_B", "_x005F_x0041_")])
def test_every_cell_is_read_back_as_it_was(rows: list[tuple[str | int | None, str | int | None]]) -> None:
    rows = [(*row, "end") for row in rows]
    found = read_back(workbook(("gtin", "shot", "end"), rows, title="manifest"))
    wanted = [["" if one is None else one_line(str(one)) for one in row] for row in rows]
    assert found == [["gtin", "shot", "end"], *wanted]


def test_the_same_table_gives_the_same_bytes_and_numbers_stay_numbers() -> None:
    rows = [("04006381333931", 12, Decimal("0.8600"), None)]
    data = workbook(("gtin", "width_px", "fill", "none"), rows, title="a & b")
    assert data == workbook(("gtin", "width_px", "fill", "none"), rows, title="a & b")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for part in parts.values():
        fromstring(part)
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    assert "<f>" not in sheet
    assert re.findall(r"<v>([^<]*)</v>", sheet) == ["12", "0.8600"]


def test_columns_beyond_z_have_their_names() -> None:
    head = ["gtin", *(str(at) for at in range(60))]
    assert read_back(workbook(head, [], title="wide")) == [head]


def test_a_row_of_another_length_is_no_row() -> None:
    with pytest.raises(ValueError, match="1 cells in a table of 2"):
        workbook("ab", [("x",)], title="t")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_shows_identifiers_whole(tmp_path: Path) -> None:
    (tmp_path / "m.xlsx").write_bytes(workbook(("gtin",), [(one,) for one in GTINS], title="manifest"))
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "csv"]
    subprocess.run([*command, "--outdir", tmp_path, tmp_path / "m.xlsx"], check=True, capture_output=True, timeout=300)
    shown = [row[0] for row in csv.reader((tmp_path / "m.csv").read_text().splitlines())]
    assert shown == ["gtin", *GTINS]
