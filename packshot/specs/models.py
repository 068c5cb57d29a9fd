"""Define the contents of the files in ``configs/``: one immutable model for each kind of file.

Sizes are in pixels, files in bytes, ratios in 0..1, colour differences in delta E 2000.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from packshot.specs.daily import DailyConfig
from packshot.specs.fields import FACTS, NAMING_FIELDS, Bytes, NamingTemplate, Pixels, Quality, Ratio, UpscaleRatio
from packshot.specs.handoff import ClientHandoff, HandoffConfig, Tier
from packshot.specs.nearest import did_you_mean
from packshot.specs.networks import Model, ModelSource
from packshot.specs.platform import (
    AcceptedFormat,
    Authority,
    Background,
    Canvas,
    Encoding,
    Fill,
    Format,
    LaterSize,
    Platform,
    Profile,
    Rule,
)
from packshot.specs.returns import ReturnsConfig, Writing
from packshot.specs.rules import EditRules, GroupCorrection, ResolvedRules, Shadow
from packshot.specs.sets import ProductSets
from packshot.specs.stages import (
    ApartLimits,
    AuditConfig,
    ColourMatch,
    Feature,
    GroupLimits,
    IngestConfig,
    PictureConfig,
    ProfilePolicy,
    Promise,
    QcConfig,
    RoutingConfig,
    RuleLimits,
    Unproven,
    WithoutProfile,
)
from packshot.stored import Stored
from packshot.types import Complexity, Value

__all__ = [
    "FACTS",
    "NAMING_FIELDS",
    "AcceptedFormat",
    "ApartLimits",
    "AuditConfig",
    "Authority",
    "Background",
    "Bytes",
    "Canvas",
    "Category",
    "Client",
    "ClientHandoff",
    "ColourMatch",
    "Configs",
    "DailyConfig",
    "EditRules",
    "Encoding",
    "Feature",
    "Fill",
    "Format",
    "GroupCorrection",
    "GroupLimits",
    "HandoffConfig",
    "IngestConfig",
    "LaterSize",
    "Model",
    "ModelSource",
    "NamingTemplate",
    "PictureConfig",
    "Pixels",
    "Plan",
    "Platform",
    "PressProfile",
    "Profile",
    "ProfilePolicy",
    "Promise",
    "QcConfig",
    "Quality",
    "Ratio",
    "RenditionPlan",
    "ResolvedRules",
    "RoutingConfig",
    "Rule",
    "RuleLimits",
    "Shadow",
    "Tier",
    "UpscaleRatio",
    "WithoutProfile",
]


Partial: TypeAlias = Literal["wait", "ship"]


class Category(Value):
    """One kind of product: an entry of ``configs/categories.yaml``.

    Attributes:
        title: the category's name for people.
        complexity: a fixed rule for this kind of product: `simple` goes to the machine, `medium` and `complex` to a
            person, whatever is measured. Without it the measured features decide.
        reason: why `complexity` is fixed, in words. It is written into the record.
        synonyms: other words for it in manifests, file names and metadata, in any language. A word may belong to one
            category only.
        services: what an editor usually has to do, in the words of the ticket's services (people.md). It is written
            into the ticket. It sends no shot to people; `complexity` and a manifest's `services` do that.
        rules: edit rules of this kind of product. Rules of platforms and clients win over them.
    """

    name: str
    title: str
    complexity: Complexity | None = None
    reason: str = ""
    synonyms: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    rules: EditRules = EditRules()


class PressProfile(Value):
    """The ICC profile of a client's press. It says what colour the press's inks have on paper.

    Attributes:
        file: its file name in ``configs/profiles/``.
        icc_base64: the bytes of this file as Base64 text, so that a shot's export plan needs no other file.
    """

    file: str
    icc_base64: str

    @property
    def icc(self) -> bytes:
        """The bytes of the ICC profile."""
        return base64.b64decode(self.icc_base64)


class Client(Value):
    """A client's style guide: ``configs/clients/<name>.yaml``.

    Attributes:
        title: the client's name for people. It heads the client's reports.
        logo: file in `configs/logos/` for the head of the client's reports: PNG, JPEG or WebP, at most 100 kB.
        platforms: names of the client's platforms, in the order of export. Quality control judges the edit for each of
            them; the strictest verdict counts.
        file_name_pattern: regular expression with named groups (sku, asin, isbn, ean, upc, gtin, view, category,
            shoot_group) that reads facts from the file name without extension. If it has a group for the product, every
            shot must name its product. A shot whose file name does not fit, and whose product nothing else names, waits
            on hold, and the client is asked. Without such a group the file's name is the SKU if nothing else names one;
            a name without a letter or digit is none, and the shot waits, too.
        metadata_facts: by fact, the tags of EXIF, IPTC and XMP to read it from, before the usual tags, for example
            `shoot_group: ["xmp:job_id"]`. `packshot inspect` shows a file's tags.
        default_category, default_view: used if manifest, file name and metadata do not give one.
        min_px: minimum of a photograph's longest side; replaces the one in `ingest.yaml`. Without it that one counts.
        naming: name of a platform -> template of file names, in place of the platform's own.
        rules: edit rules on every platform.
        platform_rules: name of a platform -> edit rules on this platform; they have the highest precedence.
        partial: what happens if a shot's renditions have different verdicts. `wait` (default): the whole shot waits for
            a person. `ship`: approved renditions are delivered in the same night. The others are left out and listed
            with the reason; process the shot again to get them. Not allowed together with `all_or_nothing`.
        approve_unproven_kinds: kinds from `real_only` in `routing.yaml`, such as `on_floor`. The machine approves shots
            of these kinds although people have judged too few real photographs of them. The client takes the risk;
            report and certificate say so at each shot. Default: none; a person looks at them first.
        all_or_nothing: `true`: a shot is delivered only if each of its platforms gets its files; else it counts as
            failed, with the reason. `false` (default): the other platforms get their files. A platform without files is
            named in `batch status`, the run's message and table, `manifest.csv`, certificate, report and daily figures.
        copyright: written into every delivered file. Without it, the photograph's own notice is kept.
        source_credit: `keep` (default): the photograph's own copyright, where `copyright` is empty, and its creator are
            written into every delivered file. `remove`: they are not.
        cmyk_profile: file in `configs/profiles/` with the ICC profile of the client's press, for CMYK platforms.
        print_clipping_path: `true`: TIFFs contain a clipping path along the product's outline, exact to half a pixel.
            It is read back from the file and compared with the matte.
        sets: which views a product must have, and whether they go out together.
        handoff: the client's own due times and rules for people's work.
        tables: how the client's shop writes dates and numbers in orders and returns.
    """

    name: str
    title: str
    logo: Annotated[str, Field(pattern=r"^([A-Za-z0-9][\w .()-]*\.(png|jpg|jpeg|webp))?$")] = ""
    platforms: Annotated[tuple[str, ...], Field(min_length=1)]
    file_name_pattern: str = ""
    metadata_facts: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    default_category: str = ""
    default_view: Annotated[str, Field(pattern=r"^[A-Z0-9]+$")] = "MAIN"
    min_px: Pixels | None = None
    naming: Mapping[str, NamingTemplate] = Field(default_factory=dict)
    rules: EditRules = EditRules()
    platform_rules: Mapping[str, EditRules] = Field(default_factory=dict)
    partial: Partial = "wait"
    approve_unproven_kinds: tuple[Unproven, ...] = ()
    all_or_nothing: bool = False
    copyright: str = ""
    source_credit: Literal["keep", "remove"] = "keep"
    print_clipping_path: bool = False
    cmyk_profile: Annotated[str, Field(pattern=r"^([A-Za-z0-9][\w .()-]*\.ic[cm])?$")] = ""
    sets: ProductSets = ProductSets()
    handoff: ClientHandoff = ClientHandoff()
    tables: Writing = Writing()

    @model_validator(mode="after")
    def _ships_parts_or_none(self) -> Client:
        if self.partial == "ship" and self.all_or_nothing:
            raise ValueError("partial: wait where all_or_nothing is true; found partial: ship")
        return self

    @field_validator("file_name_pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"a regular expression; {error}") from error
        unknown = [name for name in groups if name not in FACTS]
        if unknown or (pattern and not groups):
            meant = did_you_mean(unknown[0], FACTS) if unknown else ""
            raise ValueError(f"named groups out of {', '.join(FACTS)}; found {', '.join(unknown) or 'none'}{meant}")
        return pattern

    @field_validator("metadata_facts")
    @classmethod
    def _facts_are_known(cls, tags: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        unknown = [name for name in tags if name not in FACTS]
        if unknown:
            meant = did_you_mean(unknown[0], FACTS)
            raise ValueError(f"facts out of {', '.join(FACTS)}; found {', '.join(unknown)}{meant}")
        return tags

    def rules_for(self, platform: str) -> EditRules:
        """Return the client's edit rules for one platform.

        A rule that `platform_rules` sets for the platform takes precedence over the same rule in `rules`. A rule that
        neither of them sets is None: rules of the platform itself, of categories and defaults are not in the result.

        Args:
            platform: the platform's name.
        """
        special = self.platform_rules.get(platform, EditRules()).stated()
        return EditRules(**{**self.rules.stated(), **special})


class Configs(Value):
    """Everything in ``configs/``, as `packshot.specs.load.load_configs` reads it.

    Attributes:
        platforms, clients: name of the platform or client -> content of its file.
        categories, models: name of the category or segmentation model -> its entry in `categories.yaml` or
            `models.yaml`.
        defaults: edit rules with the lowest precedence, from `defaults.yaml`.
        qc, routing, ingest, handoff, returns, daily: the contents of the files of these names.
        press_profiles: file name in `configs/profiles/`, such as `fogra39.icc` -> the ICC profile in this file. It has
            the files that a client's `cmyk_profile` names, and no others; empty if no client names one.
        broken_clients: name of a client whose own file is wrong -> one text that lists every problem with file, line
            and field. Such a client is not in `clients`, and its shots are not processed.
    """

    platforms: Mapping[str, Platform]
    categories: Mapping[str, Category]
    defaults: ResolvedRules
    qc: QcConfig
    routing: RoutingConfig
    ingest: IngestConfig
    models: Mapping[str, Model]
    handoff: HandoffConfig
    returns: ReturnsConfig = ReturnsConfig()
    daily: DailyConfig = DailyConfig()
    clients: Mapping[str, Client]
    press_profiles: Mapping[str, PressProfile] = Field(default_factory=dict)
    broken_clients: Mapping[str, str] = Field(default_factory=dict)

    def on(self, day: datetime.date) -> Configs:
        """Return the configs as they count on a day: each platform has the minimum size that is in force on that day.

        Args:
            day: the day of the delivery.
        """
        platforms = {name: platform.on(day) for name, platform in self.platforms.items()}
        return self.model_copy(update={"platforms": platforms})


class RenditionPlan(Value):
    """All settings of one rendition: one shot's file for one platform.

    Attributes:
        platform: where it goes, with the platform's requirements.
        rules: how it is edited.
        naming: template of its file name without extension, such as `{product_id}.{view}`.
        press: profile of the client's press, if the platform is in CMYK; otherwise None.
    """

    platform: Platform
    rules: ResolvedRules
    naming: str
    press: PressProfile | None = None


class Plan(Stored):
    """All settings of one shot, resolved from the configs. Its fingerprint is in every record.

    Attributes:
        client: the client's name.
        style_guide: the client file that was used: ``default`` if the client has none.
        category: None if it is unknown.
        view: code of the view, such as ``MAIN``.
        rules: the edit rules of the first rendition, because one edit serves all renditions.
        renditions: one for each platform that accepts this view; quality control judges each of them.
        left_out: name of a platform that was asked for by name and doesn't accept this view -> why it gets nothing, in
            a sentence. A platform that only the style guide names is not listed.
        ingest, routing, qc: the contents of the config files of these names, with the client's own minimum size.
        services: services that the manifest asks for, in its own words. People do them, except those that the machine's
            edit includes.
        partial: `ship`: approved renditions are delivered before those that a person has to look at. `wait`: the whole
            shot waits.
        approve_unproven_kinds: kinds of shots that the client has approved without proof by real photographs.
        all_or_nothing: True if no file of the shot is delivered when one platform gets nothing.
        copyright: the client's notice for delivered files; empty if there is none.
        source_credit: `keep` if delivered files have the photograph's own copyright and creator, otherwise `remove`.
        print_clipping_path: True if TIFFs contain a clipping path.
    """

    client: str
    style_guide: str = ""
    category: Category | None
    view: str
    rules: ResolvedRules
    renditions: tuple[RenditionPlan, ...]
    left_out: Mapping[str, str] = Field(default_factory=dict)
    ingest: IngestConfig
    routing: RoutingConfig
    qc: QcConfig
    services: tuple[str, ...] = ()
    partial: Partial = "wait"
    approve_unproven_kinds: tuple[Unproven, ...] = ()
    all_or_nothing: bool = False
    copyright: str = ""
    source_credit: Literal["keep", "remove"] = "keep"
    print_clipping_path: bool = False

    @property
    def fingerprint(self) -> str:
        """The first 16 hex digits of the SHA-256 of the plan's canonical JSON.

        Only fields that the plan states are hashed. `resolve` states every field. So a stored plan keeps its
        fingerprint when a later version adds a config field.
        """
        stated = self.model_dump(mode="json", exclude_unset=True, exclude={"schema_version"})
        canonical = json.dumps(stated, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]
