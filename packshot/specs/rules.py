"""Define the rules of editing that a category, a platform or a client can set."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from packshot.specs.fields import UpscaleRatio
from packshot.types import Value


class Shadow(StrEnum):
    """What happens to the shadow that the product casts where it stands: DROP removes it, KEEP keeps it."""

    DROP = "drop"
    KEEP = "keep"


class GroupCorrection(StrEnum):
    """Which colour corrections a shoot group may get, from the least to the most. Each allows those before it too.

    Attributes:
        NONE: no correction.
        TARGET: by a colour target that was photographed with the group.
        EVEN: its light is also matched, by the backdrops, to a larger group with the same camera settings or of the
            same group in the manifest.
        NEUTRAL: its colours are also shifted until its backdrop is grey.
    """

    NONE = "none"
    TARGET = "target"
    EVEN = "even"
    NEUTRAL = "neutral"


class EditRules(Value):
    """Edit rules of a category, a platform or a client. None means that this rule is not set here.

    A rule that a client does not set is taken from the platform, then from the category, then from the defaults.

    Attributes:
        fill_ratio: the product's longest side divided by the canvas side it is parallel to.
        margin_ratio: another way to state `fill_ratio`: the margin at each end of that canvas side, as a share of its
            length. `fill_ratio` is then 1 - 2 x `margin_ratio`. Set only one of the two.
        shadow: `drop` or `keep` the natural contact shadow.
        max_upscale_ratio: the product is never enlarged more than this. 1.0: never at all.
        colour_mean_delta_e: largest allowed mean colour difference (CIEDE2000) from master to delivered file, over the
            product.
        colour_p95_delta_e: largest allowed 95th percentile of this colour difference.
        colour_reference_required: `true`: the machine approves only colours that were compared with a reference; other
            shots go to a person. A reference is a colour target in the shot's group, or what the manifest's column
            `reference` names (colour.md).
        group_correction: which colour corrections a shoot group may get. `none`: no correction. `target`: by a colour
            target in the group. `even`: its light is also matched, by the backdrops, to a larger group with the same
            camera settings or of the same group in the manifest. `neutral`: its colours are also shifted until its
            backdrop is grey; the client must promise that the backdrop is grey. Each value allows those before it. If
            platforms differ, the one that allows least counts.
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
        """Return the rules that are set here: name of a field of `ResolvedRules` -> value.

        Rules that are None are absent. `margin_ratio` comes back as the `fill_ratio` that follows from it.
        """
        said = {name: value for name, value in self if value is not None}
        if "margin_ratio" in said:
            said["fill_ratio"] = round(1 - 2 * said.pop("margin_ratio"), 6)
        return said


class ResolvedRules(Value):
    """The edit rules for one platform after all layers are merged. Each field means what it means in `EditRules`.

    The layers are: defaults, category, platform, client. A later one wins. ``configs/defaults.yaml`` states every
    field.
    """

    fill_ratio: Annotated[float, Field(gt=0, le=1)]
    shadow: Shadow
    max_upscale_ratio: UpscaleRatio
    colour_mean_delta_e: Annotated[float, Field(gt=0)]
    colour_p95_delta_e: Annotated[float, Field(gt=0)]
    colour_reference_required: bool
    group_correction: GroupCorrection = GroupCorrection.EVEN
