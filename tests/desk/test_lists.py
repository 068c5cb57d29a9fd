"""What the lists show, and what they cost."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun
from starlette.testclient import TestClient

from desk.access.roles import Role
from desk.app import application
from desk.state import LATE_S, Desk
from desk.work.outbox import Told
from desk.work.waiting import AGES, Waiting, in_order, waiting
from packshot.decision import Choice, Decision, Mark, Reason
from packshot.errors import TransientError
from packshot.naming import BatchId, ShotId, batch_id
from packshot.outcomes.daily_values import AGES_H
from packshot.record import ShotRecord, State
from packshot.types import Sourced, Status
from tasks.environment.settings import get_settings
from tasks.environment.style_guides import promise_shown
from tasks.index import keeping
from tasks.people.forms import form_for
from tasks.people.jobs import HUMAN_EDIT, PAUSE_KEY
from tasks.queries.asking import Changed, changed_records
from tasks.records.bookkeeping import now
from tasks.records.stored import change_record, create_record
from tasks.runs.resuming import cancel_waiting, waiting_runs
from tasks.runs.suspended import create_waiting_run, run_name
from tasks.storage.bucket import Storage
from tests.desk.people import PASSWORD, Browser, said_on
from tests.desk.records import FINE, LEFT_OVER, MORNING, SMALL, record_in

FORM = form_for(State.IN_REVIEW, description="Look.", picture="e" * 16)


def shown(desk: Desk, *records: ShotRecord) -> None:
    """Let the lists have these records, as a round would."""
    for record in records:
        desk.waiting._rows[str(record.shot)] = waiting(record, promise=promise_shown("acme"))
        desk.waiting._runs[str(record.shot)] = ""
    desk.waiting._show()


@pytest.fixture
def browser(storage: Storage, desk: Desk) -> Browser:
    desk.accounts.add("Any Body", set(Role), PASSWORD)
    client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
    return Browser(client).signed_in("Any Body")


def order_on(page: str) -> list[str]:
    words = said_on(page)
    return sorted(
        (name for name in "abcdefgh" if f" {name} acme / spring" in words), key=lambda n: words.index(f" {n} acme")
    )


def shot(name: str) -> ShotId:
    return ShotId(client="acme", batch="spring", shot=name)


def test_a_list_is_by_due_hour_then_by_what_matters_most(desk: Desk, browser: Browser) -> None:
    later = MORNING + timedelta(minutes=20)
    shown(
        desk,
        record_in(State.IN_REVIEW, shot("a"), since=MORNING + timedelta(hours=5)),
        record_in(State.IN_REVIEW, shot("b"), since=MORNING, findings=(FINE,)),
        record_in(State.IN_REVIEW, shot("c"), since=later, findings=(SMALL,)),
        record_in(State.IN_REVIEW, shot("d"), since=later, findings=(SMALL, LEFT_OVER)),
        record_in(
            State.IN_REVIEW, shot("e"), since=MORNING, findings=(SMALL.model_copy(update={"status": Status.FAILED}),)
        ),
        record_in(State.AWAITING_SIGNOFF, shot("f")),
    )
    assert order_on(browser.get("/queues/review").text) == ["d", "e", "c", "b", "a"]
    assert order_on(browser.get("/queues/sign-off").text) == ["f"]
    lists = {"review": 5, "sign-off": 1, "editor-jobs": 0, "on-hold": 0, "overdue": 6}
    assert browser.get("/counts").json() == {"lists": lists, "stale": ""}


def test_each_filter_keeps_what_fits(desk: Desk, browser: Browser) -> None:
    shown(
        desk,
        record_in(State.IN_REVIEW, shot("a"), category="shoes"),
        record_in(State.IN_REVIEW, shot("b"), findings=(SMALL,)),
        record_in(State.IN_REVIEW, ShotId(client="acme", batch="autumn", shot="c")),
        record_in(State.IN_REVIEW, ShotId(client="other", batch="spring", shot="d")),
    )
    for query, names in {
        "category=shoes": "a",
        "finding=below_recommended": "b",
        "batch=autumn": "c",
        "client=other": "d",
        "client=acme&batch=spring": "ab",
        "person=Ben": "",
        "age=24": "abcd",
        "age=no age": "abcd",
    }.items():
        page = browser.get(f"/queues/review?{query}").text
        assert [name for name in "abcd" if f"/spring/{name}?" in page or f"/autumn/{name}?" in page] == list(names), (
            query
        )


def test_a_list_is_filtered_by_how_long_its_shots_have_waited(desk: Desk, browser: Browser) -> None:
    hours = {"a": 1, "b": 4.1, "c": 25, "d": 24 * 8}
    at = now()
    records = [record_in(State.IN_REVIEW, shot(name), since=at - timedelta(hours=h)) for name, h in hours.items()]
    shown(desk, *map(create_record, records))
    for age, names in {"": "abcd", "4": "bcd", "24": "cd", "72": "d", "168": "d"}.items():
        page = browser.get(f"/queues/review?age={age}")
        assert set(order_on(page.text)) == set(names), age
        assert ("Clear" in page.text) is bool(age)
        if age:
            assert f'<option value="{age}" selected>{AGES[age]}</option>' in page.text
    assert tuple(map(float, AGES)) == AGES_H, "as the daily report counts"
    oldest = browser.get(f"/shots/{shot('d')}?queue=review&age=72").text
    assert "1 of 1" in oldest, "the way from shot to shot keeps to it"


def test_the_sentence_stands_first_and_the_figures_are_folded(desk: Desk, browser: Browser) -> None:
    create_record(record_in(State.IN_REVIEW, shot("a")))
    page = browser.page_of(shot("a"))
    words = said_on(page)
    assert "Stops approval. An area near the base may still be backdrop." in words
    assert words.index("An area near the base") < words.index("The picture is small.") < words.index("score 82 of 100")
    assert "leftover_suspected, failed, 35.1 permille, limit 1.1 permille" in page.partition("<details>")[2]
    assert "leftover_suspected" not in said_on(page.partition("<details>")[0].partition('<aside class="side"')[2])
    assert "&#34;box&#34;: [10, 20, 30, 40]" in page


def test_nothing_is_preset_and_a_finding_that_stops_approval_asks_for_a_reason(desk: Desk, browser: Browser) -> None:
    create_record(record_in(State.IN_REVIEW, shot("a")))
    create_record(record_in(State.IN_REVIEW, shot("b"), findings=(SMALL,)))
    for name, at_once in (("a", ""), ("b", "meets_standard")):
        page = browser.page_of(shot(name))
        assert page.count('<button type="submit" disabled hidden>') == page.count('class="panel"') == 4
        assert f'id="offer-1" data-at-once="{at_once}"' in page
    to_an_editor = browser.page_of(shot("a")).partition('id="offer-2"')[2]
    assert to_an_editor.index("Leftover background") < to_an_editor.index("> Edge")  # the likely reason first


def test_a_blind_review_has_no_word_of_the_machine(desk: Desk, browser: Browser) -> None:
    record = create_record(record_in(State.IN_REVIEW, shot("a"), audit=True))
    shown(desk, record)
    for page in (browser.page_of(shot("a")), browser.get("/queues/review").text):
        for word in ("leftover_suspected", "backdrop", "is small", "81.5", "82 of", "Stops approval", "score 81"):
            assert word not in page, word
    assert 'data-at-once="meets_standard"' in browser.page_of(shot("a"))


def test_nothing_in_a_list_tells_a_blind_review(desk: Desk, browser: Browser) -> None:
    """Kind of test that was missing: one that compares an audit's row with the others'."""
    shown(
        desk,
        record_in(State.IN_REVIEW, shot("a"), since=MORNING + timedelta(minutes=1)),
        record_in(State.IN_REVIEW, shot("b"), since=MORNING, audit=True),
        record_in(State.IN_REVIEW, shot("c"), since=MORNING + timedelta(minutes=2), audit=True),
        record_in(State.IN_REVIEW, shot("d"), since=MORNING + timedelta(minutes=3)),
    )
    for queue in ("review", "overdue"):
        page = browser.get(f"/queues/{queue}").text
        rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], flags=re.DOTALL)
        alike = {re.sub(r"/spring/[a-d]|>[a-d]<|\d\d:\d\d", "", row) for row in rows}
        assert (len(rows), len(alike)) == (4, 1), alike
        assert "Look first at" not in page
    assert order_on(page) == ["b", "a", "c", "d"]
    filtered = browser.get("/queues/review?finding=leftover_suspected").text
    assert order_on(filtered) == ["b", "a", "c", "d"], "nor is a blind one known by its absence"
    assert "Stops approval." not in said_on(filtered)


def test_lists_that_are_old_say_so(desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind of test that was missing: one in which the line is away while somebody works."""
    desk.waiting.refreshed_at = now()
    assert browser.get("/counts").json()["stale"] == ""
    assert re.search(r'id="stale" role="status" hidden', browser.get("/queues/review").text)
    desk.waiting.refreshed_at = now() - timedelta(seconds=LATE_S + 8)
    assert "the line answers slowly" in said_on(browser.get("/queues/review").text)
    desk.round_s = 10.0  # a large line; the pause is longer too
    assert browser.get("/counts").json()["stale"] == ""

    def away() -> int:
        raise httpx.ConnectError("nobody answers")

    async def a_round() -> None:
        async with desk.at_work():
            while not desk.away:
                await asyncio.sleep(0.01)

    monkeypatch.setattr(desk.waiting, "refresh", away)
    asyncio.run(a_round())
    told = browser.get("/counts").json()["stale"]
    assert told.startswith("These lists are of 2")
    assert "the line cannot be reached (ConnectError)" in told
    assert told in said_on(browser.get("/queues/review").text)


