"""The night in numbers and the page of a batch: what they say, what each number opens, and what they cost."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Running
from starlette.testclient import TestClient

from desk.access.roles import Role
from desk.app import application
from desk.state import Desk
from flows.nightly import nightly
from packshot.batch import BatchRecord, ShotRef
from packshot.handoff.sla import Urgency
from packshot.keys import daily_figures_key, daily_shots_key
from packshot.naming import BatchId, ShotId, batch_id
from packshot.outcomes.daily import figures_of
from packshot.outcomes.daily_lists import Number, value_of
from packshot.outcomes.daily_values import Escapes, day_of
from packshot.record import ShotRecord, State
from packshot.types import Sourced
from tasks.batches import product_sets
from tasks.records.bookkeeping import now
from tasks.records.stored import create_batch, create_record
from tasks.reports.daily_lists import keep_lists
from tasks.storage.bucket import Storage, open_storage
from tests.chromium import needs_chromium
from tests.desk.people import PASSWORD, Browser, said_on
from tests.desk.records import record_in
from tests.desk.serving import At
from tests.desk.test_accessibility import violations
from tests.desk.test_lists import shown
from tests.often import few_often
from tests.packshot.outcomes.lives import BATCH, DAY, RECEIVED, S, Shot
from tests.patience import PATIENCE_S
from tests.tasks.batches.test_product_sets import ruled

DATE = DAY.date.isoformat()
ESCAPES = Escapes(
    promise_ratio=0.02,
    confidence=0.95,
    window_days=28,
    reported_days=28,
    audited=400,
    refused=3,
    low=0.001,
    high=0.0218,
    standing="not known yet",
)


def a_night(storage: Storage, times: int = 1) -> list[ShotRecord]:
    """A day that was counted, with shots of every fate, and what the report keeps of it."""
    shots = []
    for number in range(times):
        shots += [Shot(f"done{number}").delivered(), Shot(f"edited{number}").handed()]
        shots += [Shot(f"refused{number}").goes(S.REFUSED), Shot(f"failed{number}").goes(S.MASTERED, S.FAILED)]
    records = [one.record for one in shots]
    figures = figures_of(records, DAY, received=RECEIVED).model_copy(update={"escapes": ESCAPES})
    storage.put(daily_figures_key(DAY.date), figures.model_dump_json().encode(), content_type="application/json")
    keep_lists(storage, records, DAY, received=RECEIVED, cancelled=())
    return records


@pytest.fixture
def browser(storage: Storage, desk: Desk) -> Browser:
    desk.accounts.add("Max Imum", {Role.MANAGER}, PASSWORD)
    client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
    return Browser(client).signed_in("Max Imum")


def test_each_number_opens_as_many_shots_as_it_says(storage: Storage, browser: Browser) -> None:
    records = a_night(storage)
    page = browser.get("/numbers").text
    figures = figures_of(records, DAY, received=RECEIVED)
    assert "4 photographs came in: 1 delivered, 1 waiting, 1 refused, 1 failed." in said_on(page)
    for number in Number:
        value = value_of(figures, number)
        assert (f'href="/numbers/{DATE}/{number}"' in page) == bool(value), number
        opened = browser.get(f"/numbers/{DATE}/{number}").text
        assert f"{value} shot" in said_on(opened)
        assert opened.count(f'href="/batches/{BATCH}"') == value
    assert f'href="/batches/{BATCH}"' in page


def test_the_escape_bound_is_the_reports_and_clients_without_orders_are_told(
    storage: Storage, browser: Browser
) -> None:
    a_night(storage)
    words = said_on(browser.get("/numbers").text)
    assert "At most 2.2 % of what the machine approves would be refused by a person: 3 of 400 blind audits" in words
    assert "No client has sent orders and returns." in words
    storage.put("returns/acme/report/report.json", b"{}", content_type="application/json")
    assert "acme : Its report cannot be read" in said_on(browser.get("/numbers").text)


def test_what_waits_now_is_counted_from_the_lists(storage: Storage, desk: Desk, browser: Browser) -> None:
    a_night(storage)
    waits = ShotId(client="acme", batch="spring", shot="edited0")
    late = record_in(State.AWAITING_EDITOR, waits, since=now() - timedelta(days=30))
    shown(desk, late, record_in(State.IN_REVIEW, BATCH.shot("r"), since=now()))
    assert desk.waiting.all()[0].urgency_at(now()) is Urgency.OVERDUE
    words = said_on(browser.get("/numbers").text)
    assert "Review 1 0 0" in words
    assert "Editor jobs 1 0 1" in words
    opened = browser.get(f"/numbers/{DATE}/waiting").text
    assert f'href="/shots/{waits}"' in opened
    assert "waits for an editor" in said_on(opened)


def test_a_day_that_nobody_counted_and_lists_that_were_not_kept_are_said(storage: Storage, browser: Browser) -> None:
    assert "No day has been counted yet." in said_on(browser.get("/numbers").text)
    a_night(storage)
    assert "This day has not been counted." in said_on(browser.get("/numbers?date=2026-03-01").text)
    storage._client.delete_object(Bucket=storage.bucket, Key=daily_shots_key(DAY.date))
    page = browser.get("/numbers").text
    assert "was not kept for this day" in said_on(page)
    assert f'href="/numbers/{DATE}/delivered"' not in page
    assert browser.get(f"/numbers/{DATE}/delivered").status_code == 404
    assert browser.get("/numbers/today/delivered").status_code == 404
    assert browser.get(f"/numbers/{DATE}/stolen").status_code == 404


@pytest.mark.usefixtures("line")
def test_a_day_leads_to_the_run_of_its_night_in_prefect(desk: Desk) -> None:
    """The last one that began on the day, if a night was begun again; and back is the way of the browser."""
    desk.accounts.add("Max Imum", {Role.MANAGER}, PASSWORD)
    client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
    browser = Browser(client).signed_in("Max Imum")
    today = day_of(now().date(), zone=UTC, begins_hour=0)
    for day in (today, DAY):
        figures = figures_of([], day, received={}).model_dump_json().encode()
        open_storage().put(daily_figures_key(day.date), figures, content_type="application/json")
    assert browser.get(f"/numbers/{DATE}/run").status_code == 404
    runs = [begun() for _ in range(2)]
    answer = browser.get(f"/numbers/{today.date}/run")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"/runs/flow-run/{runs[1]}")


def begun() -> str:
    """A nightly run that has begun; return its id."""
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(nightly, name="nightly")
        client.set_flow_run_state(run.id, Running(), force=True)
    return str(run.id)


def a_batch(times: int = 1) -> BatchId:
    """A batch of two products for each of `times`: one complete, one that waits for a reviewer."""
    batch = batch_id("acme", f"numbers-{uuid.uuid4().hex[:8]}")
    views = {"BOX": State.DELIVERED, "SHIRT": State.IN_REVIEW}
    names = [(f"{sku}{number}", view) for number in range(times) for sku in views for view in ("MAIN", "PT01")]
    refs = tuple(
        ShotRef(shot=batch.shot(f"{sku}_{view}"), path=f"{sku}_{view}.jpg", key="k", etag="e", size_bytes=1)
        for sku, view in names
    )
    create_batch(BatchRecord(batch=batch, received_at=now(), shots=refs, finished_at=now()))
    for (sku, view), ref in zip(names, refs, strict=True):
        state = State.DELIVERED if view == "MAIN" else views[sku.rstrip("0123456789")]
        facts = {"sku": Sourced(value=sku, source="file_name"), "view": Sourced(value=view, source="file_name")}
        create_record(record_in(state, ref.shot).model_copy(update={"facts": facts}))
    return batch


def counted(browser: Browser, batch: BatchId, query: str = "") -> str:
    """The batch's page, once it has been counted."""
    deadline = time.monotonic() + PATIENCE_S
    while "data-reload" in (page := browser.get(f"/batches/{batch}{query}").text):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return page


