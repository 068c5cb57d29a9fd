"""The daily report on real servers: what it reads, what it keeps, what it shows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from deployments.demo import environment
from flows.daily_report import daily_report
from packshot.batch import BatchRecord, Cancellation, ShotRef
from packshot.decision import Choice
from packshot.errors import TerminalError
from packshot.escaping import markdown
from packshot.keys import daily_figures_key, daily_page_key, record_key
from packshot.naming import BatchId, ShotId
from packshot.outcomes.daily_lists import Number, value_of
from packshot.outcomes.daily_values import DayFigures, last_date
from packshot.record import State
from tasks.index import keeping
from tasks.records.bookkeeping import now
from tasks.records.stored import change_batch, change_record, create_batch, create_record
from tasks.reports.daily import ARTIFACT, report_day
from tasks.reports.daily_lists import lists_on
from tasks.storage.bucket import Storage, open_storage
from tests.configs import changed_configs
from tests.packshot.outcomes.lives import BATCH, DAY, NIGHT, Shot
from tests.tasks.conftest import empty
from tests.tasks.in_runs import artifact, in_a_run

DATE, NEXT = DAY.date, DAY.date + timedelta(days=1)
S = State


@pytest.fixture(scope="module")
def bucket(line_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """The line with a bucket of this module's own. The first write into a new one takes seconds.

    The first report in a bucket counts every day in which audits count, so that window is short here.
    """
    folder = tmp_path_factory.mktemp("daily") / "configs"
    own = {
        "PACKSHOT_S3_BUCKET": f"packshot-test-{uuid.uuid4().hex[:8]}",
        "PACKSHOT_CONFIGS": str(changed_configs(folder, {"routing.yaml": {"audit": {"window_days": 7}}})),
    }
    with environment({**line_environment, **own}):
        opened = open_storage()
        opened.ensure_bucket()
        yield opened


@pytest.fixture
def own_bucket(bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """The same, in which nothing has happened; the index gets its rows however busy the machine is."""
    monkeypatch.setattr(keeping, "WRITING_S", 100.0)
    empty(bucket)
    return bucket


def stored(*shots: Shot, batch: BatchId = BATCH, at: dt.datetime = NIGHT) -> None:
    """A batch that the line took up, with these shots."""
    refs = tuple(ShotRef(shot=one.record.shot, key="k", path="p.jpg", etag="e", size_bytes=1) for one in shots)
    create_batch(BatchRecord(batch=batch, received_at=at, shots=refs, finished_at=at + timedelta(hours=2)))
    for one in shots:
        create_record(one.record)


def report(date: dt.date = DATE, *, days: int = 3) -> str:
    return in_a_run(lambda: report_day.fn(date=date.isoformat(), days=days))


def figures(storage: Storage, date: dt.date = DATE) -> DayFigures:
    return DayFigures.model_validate_json(storage.get(daily_figures_key(date)))


def test_a_day_becomes_figures_a_page_and_an_artifact(own_bucket: Storage) -> None:
    stored(Shot("A").delivered().took(edit=4.0), Shot("B").handed(), Shot("C").goes(S.REFUSED))
    sentence = report()
    assert sentence == f"{DATE}: 3 photographs came in: 1 delivered, 1 waiting, 1 refused, 0 failed."
    assert figures(own_bucket).seconds_per_image == 4.0
    assert b"3 photographs came in" in own_bucket.get(daily_page_key(DATE))
    shown = artifact(ARTIFACT)
    assert shown.description == sentence
    assert daily_page_key(DATE) in str(shown.data)
    assert markdown("3 photographs came in: 1 delivered") in str(shown.data)


def test_a_picture_that_was_delivered_long_ago_counts_on_the_day_its_client_sends_it_back(own_bucket: Storage) -> None:
    shot = Shot("A", at=NIGHT - timedelta(days=30)).delivered()
    stored(shot, at=NIGHT - timedelta(days=30))
    report(DATE - timedelta(days=1))
    shot.at = NIGHT
    shot.decided(Choice.CLIENT_FAULT, S.AWAITING_EDITOR, by="client acme", after=timedelta(hours=1))
    change_record(shot.record.shot, lambda record: shot.record)
    change_batch(BATCH, lambda one: one.model_copy(update={"sent_back": {"A": shot.at}}))
    report()
    found = figures(own_bucket).sent_back
    assert found
    assert (found.by_machine, found.by_people) == (1, 0)


def test_a_line_in_which_nothing_ever_happened_says_so(own_bucket: Storage) -> None:
    assert report() == f"{DATE}: Nothing was done on this day."
    assert "Nothing was done on this day" in own_bucket.get(daily_page_key(DATE)).decode()
    assert figures(own_bucket).is_empty


def test_without_a_date_the_flow_reports_the_last_day_that_is_over(own_bucket: Storage) -> None:
    state = daily_report(return_state=True)
    over = last_date(now(), zone=dt.UTC, begins_hour=6)
    assert state.is_completed()
    assert state.message == f"{over}: Nothing was done on this day."
    assert own_bucket.exists(daily_figures_key(over))


@pytest.mark.parametrize(("date", "why"), [("2026-02-30", "no such day"), ("2999-01-01", "not over yet")])
def test_a_day_that_cannot_be_counted_is_refused_and_leaves_nothing(own_bucket: Storage, date: str, why: str) -> None:
    with pytest.raises(TerminalError, match=why):
        report_day.fn(date=date, days=3)
    assert list(own_bucket.list("reports/")) == []


@pytest.fixture
def asked(own_bucket: Storage, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What is asked of storage from now on."""
    counts: Counter[str] = Counter()
    real = type(own_bucket._client)._make_api_call

    def counted(client: object, operation: str, arguments: object) -> object:
        counts[operation] += 1
        return real(client, operation, arguments)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", counted)
    return counts