def test_a_shot_is_found_by_what_it_is_called_by_those_who_may_see_it(desk: Desk, browser: Browser) -> None:
    gtin = {"gtin": Sourced(value="4006381333931", source="manifest")}
    first = record_in(State.IN_REVIEW, shot("A_MAIN"), sku="Ring-7")
    second = record_in(State.AWAITING_SIGNOFF, shot("B_MAIN"), sku="Ring-8")
    shown(desk, first, second.model_copy(update={"facts": {**second.facts, **gtin}}))
    for words, names in {
        "ring-7": ["A_MAIN"],
        "RING": ["A_MAIN", "B_MAIN"],
        "40063813": ["B_MAIN"],
        "a_main.jpg": ["A_MAIN"],
        "ring spring b_": ["B_MAIN"],
        "ring autumn": [],
        " ": [],
    }.items():
        page = browser.get(f"/find?{urlencode({'words': words})}").text
        assert [name for name in ("A_MAIN", "B_MAIN") if f'href="/shots/acme/spring/{name}"' in page] == names, words
    desk.accounts.add("Any Body", {Role.REVIEWER}, PASSWORD)
    assert "B_MAIN" not in browser.signed_in("Any Body").get("/find?words=ring").text


def test_a_shot_of_an_ended_batch_is_found_by_whoever_may_see_whole_batches(desk: Desk, browser: Browser) -> None:
    ended = record_in(State.DELIVERED, ShotId(client="acme", batch="winter", shot="W1"), sku="Ring-9")
    create_record(ended)
    shown(desk, record_in(State.IN_REVIEW, shot("A_MAIN"), sku="Ring-7"))
    page = browser.get("/find?words=ring-").text
    waits, _, others = page.partition("In all batches")
    assert 'href="/shots/acme/spring/A_MAIN"' in waits
    assert 'href="/batches/acme/winter"' in others
    assert "A_MAIN" not in others, "it waits, and stands above"
    assert "delivered" in said_on(others)
    nothing = said_on(browser.get("/find?words=necklace").text)
    assert "No other shot of any batch has a SKU" in nothing
    desk.accounts.add("Any Body", {Role.REVIEWER}, PASSWORD)
    assert "winter" not in browser.signed_in("Any Body").get("/find?words=ring").text


