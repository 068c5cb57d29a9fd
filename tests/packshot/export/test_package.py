from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.errors import NamingError
from packshot.export.delivery import DeliveredFile
from packshot.export.package import MANIFEST_COLUMNS, manifest_csv, manifest_xlsx, write_package
from packshot.sheets.workbook import read_workbook
from packshot.types import Sourced
from tests.packshot.export.deliveries import delivery

File = tuple[DeliveredFile, bytes]


def packed(entries: list[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    write_package(stream, entries)
    return stream.getvalue()


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}/[a-z0-9]{1,8}\.(jpg|csv)", fullmatch=True), st.binary(max_size=200)))
def test_what_goes_in_comes_out(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(sorted(files.items())))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert archive.testzip() is None


def test_the_same_files_give_the_same_archive() -> None:
    entries = [("amazon_main/A.MAIN.jpg", b"\xff\xd8" * 100), ("manifest.csv", b"a,b\r\n" * 100)]
    assert packed(entries) == packed(entries)
    with zipfile.ZipFile(io.BytesIO(packed(entries))) as archive:
        picture, table = archive.infolist()
        assert picture.compress_type == zipfile.ZIP_STORED
        assert table.compress_type == zipfile.ZIP_DEFLATED
        assert {entry.date_time for entry in (picture, table)} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("path", ["../x.jpg", "/x.jpg", "a//x.jpg", "a/../../x", "C:x.jpg", "a\\x.jpg", "", "a/\n"])
def test_no_path_leads_out_of_the_archive(path: str) -> None:
    with pytest.raises(NamingError, match="not allowed in an archive"):
        packed([(path, b"")])


def test_no_path_stands_twice_whatever_its_case() -> None:
    with pytest.raises(NamingError, match="same path"):
        packed([("a/x.jpg", b""), ("a/X.jpg", b"")])


def test_the_table_has_a_row_for_each_file(amazon_file: File) -> None:
    file, data = amazon_file
    table = pd.read_csv(io.BytesIO(manifest_csv(delivery(file))), dtype=str, keep_default_na=False)
    assert tuple(table.columns) == MANIFEST_COLUMNS
    row, missing = table.to_dict("records")
    assert (missing["file"], missing["platform"], missing["shot"]) == ("", "walmart", "KTL301_MAIN")
    assert missing["remarks"].startswith("Not delivered: ")
    assert row["file"] == file.path
    assert row["sku"] == "KTL301"
    assert row["bytes"] == str(len(data))
    assert row["off_white_px"] == "0"
    assert row["score"] == "96.4"


def test_the_workbook_has_the_same_rows_and_shows_identifiers_whole(amazon_file: File) -> None:
    summary = delivery(amazon_file[0])
    long = {**summary.shots[0].facts, "gtin": Sourced(value="04006381333931", source="manifest")}
    summary = summary.model_copy(
        update={"shots": (summary.shots[0].model_copy(update={"facts": long}), *summary.shots[1:])}
    )
    sheet = read_workbook(manifest_xlsx(summary), lambda cells: cells.count("gtin"), most_rows=99, most_columns=99)
    table = pd.read_csv(io.BytesIO(manifest_csv(summary)), dtype=str, keep_default_na=False)
    assert sheet.head == MANIFEST_COLUMNS
    for name in ("file", "sku", "gtin", "sha256", "remarks"):
        at = MANIFEST_COLUMNS.index(name)
        assert [row[at] if at < len(row) else "" for row in sheet.below] == table[name].tolist()
    assert table["gtin"][0] == "04006381333931"


def test_a_spreadsheet_runs_nothing_that_a_client_wrote(amazon_file: File) -> None:
    summary = delivery(amazon_file[0])
    evil = {**summary.shots[0].facts, "sku": Sourced(value='=HYPERLINK("http://x")', source="manifest")}
    shot = summary.shots[0].model_copy(update={"facts": evil})
    table = manifest_csv(summary.model_copy(update={"shots": (shot,)})).decode()
    assert "'=HYPERLINK" in table
    assert ",=" not in table


def test_an_empty_delivery_has_a_table_with_its_head_only(amazon_file: File) -> None:
    summary = delivery(amazon_file[0]).model_copy(update={"shots": ()})
    assert manifest_csv(summary).decode().splitlines() == [",".join(MANIFEST_COLUMNS)]
