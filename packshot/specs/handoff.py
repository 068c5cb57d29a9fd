"""Define ``configs/handoff.yaml``: when people's work is due, and the rules of their work."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from packshot.types import Value

Hours = Annotated[float, Field(gt=0, le=24 * 365)]
ViewName = Annotated[str, Field(pattern=r"^[A-Z0-9]+$")]


class Tier(StrEnum):
    """How much handwork a shot needs, in the four classes of the trade. It decides how long an editor may take.

    Attributes:
        BASIC: one outline, no other difficulty.
        MEDIUM: one difficulty, such as thin parts or gaps to look through.
        COMPLEX: one strong difficulty, or hair, transparency or a neck joint.
        SUPER_COMPLEX: two strong difficulties.
    """

    BASIC = "basic"
    MEDIUM = "medium"
    COMPLEX = "complex"
    SUPER_COMPLEX = "super_complex"


class LateDeliveries(Value):
    """When shots are delivered that are approved after their batch went out. The first condition that is met counts.

    Attributes:
        every_hours: deliver at every n-th hour of the clock (UTC): 1 (default), 2, 3, 4, 6, 8, 12 or 24. With 4: at
            00:00, 04:00, 08:00 ...
        count: deliver as soon as this many shots wait. Default: 50. With 1 each goes out at once, as a package of its
            own.
        on_close: `true`: neither hour nor number counts. Late shots wait until somebody closes the batch: `packshot
            batch close`, or **Resume** on the suspended run `late delivery`.
    """

    every_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 1
    count: Annotated[int, Field(ge=1)] = 50
    on_close: bool = False


class HandoffConfig(Value):
    """Due times for people, and the rules of their work.

    Attributes:
        edit_hours: hours until an editor's work is due, by tier: `basic`, `medium`, `complex`, `super_complex`. Nights
            and weekends count.
        review_hours: hours until a reviewer's decision is due.
        signoff_hours: hours until a senior editor's signature is due.
        hold_hours: hours until a client must have sent the file or the answer for which a shot is on hold.
        soon_hours: a notice is sent this long before the due time.
        link_hours: lifetime of a ticket's links; at most 168.
        settle_s: a returned file counts as complete if nobody has written to it for this long.
        late_deliveries: when shots go out that are approved after their batch was delivered.
        seniors: names of the people who may sign off. Case, accents and punctuation do not matter. Empty: anybody who
            did not edit the shot.
        ghost_mannequin_views: views of a garment that need the neck joint.
        neck_view: view that shows the inside of a garment's neck.
        reference_view: view that shows a product's true colour.
        path_name: name of the path to use in returned files; case does not matter. Empty: the one that is marked as
            clipping path.
    """

    edit_hours: Mapping[Tier, Hours]
    review_hours: Hours
    signoff_hours: Hours
    hold_hours: Hours
    soon_hours: Hours
    link_hours: Annotated[float, Field(gt=0, le=168)]
    settle_s: Annotated[float, Field(ge=0)]
    late_deliveries: LateDeliveries = LateDeliveries()
    seniors: tuple[str, ...] = ()
    ghost_mannequin_views: tuple[ViewName, ...] = ("MAIN",)
    neck_view: ViewName = "NECK"
    reference_view: ViewName = "SWCH"
    path_name: str = ""

    @model_validator(mode="after")
    def _every_tier_has_its_hours(self) -> HandoffConfig:
        missing = [tier.value for tier in Tier if tier not in self.edit_hours]
        if missing:
            raise ValueError(f"hours for every tier; missing {', '.join(missing)}")
        return self


class ClientHandoff(Value):
    """One client's own values. If one is None or empty, the value in ``configs/handoff.yaml`` applies.

    Attributes:
        edit_hours, review_hours, signoff_hours, hold_hours, soon_hours, link_hours: as in `handoff.yaml`. `edit_hours`
            may name only the tiers that differ.
        late_deliveries: replaces the block in `handoff.yaml` as a whole; a key that is left out has its default.
        ghost_mannequin: `true`: garments get the neck joint even if the manifest does not ask for it.
        seniors: names of the people who may sign off this client's shots.
        path_name: name of the path to use in this client's returned files; case does not matter.
    """

    edit_hours: Mapping[Tier, Hours] = Field(default_factory=dict)
    review_hours: Hours | None = None
    signoff_hours: Hours | None = None
    hold_hours: Hours | None = None
    soon_hours: Hours | None = None
    link_hours: Annotated[float, Field(gt=0, le=168)] | None = None
    late_deliveries: LateDeliveries | None = None
    ghost_mannequin: bool = False
    seniors: tuple[str, ...] = ()
    path_name: str = ""


def promised(general: HandoffConfig, client: ClientHandoff) -> HandoffConfig:
    """Return the rules of people's work that hold for a client.

    A value that the client states replaces the general one. Every other value is the general one.

    Args:
        general: the rules in ``configs/handoff.yaml``.
        client: the client's own values, from the client's style guide.
    """
    said = {name: value for name, value in client if value and name not in ("ghost_mannequin", "edit_hours")}
    hours = {**general.edit_hours, **client.edit_hours}
    return general.model_copy(update={**said, "edit_hours": hours})
