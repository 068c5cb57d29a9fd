"""Orders and returns as shops export them."""

from __future__ import annotations

from pathlib import Path

import pytest

from packshot.errors import UnreadableError
from packshot.outcomes.orders import OrderLines, read_orders
from tests.packshot.outcomes import shops
from tests.shared_data import shared_data


def read(*orders: Path, returns: tuple[Path, ...] = (), days: int = 30) -> OrderLines:
    return read_orders(orders, returns, return_days=days, image_reasons=("not as described", "colour"))


def written(folder: Path, name: str, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_plain_table_with_returns_in_it(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "orders.csv",
        "order_date,sku,quantity,return_date,returned_quantity,reason,category\n"
        "2026-03-01,A,2,2026-03-05,1,NOT_AS_DESCRIBED,shoes\n"
        "2026-03-01,A,1,2026-06-01,1,too small,shoes\n"  # too late to count
        "2026-03-02,B,1,,,,hats\n",
    )
    found = read(path)
    assert found.lines["returned"].tolist() == [1, 0, 0]
    assert found.lines["pictured"].tolist() == [1, 0, 0]
    assert found.products["category"].to_dict() == {"A": "shoes", "B": "hats"}
    assert found.has_reasons
    assert found.problems == ()


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    table = shops.orders(lines=2000)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    one, other = read(tmp_path / "a.csv"), read(tmp_path / "a.parquet")
    assert one.lines["returned"].sum() == other.lines["returned"].sum() == table["return_date"].notna().sum()
    assert one.lines["day"].tolist() == other.lines["day"].tolist()


def test_amazon_s_orders_and_its_returns_report_meet_by_order_number(tmp_path: Path) -> None:
    orders = written(
        tmp_path,
        "orders.txt",
        "amazon-order-id\tpurchase-date\tsku\tquantity\n"
        "111-1\t2026-03-01T10:15:00+00:00\tKTL-1\t1\n"
        "111-2\t2026-03-02T11:00:00+00:00\tKTL-1\t2\n",
    )
    report = written(
        tmp_path,
        "returns.csv",
        '"return-date","order-id","sku","asin","quantity","detailed-disposition","reason","customer-comments"\n'
        '"2026-03-09T07:00:00+00:00","111-2","KTL-1","B01","1","SELLABLE","NOT_AS_DESCRIBED","colour is off"\n'
        '"2026-03-10T07:00:00+00:00","111-9","KTL-1","B01","1","SELLABLE","UNWANTED_ITEM",""\n',
    )
    found = read(orders, returns=(report,))
    assert found.lines["returned"].tolist() == [0, 1]
    assert found.lines["pictured"].tolist() == [0, 1]
    (problem,) = found.problems
    assert problem.rows == 1
    assert problem.what.startswith("returns of orders that the files do not hold")


def test_shopify_s_orders_export(tmp_path: Path) -> None:
    orders = written(
        tmp_path,
        "orders_export.csv",
        "Name,Email,Created at,Lineitem quantity,Lineitem name,Lineitem sku,Vendor\n"
        "#1001,a@b.example,2026-03-01 10:15:00 +0100,1,Shirt,SH-1,Acme\n"
        "#1002,c@d.example,2026-03-03 10:15:00 +0100,3,Shirt,SH-1,Acme\n",
    )
    returns = written(
        tmp_path,
        "returns.csv",
        "Order name,Day,Product variant SKU,Returned quantity,Return reason\n#1002,2026-03-12,SH-1,2,Color\n",
    )
    found = read(orders, returns=(returns,))
    assert found.lines["returned"].tolist() == [0, 2]
    assert found.products["client"].to_dict() == {"SH-1": "Acme"}


def test_credit_notes_of_a_ledger_meet_the_customer_s_last_order(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "ledger.csv",
        "InvoiceNo;StockCode;Quantity;InvoiceDate;CustomerID\n"
        "1;A;6;2026-03-01;17\n2;A;4;2026-03-05;17\nC3;A;-3;2026-03-09;17\nC4;A;-1;2026-03-09;99\n",
    )
    found = read(path)
    assert found.lines["returned"].tolist() == [0, 3]
    assert [one.rows for one in found.problems] == [1]


def test_rows_that_cannot_be_used_are_named_and_stop_nothing(tmp_path: Path) -> None:
    text = (
        "Bestellung;order_date;sku;quantity\nä;2026-03-01;Größe 5;1\nb;soon;A;1\nc;2026-03-01;;1\nd;2026-03-02;A;none\n"
    )
    found = read(written(tmp_path, "umlauts.csv", text, encoding="cp1252"))
    assert found.lines["sku"].tolist() == ["Größe 5"]
    (problem,) = found.problems
    assert (problem.file, problem.rows) == ("umlauts.csv", 3)
    assert "row 3: soon, A, 1" in problem.examples


def test_a_date_far_away_is_a_date(tmp_path: Path) -> None:
    """A typing error of a thousand years must not end the client's report."""
    found = read(written(tmp_path, "far.csv", "order_date,sku,quantity\n2026-03-01,A,1\n3026-03-02,B,1\n"))
    assert found.lines["sku"].tolist() == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "said"), [("a,b\n1,2\n", "the file lacks a column"), ("", "not a table that can be read")]
)
def test_a_file_that_is_no_orders_says_what_it_lacks(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=said) as caught:
        read(written(tmp_path, "wrong.csv", text))
    assert "wrong.csv" in str(caught.value)


def test_a_real_ledger_is_read_whole() -> None:
    found = read(shared_data("returns", "uci_online_retail_2010-12_2011-12.parquet"))
    assert len(found.lines) == 541_909 - 10_624
    assert 4000 < (found.lines["returned"] > 0).sum() < 9288
    assert (found.lines["returned"] <= found.lines["quantity"]).all()


def test_local_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = []
    for month in ("01", "02"):
        (tmp_path / f"2026-{month}").mkdir()
        text = f"order_date,sku,quantity\n2026-{month}-03,A,1\n2026-{month}-04,,1\n"
        paths.append(written(tmp_path / f"2026-{month}", "orders.csv", text))
    found = read(*paths)
    assert len(found.lines) == 2
    assert [one.file for one in found.problems] == ["2026-01/orders.csv", "2026-02/orders.csv"]


@pytest.mark.parametrize("day", ["45991", "45991.5"])
def test_a_spreadsheet_s_day_numbers_are_named_with_what_helps(tmp_path: Path, day: str) -> None:
    orders = written(tmp_path, "orders.csv", f"order_id,order_date,sku,quantity\n1,{day},A,1\n2,{day},B,2\n")
    with pytest.raises(UnreadableError, match="Format the column as a date there"):
        read(orders)
    orders = written(tmp_path, "orders.csv", "order_id,order_date,sku,quantity\n1,soon,A,1\n")
    with pytest.raises(UnreadableError, match="Export the orders again"):
        read(orders)
