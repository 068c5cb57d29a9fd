"""Tables that take more than they look: refused before they are decoded, within small memory."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from packshot.errors import PackshotError, TooLargeError, UnreadableError
from packshot.outcomes.exports import LONGEST_TEXT, MOST_COLUMNS, Budget, Export, read_export
from packshot.outcomes.orders import read_orders
from packshot.specs.returns import TableLimits
from tests.packshot.outcomes import shops


def parquet(table: dict[str, object], **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(table), stream, **options)
    return stream.getvalue()


def alike(rows: int, *, sku: str = "A") -> bytes:
    """So many rows that are all the same: a few bytes in Parquet."""
    index = pa.array([0] * rows, pa.int32())
    texts = {
        head: pa.DictionaryArray.from_arrays(index, pa.array([value]))
        for head, value in (("order_date", "2026-03-01"), ("sku", sku))
    }
    return parquet({**texts, "quantity": index}, compression="zstd")


def read(export: Export, **limits: int) -> pd.DataFrame:
    return read_export(export, lambda heads: {one: one for one in heads}, Budget(TableLimits(**limits))).frame


BOMB = """
import resource, sys
from packshot.errors import TooLargeError
from packshot.outcomes.exports import Export
from packshot.outcomes.orders import read_orders
data = open(sys.argv[1], "rb").read()
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_orders([Export("orders.parquet", data)], return_days=30, image_reasons=())
except TooLargeError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in kB")
def test_a_small_file_of_three_million_rows_is_refused_within_small_memory(tmp_path: Path) -> None:
    data = alike(3_000_000)
    assert len(data) < 100_000
    (tmp_path / "orders.parquet").write_bytes(data)
    command = [sys.executable, "-c", BOMB, str(tmp_path / "orders.parquet"), str(4 << 30)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
    grown_mb, _, sentence = told.partition(" ")
    assert "3,000,000 rows in" in sentence
    assert int(grown_mb) < 50


def test_real_orders_of_any_length_are_far_from_the_limit() -> None:
    stream = io.BytesIO()
    shops.orders(lines=150_000).to_parquet(stream)
    export = Export("orders.parquet", stream.getvalue())
    assert len(read_orders([export], return_days=30, image_reasons=()).lines) > 100_000


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_rows_cells_and_bytes_have_a_budget_over_all_files(name: str) -> None:
    table = pd.DataFrame({"order_date": ["2026-03-01"] * 100, "sku": [f"A{n}" for n in range(100)], "quantity": 1})
    stream = io.BytesIO()
    table.to_parquet(stream) if name.endswith("parquet") else table.to_csv(stream, index=False)
    export = Export(name, stream.getvalue())
    assert len(read(export)) == 100
    for limits, said in (
        ({"max_rows": 99}, "rows"),
        ({"max_cells": 299}, "cells"),
        ({"max_decoded_bytes": 99}, "bytes when decoded"),
    ):
        with pytest.raises(TooLargeError, match=f"{said} with the files before it"):
            read(export, **limits)
    budget = Budget(TableLimits(max_rows=150))
    read_export(export, lambda heads: {one: one for one in heads}, budget)
    with pytest.raises(TooLargeError, match="rows with the files before it"):
        read_export(export, lambda heads: {one: one for one in heads}, budget)


def test_one_long_text_that_many_rows_repeat_is_never_written_out() -> None:
    with pytest.raises(UnreadableError, match="a text of more than 10,000 bytes"):
        read(Export("a.parquet", alike(90_000, sku="x" * (LONGEST_TEXT + 1))))
    with pytest.raises(TooLargeError, match="bytes when decoded"):
        read(Export("a.parquet", alike(90_000, sku="x" * 5000)), max_decoded_bytes=100_000_000)


def test_only_known_columns_are_decoded() -> None:
    other = pa.array(["y" * 100_000] * 10)
    table = {"order_date": ["2026-03-01"] * 10, "sku": ["A"] * 10, "quantity": [1] * 10, "notes": other}
    found = read_orders([Export("a.parquet", parquet(table))], return_days=30, image_reasons=())
    assert len(found.lines) == 10


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_table_of_too_many_columns_is_refused(kind: str) -> None:
    heads = [f"c{number}" for number in range(MOST_COLUMNS + 1)]
    data = parquet({head: [1] for head in heads}) if kind == "parquet" else ",".join(heads).encode() + b"\n"
    with pytest.raises(TooLargeError, match="1,001 columns"):
        read(Export(f"a.{kind}", data))


def test_a_damaged_parquet_is_no_table_wherever_it_is_damaged() -> None:
    data = bytearray(alike(1000))
    for at in range(0, len(data), 7):
        broken = bytes(data[:at]) + bytes([data[at] ^ 0xFF]) + bytes(data[at + 1 :])
        with contextlib.suppress(PackshotError):  # whatever else is raised fails here
            assert len(read_orders([Export("a.parquet", broken)], return_days=30, image_reasons=()).lines) <= 1000


@pytest.mark.parametrize(
    "text",
    [
        "order_date,sku,quantity\nsoon,A,1\nlater,B,2\n",
        "order_date,sku,quantity\n",
        "order_date,sku,quantity\n2026-03-01,,1\n",
        "order_date,sku,quantity\n2026-03-01,A,-1\n",
    ],
)
def test_a_table_without_one_usable_line_is_told_and_not_a_fault_of_ours(text: str) -> None:
    with pytest.raises(UnreadableError, match="no order line that can be used"):
        read_orders([Export("orders.csv", text.encode())], return_days=30, image_reasons=())


def test_no_files_at_all_are_no_orders() -> None:
    with pytest.raises(UnreadableError, match="no order line that can be used"):
        read_orders([], return_days=30, image_reasons=())


_EVERY_BYTE = """
import io, sys
import pandas as pd
from packshot.errors import PackshotError
from packshot.outcomes.exports import Export
from packshot.outcomes.orders import read_orders

stream = io.BytesIO()
pd.DataFrame({"order_date": ["2026-03-01"], "sku": ["A1"], "quantity": ["1"]}).to_parquet(stream)
whole = stream.getvalue()
footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
for at in range(footer, footer + 300):  # behind these come names only
    for value in (whole[at] ^ 2, whole[at] ^ 16):
        try:
            changed = whole[:at] + bytes([value]) + whole[at + 1 :]
            read_orders([Export("a.parquet", changed)], return_days=30, image_reasons=())
        except PackshotError:
            pass
print("read or refused")
"""


def test_a_damaged_footer_of_parquet_never_ends_the_process() -> None:
    """In a process of its own: where pyarrow throws in its own code, it aborts."""
    ended = subprocess.run([sys.executable, "-c", _EVERY_BYTE], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "read or refused\n"), ended.stderr[-500:]
