"""The same orders in every dialect: the same lines, or an error that says what it cannot decide."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from packshot.errors import UnreadableError
from packshot.outcomes.exports import Export
from packshot.outcomes.orders import OrderLines, read_orders
from packshot.sheets.dates import DateOrder
from packshot.sheets.numbers import DecimalSign
from packshot.specs.returns import Writing
from tests.packshot.sheets.books import workbook

HEADS = {
    "en": ("order_id", "order_date", "sku", "quantity", "return_date", "reason"),
    "de": ("Bestellnummer", "Bestelldatum", "Artikelnummer", "Menge", "Rücksendedatum", "Grund"),
    "fr": ("Numéro de commande", "Date de commande", "Référence article", "Quantité", "Date de retour", "Motif"),
    "es": ("Número de pedido", "Fecha de pedido", "SKU", "Cantidad", "Fecha de devolución", "Motivo"),
    "it": ("Numero ordine", "Data ordine", "Codice articolo", "Quantità", "Data reso", "Motivo"),
    "nl": ("Bestelnummer", "Besteldatum", "Artikelcode", "Aantal", "Retourdatum", "Reden"),
    "pl": ("Nr zamówienia", "Data zamówienia", "Kod produktu", "Ilość", "Data zwrotu", "Powód zwrotu"),
    "pt": ("Número do pedido", "Data do pedido", "Código do produto", "Quantidade", "Data da devolução", "Motivo"),
}
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%Y-%m-%dT08:30:00Z", "%d %b %Y", "%Y%m%d")
QUANTITIES = ("{}", "{},00", "{}.0")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman", "cp850")
QUOTING = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
REASONS = ("wrong colour", "zu klein, größer bestellt", 'said "small";\r\nsecond line\ttab', "")


def facts(count: int, seed: int) -> list[tuple[str, dt.date, str, int, dt.date | None, str]]:
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        day = dt.date(2025, 1, 1) + dt.timedelta(days=rng.randrange(330))
        back = day + dt.timedelta(days=3 + rng.randrange(20)) if rng.random() < 0.3 else None
        sku = rng.choice(("00123", "-A1", "=B2", "7", "1E5", "Größe 5"))
        rows.append((f"{number:07}", day, sku, rng.choice((1, 1, 2)), back, rng.choice(REASONS) if back else ""))
    return rows


def text_of(rows: list, *, heads: str, separator: str, date: str, quantity: str, quoting: int) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n", quoting=quoting)
    writer.writerow(HEADS[heads])
    for order, day, sku, units, back, reason in rows:
        writer.writerow([order, f"{day:{date}}", sku, quantity.format(units), f"{back:{date}}" if back else "", reason])
    return stream.getvalue()


def read(*data: bytes, returns: tuple[bytes, ...] = (), writing: Writing | None = None) -> OrderLines:
    orders, back = (
        [Export(f"{kind}{n}/orders.csv", one) for n, one in enumerate(part)]
        for kind, part in (("o", data), ("r", returns))
    )
    return read_orders(orders, back, return_days=30, image_reasons=("colour",), writing=writing)


def same(found: OrderLines, rows: list) -> None:
    lines = found.lines
    said = [
        (sku, dt.date(1970, 1, 1) + dt.timedelta(days=int(day)), units)
        for sku, day, units in lines[["sku", "day", "quantity"]].itertuples(index=False)
    ]
    assert sorted(said) == sorted((sku, day, units) for _, day, sku, units, _, _ in rows)
    assert lines["returned"].sum() == sum(units for _, _, _, units, back, _ in rows if back)
    assert lines["pictured"].sum() == sum(units for _, _, _, units, back, reason in rows if back and "colour" in reason)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 99),
    count=st.integers(2, 60),
    heads=st.sampled_from(sorted(HEADS)),
    separator=st.sampled_from(",;\t|"),
    date=st.sampled_from(DATES),
    quantity=st.sampled_from(QUANTITIES),
    encoding=st.sampled_from(ENCODINGS),
    quoting=st.sampled_from(QUOTING),
    above=st.sampled_from(("", "sep", "title")),
)
def test_every_dialect_gives_the_same_lines_or_asks(
    seed: int, count: int, heads: str, separator: str, date: str, quantity: str, encoding: str, quoting: int, above: str
) -> None:
    rows = facts(count, seed)
    text = text_of(rows, heads=heads, separator=separator, date=date, quantity=quantity, quoting=quoting)
    text = {"": "", "sep": f"sep={separator}\r\n", "title": "Orders of the year\r\n\r\n"}[above] + text
    if heads == "pl" and not encoding.startswith("utf"):
        text, encoding = text.replace("ö", "ó").replace("ß", "ż"), "cp1250"
        rows = [(*one[:2], one[2].replace("Größe", "Gróże"), *one[3:]) for one in rows]
    order = DateOrder.MONTH_FIRST if date.startswith("%m") else DateOrder.DAY_FIRST
    try:
        found = read(text.encode(encoding))
    except UnreadableError as error:
        event("asked back" if "--date-order" in str(error) else str(error))
        if "/" not in date:
            raise
        found = read(text.encode(encoding), writing=Writing(date_order=order))
    same(found, rows)
    (reading,) = found.readings
    assert reading.rows == count
    if "/" in date:
        assert order.in_words in reading.how
    if quantity == "{},00":
        assert "decimal comma" in reading.how


def test_shift_jis_and_excel_give_the_same_lines() -> None:
    rows = [one for one in facts(80, 3) if one[2] != "Größe 5" and "größer" not in one[5]]
    text = text_of(rows, heads="en", separator=",", date="%Y-%m-%d", quantity="{}", quoting=csv.QUOTE_MINIMAL)
    same(read(text.replace("wrong colour", "wrong colour カップ").encode("cp932")), rows)
    book = workbook(
        [HEADS["de"], *[(order, day, sku, units, back, reason) for order, day, sku, units, back, reason in rows]]
    )
    same(read(book), rows)


def test_an_unquoted_table_loses_no_row_to_a_quotation_mark() -> None:
    head = "order_id\torder_date\tproduct-name\tsku\tquantity\n"
    titles = ('"Premium', 'Ring 6"', '"Old" mug', "Mug", '6" bowl')
    rows = [f"{n:05}\t2025-01-{1 + n % 28:02}\t{titles[n % 5]}\tS{n % 7}\t1\n" for n in range(500)]
    found = read((head + "".join(rows)).encode())
    assert len(found.lines) == 500
    assert found.problems == ()


def test_a_line_break_in_a_comment_of_a_large_file_breaks_no_row() -> None:
    rows = "".join(
        f'{n:07},2025-01-{1 + n % 28:02},S{n % 7},1,"first\nsecond, ""quoted""\n{"x" * 200}"\n' for n in range(6000)
    )
    data = ("order_id,order_date,sku,quantity,comment\n" + rows).encode()
    assert len(data) > 1_200_000
    assert len(read(data).lines) == 6000


def test_a_ragged_row_is_counted_and_shown_and_a_short_one_is_filled_up() -> None:
    rows = ("1,2025-01-20,A,1,", "2,2025-01-20,B,1,a,b", "3,2025-01-20,C,1", "4,2025-01-20,D,1,,")
    text = "\n".join(["order_id,order_date,sku,quantity,reason", *rows])
    found = read(text.encode())
    assert sorted(found.lines["sku"]) == ["A", "C", "D"]
    (problem,) = found.problems
    assert (problem.rows, problem.examples) == (1, ("2,2025-01-20,B,1,a,b",))


def test_no_column_moves_where_all_rows_end_with_one_separator_more() -> None:
    for encoding in ("utf-8", "cp1252"):
        text = "order_date,sku,quantity,category\n2026-03-01,Größe 5,2,Schuhe,\n2026-03-02,Größe 6,1,Schuhe,\n"
        found = read(text.encode(encoding))
        assert found.lines["sku"].tolist() == ["Größe 5", "Größe 6"]
        assert found.products["category"].tolist() == ["Schuhe", "Schuhe"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), cut=st.integers(1, 59), shared=st.integers(0, 30))
def test_a_line_in_two_exports_counts_once_and_that_is_said(seed: int, cut: int, shared: int) -> None:
    rows = facts(60, seed)
    rows += rows[:3]  # two lines of one order that are alike are two lines
    parts = [rows[: cut + shared], rows[cut:]]
    texts = [
        text_of(one, heads="en", separator=",", date="%Y-%m-%d", quantity="{}", quoting=0).encode() for one in parts
    ]
    found = read(*texts)
    keys = [[(order, sku, units) for order, _, sku, units, _, _ in part] for part in parts]
    twice = sum(min(keys[0].count(key), keys[1].count(key)) for key in set(keys[0]))
    assert len(found.lines) == len(parts[0]) + len(parts[1]) - twice
    assert sum(one.rows for one in found.problems if "another file holds too" in one.what) == twice


def test_the_same_file_twice_counts_once_and_lines_without_an_order_number_are_named() -> None:
    text = b"order_date,sku,quantity\n2025-01-20,A,1\n2025-01-21,A,1\n"
    found = read(text, text)
    assert len(found.lines) == 2
    assert ["o0/orders.csv" in one.what for one in found.problems] == [True]
    other = read(text, text + b"2025-01-22,A,1\n")
    assert len(other.lines) == 5
    assert [(one.rows, "without an order number" in one.what) for one in other.problems] == [(2, True)]


def test_the_same_return_in_two_reports_counts_once() -> None:
    orders = b"order_id,order_date,sku,quantity\n1,2025-01-20,A,3\n"
    head = b"order_id,return_date,sku,quantity\n"
    one, other = head + b"1,2025-01-25,A,1\n", head + b"1,2025-01-25,A,1\n1,2025-01-26,A,1\n"
    assert read(orders, returns=(one, other)).lines["returned"].tolist() == [2]


def test_an_open_quantity_names_both_readings() -> None:
    text = b"order_date;sku;quantity\n2025-01-20;A;1.000\n"
    with pytest.raises(UnreadableError, match=r"1 \(decimal point\) or 1,000 \(decimal comma\).*--decimal-sign"):
        read(text)
    assert read(text, writing=Writing(decimal_sign=DecimalSign.COMMA)).lines["quantity"].tolist() == [1000]


@pytest.mark.parametrize(
    ("yes", "no"),
    [("1", "0"), ("yes", "no"), ("TRUE", "FALSE"), ("x", ""), ("ja", "nein"), ("oui", "non"), ("sí", "no"), ("✓", "-")],
)
@pytest.mark.parametrize("head", ["returned", "Retourniert", "Retouren", "Retourné", "Devuelto", "Reso"])
def test_a_column_that_only_says_whether_a_line_came_back_is_read(yes: str, no: str, head: str) -> None:
    rows = [("1", "A", 1, no), ("2", "A", 1, yes), ("3", "B", 1, no), ("4", "B", 1, yes), ("5", "B", 1, no)]
    lines = "".join(f"{order};2026-03-{13 + int(order)};{sku};{units};{back}\n" for order, sku, units, back in rows)
    found = read(f"order_id;order_date;sku;quantity;{head}\n{lines}".encode())
    assert list(found.lines["returned"]) == [0, 1, 0, 1, 0]
    assert not found.problems


def test_yes_stands_for_all_units_of_a_line() -> None:
    found = read(b"order_id,order_date,sku,quantity,returned\n1,2026-03-14,A,3,yes\n2,2026-03-15,A,3,2\n")
    assert list(found.lines["returned"]) == [3, 2]


def test_returned_units_that_are_no_number_are_counted_as_rows_that_cannot_be_used_and_shown() -> None:
    found = read(b"order_id,order_date,sku,quantity,returned\n1,2026-03-14,A,1,perhaps\n2,2026-03-15,A,1,1\n")
    (problem,) = found.problems
    assert problem.in_words == "1 row whose returned units are no number, yes or no"
    assert problem.examples == ("row 2: perhaps",)
    assert (found.counted.rows, found.counted.unusable) == (2, 1)


def test_a_column_with_one_open_date_says_so_in_the_singular() -> None:
    with pytest.raises(UnreadableError, match="its only value fits both"):
        read(b"order_id,order_date,sku,quantity\n1,03/04/2026,A,1\n2,03/04/2026,B,1\n")
