"""What a category, a platform or a client may ask of the edit."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from packshot.specs.fields import UpscaleRatio
from packshot.types import Value


class Shadow(StrEnum):
    """What becomes of the product's contact shadow."""

    DROP = "drop"
    KEEP = "keep"


class GroupCorrection(StrEnum):
    """What a shoot group's pixels may be changed by, least first; each allows what stands before it."""

    NONE = "none"
    TARGET = "target"
    EVEN = "even"
    NEUTRAL = "neutral"


class EditRules(Value):
    """What a category, a platform or a client may ask of the edit; None leaves it to the layer below.

    Attributes:
        fill_ratio: the product's longest side over the canvas side it runs along.
        margin_ratio: the same said the other way: margin on each end of that side; `fill_ratio` = 1 - 2 margins.
        shadow: what becomes of the contact shadow.
        max_upscale_ratio: the product is never enlarged beyond this.
        colour_mean_delta_e, colour_p95_delta_e: greatest colour shift from master to delivered file.
        colour_reference_required: whether only colours that were held against a reference may be approved unseen.
        group_correction: what its shoot group may be changed by.
    """

    fill_ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    margin_ratio: Annotated[float, Field(ge=0, lt=0.5)] | None = None
    shadow: Shadow | None = None
    max_upscale_ratio: UpscaleRatio | None = None
    colour_mean_delta_e: Annotated[float, Field(gt=0)] | None = None
    colour_p95_delta_e: Annotated[float, Field(gt=0)] | None = None
    colour_reference_required: bool | None = None
    group_correction: GroupCorrection | None = None

    @model_validator(mode="after")
    def _fill_is_said_once(self) -> EditRules:
        if self.fill_ratio is not None and self.margin_ratio is not None:
            raise ValueError("fill_ratio or margin_ratio, not both: one follows from the other")
        return self

    def stated(self) -> dict[str, Any]:
        """Return what this layer says, by the names of `ResolvedRules`; what it leaves open is absent."""
        said = {name: value for name, value in self if value is not None}
        if "margin_ratio" in said:
            said["fill_ratio"] = round(1 - 2 * said.pop("margin_ratio"), 6)
        return said


class ResolvedRules(Value):
    """The edit rules after every layer has spoken; ``configs/defaults.yaml`` is the lowest layer."""

    fill_ratio: Annotated[float, Field(gt=0, le=1)]
    shadow: Shadow
    max_upscale_ratio: UpscaleRatio
    colour_mean_delta_e: Annotated[float, Field(gt=0)]
    colour_p95_delta_e: Annotated[float, Field(gt=0)]
    colour_reference_required: bool
    group_correction: GroupCorrection = GroupCorrection.EVEN
