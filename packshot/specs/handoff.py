"""``configs/handoff.yaml``: what people are promised and asked for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from packshot.types import Value

Hours = Annotated[float, Field(gt=0, le=24 * 365)]
ViewName = Annotated[str, Field(pattern=r"^[A-Z0-9]+$")]


class Tier(StrEnum):
    """How much handwork a shot asks for, as the trade counts it."""

    BASIC = "basic"
    MEDIUM = "medium"
    COMPLEX = "complex"
    SUPER_COMPLEX = "super_complex"


class LateDeliveries(Value):
    """When shots go out that are approved after their batch did. Whatever comes first counts.

    Attributes:
        every_hours: at the hours of the clock (UTC) that it divides a day into.
        count: as soon as so many wait; 1: each at once.
        on_close: neither of these: they wait until somebody closes the batch.
    """

    every_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 1
    count: Annotated[int, Field(ge=1)] = 50
    on_close: bool = False


class HandoffConfig(Value):
    """What people are promised and asked for.

    Attributes:
        edit_hours: from the moment a shot waits for an editor until its work is due, by tier; day and night.
        review_hours, signoff_hours, hold_hours: the same for a reviewer, a senior editor, the client.
        soon_hours: so long before it is due somebody is told.
        link_hours: how long a ticket's links work; storage allows seven days at most.
        settle_s: a returned file counts as complete once nobody has written to it for so long.
        late_deliveries: when shots go out that are approved after their batch did.
        seniors: who may sign off; empty: anybody who did not edit the shot.
        ghost_mannequin_views: the views that need the neck joint.
        neck_view, reference_view: the views that show a garment's inside, and a product's true colour.
        path_name: name of the path in returned files that counts; empty: the one that is marked as clipping path.
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
    """What one client is promised instead, and asks for; None leaves it to ``configs/handoff.yaml``.

    Attributes:
        late_deliveries: all of it; what is left out of it is as Packshot comes with it.
        ghost_mannequin: whether garments get the neck joint although no manifest says so.
        seniors: who may sign off this client's shots.
        path_name: name of the path that counts in this client's returned files.
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
    """Return what holds for a client: its own word, and the general one where it says nothing."""
    said = {name: value for name, value in client if value and name not in ("ghost_mannequin", "edit_hours")}
    hours = {**general.edit_hours, **client.edit_hours}
    return general.model_copy(update={**said, "edit_hours": hours})
