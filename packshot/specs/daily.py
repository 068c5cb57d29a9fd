"""Define ``configs/daily.yaml``: when a day starts in the daily report, and what work costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from packshot.types import Value

Rate = Annotated[float, Field(gt=0)]


class DailyConfig(Value):
    """Settings of the daily report.

    Attributes:
        begins_hour: hour at which a day starts, in the time zone of the nightly run. If the hour is later than the
            nightly run, the run counts to the day before.
        currency: currency of the costs, for example EUR. Required if one of the costs is stated.
        machine_hour_cost: cost of one hour in which the machine works on one shot. Without it no costs of the machine
            are shown.
        person_hour_cost: cost of one hour of an editor. Without it no costs of people are shown.
    """

    begins_hour: Annotated[int, Field(ge=0, le=23)] = 6
    currency: str = ""
    machine_hour_cost: Rate | None = None
    person_hour_cost: Rate | None = None

    @model_validator(mode="after")
    def _money_has_a_currency(self) -> DailyConfig:
        if (self.machine_hour_cost or self.person_hour_cost) and not self.currency:
            raise ValueError("costs need a currency, such as currency: EUR")
        return self
