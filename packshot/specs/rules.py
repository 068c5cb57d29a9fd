"""Edit rules that a category, a platform or a client can set."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from packshot.specs.fields import UpscaleRatio
from packshot.types import Value


class Shadow(StrEnum):
    """What happens to the product's contact shadow."""

    DROP = "drop"
    KEEP = "keep"


class GroupCorrection(StrEnum):
    """Which colour corrections a shoot group allows, from least to most; each one includes those before it."""

    NONE = "none"
    TARGET = "target"
    EVEN = "even"
    NEUTRAL = "neutral"


class EditRules(Value):
    """Edit rules of a category, a platform or a client. None means that the layer below decides.

    Attributes:
        fill_ratio: the product's longest side divided by the canvas side it is parallel to.
        margin_ratio: another way to state it: the margin at each end of that side; `fill_ratio` = 1 - 2 margins.
        shadow: what happens to the contact shadow.
        max_upscale_ratio: the product is never enlarged more than this.
        colour_mean_delta_e, colour_p95_delta_e: largest allowed colour shift from master to delivered file.
        colour_reference_required: whether the machine may approve only colours that were compared with a reference.
        group_correction: which corrections its shoot group allows.
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
        """Return the rules that this layer sets, by the names of `ResolvedRules`; others are absent."""
        said = {name: value for name, value in self if value is not None}
        if "margin_ratio" in said:
            said["fill_ratio"] = round(1 - 2 * said.pop("margin_ratio"), 6)
        return said


class ResolvedRules(Value):
    """The edit rules after all layers are merged; ``configs/defaults.yaml`` is the lowest layer."""

    fill_ratio: Annotated[float, Field(gt=0, le=1)]
    shadow: Shadow
    max_upscale_ratio: UpscaleRatio
    colour_mean_delta_e: Annotated[float, Field(gt=0)]
    colour_p95_delta_e: Annotated[float, Field(gt=0)]
    colour_reference_required: bool
    group_correction: GroupCorrection = GroupCorrection.EVEN
