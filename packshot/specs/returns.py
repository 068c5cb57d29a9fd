"""``configs/returns.yaml``: how the change in the return rate is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from packshot.types import Value

Count = Annotated[int, Field(ge=1)]
Days = Annotated[int, Field(ge=1, le=730)]


class TableLimits(Value):
    """What the tables of one report may hold together; beyond, they are refused before they are decoded.

    Attributes:
        max_cells: rows times the columns that are read.
        max_decoded_bytes: of those columns as they are in memory; of a CSV file its length.
    """

    max_rows: Count = 20_000_000
    max_cells: Count = 120_000_000
    max_decoded_bytes: Count = 2_000_000_000


class ReturnsConfig(Value):
    """How the change in the return rate is told.

    Attributes:
        return_days: how long a customer may return something; orders younger than that are not looked at.
        window_days: so long before and after new pictures went live orders are compared.
        controls: control products for each product with new pictures.
        confidence: of every interval.
        least_returns, least_products: below these there is no figure, only "insufficient data".
        image_reasons: a return is the picture's doing where its reason holds one of these words.
        tables: what the tables of one report may hold together.
    """

    return_days: Days = 30
    window_days: Days = 90
    controls: Annotated[int, Field(ge=1, le=50)] = 5
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    least_returns: Annotated[int, Field(ge=1)] = 30
    least_products: Annotated[int, Field(ge=2)] = 5
    image_reasons: tuple[str, ...] = ()
    tables: TableLimits = TableLimits()
