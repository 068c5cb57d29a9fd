"""``configs/daily.yaml``: when a day of the line begins, and what its work costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from packshot.types import Value

Rate = Annotated[float, Field(gt=0)]


class DailyConfig(Value):
    """How the daily report tells a day.

    Attributes:
        begins_hour: hour at which a day begins; what the night then makes of a day's uploads still belongs to it.
        currency: of the costs, such as EUR.
        machine_hour_cost: of one hour of a worker at one shot; None: no money is shown.
        person_hour_cost: of one hour of an editor; None: no money is shown.
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