def test_the_next_day_counts_what_changed_and_reads_no_record(own_bucket: Storage, asked: Counter[str]) -> None:
    """With n shots and with four times as many; of each four, one waits, and one of those is answered."""
    costs = []
    for number, count in enumerate((2, 8)):
        batch = BatchId(client="acme", batch=f"n{number}")
        waiting = [Shot(f"W{n}", batch=batch).handed() for n in range(count)]
        stored(*waiting, *(Shot(f"D{n}", batch=batch).delivered() for n in range(count)), batch=batch)
        report()
        answered = waiting[0].decided(Choice.RETURN, S.RETURNED, S.SCORED, S.AWAITING_SIGNOFF, after=timedelta(hours=9))
        change_record(answered.record.shot, lambda _, one=answered: one.record)
        asked.clear()
        report(NEXT)
        costs.append(asked["GetObject"])
    day = figures(own_bucket, NEXT)
    assert (day.fates.received, day.handwork.returned, day.waits) == (0, 2, 10)
    assert costs[1] - costs[0] == 1  # in the second round two batches have open shots, and may be cancelled


def test_what_was_open_of_a_cancelled_batch_neither_came_in_nor_waits(own_bucket: Storage) -> None:
    """Until it is taken up again. What was delivered of it, and the work done on it, count."""
    batch = BatchId(client="acme", batch="gone")
    stored(Shot("W", batch=batch).handed(), Shot("D", batch=batch).delivered(), batch=batch)

    def change(*cancelled: Cancellation) -> None:
        change_batch(batch, lambda one: one.model_copy(update={"cancellations": cancelled}))

    report()
    before = figures(own_bucket)
    assert (before.fates.received, before.waits) == (2, 1)
    during = Cancellation(at=DAY.begins, by="Max", why="withdrawn")
    change(during)
    report()
    without = figures(own_bucket)
    assert (without.fates.received, without.fates.delivered, without.fates.waiting, without.waits) == (1, 1, 0, 0)
    assert without.routes == before.routes
    listed = lists_on(DAY.date)
    assert listed
    assert {number: len(shots) for number, shots in listed.items()} == {one: value_of(without, one) for one in Number}
    for other in (
        during.model_copy(update={"at": DAY.ends}),
        during.model_copy(update={"taken_up_at": DAY.ends - timedelta(hours=1)}),
    ):
        change(other)
        report()
        assert figures(own_bucket) == before


def test_a_delivered_shot_that_began_anew_is_found_again(own_bucket: Storage) -> None:
    shot = Shot("A").delivered()
    stored(shot)
    report()
    later = DAY.ends + timedelta(hours=3)
    anew = shot.record.restart(at=later, actor="Ada", why="a new wish")
    anew = anew.advance(S.MASTERED, at=later + timedelta(minutes=1), actor="line", why="so")
    change_record(anew.shot, lambda _: anew)
    change_batch(
        BATCH, lambda one: one.model_copy(update={"shots": (one.shots[0].model_copy(update={"generation": 1}),)})
    )
    report(NEXT)
    day = figures(own_bucket, NEXT)
    assert (sum(day.mastered_by_hour), day.fates.received) == (1, 0)


def test_days_that_were_left_out_are_counted_on_the_way(own_bucket: Storage) -> None:
    stored(Shot("A").delivered())
    report(NEXT + timedelta(days=2), days=5)
    assert figures(own_bucket).fates.delivered == 1
    assert [figures(own_bucket, NEXT + timedelta(days=n)).is_empty for n in range(3)] == [True] * 3


def test_a_day_counted_again_later_is_the_same(own_bucket: Storage) -> None:
    shot = Shot("A").handed()
    stored(shot)
    report()
    first = figures(own_bucket)
    later = shot.decided(Choice.RETURN, S.RETURNED, S.SCORED, S.AWAITING_SIGNOFF, after=timedelta(hours=30)).record
    change_record(later.shot, lambda _: later)
    report(NEXT)
    report()
    assert figures(own_bucket) == first


def test_the_escape_bound_comes_from_the_audits_of_all_days_of_the_window(own_bucket: Storage) -> None:
    for number, choice in enumerate((Choice.APPROVE, Choice.SEND_TO_EDITOR)):
        at = NIGHT + timedelta(days=number)
        batch = BatchId(client="acme", batch=f"b{number}")
        audited = Shot("A", batch=batch, at=at).edited(S.IN_REVIEW).reports(audit={"approved": True})
        to = S.APPROVED if choice is Choice.APPROVE else S.AWAITING_EDITOR
        stored(audited.decided(choice, to, after=timedelta(hours=1)), batch=batch, at=at)
    report()
    report(NEXT)
    one, two = figures(own_bucket).escapes, figures(own_bucket, NEXT).escapes
    assert one is not None
    assert two is not None
    assert ((one.refused, one.audited), (two.refused, two.audited)) == ((0, 1), (1, 2))
    assert one.low == 0 < two.low < 0.5 < two.high
    assert two.promise_ratio == 0.02
    assert two.standing == "broken"  # one in two: even the lower bound is above


def test_a_batch_without_a_record_stops_nothing(own_bucket: Storage) -> None:
    lost = record_key(ShotId(client="acme", batch="half-made", shot="A"))
    own_bucket.put(lost, b"{}", content_type="application/json")
    stored(Shot("A").delivered())
    assert "1 delivered" in report()