@pytest.fixture
def both_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients whose products must have two views."""
    monkeypatch.setattr(product_sets, "guide_of", ruled({"views": ("MAIN", "PT01")}))


@pytest.mark.usefixtures("both_views")
def test_a_batch_says_which_products_are_complete_and_what_the_others_lack(storage: Storage, browser: Browser) -> None:
    batch = a_batch()
    words = said_on(counted(browser, batch))
    assert "1 of 2 products are complete" in words
    assert "SHIRT0 PT01 (waits for a reviewer) SHIRT0_MAIN, SHIRT0_PT01" in words
    assert "3 delivered" in words
    waiting = said_on(counted(browser, batch, "?kind=waiting"))
    assert "SHIRT0_PT01.jpg waiting" in waiting
    assert "BOX0_MAIN.jpg" not in waiting
    unknown = said_on(counted(browser, batch, "?kind=sleeping"))
    assert "BOX0_MAIN.jpg" in unknown
    assert "SHIRT0_PT01.jpg" in unknown


def test_what_is_yet_to_be_judged_has_neither_score_nor_reason(storage: Storage, browser: Browser) -> None:
    """It may be a blind review, and whoever reads the page may be the one who judges it."""
    batch = a_batch()
    page = counted(browser, batch, "?kind=waiting")
    row = page[page.index("SHIRT0_PT01.jpg") :].partition("</tr>")[0]
    assert "<td>82</td>" not in row
    assert "score 81.5" not in row


def test_a_batch_that_nobody_sent_is_said(storage: Storage, browser: Browser) -> None:
    assert "this batch was never uploaded" in said_on(counted(browser, batch_id("acme", "never")))
    assert browser.get("/batches/acme/%2e%2e").status_code == 404


@pytest.fixture
def asked(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request to the storage, by its operation."""
    sent: list[str] = []
    real = type(storage._client)._make_api_call

    def noted(client: object, operation: str, arguments: object) -> object:
        sent.append(operation)
        return real(client, operation, arguments)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", noted)
    return sent


