"""The daily page says what the figures say, is whole, and says what it does not know."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.decision import Choice
from packshot.naming import BatchId
from packshot.outcomes.daily import DailyReport, figures_of, report_of
from packshot.outcomes.daily_page import daily_page
from packshot.outcomes.daily_text import NOT_MEASURED, headline, money_of, times_of, warnings_of
from packshot.outcomes.daily_values import DayFigures, Escapes
from packshot.record import ShotRecord
from packshot.specs.daily import DailyConfig
from tests.packshot.outcomes.lives import DAY, NIGHT, RECEIVED, S, Shot, day_before
from tests.packshot.outcomes.test_daily import returned, walks
from tests.packshot.outcomes.test_return_page import _Tags

NO_RATES = DailyConfig()
RATES = DailyConfig(currency="EUR", machine_hour_cost=3.6, person_hour_cost=24)
ESCAPES = Escapes(
    promise_ratio=0.02,
    confidence=0.95,
    window_days=90,
    reported_days=30,
    audited=200,
    refused=9,
    low=0.0208,
    high=0.0837,
    standing="broken",
)


def day_of_shots(*shots: Shot) -> DayFigures:
    return figures_of([one.record for one in shots], DAY, received=RECEIVED)


def report(day: DayFigures, *, config: DailyConfig = NO_RATES, zone: str = "UTC") -> DailyReport:
    return report_of([day], last=day.day.date, length=5, config=config, zone=zone)


def page(day: DayFigures, *, config: DailyConfig = NO_RATES) -> str:
    """The page's text, without its tags."""
    body = daily_page(report(day, config=config)).decode().split("</style>")[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@settings(max_examples=25)
@given(st.lists(walks(), max_size=5))
def test_the_page_is_whole_and_fetches_nothing_whatever_happened(records: list[ShotRecord]) -> None:
    tags = _Tags()
    tags.feed(daily_page(report(figures_of(records, DAY, received=RECEIVED))).decode())
    assert tags.open == []
    assert tags.fetched == []


def test_a_day_with_nothing_says_so_and_that_nothing_was_measured() -> None:
    shown = page(day_of_shots())
    assert "Nothing was done on this day." in shown
    assert shown.count(NOT_MEASURED) >= 3
    for said in ("Nothing was routed", "The machine edited nothing", "is not known", "Nobody judged"):
        assert said in shown


def test_the_headline_adds_up() -> None:
    day = day_of_shots(Shot("A").delivered(), Shot("B").handed(), Shot("C").goes(S.REFUSED))
    assert headline(day) == "3 photographs came in: 1 delivered, 1 waiting, 1 refused, 0 failed."
    assert headline(day_of_shots(Shot("A").delivered())).startswith("1 photograph came in")
    old = figures_of([Shot("A").delivered().record], DAY, received={})
    assert headline(old) == "Nothing came in; 1 photograph was delivered."


def test_the_day_s_times_are_shown_in_the_zone_of_the_line() -> None:
    assert times_of(report(day_of_shots(), zone="Europe/Berlin")) == (
        "2026-03-02 07:00 to 2026-03-03 07:00 Europe/Berlin"
    )


def test_what_needs_somebody_is_said_first() -> None:
    old = Shot("O", at=DAY.ends - timedelta(days=8)).handed()
    day = day_of_shots(Shot("A").routed().goes(S.FAILED, why="no disk"), Shot("B").routed(), old)
    warnings = warnings_of(report(day.model_copy(update={"escapes": ESCAPES})))
    assert [one.split()[0] for one in warnings] == ["1", "1", "The", "1", "4"]
    shown = page(day)
    assert shown.index("of the photographs that came in failed") < shown.index("delivered on the day")
    assert "acme/spring/A: no disk" in shown


def test_what_clients_sent_back_is_a_warning_and_has_its_place() -> None:
    back = Shot("A").delivered()
    back.decided(Choice.CLIENT_FAULT, S.AWAITING_EDITOR, by="client acme", after=timedelta(hours=1))
    day = day_of_shots(back)
    warning = "Clients sent delivered pictures back as faulty: 1, of which the machine had approved 1 unseen."
    assert warning in warnings_of(report(day))
    assert "faults, approved unseen by the machine 1" in page(day)
    assert "No client sent a delivered picture back." in page(day_of_shots(Shot("A").delivered()))
    assert "Not counted on this day." in page(day.model_copy(update={"sent_back": None}))


def test_escapes_are_shown_with_their_interval_against_the_promise() -> None:
    shown = page(day_of_shots().model_copy(update={"escapes": ESCAPES}))
    assert "at most 2.00%, 95% sure" in shown
    assert "9 (4.50%; 2.08% to 8.37%)" in shown
    assert "the promise is broken" in shown
    assert "From 30 days with figures" in shown


def test_hand_time_says_of_how_many_it_is_known() -> None:
    shown = page(day_of_shots(returned("A", took=timedelta(minutes=30)), returned("B")))
    assert "30.0 min at most; 1 of 2 measured" in shown
    assert "time not measured" in shown


def test_stages_without_a_time_are_said() -> None:
    shown = page(day_of_shots(Shot("A").routed().took(master=2.0), Shot("B").routed()))
    assert "master 1 not measured 1 2.00 2" in shown
    assert "route 2 not measured 0 –" in shown


def test_money_is_shown_only_where_rates_are_set() -> None:
    day = day_of_shots(returned("A", took=timedelta(minutes=30)), Shot("B").delivered().took(edit=10.0))
    assert "No rates are set, so no money is shown." in page(day)
    assert money_of(report(day)) is None
    money = money_of(report(day, config=RATES))
    assert money is not None
    assert (money.machine, money.per_image) == pytest.approx((0.01, 0.01))
    assert (money.people, money.per_edit) == pytest.approx((12.0, 12.0))
    assert "12.00 EUR" in page(day, config=RATES)


def test_money_for_what_nobody_measured_is_not_known() -> None:
    money = money_of(report(day_of_shots(Shot("A").delivered()), config=RATES))
    assert money is not None
    assert (money.machine, money.people) == (None, None)
    assert "not known; not known per image" in page(day_of_shots(), config=RATES)


def test_names_from_outside_stay_text() -> None:
    shot = Shot("A").routed("complex: <script>alert(1)</script>").goes(S.FAILED, why="<img src=x>")
    raw = daily_page(report(day_of_shots(shot, returned("B", by="<b>Ada</b>")))).decode()
    assert "<script" not in raw
    assert "<img" not in raw


def test_the_trend_has_a_chart_for_every_question_that_has_figures() -> None:
    days = [
        figures_of([Shot("A").delivered().took(edit=4.0).record], DAY, received=RECEIVED),
        figures_of([], day_before(), received={}),
    ]
    made = report_of(days, last=DAY.date, length=2, config=DailyConfig(), zone="UTC")
    raw = daily_page(made).decode()
    assert raw.count("<svg") == 5
    assert raw.count("No figures in these days.") == 3
    assert 'aria-label="Machine time per image"' in raw


def test_reviews_count_as_answers_whose_time_is_not_measured() -> None:
    reviewed = Shot("A", at=NIGHT - timedelta(hours=9)).edited(S.IN_REVIEW)
    reviewed.decided(Choice.APPROVE, S.APPROVED, after=timedelta(hours=2))
    day = figures_of([reviewed.record], DAY, received={BatchId(client="a", batch="b"): NIGHT})
    assert "reviews and sign-offs 1, time not measured" in page(day)
