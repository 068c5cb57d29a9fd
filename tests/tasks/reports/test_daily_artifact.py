"""The daily report in Markdown: tables that are whole, text that stays text."""

from __future__ import annotations

from packshot.decision import Choice, Reason
from packshot.escaping import markdown as escaped
from packshot.outcomes.daily import figures_of, report_of
from packshot.specs.daily import DailyConfig
from tasks.reports.daily_artifact import daily_markdown
from tests.packshot.outcomes.lives import DAY, RECEIVED, S, Shot
from tests.packshot.outcomes.test_daily import HOUR, returned

RATES = DailyConfig(currency="EUR", machine_hour_cost=3.6)


def markdown(*shots: Shot, config: DailyConfig = RATES) -> str:
    day = figures_of([one.record for one in shots], DAY, received=RECEIVED)
    made = report_of([day], last=DAY.date, length=2, config=config, zone="UTC")
    return daily_markdown(made, link="https://store/page", key="reports/daily/x.html")


def tables(text: str) -> list[list[str]]:
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    bad = returned("A").decided(Choice.REJECT_WORK, S.AWAITING_EDITOR, by="Sen", reason=Reason.EDGE, after=HOUR)
    shots = (Shot("C").delivered().took(edit=2.0), bad, Shot("D").routed("medium: a | b").goes(S.FAILED, why="x | y"))
    found = tables(markdown(*shots))
    assert len(found) == 7
    for table in found:
        assert len({row.replace("\\|", "").count("|") for row in table}) == 1, table


def test_figures_and_the_link_are_there_and_what_is_not_known_is_said() -> None:
    text = markdown(Shot("C").delivered().took(edit=10.0))
    assert "[The report as a page, with the trend](https://store/page), for a week" in text
    for said in ("10.0 s, 1 measured", "not measured, 0 of 0 measured", "not known: nothing was audited", "0.0100 EUR"):
        assert escaped(said) in text, said


def test_a_day_with_nothing_has_one_table_and_no_other() -> None:
    text = markdown()
    assert escaped("Nothing was done on this day.") in text
    assert len(tables(text)) == 1
    assert "## " not in text


def test_long_tables_end_with_how_many_more_there_are() -> None:
    shots = [Shot(f"S{n}").routed(f"medium: reason {'x' * n}") for n in range(1, 15)]
    assert "2 more on the page." in markdown(*shots)
