"""Figures of a day, counted from records whose truth is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.decision import Choice, Reason
from packshot.naming import BatchId, batch_id
from packshot.outcomes.daily import figures_of, report_of
from packshot.outcomes.daily_counts import BY_LINE, BY_MACHINE
from packshot.outcomes.daily_record import is_open
from packshot.outcomes.daily_text import FATES, headline, warnings_of
from packshot.outcomes.daily_values import AuditCount, DayFigures, day_of, last_date
from packshot.record import FOLLOWS, ShotRecord
from packshot.specs.daily import DailyConfig
from packshot.types import Verdict
from tests.packshot.outcomes.lives import BATCH, DAY, NIGHT, RECEIVED, S, Shot, day_before

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def figures(*shots: Shot | ShotRecord) -> DayFigures:
    records = [one.record if isinstance(one, Shot) else one for one in shots]
    return figures_of(records, DAY, received=RECEIVED)


@st.composite
def walks(draw: st.DrawFn) -> ShotRecord:
    """Any life that the state machine allows, begun any time around the day."""
    shot = Shot(f"S{draw(st.integers(0, 10**6))}", at=NIGHT + draw(st.integers(-30, 3)) * HOUR)
    for _ in range(draw(st.integers(0, 12))):
        state = shot.record.state
        failed = [shot.record.failed_from] if state is S.FAILED and shot.record.failed_from else []
        ways = sorted(FOLLOWS[state]) + ([S.FAILED] if FOLLOWS[state] else []) or failed
        if not ways:
            break
        shot.goes(draw(st.sampled_from(ways)), after=draw(st.integers(1, 600)) * MINUTE)
    return shot.record


@given(st.lists(walks(), max_size=6))
def test_what_came_in_is_delivered_ready_waiting_refused_or_failed_and_nothing_else(records: list[ShotRecord]) -> None:
    day = figures(*records)
    fates = day.fates
    assert fates.received == len(records)
    assert sum(getattr(fates, name) for name in FATES) == fates.received
    assert 0 <= fates.stopped <= fates.failed
    assert sum(one.received for one in day.clients) == fates.received
    assert day.waits == fates.waiting


@given(st.lists(walks(), max_size=6))
def test_what_happens_after_a_day_changes_nothing_in_it(records: list[ShotRecord]) -> None:
    cut = [one.model_copy(update={"events": tuple(e for e in one.events if e.at < DAY.ends)}) for one in records]
    assert figures(*records) == figures(*cut)


@given(st.lists(walks(), max_size=6))
def test_every_event_belongs_to_one_day(records: list[ShotRecord]) -> None:
    days = [day_of(DAY.date + timedelta(days=n), zone=UTC, begins_hour=6) for n in range(-3, 7)]
    counted = [figures_of(records, day, received=RECEIVED) for day in days]
    delivered = [one for record in records for one in record.events if one.to_state is S.DELIVERED]
    assert sum(one.delivered for one in counted) == len(delivered)
    assert sum(one.fates.received for one in counted) == len(records)


def test_a_day_in_which_nothing_was_done_has_no_figures_and_no_errors() -> None:
    day = figures()
    assert day.is_empty
    assert (day.seconds_per_image, day.minutes_per_image, day.first_time_ratio) == (None, None, None)
    assert (day.approved_ratio, day.automated_ratio, day.escapes) == (None, None, None)
    assert len(day.mastered_by_hour) == 24


def test_a_backlog_alone_is_no_work() -> None:
    waiting = Shot("A", at=NIGHT - 40 * HOUR).handed()
    day = figures_of([waiting.record], DAY, received={})
    assert day.is_empty
    assert day.waits == 1


@pytest.mark.parametrize(("on", "hours"), [((2026, 3, 2), 24), ((2026, 3, 28), 23), ((2026, 10, 24), 25)])
def test_a_day_has_the_hours_that_its_time_zone_gives_it(on: tuple[int, int, int], hours: int) -> None:
    day = day_of(date(*on), zone=ZoneInfo("Europe/Berlin"), begins_hour=6)
    assert day.hours == hours
    assert len(figures_of([], day, received={}).mastered_by_hour) == hours


def test_the_last_day_that_is_over_ends_where_the_next_one_begins() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    day = day_of(date(2026, 3, 2), zone=berlin, begins_hour=6)
    assert day.ends == day_of(date(2026, 3, 3), zone=berlin, begins_hour=6).begins
    assert last_date(day.ends, zone=berlin, begins_hour=6) == day.date
    assert last_date(day.ends - timedelta(seconds=1), zone=berlin, begins_hour=6) == date(2026, 3, 1)


def test_shots_count_where_they_stood_when_the_day_ended() -> None:
    late = Shot("D").handed().goes(S.REFUSED, after=9 * HOUR)
    day = figures(Shot("A").delivered(), Shot("B").goes(S.REFUSED), Shot("C").routed().goes(S.FAILED), late, Shot("E"))
    fates = day.fates
    assert (fates.delivered, fates.waiting, fates.refused, fates.failed, fates.stopped) == (1, 1, 1, 2, 1)


def test_a_shot_that_waits_for_the_rest_of_its_product_is_ready_and_not_failed() -> None:
    """Kind of test that was missing: one that counts a day on which an approved shot was not delivered."""
    approved = Shot("A").routed().goes(S.EDITING_AUTO).goes(S.SCORED).goes(S.APPROVED)
    later = Shot("B").delivered()
    day = figures(approved, later, Shot("C").handed())
    assert (day.fates.ready, day.fates.failed, day.fates.stopped, day.fates.received) == (1, 0, 0, 3)
    assert headline(day) == "3 photographs came in: 1 delivered, 1 ready, 1 waiting, 0 refused, 0 failed."
    assert is_open(approved.record)
    report = report_of([day], last=DAY.date, length=1, config=DailyConfig(), zone="UTC")
    assert not [one for one in warnings_of(report) if "failed" in one or "not ended" in one]


def test_clients_are_told_apart() -> None:
    other = batch_id("birch", "b")
    shots = [Shot("A").delivered(), Shot("B").handed(), Shot("C", batch=other).delivered()]
    day = figures_of([one.record for one in shots], DAY, received={BATCH: NIGHT, other: NIGHT})
    assert [(one.name, one.delivered, one.waiting) for one in day.clients] == [("acme", 1, 1), ("birch", 1, 0)]


def test_what_came_in_before_and_goes_out_today_is_delivered_but_did_not_come_in() -> None:
    old = Shot("A", at=NIGHT - 30 * HOUR).edited(S.IN_REVIEW).goes(S.APPROVED, S.EXPORTED, after=25 * HOUR)
    old.at = NIGHT
    day = figures_of(
        [old.goes(S.VERIFIED, S.DELIVERED).record], DAY, received={BatchId(client="acme", batch="x"): NIGHT}
    )
    assert (day.fates.received, day.delivered) == (0, 1)
    assert not day.is_empty


def test_throughput_is_counted_by_the_hour_of_the_event() -> None:
    day = figures(Shot("A").delivered(), Shot("B").routed(), Shot("C", at=NIGHT + HOUR).routed())
    assert {hour: n for hour, n in enumerate(day.mastered_by_hour) if n} == {20: 2, 21: 1}
    assert {hour: n for hour, n in enumerate(day.delivered_by_hour) if n} == {20: 1}


def test_a_shot_that_failed_and_went_on_is_mastered_once() -> None:
    assert sum(figures(Shot("A").goes(S.MASTERED, S.FAILED, S.MASTERED, S.ROUTED)).mastered_by_hour) == 1


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (
            "simple: every measured figure is below its limit (nearest: objects 0.20 below 0.60)",
            "every measured figure is below its limit",
        ),
        ("simple: refusal probability 0.003 within 0.125 (2 of 370 refused)", "refusal probability within its limit"),
        ("medium: refusal probability 0.301; raised by holes, thin (2 of 370)", "refusal probability above its limit"),
        ("complex: thin structure 0.45 at or above 0.40; hole density 0.90", "thin structure at or above its limit"),
        ("complex: rings is always complex (client's rule); measured alone", "rings is always complex"),
    ],
)
def test_routes_are_counted_by_reasons_without_figures(why: str, told: str) -> None:
    (route,) = figures(Shot("A").routed(why)).routes
    assert (route.reason, route.shots, route.automated) == (told, 1, why.startswith("simple"))


def test_a_release_from_hold_is_no_second_route() -> None:
    day = figures(Shot("A").routed().goes(S.ON_HOLD, S.ROUTED, S.EDITING_AUTO))
    assert (sum(one.shots for one in day.routes), day.held, day.automated_ratio) == (1, 1, 1.0)


def test_verdicts_and_what_people_said_of_them() -> None:
    audit = {"approved": True}
    day = figures(
        Shot("A").delivered(),
        Shot("B").edited(S.IN_REVIEW),
        Shot("C").edited(S.IN_REVIEW, S.APPROVED),
        Shot("D").edited(S.IN_REVIEW, S.AWAITING_EDITOR),
        Shot("E").edited(S.REDO, S.AWAITING_EDITOR),
        Shot("F").edited(S.IN_REVIEW, S.AWAITING_EDITOR).reports(audit=audit),
        Shot("G").edited(S.IN_REVIEW, S.APPROVED).reports(audit=audit),
        Shot("H").handed().goes(S.RETURNED, S.SCORED, S.AWAITING_SIGNOFF),  # an editor's work is not the machine's
    )
    found = {one.verdict: (one.edits, one.looked_at, one.refused) for one in day.verdicts}
    assert found == {
        Verdict.AUTO_APPROVE: (3, 2, 1),
        Verdict.HUMAN_REVIEW: (3, 2, 1),
        Verdict.REJECT_AND_REDO: (1, 0, 0),
    }
    assert day.approved_ratio == pytest.approx(3 / 7)


def test_an_audit_counts_for_the_edit_that_was_drawn_and_not_for_one_after_it() -> None:
    again = (S.IN_REVIEW, S.REDO, S.EDITING_AUTO, S.SCORED, S.IN_REVIEW, S.APPROVED)
    day = figures(Shot("A").edited(*again).reports(audit={"approved": True}))
    found = {one.verdict: (one.edits, one.looked_at, one.refused) for one in day.verdicts}
    assert found[Verdict.AUTO_APPROVE] == (1, 1, 1)
    assert found[Verdict.HUMAN_REVIEW] == (1, 1, 0)


def returned(name: str, *, took: timedelta | None = None, by: str = "Ada") -> Shot:
    shot = Shot(name, at=DAY.begins).handed()
    if took is not None:
        shot.decided(Choice.TAKE, by=by, after=HOUR)
    return shot.decided(Choice.RETURN, S.RETURNED, S.SCORED, S.AWAITING_SIGNOFF, by=by, after=took or HOUR)


def test_first_time_approval_counts_shots_by_the_day_of_their_first_judgement() -> None:
    good = returned("A").decided(Choice.SIGN, S.APPROVED, by="Sen", after=HOUR)
    bad = returned("B").decided(Choice.REJECT_WORK, S.AWAITING_EDITOR, by="Sen", reason=Reason.EDGE, after=HOUR)
    later = returned("C").decided(Choice.SIGN, S.APPROVED, by="Sen", after=30 * HOUR)
    day = figures(good, bad, later)
    assert (day.judged, day.first_time_ratio) == (2, 0.5)
    assert [(one.name, one.approved, one.shots) for one in day.first_time] == [("Ada", 1, 2)]


def test_causes_are_reason_codes_of_people_and_findings_of_the_machine() -> None:
    day = figures(
        returned("A").decided(Choice.REJECT_WORK, S.AWAITING_EDITOR, by="Sen", reason=Reason.EDGE, after=HOUR),
        returned("B").decided(Choice.REJECT_WORK, S.AWAITING_EDITOR, by="Sen", reason=Reason.EDGE, after=HOUR),
        returned("C").decided(Choice.SIGN, S.APPROVED, by="Sen", after=HOUR),
        Shot("D").edited(S.REDO).found("edge_halo", "product_cut"),
        Shot("E").goes(S.REFUSED).reports(refusal={"code": "too_small"}),
    )
    assert {(one.what, one.reason): (one.shots, one.by_people) for one in day.causes} == {
        (Choice.REJECT_WORK.value, "edge"): (2, True),
        (BY_MACHINE, "edge_halo"): (1, False),
        (BY_MACHINE, "product_cut"): (1, False),
        (BY_LINE, "too_small"): (1, False),
    }
    assert day.causes[0].shots == 2


def test_what_clients_send_back_counts_on_that_day_for_whoever_had_approved_it() -> None:
    """Kind of test that was missing: one in which something happens to a shot after its delivery."""
    out = (S.EXPORTED, S.VERIFIED, S.DELIVERED)
    unseen = Shot("A").delivered().decided(Choice.CLIENT_FAULT, S.AWAITING_EDITOR, by="client acme", after=HOUR)
    seen = Shot("B").edited(S.IN_REVIEW).goes(S.APPROVED, *out)
    seen.decided(Choice.CLIENT_FAULT, S.AWAITING_EDITOR, by="client acme", after=HOUR)
    wish = Shot("C").delivered().decided(Choice.CLIENT_WISH, S.AWAITING_EDITOR, by="client acme", after=HOUR)
    later = Shot("D").delivered().decided(Choice.CLIENT_FAULT, S.AWAITING_EDITOR, by="client acme", after=30 * HOUR)
    day = figures(unseen, seen, wish, later, Shot("E").delivered())
    found = day.sent_back
    assert found
    assert (found.by_machine, found.by_people, found.wishes) == (1, 1, 1)
    assert [one.split(":")[0] for one in found.named] == ["acme/spring/A", "acme/spring/B", "acme/spring/C"]
    assert (day.delivered, day.fates.delivered, day.fates.waiting) == (5, 2, 3)
    assert {(one.what, one.shots) for one in day.causes} == {
        (Choice.CLIENT_FAULT.value, 2),
        (Choice.CLIENT_WISH.value, 1),
    }


def test_failures_are_named_with_the_reason_as_long_as_they_last() -> None:
    day = figures(Shot("A").routed().goes(S.FAILED, why="no disk"), Shot("B").routed().goes(S.FAILED, S.ROUTED))
    assert day.failures == ("acme/spring/A: no disk",)


def test_what_waits_is_counted_by_role_and_by_how_long_it_has_waited() -> None:
    ages = (1, 5, 30, 100, 200)
    shots = [Shot(f"S{age}", at=DAY.ends - age * HOUR - 3 * MINUTE).handed() for age in ages]
    held = Shot("H", at=DAY.ends - 2 * HOUR).routed().goes(S.ON_HOLD)
    editors, reviewers, seniors, clients = figures(*shots, held).waiting
    assert (editors.by_age, editors.shots) == ((1, 1, 1, 1, 1), 5)
    assert editors.oldest_h == pytest.approx(200)
    assert (clients.by_age, reviewers.shots, seniors.oldest_h) == ((1, 0, 0, 0, 0), 0, None)


def test_answers_are_counted_with_the_median_of_how_long_was_waited() -> None:
    hours = (2, 4, 9)
    shots = [Shot(f"S{n}", at=DAY.begins).edited(S.IN_REVIEW).goes(S.APPROVED, after=n * HOUR) for n in hours]
    reviewers = figures(*shots).waiting[1]
    assert (reviewers.answered, reviewers.answered_after_h) == (3, 4.0)


def test_machine_seconds_are_those_measured_on_the_day_and_the_others_are_said() -> None:
    measured = Shot("A").routed().took(master=2.0, route=0.5)
    before = Shot("B", at=NIGHT - 30 * HOUR).routed().took(master=9.0)
    day = figures(measured, before, Shot("C").routed())
    assert {one.stage: (one.shots, one.seconds, one.unmeasured) for one in day.stages} == {
        "master": (1, 2.0, 1),
        "route": (1, 0.5, 1),
    }
    assert (day.machine_shots, day.seconds_per_image) == (1, 2.5)


def test_hand_time_is_from_taking_to_returning_and_says_of_how_many_it_is_known() -> None:
    work = figures(returned("A", took=30 * MINUTE), returned("B", took=50 * MINUTE), returned("C")).handwork
    assert (work.returned, work.measured, work.minutes, work.median_minutes) == (3, 2, 80.0, 40.0)


def test_a_job_taken_before_the_work_was_rejected_is_not_the_beginning_of_the_next_one() -> None:
    shot = returned("A", took=30 * MINUTE)
    shot.decided(Choice.REJECT_WORK, S.AWAITING_EDITOR, by="Sen", reason=Reason.EDGE, after=HOUR)
    shot.decided(Choice.RETURN, S.RETURNED, S.SCORED, S.AWAITING_SIGNOFF, after=HOUR)
    work = figures(shot).handwork
    assert (work.returned, work.measured, work.minutes) == (2, 1, 30.0)


@given(st.lists(walks(), max_size=4))
def test_figures_come_back_from_json_as_they_were(records: list[ShotRecord]) -> None:
    audits = (AuditCount(client="acme", category="home", audited=3, refused=1),)
    day = figures_of(records, DAY, received=RECEIVED, audits=audits)
    assert DayFigures.model_validate_json(day.model_dump_json()) == day


def test_a_trend_has_a_place_for_every_day_and_none_where_there_are_no_figures() -> None:
    days = [figures(), figures_of([], day_before(day_before()), received={})]
    report = report_of(days, last=DAY.date, length=4, config=DailyConfig(), zone="UTC")
    assert report.trend == (None, days[1], None, days[0])
    assert report.dates == tuple(DAY.date - timedelta(days=n) for n in (3, 2, 1, 0))


def test_a_shot_that_began_anew_counts_by_its_last_route() -> None:
    shot = Shot("A").routed("complex: rings is always complex")
    anew = shot.record.restart(at=shot.at + MINUTE, actor="Ada", why="a wish")
    shot.record, shot.at = anew, shot.at + MINUTE
    (route,) = figures(shot.routed()).routes
    assert (route.automated, route.shots) == (True, 1)


def test_a_day_is_kept_in_utc_whatever_the_zone() -> None:
    day = day_of(date(2026, 3, 2), zone=ZoneInfo("America/New_York"), begins_hour=6)
    assert day.begins == datetime(2026, 3, 2, 11, tzinfo=UTC)
