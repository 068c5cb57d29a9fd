"""Define types of numbers and texts that the models of several config files use."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from packshot.errors import NamingError
from packshot.name_templates import signs_refused, template_fields
from packshot.specs.nearest import did_you_mean

Ratio = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(gt=0)]
Quality = Annotated[int, Field(ge=1, le=100)]
Bytes = Annotated[int, Field(gt=0)]
UpscaleRatio = Annotated[float, Field(ge=1, le=2)]

FACTS = ("sku", "asin", "isbn", "ean", "upc", "gtin", "view", "category", "shoot_group")
"""Facts that a client's file name pattern may read from a file name; isbn, ean and upc are kinds of GTIN."""

NAMING_FIELDS = ("product_id", "asin", "gtin", "gtin14", "sku", "view", "category", "shot", "client", "batch")
"""Fields of naming templates. `product_id` is the ASIN, else the GTIN; `gtin14` is the GTIN with 14 digits."""


def _checked_template(template: str) -> str:
    """Return a naming template if it is valid and all its fields exist; else raise ValueError."""
    try:
        unknown = [field for field in template_fields(template) if field not in NAMING_FIELDS]
    except NamingError as error:
        raise ValueError(f"{error.what}: text and {{fields}} in lower case") from error
    if unknown:
        meant = did_you_mean(unknown[0], NAMING_FIELDS)
        raise ValueError(f"one of the fields {', '.join(NAMING_FIELDS)}; not {', '.join(unknown)}{meant}")
    signs = signs_refused(template)
    if signs:
        raise ValueError(f"letters, digits, '.', '_' and '-' beside the fields: no platform takes {signs!r}")
    return template


NamingTemplate = Annotated[str, Field(min_length=1), AfterValidator(_checked_template)]
