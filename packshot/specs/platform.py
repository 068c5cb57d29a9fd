"""Define ``configs/platforms/<name>.yaml``: which files a platform, such as a marketplace, accepts."""

from __future__ import annotations

import datetime
import fnmatch
import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from packshot.specs.fields import Bytes, NamingTemplate, Pixels, Quality, Ratio
from packshot.specs.rules import EditRules, Shadow
from packshot.types import Value


class Format(StrEnum):
    """File formats in which pictures can be delivered: JPEG, WebP, PNG and TIFF."""

    JPEG = "jpeg"
    WEBP = "webp"
    PNG = "png"
    TIFF = "tiff"

    @property
    def extension(self) -> str:
        """The ending of a file in this format, without the dot: ``jpg``, ``webp``, ``png`` or ``tif``."""
        return {"jpeg": "jpg", "webp": "webp", "png": "png", "tiff": "tif"}[self.value]


class AcceptedFormat(StrEnum):
    """File formats that a marketplace may accept: those of `Format`, and GIF and BMP, which Packshot never delivers."""

    JPEG = "jpeg"
    WEBP = "webp"
    PNG = "png"
    TIFF = "tiff"
    GIF = "gif"
    BMP = "bmp"


class Rule(StrEnum):
    """Rules of marketplaces about a file. For breaking one, a marketplace may itself refuse the picture or hide it.

    The value is the code of the finding that says whether a file keeps the rule, such as ``file_format``. The rules are
    about the file's format, name, colour space, depth and length; the canvas's shape and size; and the product's size,
    its crop and the background.
    """

    FORMAT = "file_format"
    EXTENSION = "file_extension"
    NAME = "file_name"
    PROFILE = "file_profile"
    DEPTH = "file_bit_depth"
    BYTES = "file_bytes"
    ASPECT = "canvas_aspect"
    TOO_LARGE = "canvas_too_large"
    TOO_SMALL = "resolution_too_low"
    LITTLE_FILL = "product_too_small"
    MUCH_FILL = "product_too_large"
    FEW_PIXELS = "product_too_few_pixels"
    CROPPED = "cropped_product"
    BACKGROUND = "non_white_background"
    FRAME = "frame_at_border"


class Profile(StrEnum):
    """Colour spaces that can be delivered: sRGB, Adobe RGB, and CMYK with the inks of the client's own press."""

    SRGB = "srgb"
    ADOBE_RGB = "adobe_rgb"
    CMYK = "cmyk"


class Background(StrEnum):
    """A platform's rule for the background.

    Attributes:
        PURE_WHITE: every pixel of the background must be exactly white.
        WHITE_RECOMMENDED: white is better, but not required.
        WHITE_OR_LIGHT_GREY: white or light grey.
        ANY: no rule.
    """

    PURE_WHITE = "pure_white"
    WHITE_RECOMMENDED = "white_recommended"
    WHITE_OR_LIGHT_GREY = "white_or_light_grey"
    ANY = "any"


class Authority(StrEnum):
    """Where a platform's figures come from.

    Attributes:
        BRIEF: the studio's own brief.
        OFFICIAL: the platform's own page.
        THIRD_PARTY: somebody else's page; check before you rely on it.
        UNVERIFIED: nobody has checked them.
    """

    BRIEF = "brief"
    OFFICIAL = "official"
    THIRD_PARTY = "third_party"
    UNVERIFIED = "unverified"


class Encoding(Value):
    """How a rendition is encoded.

    Attributes:
        format: `jpeg`, `webp`, `png` or `tiff`.
        quality: 1 to 100: start of the search for a file within the byte limit. Required for `jpeg` and `webp`, not
            allowed for the others.
        quality_floor: lowest quality that the search may use. A file that is then still too large is an error. Without
            it the search never goes below `quality`.
        chroma: chroma subsampling of a JPEG: `"4:4:4"` (default) or `"4:2:0"`.
        bit_depth: 8 (default) or 16.
        compression: compression of a TIFF: `none` (default), `deflate`, `lzw` or `zstd`.
        selection: `true`: a TIFF contains the product's matte as a saved selection: an alpha channel that does not make
            it transparent.
    """

    format: Format
    quality: Quality | None = None
    quality_floor: Quality | None = None
    chroma: Literal["4:4:4", "4:2:0"] = "4:4:4"
    bit_depth: Literal[8, 16] = 8
    compression: Literal["none", "deflate", "lzw", "zstd"] = "none"
    selection: bool = False

    @model_validator(mode="after")
    def _quality_is_given_where_it_counts(self) -> Encoding:
        lossy = self.format in (Format.JPEG, Format.WEBP)
        if lossy != (self.quality is not None):
            raise ValueError(f"quality is {'required' if lossy else 'meaningless'} for {self.format}")
        if self.quality and self.quality_floor and self.quality_floor > self.quality:
            raise ValueError(f"quality_floor {self.quality_floor} is above quality {self.quality}")
        if self.selection and self.format is not Format.TIFF:
            raise ValueError(f"selection is possible in tiff only, not in {self.format}")
        return self


class LaterSize(Value):
    """A minimum size that comes into force later.

    Attributes:
        since: the first day on which it counts, for example `2027-01-31`.
        min_px: from that day, the least length of the canvas's longer side in pixels. It replaces the canvas's own
            `min_px`.
    """

    since: datetime.date
    min_px: Pixels


