"""Make the daily report: production numbers of the last complete day."""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from flows.parameters import shown
from flows.presence import present
from tasks.reports.daily import report_day

ReportDate = Annotated[
    str,
    Field(
        pattern=r"^(\d{4}-\d\d-\d\d)?$",
        json_schema_extra=shown(
            "Date", "The day to report on, for example 2026-03-01; empty means the last day that is over"
        ),
    ),
]
TrendDays = Annotated[
    int,
    Field(ge=2, le=90, json_schema_extra=shown("Days of trend", "Number of days in the charts, up to that day")),
]


@flow(name="daily-report", flow_run_name="daily report", persist_result=False)
@present
def daily_report(date: ReportDate = "", days: TrendDays = 30) -> State[Any]:
    """Count a day's production from the shots' records, and show it together with the days before.

    Without a date, the report is about the last day that is over. The charts show `days` days. The run fails if the
    date is not valid, or the day is not over yet.
    """
    return Completed(message=report_day(date=date, days=days))
