"""Define the limits of the stages: ``configs/ingest.yaml``, ``routing.yaml``, ``qc.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from packshot.specs.fields import Bytes, Pixels, Ratio
from packshot.types import Value


class GroupLimits(Value):
    """When shots count as photographed under the same light, and when a group may be corrected.

    Attributes:
        same_light_delta_e: backdrops under the same light differ by at most this (delta E 2000). A shot that differs
            more is a finding.
        uneven_stops: from this difference on, light that falls off differently from the rest of the group is a finding.
        least_shots: fewer shots never count as a light of their own, and their colours are not matched to those of
            other shots.
        even_from_delta_e, even_up_to_delta_e: below the first value two lights count as equal; beyond the second it is
            another backdrop, not another light. In both cases nothing is changed.
        neutral_up_to_chroma: a backdrop with more chroma (C*ab) than this is coloured paper. It is never corrected to
            grey.
        target: the studio's colour target: `colorchecker_classic_since_2014` or `colorchecker_classic_before_2014`.
            X-Rite changed its pigments in November 2014.
        target_mean_delta_e, target_p95_delta_e: a correction is refused if its errors are larger, on patches that it
            was not fitted to.
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
"""Colour targets with published values; X-Rite changed its pigments in November 2014."""


class WithoutProfile(StrEnum):
    """What happens to a picture whose colours are not certain.

    Attributes:
        ASSUME: a likely colour space is assumed, and a finding says so.
        REFUSE: the file is refused.
    """

    ASSUME = "assume"
    REFUSE = "refuse"


class ProfilePolicy(Value):
    """What happens to pictures whose colours are not certain. Each assumption is a finding.

    Attributes:
        missing: the file does not state its colour space. `assume`: it is read as sRGB.
        broken: the profile is implausible. `assume`: it is treated as missing.
        cmyk_missing: CMYK without a usable profile. `assume`: it is converted with a simple formula.
    """

    missing: WithoutProfile = WithoutProfile.ASSUME
    broken: WithoutProfile = WithoutProfile.ASSUME
    cmyk_missing: WithoutProfile = WithoutProfile.ASSUME


class ApartLimits(Value):
    """Limits for opening one file. The process that opens it is killed if it exceeds them.

    Attributes:
        memory_bytes: memory that opening one file may take beyond what the idle process uses (about 0.3 GB), in bytes.
        deadline_s: wall-clock time for one file, in seconds.
        processor_s: processor time for one file, in seconds, summed over all cores.
    """

    memory_bytes: Annotated[int, Field(ge=500_000_000)] = 6_000_000_000
    deadline_s: Annotated[int, Field(gt=0)] = 300
    processor_s: Annotated[int, Field(gt=0)] = 120


class IngestConfig(Value):
    """``configs/ingest.yaml``: which files are accepted.

    Attributes:
        min_px: minimum of a photograph's longest side. A client may ask for more.
        max_bytes, max_pixels, max_side_px, max_frames: size of the file in bytes, pixels of the picture (width times
            height), length of its longer side in pixels, and number of frames. A file that exceeds one of them is
            refused before it is decoded.
        max_decoded_bytes: pixels times channels times bytes per channel. A larger file is refused before it is decoded.
            The default allows 166 megapixels of 16-bit RGB.
        max_working_bytes: memory that work on a picture takes. It is calculated from the header: for each pixel its
            decoded bytes, and 36 bytes for working copies. A larger file is refused before it is decoded (limits.md).
        max_scanned_pixels: pixels times scans of a progressive JPEG. A larger file is refused before it is decoded.
        group_gap_s: a longer pause between two photographs starts a new shoot group.
        groups: what makes shots a group, and what may be corrected.
        profiles: what happens to pictures whose colours are not certain.
        apart: limits for opening one file.
    """

    min_px: Pixels = 1000
    max_bytes: Bytes = 1_000_000_000
    max_pixels: Pixels = 250_000_000
    max_side_px: int = Field(32_000, ge=1, le=32_000)  # OpenCV uses 16-bit coordinates
    max_frames: Pixels = 32
    max_decoded_bytes: Bytes = 1_000_000_000
    max_working_bytes: Bytes = 6_500_000_000
    max_scanned_pixels: Bytes = 1_000_000_000
    group_gap_s: Annotated[int, Field(gt=0)] = 1800
    groups: GroupLimits = GroupLimits()
    profiles: ProfilePolicy = ProfilePolicy()
    apart: ApartLimits = ApartLimits()


