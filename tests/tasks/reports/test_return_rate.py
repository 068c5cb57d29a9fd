"""Orders in storage become a report; go-live days come from deliveries, or from whoever knows better."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from collections import Counter

import pandas as pd
import pytest

from packshot.keys import delivery_key, returns_key
from packshot.naming import batch_id
from tasks.environment.settings import get_settings
from tasks.reports.return_rate import clients_with_orders, delivered_on, report_client
from tasks.storage.bucket import Storage
from tasks.storage.connection import connect
from tests.packshot.outcomes import shops
from tests.tasks.in_runs import artifact, in_a_run

CHOSEN = [f"P{number:03}" for number in range(60)]


@pytest.fixture
def client(line: Storage) -> str:
    """A client whose orders are in storage."""
    name = f"shop-{uuid.uuid4().hex[:8]}"
    file = io.BytesIO()
    shops.with_effect(shops.orders(), CHOSEN, 150, fewer=1 / 3).to_parquet(file)
    line.put(returns_key(name, "orders/2026.parquet"), file.getvalue(), content_type="application/octet-stream")
    return name


def golive(line: Storage, client: str, text: str) -> None:
    line.put(returns_key(client, "golive.csv"), text.encode(), content_type="text/csv")


def test_a_client_s_orders_become_a_page_and_an_artifact(line: Storage, client: str) -> None:
    assert client in clients_with_orders.fn()
    golive(line, client, "sku,date\n" + "".join(f"{sku},2026-05-31\n" for sku in CHOSEN))
    told = in_a_run(lambda: report_client.fn(client))
    assert not told.failed
    assert "The return rate fell" in told.sentence
    assert b"The return rate fell" in line.get(returns_key(client, "report/report.html"))
    assert json.loads(line.get(returns_key(client, "report/report.json")))["overall"]["significant"]
    assert "The return rate fell" in str(artifact(f"returns--{client}").data)


def test_deliveries_say_when_pictures_went_live(line: Storage, client: str) -> None:
    table = pd.DataFrame({"sku": ["P001", "P002"], "platform": "shopify"}).to_csv(index=False).encode()
    line.put(delivery_key(batch_id(client, "spring"), 1, "manifest.csv"), table, content_type="text/csv")
    today = (dt.datetime.now(dt.UTC).date() - dt.date(1970, 1, 1)).days
    assert delivered_on(line, client) == pytest.approx({"P001": today, "P002": today}, abs=1)
    told = in_a_run(lambda: report_client.fn(client))
    assert "Insufficient data" in told.sentence  # nothing was ordered since


def test_the_first_delivery_of_a_product_counts_and_delivered_pictures_are_not_listed(
    line: Storage, client: str
) -> None:
    """Kind of test that was missing: one that counts what a report asks for of all that was ever delivered."""
    for batch, number, skus in (("spring", 1, "P001"), ("spring", 2, "P001\nP002"), ("summer", 1, "P003")):
        key = delivery_key(batch_id(client, batch), number, "manifest.csv")
        line.put(key, f"sku\n{skus}\n".encode(), content_type="text/csv")
        for picture in range(5):
            line.put(delivery_key(batch_id(client, batch), number, f"shopify/{picture}.jpg"), b"x", content_type="x/x")
    line.put(delivery_key(batch_id(client, "autumn"), 1, "shopify/1.jpg"), b"x", content_type="x/x")  # half written
    asked: list[str] = []
    events = connect(get_settings()).meta.events
    events.register("before-call.s3", lambda model, **_: asked.append(model.name), unique_id="asked")
    try:
        assert set(delivered_on(line, client)) == {"P001", "P002", "P003"}
    finally:
        events.unregister("before-call.s3", unique_id="asked")
    batches, deliveries = 3, 4
    assert Counter(asked) == {"ListObjectsV2": 1 + batches, "GetObject": deliveries}


def test_a_file_that_cannot_be_read_is_named_and_fails_its_client_only(line: Storage, client: str) -> None:
    line.put(returns_key(client, "orders/notes.csv"), b"to do,buy milk\n1,2\n", content_type="text/csv")
    told = in_a_run(lambda: report_client.fn(client))
    assert told.failed
    assert "notes.csv" in told.sentence


def test_an_orders_table_without_one_readable_date_ends_only_its_client_s_report(line: Storage, client: str) -> None:
    other = f"{client}-undated"
    undated = b"order_date,sku,quantity\nsoon,A,1\nlater,B,2\n"
    line.put(returns_key(other, "orders/undated.csv"), undated, content_type="text/csv")
    bad, good = (in_a_run(lambda name=name: report_client.fn(name)) for name in (other, client))
    assert bad.failed
    assert "undated.csv" in bad.sentence
    assert "no order line that can be used" in bad.sentence
    assert not good.failed


def test_files_of_one_name_in_two_folders_are_two_files(line: Storage, client: str) -> None:
    for number, month in enumerate(("march", "april")):
        rows = "".join(f"2026-0{3 + number}-{day:02},Q{number},1\n" for day in range(1, 29))
        text = f"order_date,sku,quantity\n{rows}".encode()
        line.put(returns_key(client, f"orders/{month}/orders.csv"), text, content_type="text/csv")
    told = in_a_run(lambda: report_client.fn(client))
    assert not told.failed, told.sentence
    report = json.loads(line.get(returns_key(client, "report/report.json")))
    assert report["order_lines"] == len(shops.orders()) + 2 * 28
