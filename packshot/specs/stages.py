"""Limits of the stages: ``configs/ingest.yaml``, ``routing.yaml``, ``qc.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from packshot.specs.fields import Bytes, Pixels, Ratio
from packshot.types import Value


class GroupLimits(Value):
    """When shots count as taken under one light, and when a group may be corrected.

    Attributes:
        same_light_delta_e: backdrops of one light differ by no more than this (delta E 2000).
        uneven_stops: from this on, light that falls off otherwise than in the rest of the group is a finding.
        least_shots: fewer shots never make a light of their own, and are never evened.
        even_from_delta_e: below this two lights count as alike, and nothing is changed.
        even_up_to_delta_e: beyond this it is another backdrop, not another light, and nothing is changed.
        neutral_up_to_chroma: a backdrop more colourful than this is never brought to grey.
        target: which colour target the studio has.
        target_mean_delta_e, target_p95_delta_e: a correction that leaves more on held-out patches is refused.
    """

    same_light_delta_e: Annotated[float, Field(gt=0)] = 4.0
    uneven_stops: Annotated[float, Field(gt=0)] = 0.5
    least_shots: Annotated[int, Field(ge=2)] = 3
    even_from_delta_e: Annotated[float, Field(gt=0)] = 0.7
    even_up_to_delta_e: Annotated[float, Field(gt=0)] = 10.0
    neutral_up_to_chroma: Annotated[float, Field(gt=0)] = 8.0
    target: str = "colorchecker_classic_since_2014"
    target_mean_delta_e: Annotated[float, Field(gt=0)] = 3.5
    target_p95_delta_e: Annotated[float, Field(gt=0)] = 7.0

    @field_validator("target")
    @classmethod
    def _target_is_known(cls, target: str) -> str:
        if target not in TARGETS:
            raise ValueError(f"one of {', '.join(TARGETS)}")
        return target


TARGETS = ("colorchecker_classic_since_2014", "colorchecker_classic_before_2014")
"""Colour targets whose published values are known; X-Rite changed its pigments in November 2014."""


class WithoutProfile(StrEnum):
    """What becomes of a picture whose colours nothing states."""

    ASSUME = "assume"
    REFUSE = "refuse"


class ProfilePolicy(Value):
    """What becomes of pictures whose colours are not certain. What is assumed is a finding.

    Attributes:
        missing: no profile and nothing that stands for one: sRGB is assumed, or the picture is refused.
        broken: a profile that cannot be believed: as if it were missing, or the picture is refused.
        cmyk_missing: inks without a usable profile: mixed by a plain formula, or the picture is refused.
    """

    missing: WithoutProfile = WithoutProfile.ASSUME
    broken: WithoutProfile = WithoutProfile.ASSUME
    cmyk_missing: WithoutProfile = WithoutProfile.ASSUME


class ApartLimits(Value):
    """What opening one file may take; the process that opens it is killed beyond.

    Attributes:
        memory_bytes: beyond what the process needs when it is idle.
        deadline_s: by the clock.
        processor_s: processor time, over all cores.
    """

    memory_bytes: Annotated[int, Field(ge=500_000_000)] = 6_000_000_000
    deadline_s: Annotated[int, Field(gt=0)] = 300
    processor_s: Annotated[int, Field(gt=0)] = 120


class IngestConfig(Value):
    """``configs/ingest.yaml``: what is accepted.

    Attributes:
        min_px: least longest side of a photograph.
        max_bytes, max_pixels, max_side_px, max_frames: beyond these a file is refused before it is decoded.
        max_decoded_bytes: pixels times channels times bytes of each; beyond, as above.
        max_scanned_pixels: pixels times scans of a progressive JPEG; beyond, as above.
        group_gap_s: a longer pause between two photographs begins a new shoot group.
        groups: what makes shots one group, and what may be corrected.
        profiles: what becomes of pictures whose colours are not certain.
        apart: what opening one file may take.
    """

    min_px: Pixels = 1000
    max_bytes: Bytes = 1_000_000_000
    max_pixels: Pixels = 250_000_000
    max_side_px: int = Field(32_000, ge=1, le=32_000)  # OpenCV numbers pixels with 16 bits
    max_frames: Pixels = 32
    max_decoded_bytes: Bytes = 1_000_000_000
    max_scanned_pixels: Bytes = 1_000_000_000
    group_gap_s: Annotated[int, Field(gt=0)] = 1800
    groups: GroupLimits = GroupLimits()
    profiles: ProfilePolicy = ProfilePolicy()
    apart: ApartLimits = ApartLimits()


class Feature(StrEnum):
    """What is measured on a master before any cut-out. Every figure is in 0..1 and grows with the difficulty."""

    EDGE_DENSITY = "edge_density"
    THIN_STRUCTURE = "thin_structure"
    HOLE_DENSITY = "hole_density"
    SEE_THROUGH = "see_through"
    TEXTURE = "texture"
    OUTLINE_COMPLEXITY = "outline_complexity"
    FUZZY_OUTLINE = "fuzzy_outline"
    BACKDROP_ROUGHNESS = "backdrop_roughness"
    TOUCHES_FRAME = "touches_frame"
    OBJECTS = "objects"
    COLOUR_MATCH = "colour_match"
    LOW_CONTRAST = "low_contrast"
    WEAK_OUTLINE = "weak_outline"
    PALE_INSIDE = "pale_inside"
    SPECULAR = "specular"
    SHADOW = "shadow"
    STRAY_DETAIL = "stray_detail"
    BACKDROP_NOISE = "backdrop_noise"
    HOLLOW = "hollow"
    SAME_HUE = "same_hue"
    THREADS = "threads"
    GAP_AREA = "gap_area"
    BACKDROP_CHROMA = "backdrop_chroma"
    BACKDROP_DARKNESS = "backdrop_darkness"


class ColourMatch(Value):
    """From which `colour_match` the risk that product and backdrop run together counts as medium or high."""

    medium: Ratio
    high: Ratio

    @model_validator(mode="after")
    def _medium_is_below_high(self) -> ColourMatch:
        if self.medium > self.high:
            raise ValueError(f"medium not above high; found {self.medium} above {self.high}")
        return self


Share = Annotated[float, Field(gt=0, lt=1)]


class Promise(Value):
    """How often the machine may be wrong: at most this share, with this confidence."""

    ratio: Share = 0.02
    confidence: Share = 0.95


class AuditConfig(Value):
    """Which of the shots that would be approved unseen a person looks at all the same, without knowing.

    Attributes:
        ratio: share of them; None of it is needed for shots that people see anyway.
        first_ratio: share of them while nothing was audited yet. It falls to `ratio` in step with the verdicts, until
            there are as many as the promise needs at the least.
        by_category, by_client: other shares for some; the greatest that applies counts.
        window_days: how far back audits count for the measured escape rate.
    """

    ratio: Ratio = 0.05
    first_ratio: Ratio = 0.0
    by_category: Mapping[str, Ratio] = {}
    by_client: Mapping[str, Ratio] = {}
    window_days: Annotated[int, Field(gt=0)] = 90

    def ratio_for(self, *, client: str, category: str, heard: float = 1.0) -> float:
        """Return the share that is audited of a client's shots of a category.

        Args:
            heard: verdicts of audits so far, over those that the promise needs at the least; above 1 as 1.
        """
        early = self.ratio + (self.first_ratio - self.ratio) * (1 - min(1.0, heard))
        return max(self.ratio, early, self.by_category.get(category, 0.0), self.by_client.get(client, 0.0))


class Unproven(StrEnum):
    """What drawn and rendered scenes say nothing about: goods nobody named, on a visible floor, pale on pale."""

    UNNAMED = "unnamed"
    ON_FLOOR = "on_floor"
    PALE_ON_PALE = "pale_on_pale"


class PictureConfig(Value):
    """What is made of a photograph's looks, where neither the client nor a word says what it shows.

    Attributes:
        people_from: from this probability of a category that a rule sends to people, people edit it.
        tag_from: from this probability of a category the record names it.
    """

    people_from: Ratio = 0.2
    tag_from: Ratio = 0.5


class RoutingConfig(Value):
    """``configs/routing.yaml``: limits of the measured features; `model` names a trained model, None: rules only.

    Attributes:
        model: ``serving``: the one in storage that serves, else the one that comes with Packshot.
        route: at most this share of what goes to the machine may be refused by whoever looks at it.
        approve: at most this share of what is approved unseen may be refused.
        real_only: kinds of shots that are approved unseen only by the evidence of real photographs that people judged.
        picture: what is made of a photograph's looks; None: nothing looks at it.
        medium, complex: by feature, the figure from which a shot counts as medium or complex.
        colour_match: limits of the colour-match risk.
    """

    model: Literal["serving"] | None = None
    route: Promise = Promise(ratio=0.1)
    approve: Promise = Promise()
    audit: AuditConfig = AuditConfig()
    real_only: tuple[Unproven, ...] = ()
    picture: PictureConfig | None = None
    medium: Mapping[Feature, Ratio]
    complex: Mapping[Feature, Ratio]
    colour_match: ColourMatch

    @model_validator(mode="after")
    def _medium_is_below_complex(self) -> RoutingConfig:
        for feature in self.medium.keys() & self.complex.keys():
            if self.medium[feature] > self.complex[feature]:
                raise ValueError(f"{feature}: a medium limit not above the complex one")
        return self


class RuleLimits(Value):
    """Where a measured figure begins to cost points and where it has cost them all.

    Attributes:
        weight: share of the component's points that this rule can take.
        good: at or on the good side of this, nothing is taken.
        bad: at or beyond this, all of it is taken; between, linearly.
        gate: whether `bad` also forbids auto-approval.
        redo: beyond this the edit is done again whatever the score; None: never for this rule alone.
    """

    weight: Ratio
    good: float
    bad: float
    gate: bool = False
    redo: float | None = None


class QcConfig(Value):
    """``configs/qc.yaml``: weights of the four components, thresholds, limits of each rule."""

    background_points: Annotated[int, Field(ge=0)] = 25
    edge_points: Annotated[int, Field(ge=0)] = 25
    fill_points: Annotated[int, Field(ge=0)] = 25
    colour_points: Annotated[int, Field(ge=0)] = 25
    approve_at: Annotated[float, Field(ge=0, le=100)] = 90
    review_at: Annotated[float, Field(ge=0, le=100)] = 70
    ring_floor: Mapping[str, Annotated[int, Field(ge=0, le=255)]]
    """Least channel value allowed inside the codec's ringing distance, by ``jpeg-444``, ``jpeg-420``, ``webp``."""
    ring_distance_px: Mapping[str, int]
    """Distance from the product beyond which every decoded pixel must be exactly white, by the same keys."""
    rules: Mapping[str, RuleLimits]

    @model_validator(mode="after")
    def _points_make_a_hundred(self) -> QcConfig:
        total = self.background_points + self.edge_points + self.fill_points + self.colour_points
        if total != 100:
            raise ValueError(f"the four components must add up to 100 points, found {total}")
        if self.review_at > self.approve_at:
            raise ValueError(f"review_at {self.review_at} is above approve_at {self.approve_at}")
        if set(self.ring_floor) != set(self.ring_distance_px):
            raise ValueError("ring_floor and ring_distance_px must name the same codecs")
        return self