class Canvas(Value):
    """Size of a rendition.

    Attributes:
        aspect: `"width:height"` in quotes, such as `"1:1"`. Without it the canvas follows the product's shape, with
            even margins.
        min_px: least length of the canvas's longer side that the platform accepts.
        recommended_px: length of the longer side to aim at. Without it the photograph's full resolution is used.
        max_px: greatest length of the longer side. Without it there is no limit.
        dpi: dots per inch, written into the file; it does not change the pixels. Without it the file states none.
        later: a larger minimum that the platform has announced. Left out: it has announced none.
    """

    aspect: str | None = None
    min_px: Pixels
    recommended_px: Pixels | None = None
    max_px: Pixels | None = None
    dpi: Pixels | None = None
    later: LaterSize | None = None

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
        greatest = self.recommended_px or self.max_px or 10**9
        if self.later and not self.min_px < self.later.min_px <= greatest:
            raise ValueError(f"later.min_px above min_px and up to {greatest}, not {self.later.min_px}")
        return self

    def on(self, day: datetime.date) -> Canvas:
        """Return the canvas with the minimum size that counts on a day.

        From the day `later.since` on, `min_px` of the result is the larger value in `later`; before that day, `min_px`
        is unchanged. In both cases the result has no `later`.

        Args:
            day: the day of the delivery.
        """
        if self.later is None:
            return self
        min_px = self.later.min_px if day >= self.later.since else self.min_px
        return self.model_copy(update={"min_px": min_px, "later": None})

    @property
    def width_over_height(self) -> float | None:
        """The canvas's width divided by its height; None if the canvas follows the product's shape."""
        if self.aspect is None:
            return None
        width, height = self.aspect.split(":")
        return float(width) / float(height)


class Fill(Value):
    """Range of the share of the canvas that the product's longest side may take. The target is in the edit rules.

    Attributes:
        least_ratio: least share of the canvas side that the product's longest side may take. Default: 0.
        most_ratio: the largest share. Default: 1.
        least_px: least length of the product's longest side in pixels, without the white around it. Without it there is
            no such limit.
    """

    least_ratio: Ratio = 0.0
    most_ratio: Ratio = 1.0
    least_px: Pixels | None = None

    @model_validator(mode="after")
    def _least_is_below_most(self) -> Fill:
        if self.least_ratio > self.most_ratio:
            raise ValueError(f"least_ratio not above most_ratio; found {self.least_ratio} above {self.most_ratio}")
        return self


class Platform(Value):
    """One target of delivery: ``configs/platforms/<name>.yaml``.

    Attributes:
        title: the platform's name for people.
        enabled: `false`: nothing is delivered to it. Default: `true`.
        encoding: how the file is encoded.
        fallback: a second encoding, delivered beside the first, for shops that may not be able to read the first.
        accepts: formats that the marketplace itself accepts, as far as its source names them: `jpeg`, `webp`, `png`,
            `tiff`, `gif`, `bmp`. `packshot check` fails a file of any other. Default: the formats that are delivered.
        refused_by_marketplace: codes of the findings for which the marketplace itself refuses a picture or hides it.
            Other codes only break the studio's own rules; the marketplace would take the picture. Shown by
            `packshot check`.
        canvas: size of the picture.
        background: `pure_white`, `white_recommended`, `white_or_light_grey` or `any`. With `pure_white` every
            background pixel of the delivered file is checked.
        fill: range of the fill that the platform accepts: the share of the frame that the product takes.
        profile: `srgb` (default), `adobe_rgb` or `cmyk`. `cmyk` uses the inks of the client's press and is written as
            TIFF only; a client without `cmyk_profile` gets an error, never a guess.
        max_bytes, min_bytes: limits of the file's size. The quality is lowered until the file meets `max_bytes`. A
            limit that is left out does not exist.
        naming: template of the delivered file name without extension, such as `{product_id}.{view}`.
        views: views that it accepts, as shell patterns: `MAIN`, `"PT0[1-8]"`, `"*"` (default).
        rules: how the picture is to be edited: background, fill, colour and so on.
        source: where the figures come from.
        checked: the date they were read, for example `2026-11-23`.
        authority: who states them: `brief`, `official`, `third_party` (check before you rely on it) or `unverified`.
        notes: what else to know. Shown if somebody asks for a disabled platform.
    """

    name: str
    title: str
    enabled: bool = True
    encoding: Encoding
    fallback: Encoding | None = None
    accepts: tuple[AcceptedFormat, ...] = ()
    refused_by_marketplace: tuple[Rule, ...] = ()
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

    @model_validator(mode="after")
    def _inks_are_written_as_tiff(self) -> Platform:
        formats = [one.format for one in (self.encoding, self.fallback) if one]
        if self.profile is Profile.CMYK and formats != [Format.TIFF]:
            raise ValueError(f"format: tiff where the profile is cmyk; found {', '.join(formats)}")
        return self

    @model_validator(mode="after")
    def _what_is_delivered_is_accepted(self) -> Platform:
        accepted = {one.value for one in self.accepts}
        missing = [one for one in self.delivered_formats if accepted and one.value not in accepted]
        if missing:
            raise ValueError(f"accepts with {' and '.join(missing)}, which this platform is delivered")
        return self

    @property
    def delivered_formats(self) -> tuple[Format, ...]:
        """The formats of the files that the platform gets: of `encoding`, then of `fallback` if there is one."""
        return tuple(one.format for one in (self.encoding, self.fallback) if one)

    def on(self, day: datetime.date) -> Platform:
        """Return the platform with the minimum size that counts on a day.

        Args:
            day: the day of the delivery.
        """
        return self.model_copy(update={"canvas": self.canvas.on(day)})

    def takes(self, view: str) -> bool:
        """Return whether this platform accepts a view; case doesn't matter.

        Args:
            view: code of the view, such as ``MAIN`` or ``PT03``.
        """
        return any(fnmatch.fnmatchcase(view.upper(), pattern.upper()) for pattern in self.views)
