"""A night that never began is told of once, on real servers; one that began, however, is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Cancelled, Failed, Running, Scheduled

from deployments.demo import environment
from packshot.keys import NIGHT_LEASE
from tasks.records.bookkeeping import now
from tasks.runs import missing_night
from tasks.runs.missing_night import MARGIN, last_due, look_for_missing_night
from tasks.storage.bucket import Storage
from tasks.storage.leases import holding
from tasks.telling import notices
from tasks.telling.notices import Notice
from tests.tasks.in_runs import in_a_run

NIGHTLY = "nightly/nightly"


@pytest.mark.parametrize(
    ("cron", "zone", "before", "due"),
    [
        ("0 2 * * *", "UTC", datetime(2026, 11, 29, 16, tzinfo=UTC), datetime(2026, 11, 29, 2, tzinfo=UTC)),
        ("0 2 * * *", "UTC", datetime(2026, 11, 29, 1, 59, tzinfo=UTC), datetime(2026, 11, 28, 2, tzinfo=UTC)),
        ("0 2 * * *", "Europe/Berlin", datetime(2026, 7, 3, 16, tzinfo=UTC), datetime(2026, 7, 3, 0, tzinfo=UTC)),
        ("0 22 * * 1-5", "UTC", datetime(2026, 11, 29, 16, tzinfo=UTC), datetime(2026, 11, 27, 22, tzinfo=UTC)),
        ("0 2 29 2 *", "UTC", datetime(2026, 11, 29, 16, tzinfo=UTC), datetime(2024, 2, 29, 2, tzinfo=UTC)),
        ("* * 1 * *", "UTC", datetime(2026, 11, 29, 16, tzinfo=UTC), datetime(2026, 11, 1, 23, 59, tzinfo=UTC)),
        ("30 1 * * *", "Europe/Berlin", datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 10, 24, 23, 30, tzinfo=UTC)),
        (
            "30 2 * * *",
            "Europe/Berlin",
            datetime(2026, 3, 29, 20, tzinfo=UTC),
            datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
        ),
    ],
)
def test_the_last_time_that_a_night_was_to_begin(cron: str, zone: str, before: datetime, due: datetime) -> None:
    assert last_due(cron, zone, before=before) == due


@pytest.fixture
def due(line: Storage, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[datetime]:
    """Two o'clock of a day that no other test has, well past its time."""
    days = 2 + sum(map(ord, request.node.name)) % 5_000
    two = (now() + timedelta(days=days)).replace(hour=2, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(missing_night, "now", lambda: two + MARGIN + timedelta(minutes=5))
    with environment({"PACKSHOT_NIGHTLY_CRON": "0 2 * * *", "PACKSHOT_NIGHTLY_TIMEZONE": "UTC"}):
        yield two


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    sent: list[Notice] = []
    monkeypatch.setattr(notices, "send", sent.append)
    return sent


def look() -> str:
    said: str = in_a_run(look_for_missing_night.fn)
    return said


def a_night(*states: object) -> None:
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(client.read_deployment_by_name(NIGHTLY).id)
        for state in states:
            client.set_flow_run_state(run.id, state, force=True)  # type: ignore[arg-type]


def test_a_night_that_did_not_begin_is_told_of_once_however_often_one_looks(due: datetime, told: list[Notice]) -> None:
    for _ in range(3):
        assert look() == f"the night of {due:%Y-%m-%d %H:%M} UTC did not begin"
    (notice,) = told
    assert (notice.kind, notice.shot) == ("night_missing", "night")
    assert notice.subject == "night did not begin"
    assert f"it should have begun at {due:%Y-%m-%d} 02:00 UTC" in notice.message


def test_one_that_was_cancelled_before_it_began_did_not_begin(due: datetime, told: list[Notice]) -> None:
    a_night(Scheduled(scheduled_time=due), Cancelled())
    assert look()
    assert "cancelled before it began" in told[0].message


@pytest.mark.parametrize(
    ("due", "begun"),
    [(-timedelta(hours=1), True), (timedelta(minutes=5), True), (timedelta(hours=1), False)],
    ids=["late", "a little early", "for another night"],
)
def test_one_that_began_is_not_missed_whatever_became_of_it(line: Storage, due: timedelta, begun: bool) -> None:
    a_night(Running(), Failed())
    with get_client(sync_client=True) as client:
        assert missing_night._has_begun(client, now() + due) is begun


def test_a_night_that_still_works_is_not_missed(due: datetime, told: list[Notice]) -> None:
    with holding(NIGHT_LEASE):
        assert look() == ""
    assert not told


def test_a_paused_schedule_is_named(due: datetime, told: list[Notice]) -> None:
    with get_client(sync_client=True) as client:
        night = client.read_deployment_by_name(NIGHTLY).id
        client.pause_deployment(night)
        try:
            assert look()
        finally:
            client.resume_deployment(night)
    assert "its schedule is paused" in told[0].message


def test_a_night_before_the_line_was_registered_is_not_missed(
    line: Storage, told: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    yesterday = now() - timedelta(days=1)
    monkeypatch.setattr(missing_night, "now", lambda: yesterday)
    assert look() == ""
    assert not told