class Feature(StrEnum):
    """Features measured on a master before the cut-out. Each is in 0..1 and grows with the difficulty.

    Attributes:
        edge_density: share of the product's pixels that lie on a lightness edge.
        thin_structure: share of the product in parts thinner than about 2.5 % of its size: wires, straps, stems.
        hole_density: n / (n + 10) for n inner gaps.
        see_through: share of the silhouette that looks like the backdrop except for a faint structure: glass, sheer
            fabric, pale on pale.
        texture: mean local contrast inside the product, divided by 20 L*.
        outline_complexity: 1 - length of the smoothed outline / length of the outline, including gaps: spikes, lace.
        fuzzy_outline: mean distance in pixels between the outer outline and its smoothed form: hair, fur, spines.
        backdrop_roughness: share of the frame's border, as wide as the product leaves it, that a smooth backdrop does
            not explain.
        touches_frame: share of the frame's edge that the product covers.
        objects: 1 - 1 / number of separate objects.
        colour_match: share of the outline where product and backdrop are closer than delta E 12.
        low_contrast: 1 - the lower quartile of the colour difference between product and backdrop along the outline,
            divided by delta E 40.
        weak_outline: share of the outline without a lightness edge.
        pale_inside: share of the product's inside that hardly differs from the backdrop.
        specular: share of the product in colourless highlights: gloss, metal, glass.
        shadow: area of shadow / area of shadow and product together.
        stray_detail: share of a band outside the outline that differs a little from the backdrop: hairs, threads,
            veils.
        backdrop_noise: deviation of the backdrop from a smooth surface, minus delta E 0.6, divided by delta E 6.
        hollow: 1 - colour difference from the backdrop inside the product / the same at its rim: glass.
        same_hue: share of the product's inside that has the backdrop's hue: glass, chrome, white on white.
        threads: n / (n + 1), for n = length of the parts thinner than 2 % of the product's size / that size.
        gap_area: area of inner gaps / area of the product.
        backdrop_chroma: chroma of the backdrop / 60.
        backdrop_darkness: 1 - lightness of the backdrop / 100.
    """

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
    """Values of `colour_match` from which the risk of confusing product and backdrop is medium or high.

    Attributes:
        medium: share of the outline from which the risk is medium. It is recorded.
        high: share from which the risk is high. It is recorded. Without a model, a person then edits the shot.
    """

    medium: Ratio
    high: Ratio

    @model_validator(mode="after")
    def _medium_is_below_high(self) -> ColourMatch:
        if self.medium > self.high:
            raise ValueError(f"medium not above high; found {self.medium} above {self.high}")
        return self


Share = Annotated[float, Field(gt=0, lt=1)]


class Promise(Value):
    """How often the machine may be wrong when it approves a picture.

    Attributes:
        ratio: a person would refuse at most this share of the pictures.
        confidence: how sure that must be.
    """

    ratio: Share = 0.02
    confidence: Share = 0.95


class AuditConfig(Value):
    """How many of the shots that the machine would approve are audited: a person judges them without seeing the score.

    Attributes:
        ratio: of the shots that the machine would approve, this share is audited. Shots that people see anyway need no
            audit. A hash of the photograph's file decides, so a shot that is processed again gets the same answer.
        first_ratio: share while there are no verdicts yet. It falls linearly to `ratio` until there are as many
            verdicts as the promise needs at least (149 for 2 %).
        by_category: name of a category -> the share for its shots.
        by_client: name of a client -> the share for the client's shots. If several shares apply, the largest counts.
        window_days: how far back audits count for the measured escape rate: the share of audited shots that the machine
            would have approved and the person refused.
    """

    ratio: Ratio = 0.05
    first_ratio: Ratio = 0.0
    by_category: Mapping[str, Ratio] = {}
    by_client: Mapping[str, Ratio] = {}
    window_days: Annotated[int, Field(gt=0)] = 90

    def ratio_for(self, *, client: str, category: str, heard: float = 1.0) -> float:
        """Return the share, 0..1, of a client's shots of a category that is audited.

        In an audit, a person judges the edit without the score. The largest of the shares that apply counts: the
        general one, the category's and the client's.

        Args:
            client: the client's name.
            category: name of the category.
            heard: number of audit verdicts so far, divided by the number that the promise needs at least; more than 1
                counts as 1. The general share is `first_ratio` at 0 and falls evenly to `ratio` at 1.
        """
        early = self.ratio + (self.first_ratio - self.ratio) * (1 - min(1.0, heard))
        return max(self.ratio, early, self.by_category.get(category, 0.0), self.by_client.get(client, 0.0))