def test_no_page_asks_the_storage_more_where_there_are_more_shots(
    storage: Storage, browser: Browser, desk: Desk, asked: list[str]
) -> None:
    """Each page at n and at four times n; a batch is counted beside its page."""
    costs = []
    for times in (2, 8):
        a_night(storage, times)
        batch = a_batch(times)
        counted(browser, batch)
        asked.clear()
        for path in ("/numbers", f"/numbers/{DATE}/received", f"/numbers?date={DATE}", f"/batches/{batch}"):
            assert browser.get(path).status_code == 200
        costs.append(len(asked))
    assert costs[0] == costs[1] > 0, costs


@needs_chromium
@pytest.mark.usefixtures("both_views")
@pytest.mark.parametrize("scheme", few_often(["light", "dark"], 1))
def test_a_manager_opens_a_number_and_comes_back_by_keyboard(storage: Storage, desk: Desk, at: At, scheme: str) -> None:
    """In Chromium; axe-core has nothing to say about any of the pages."""
    a_night(storage)
    batch = a_batch()
    manager = at("Max Manager", color_scheme=scheme).open("/numbers")
    assert violations(manager) == []
    manager.page.get_by_role("link", name="4", exact=True).first.focus()
    manager.page.keyboard.press("Enter")
    manager.page.wait_for_selector("text=Came in")
    assert manager.page.url.endswith(f"/numbers/{DATE}/received")
    assert violations(manager) == []
    manager.page.keyboard.press("Escape")
    manager.page.wait_for_url(f"**/numbers?date={DATE}")
    manager.open(f"/batches/{batch}").page.wait_for_selector("text=products are complete")
    assert violations(manager) == []
