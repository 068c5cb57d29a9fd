"""Define ``configs/returns.yaml``: the settings of the report on the return rate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from packshot.sheets.dates import DateOrder
from packshot.sheets.numbers import DecimalSign
from packshot.types import Value

Count = Annotated[int, Field(ge=1)]
Days = Annotated[int, Field(ge=1, le=730)]


class TableLimits(Value):
    """Limits for all tables of one report together. Larger tables are refused before they are decoded.

    Attributes:
        max_rows: rows of orders and returns. A Parquet file is refused too if its footer states more than 4 rows for
            each byte of the file.
        max_cells: rows times the columns that are read.
        max_decoded_bytes: size of those columns in memory; for a CSV file its length.
    """

    max_rows: Count = 20_000_000
    max_cells: Count = 120_000_000
    max_decoded_bytes: Count = 2_000_000_000


class Writing(Value):
    """How a shop writes its tables, where a column's own values leave it open.

    Attributes:
        date_order: `dmy` for 31/12/2026, `mdy` for 12/31/2026, `ymd` for 26-12-31. Without it a column that leaves the
            order open is an error.
        decimal_sign: `point` or `comma`. Without it a column of values such as 1.000 is an error.
    """

    date_order: DateOrder | None = None
    decimal_sign: DecimalSign | None = None


class ReturnsConfig(Value):
    """Settings of the report on the return rate.

    Attributes:
        return_days: days within which a customer may return something. Younger orders and later returns are not used.
        window_days: length of the periods that are compared, before and after new pictures went live.
        controls: number of products without new pictures with which each product with new pictures is compared.
        confidence: confidence of every interval, such as 0.95 for 95 %.
        least_returns, least_products: below these the report gives no figure but says "insufficient data".
        most_lost_ratio: from this share of rows that cannot be used, or of returns whose order is missing, no figure is
            given.
        image_reasons: a return is attributed to the picture if its reason contains one of these texts anywhere, in
            capitals or small letters. Default: none, so no return is attributed to the picture.
        tables: limits for all tables of one report together.
    """

    return_days: Days = 30
    window_days: Days = 90
    controls: Annotated[int, Field(ge=1, le=50)] = 5
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    least_returns: Annotated[int, Field(ge=1)] = 30
    least_products: Annotated[int, Field(ge=2)] = 5
    most_lost_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.05
    image_reasons: tuple[str, ...] = ()
    tables: TableLimits = TableLimits()