def test_the_rest_is_shown_when_all_batches_cannot_be_searched(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(words: list[str]) -> list[ShotRecord]:
        raise TransientError("the storage does not answer")

    monkeypatch.setattr("desk.pages.finding.find_shots", away)
    shown(desk, record_in(State.IN_REVIEW, shot("A_MAIN"), sku="Ring-7"))
    answer = browser.get("/find?words=ring")
    assert answer.status_code == 200
    assert 'href="/shots/acme/spring/A_MAIN"' in answer.text
    assert "All batches cannot be searched now." in said_on(answer.text)


def test_an_editor_reads_what_to_do_with_its_places(desk: Desk, browser: Browser) -> None:
    mark = Mark(left=10, top=20, right=40, bottom=60, text="the strap is bitten")
    back = Decision(
        choice=Choice.REJECT_WORK,
        by="Sen Ior",
        at=MORNING,
        reason=Reason.EDGE,
        picture="e" * 16,
        note="both straps",
        marks=(mark,),
    )
    for state, title in ((State.AWAITING_EDITOR, "What to do"), (State.AWAITING_SIGNOFF, "Was it done?")):
        record = record_in(state, shot(state.value)).model_copy(update={"decisions": (back,)})
        page = browser.page_of(create_record(record).shot)
        words = said_on(page)
        assert f"{title} Edge: both straps Sen Ior: reject the work (our fault)" in words
        assert "the strap is bitten at 10, 20, 30 x 40 px Show M1" in words
        assert "&#34;label&#34;: &#34;M1&#34;" in page
        assert 'data-place="1">Show M1' in page  # after the finding with a place


def test_what_a_person_must_know_is_kept_for_a_page_that_they_see(desk: Desk, browser: Browser) -> None:
    desk.outbox._told["Any Body"].append(Told(shot("a"), "the picture has changed"))
    missing = "/previews/acme/spring/a/0000000000000000.webp"
    assert browser.client.get(missing, headers={"accept": "image/webp,*/*"}).status_code == 404
    assert "the picture has changed" in said_on(browser.get("/queues/review").text)
    assert "the picture has changed" not in said_on(browser.get("/queues/review").text)


def test_names_from_outside_stay_text(desk: Desk, browser: Browser) -> None:
    evil = "<script>alert(1)</script>'\"&"
    finding = LEFT_OVER.model_copy(update={"message": evil})
    record = create_record(record_in(State.IN_REVIEW, shot("a"), findings=(finding,), category=evil, sku=evil))
    shown(desk, record)
    for page in (browser.page_of(shot("a")), browser.get("/queues/review").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#39;&#34;&amp;" in page


@pytest.fixture
def operations(line: Storage, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is asked of the storage."""
    counts: Counter[str] = Counter()
    real = type(line._client)._make_api_call

    def counted(client: object, operation: str, arguments: object) -> object:
        counts[operation] += 1
        return real(client, operation, arguments)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", counted)
    return counts


def waiting_shots(batch: BatchId, count: int) -> list[ShotId]:
    """Records and runs of shots in review."""
    found = [batch.shot(f"S{number:03}") for number in range(count)]
    for one in found:
        create_record(record_in(State.IN_REVIEW, one))
        create_waiting_run(
            HUMAN_EDIT,
            parameters={"client": one.client, "batch": one.batch, "shot": one.shot},
            form=FORM,
            pause_key=PAUSE_KEY,
            name=run_name(one),
            tags=[],
            idempotency_key=str(uuid.uuid4()),
        )
    return found


@pytest.fixture
def rereads(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Has one entry for each time that all waiting runs are read."""
    found: list[None] = []

    def counted() -> Iterator[FlowRun]:
        found.append(None)
        return waiting_runs()

    monkeypatch.setattr("desk.work.waiting.waiting_runs", counted)
    return found


@pytest.fixture
def rows_asked(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Has one entry for each time that the index is asked for all rows of waiting shots."""
    found: list[None] = []

    def counted(states: Collection[State], known: Mapping[str, str]) -> Changed:
        found.append(None)
        return changed_records(states, known)

    monkeypatch.setattr("desk.work.waiting.changed_records", counted)
    return found


def test_a_page_reads_nothing_and_a_round_only_rows_that_changed(
    line: Storage,
    desk: Desk,
    operations: Counter[str],
    rereads: list[None],
    rows_asked: list[None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With n shots and with four times as many: the index is asked, never the storage."""
    monkeypatch.setattr(keeping, "WRITING_S", 100.0)  # however busy the machine is
    desk.accounts.add("Any Body", set(Role), PASSWORD)
    client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
    browser = Browser(client).signed_in("Any Body")
    desk.waiting.refresh()
    before = len(desk.waiting.all())
    shots: list[ShotId] = []
    for number, count in enumerate((6, 18)):
        shots += waiting_shots(batch_id("acme", f"many-{uuid.uuid4().hex[:6]}-{number}"), count)
        operations.clear()
        assert desk.waiting.refresh() == count
        assert len(desk.waiting.all()) == before + len(shots)
        rereads.clear()
        rows_asked.clear()
        assert desk.waiting.refresh() == 0
        assert not rereads
        assert not rows_asked
        assert browser.get("/queues/review").status_code == 200
        assert browser.get("/counts").status_code == 200
        assert operations.total() == 0
    change_record(shots[0], lambda record: record.model_copy(update={"findings": ()}))
    assert desk.waiting.refresh() == 1
    found: Waiting | None = desk.waiting.find(shots[0])
    assert found
    assert found.worst == ""  # what no run shows is seen in the next round
    assert found.run


def test_a_shot_whose_run_does_not_wait_stands_in_no_list(line: Storage, desk: Desk) -> None:
    """Kind of test that was missing: one in which the index and Prefect do not say the same."""
    one, other = waiting_shots(batch_id("acme", f"gone-{uuid.uuid4().hex[:6]}"), 2)
    desk.waiting.refresh()
    assert desk.waiting.find(one)
    cancel_waiting(one, why="a test")
    desk.waiting.refresh()
    assert not desk.waiting.find(one)
    assert desk.waiting.find(other)
    change_record(other, lambda record: record.advance(State.APPROVED, at=now(), actor="Ada", why="fine"))
    desk.waiting.refresh()  # its run waits still
    assert not desk.waiting.find(other)


def test_without_postgresql_the_lists_are_the_same(
    line: Storage, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (one,) = waiting_shots(batch_id("acme", f"own-{uuid.uuid4().hex[:6]}"), 1)
    desk.waiting.refresh()
    monkeypatch.delenv("PACKSHOT_INDEX_URL")
    monkeypatch.setenv("PACKSHOT_SCRATCH_DIR", str(tmp_path))
    alone = Desk.of(get_settings())
    assert alone.waiting.refresh() >= 1
    assert in_order(alone.waiting.all()) == in_order(desk.waiting.all())
    change_record(one, lambda record: record.model_copy(update={"findings": ()}))
    assert alone.waiting.refresh() == 0  # it has just listed the bucket
    monkeypatch.setattr("desk.work.waiting.COMPARED", timedelta(0))
    assert alone.waiting.refresh() == 1


def test_a_long_text_is_shown_up_to_its_first_aside_and_whole_among_the_figures(desk: Desk, browser: Browser) -> None:
    long = (
        "The probability that a person refuses this edit is 0.535 (by edge contrast); at most 2 % were refused"
        + "." * 60
    )
    finding = LEFT_OVER.model_copy(update={"message": long})
    create_record(record_in(State.IN_REVIEW, shot("a"), findings=(finding,)))
    above, _, folded = browser.page_of(shot("a")).partition("<details>")
    assert "The probability that a person refuses this edit is 0.535." in above
    assert "by edge contrast" not in said_on(above.partition('<aside class="side"')[2])
    assert long in folded


def test_what_matters_most_stands_above_the_fold_and_the_rest_is_counted(desk: Desk, browser: Browser) -> None:
    findings = tuple(SMALL.model_copy(update={"message": f"The picture is small {number}."}) for number in range(7))
    create_record(record_in(State.IN_REVIEW, shot("a"), findings=(*findings, LEFT_OVER)))
    above, _, folded = browser.page_of(shot("a")).partition("<details>")
    assert above.index("may still be backdrop") < above.index("The picture is small 0.")
    assert "The picture is small 3." not in above.partition('<aside class="side"')[2]
    assert folded.startswith("<summary>4 more</summary>")


def test_whoever_looks_and_may_not_decide_is_told_so(desk: Desk, storage: Storage) -> None:
    """Kind of test that was missing: a manager's page of a review, which ended without a word where others decide."""
    shown(desk, create_record(record_in(State.IN_REVIEW, shot("a"))))
    said = {}
    for name, role in (("Only Manager", Role.MANAGER), ("Only Reviewer", Role.REVIEWER)):
        desk.accounts.add(name, {role}, PASSWORD)
        client = TestClient(application(desk), base_url="http://127.0.0.1:4280", follow_redirects=False)
        said[role] = said_on(Browser(client).signed_in(name).page_of(shot("a")))
    told = "Your roles look at this shot; others decide about it."
    assert told in said[Role.MANAGER]
    assert told not in said[Role.REVIEWER]
    assert "open it first, for another reason" not in said[Role.MANAGER]