class Unproven(StrEnum):
    """Kinds of shots for which drawn and rendered scenes prove nothing.

    People must first judge real photographs of such shots.

    Attributes:
        UNNAMED: nobody named the product's category.
        ON_FLOOR: the product stands on a visible floor.
        PALE_ON_PALE: a pale product on a pale backdrop.
        DARK_BACKDROP: the backdrop is dark.
    """

    UNNAMED = "unnamed"
    ON_FLOOR = "on_floor"
    PALE_ON_PALE = "pale_on_pale"
    DARK_BACKDROP = "dark_backdrop"


class PictureConfig(Value):
    """How the category network is used if neither the client nor a word says what a photograph shows.

    The network estimates from the picture, for each category, the probability (0 to 1) that the product belongs to it.

    Attributes:
        people_from: if a category that a rule sends to people has at least this probability, people edit the shot.
        tag_from: if a category has at least this probability, the record names it.
    """

    people_from: Ratio = 0.2
    tag_from: Ratio = 0.5


class RoutingConfig(Value):
    """``configs/routing.yaml``: limits of the measured features, and the trained model, if one is used.

    Attributes:
        model: `serving`: the routing model that is in use, from storage; until one is promoted, the one that comes with
            Packshot (routing.md). `null`: no model, only the limits decide.
        route: the promise before the cut-out: of the machine's edits, people refuse at most this share.
        approve: the promise after the cut-out: of the shots that the machine approves, people would refuse at most this
            share.
        audit: which shots that the machine would approve are audited by people.
        real_only: kinds of shots for which drawn scenes prove nothing: `unnamed` (nobody named a category), `on_floor`
            (a visible floor, and a base that the photograph does not prove), `pale_on_pale`, `dark_backdrop`. The
            machine approves them only after people have judged enough real photographs of their kind. Until then a
            person looks at each, blindly, and each verdict counts (routing.md). A client's `approve_unproven_kinds`
            takes the risk instead.
        picture: how the category network is used if nobody says what a photograph shows, or a word names a category
            without a rule. `null`: it is not used.
        medium: name of a feature -> the value, 0..1, from which a shot counts as medium: a person edits it. One feature
            is enough. With a model these limits do not decide who edits: the model does.
        complex: name of a feature -> the value from which a shot counts as complex: a person edits it, and that takes
            long. One feature is enough, with a model too. A category's own `complexity` takes precedence over all this.
        colour_match: the values of the feature `colour_match` from which the risk of confusing product and backdrop is
            medium or high.
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
    """From which measured value a rule costs points, and where it costs all of them.

    Attributes:
        weight: share of the points of its component (background, edge, fill or colour) that this rule can cost.
        good: up to this value the rule costs nothing.
        bad: from this value on it costs everything; in between, linearly.
        gate: `true`: a picture that reaches `bad` is not approved by the machine, whatever its score.
        redo: beyond this value the edit is done again and then goes to an editor, whatever its score. Left out: never
            because of this rule alone.
    """

    weight: Ratio
    good: float
    bad: float
    gate: bool = False
    redo: float | None = None


class QcConfig(Value):
    """``configs/qc.yaml``: the points of the score's four components, and the limits of each rule of quality control.

    Attributes:
        background_points, edge_points, fill_points, colour_points: points of the four components of the score; 100 in
            all.
        approve_at: a picture with at least this score and no failed gate passes quality control.
        review_at: a picture with at least this score goes to a reviewer; below it, it is edited again.
        ring_distance_px: name of a codec (`jpeg-444`, `jpeg-420`, `webp`, `lossless`) -> distance from the product in
            pixels. Beyond it every pixel of the delivered file must be exactly white.
        ring_floor: name of a codec -> least value, 0 to 255, that a channel of the background may have within this
            distance of the product, outside the product and its shadow.
        rules: name of a rule, which is the code of its finding -> the rule's limits.
    """

    background_points: Annotated[int, Field(ge=0)] = 25
    edge_points: Annotated[int, Field(ge=0)] = 25
    fill_points: Annotated[int, Field(ge=0)] = 25
    colour_points: Annotated[int, Field(ge=0)] = 25
    approve_at: Annotated[float, Field(ge=0, le=100)] = 90
    review_at: Annotated[float, Field(ge=0, le=100)] = 70
    ring_floor: Mapping[str, Annotated[int, Field(ge=0, le=255)]]
    ring_distance_px: Mapping[str, int]
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
