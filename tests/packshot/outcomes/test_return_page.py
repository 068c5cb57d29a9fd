"""The page on the return rate says what the report says, and nothing it does not."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser

import pytest

from packshot.outcomes.effect import Effect, Interval
from packshot.outcomes.orders import Problem
from packshot.outcomes.return_page import headline, return_page
from packshot.outcomes.return_report import Group, ReturnReport, Week
from packshot.specs.returns import ReturnsConfig

CHANGE = Interval(value=-0.21, low=-0.34, high=-0.05)
FOUND = Effect(
    change=CHANGE,
    before=Interval(value=0.081, low=0.07, high=0.09),
    after=Interval(value=0.064, low=0.05, high=0.07),
    controls_change=Interval(value=0.02, low=-0.03, high=0.07),
    significant=True,
    products=60,
    controls=240,
    lines=12_345,
    returns=900,
)
LITTLE = Effect(insufficient="insufficient data: 3 returns, 30 are needed")


def report(overall: Effect = FOUND, **changes: object) -> ReturnReport:
    made = ReturnReport(
        first_day=dt.date(2026, 1, 1),
        last_day=dt.date(2026, 10, 27),
        order_lines=60_000,
        golive_products=61,
        unknown=(),
        config=ReturnsConfig(),
        overall=overall,
        pictured=None,
        groups=(),
        weeks=tuple(Week(week=week, products=0.08, controls=0.07) for week in range(-4, 4)),
        problems=(),
    )
    return made.model_copy(update=changes)


def page(overall: Effect = FOUND, **changes: object) -> str:
    return return_page(report(overall, **changes)).decode()


class _Tags(HTMLParser):
    """Checks that every element is closed, and gathers what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{name}={value}" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{name}={value}" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_fall_is_said_in_one_sentence_with_its_interval() -> None:
    said = "The return rate fell: −21% (−34% to −5%) against 240 control products."
    assert headline(FOUND) == said
    assert said in page()


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (LITTLE, "Insufficient data: 3 returns, 30 are needed."),
        (FOUND.model_copy(update={"significant": False}), "No change can be shown: −21%"),
        (FOUND.model_copy(update={"change": Interval(value=0.3, low=0.1, high=0.5)}), "The return rate rose: +30%"),
    ],
)
def test_what_is_not_known_or_worse_is_said_as_plainly(effect: Effect, said: str) -> None:
    assert headline(effect).startswith(said)
    assert said in page(effect)


@pytest.mark.parametrize("effect", [FOUND, LITTLE])
def test_the_page_is_whole_and_fetches_nothing(effect: Effect) -> None:
    tags = _Tags()
    tags.feed(page(effect, groups=(Group(kind="client", name="acme", effect=effect),)))
    assert tags.open == []
    assert tags.fetched == []


def test_names_from_outside_stay_text() -> None:
    name = "<script>alert(1)</script>"
    problem = Problem(file=name, what="no date", rows=2)
    shown = page(groups=(Group(kind="client", name=name, effect=FOUND),), problems=(problem,), unknown=(name,))
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 3


def test_the_interval_is_drawn_between_its_ends() -> None:
    (left, width) = re.findall(r'<i style="left:([\d.]+)%;width:([\d.]+)%"></i>', page())[0]
    assert (float(left), float(left) + float(width)) == pytest.approx((50 - 17, 50 - 2.5))


def test_a_change_beyond_the_bar_is_cut_off_at_its_end() -> None:
    wide = FOUND.model_copy(update={"change": Interval(value=1.5, low=-0.5, high=4.0)})
    (left, width) = re.findall(r'<i style="left:([\d.]+)%;width:([\d.]+)%"></i>', page(wide))[0]
    assert (float(left), float(width)) == (25, 75)


def test_weeks_are_a_chart_with_the_new_pictures_marked() -> None:
    shown = page()
    assert shown.count("<polyline") == 2
    assert shown.count('stroke-dasharray="4 4"') == 1


def test_without_a_week_s_figure_there_is_no_chart() -> None:
    assert "<svg" not in page(weeks=(Week(week=0, products=None, controls=None),))


def test_a_warning_stands_above_the_figures() -> None:
    shown = page(FOUND.model_copy(update={"warnings": ("the rate had just risen",)}))
    assert shown.index("the rate had just risen") < shown.index("of order lines came back")


def test_rates_below_a_tenth_have_two_digits() -> None:
    assert "8.10%" in page()
    assert "12.3%" in page(FOUND.model_copy(update={"before": Interval(value=0.1234, low=0.1, high=0.2)}))
