"""Every rule that a platform's config states: a file that breaks this rule alone fails `packshot check` by its name.

A key that is added to a config without such a file fails the test.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
import tifffile
import yaml
from PIL import Image

from packshot.colour.spaces import srgb_profile, working_profile
from packshot.export.check import check_file
from packshot.export.codecs import EncoderSettings, settings_of, write
from packshot.export.labels import Labels
from packshot.specs.load import default_folder
from packshot.specs.models import AcceptedFormat, Background, Format, Platform, Profile, Rule
from packshot.types import Status
from tests.configs import shipped_configs
from tests.packshot.formats.test_psd import psd

CONFIGS = shipped_configs()
PLATFORMS = {name: one for name, one in CONFIGS.platforms.items() if one.enabled}
FILL = 0.86
"""Within what every platform accepts."""
LEAST_PX = 500
"""On a smaller canvas a codec's ringing widens the product by several per cent."""
FACTS = {"product_id": "B0PACK0101", "gtin": "4006381333931", "gtin14": "04006381333931", "sku": "A1"}
PLACE = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,31.2N"/></rdf:RDF></x:xmpmeta>'
)
JPEG = EncoderSettings(format=Format.JPEG, quality=92)


class File(NamedTuple):
    """A finished picture.

    Attributes:
        on: the day whose rules count.
    """

    data: bytes
    name: str
    on: datetime.date | None = None


def named(platform: Platform, extension: str, *, view: str = "") -> str:
    shown = view or {"amazon_secondary": "PT01"}.get(platform.name, "MAIN")
    return platform.naming.format(**FACTS, view=shown) + f".{extension}"


@cache
def grain(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(1).integers(40, 120, (rows, columns, 3), np.uint8)


def drawn(
    platform: Platform, *, longest: int = 0, fill: float = FILL, backdrop: int = 255, plain: bool = False
) -> np.ndarray:
    """A product of grain in the middle of a canvas of the least size."""
    longest, aspect = longest or max(platform.canvas.min_px, LEAST_PX), platform.canvas.width_over_height or 1.0
    width, height = (longest, round(longest / aspect)) if aspect > 1 else (round(longest * aspect), longest)
    pixels = np.full((height, width, 3), backdrop, np.uint8)
    rows, columns = round(height * fill), round(width * 0.5 * fill)
    top, left = (height - rows) // 2, (width - columns) // 2
    pixels[top : top + rows, left : left + columns] = 80 if plain else grain(rows, columns)
    return pixels


def saved(platform: Platform, pixels: np.ndarray, *, dpi: int | None = None, adobe: bool | None = None) -> File:
    """The picture as it is delivered to a platform, as a JPEG where it accepts one."""
    is_jpeg = Format.JPEG in platform.delivered_formats
    settings = JPEG if is_jpeg else settings_of(platform.encoding)
    deep = settings.bit_depth == 16
    in_adobe = platform.profile is Profile.ADOBE_RGB if adobe is None else adobe
    icc = working_profile() if in_adobe else srgb_profile()
    values = pixels.astype(np.uint16) * 257 if deep else pixels
    data = write(values, settings, icc=icc, dpi=dpi or platform.canvas.dpi, labels=Labels())
    return File(data, named(platform, "jpg" if is_jpeg else "tif"))


def in_another_format(platform: Platform) -> File:
    """A format that the platform does not accept, all else as it should be."""
    accepted = set(platform.accepts or map(AcceptedFormat, platform.delivered_formats))
    pixels = drawn(platform)
    if platform.encoding.bit_depth == 16:
        values = pixels.astype(np.uint16) * 257
        settings = EncoderSettings(format=Format.PNG, bit_depth=16)
        return File(write(values, settings, icc=working_profile(), dpi=300, labels=Labels()), named(platform, "png"))
    for kind, extension in ((Format.WEBP, "webp"), (Format.PNG, "png"), (Format.TIFF, "tif")):
        if AcceptedFormat(kind) not in accepted:
            settings = EncoderSettings(format=kind)
            return File(
                write(pixels, settings, icc=srgb_profile(), dpi=None, labels=Labels()), named(platform, extension)
            )
    return File(psd(pixels, icc=srgb_profile()), named(platform, "psd"))


def of_another_depth(platform: Platform) -> File:
    """A grey picture; 8 bits where 16 are asked for."""
    if platform.encoding.bit_depth == 16:
        settings = settings_of(platform.encoding.model_copy(update={"bit_depth": 8}))
        data = write(drawn(platform), settings, icc=working_profile(), dpi=300, labels=Labels())
        return File(data, named(platform, "tif"))
    return by_pillow(platform, drawn(platform)[..., 0])


def by_pillow(platform: Platform, pixels: np.ndarray, **options: Any) -> File:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=92, icc_profile=srgb_profile(), **options)
    return File(stream.getvalue(), named(platform, "jpg"))


def with_exif(platform: Platform, *, orientation: int = 1, place: bool = False) -> File:
    if platform.encoding.format is Format.TIFF:
        stream = io.BytesIO()
        tifffile.imwrite(
            stream,
            drawn(platform).astype(np.uint16) * 257,
            photometric="rgb",
            iccprofile=working_profile(),
            resolution=(300, 300),
            resolutionunit="INCH",
            metadata=None,
            extratags=[(274, 3, 1, orientation, True), *([(700, 1, len(PLACE), PLACE, True)] if place else [])],
        )
        return File(stream.getvalue(), named(platform, "tif"))
    block = Image.Exif()
    block[274] = orientation
    if place:
        block.get_ifd(34853)[1], block.get_ifd(34853)[2] = "N", (52.0, 31.0, 12.0)
    return by_pillow(platform, drawn(platform), exif=block)


def too_long(platform: Platform) -> File:
    """A JPEG with comments as long as the limit."""
    file = saved(platform, drawn(platform))
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    return file._replace(data=file.data[:2] + comment * ((platform.max_bytes or 0) // len(comment) + 1) + file.data[2:])


def with_patch(platform: Platform) -> File:
    """A patch in the background that is nearly white, away from product and border."""
    pixels = drawn(platform)
    side = min(pixels.shape[:2]) // 10
    pixels[side : 2 * side, side : 2 * side] = 250
    return saved(platform, pixels)


def on_grey(platform: Platform) -> File:
    grey = 180 if platform.background is Background.WHITE_OR_LIGHT_GREY else 240
    return saved(platform, drawn(platform, backdrop=grey))


def framed(platform: Platform) -> File:
    pixels = drawn(platform)
    pixels[:2] = pixels[-2:] = pixels[:, :2] = pixels[:, -2:] = 0
    return saved(platform, pixels)


def at_the_edge(platform: Platform) -> File:
    return saved(
        platform, np.roll(drawn(platform), -(len(drawn(platform)) - round(len(drawn(platform)) * FILL)) // 2, 0)
    )


def wider(platform: Platform) -> File:
    pixels = drawn(platform)
    return saved(platform, np.pad(pixels, ((0, 0), (3, 3), (0, 0)), constant_values=255))


def larger_than_allowed(platform: Platform) -> File:
    longest = (platform.canvas.max_px or 0) + 1
    return saved(platform, drawn(platform, longest=longest, plain=longest > 3000))


def later(platform: Platform) -> File:
    change = platform.canvas.later
    assert change is not None
    return saved(platform, drawn(platform, longest=change.min_px - 1))._replace(on=change.since)


class Break(NamedTuple):
    """How a rule is broken.

    Attributes:
        code: of the finding that fails.
        along: what cannot but fail with it.
        warns: it warns where no marketplace refuses for it.
    """

    code: str
    file: Callable[[Platform], File]
    along: frozenset[str] = frozenset()
    warns: bool = False


def filled(platform: Platform, fill: float) -> File:
    return saved(platform, drawn(platform, fill=fill))


def called(platform: Platform, stem: str) -> File:
    file = saved(platform, drawn(platform))
    return file._replace(name=f"{stem}.{file.name.rpartition('.')[2]}")


def blank(platform: Platform) -> File:
    return saved(platform, np.full_like(drawn(platform), 255))


def small(platform: Platform) -> File:
    return saved(platform, drawn(platform, longest=platform.canvas.min_px - 1))


STATED: Mapping[str, Break] = {
    "accepts": Break("file_format", in_another_format),
    "encoding.format": Break("file_format", in_another_format),
    "encoding.bit_depth": Break("file_bit_depth", of_another_depth),
    "profile": Break("file_profile", lambda one: saved(one, drawn(one), adobe=one.profile is not Profile.ADOBE_RGB)),
    "canvas.aspect": Break("canvas_aspect", wider),
    "canvas.min_px": Break("resolution_too_low", small),
    "canvas.max_px": Break("canvas_too_large", larger_than_allowed),
    "canvas.dpi": Break("file_dpi", lambda one: saved(one, drawn(one), dpi=72)),
    "canvas.recommended_px": Break("below_recommended_size", lambda one: saved(one, drawn(one)), warns=True),
    "canvas.later.min_px": Break("resolution_too_low", later),
    "background": Break("non_white_background", with_patch),
    "fill.least_ratio": Break(
        "product_too_small", lambda one: saved(one, drawn(one, fill=one.fill.least_ratio - 0.08))
    ),
    "fill.most_ratio": Break("product_too_large", lambda one: saved(one, drawn(one, fill=one.fill.most_ratio + 0.03))),
    "fill.least_px": Break(
        "product_too_few_pixels", lambda one: filled(one, ((one.fill.least_px or 0) - 10) / one.canvas.min_px)
    ),
    "max_bytes": Break("file_bytes", too_long),
    "min_bytes": Break("file_bytes", lambda one: saved(one, drawn(one, plain=True))),
    "naming": Break("file_name", lambda one: called(one, "a picture"), warns=True),
    "views": Break("file_name", lambda one: called(one, one.naming.format(**FACTS, view="XY99")), warns=True),
}
"""Key of a platform's config -> how its rule is broken."""
ALWAYS: Mapping[str, Break] = {
    "file_unreadable": Break("file_unreadable", lambda one: _cut(saved(one, drawn(one)))),
    "file_extension": Break("file_extension", lambda one: saved(one, drawn(one))._replace(name=named(one, "gif"))),
    "file_orientation": Break("file_orientation", lambda one: with_exif(one, orientation=3)),
    "file_location": Break("file_location", lambda one: with_exif(one, place=True)),
    "empty_subject": Break("empty_subject", blank, frozenset({"file_bytes"})),
    "cropped_product": Break("cropped_product", at_the_edge),
}
OF_A_FRAME = frozenset({"non_white_background", "perimeter_sample", "cropped_product", "product_too_large"})
ON_WHITE: Mapping[str, Break] = {
    "frame_at_border": Break("frame_at_border", framed, OF_A_FRAME),
    "perimeter_sample": Break("perimeter_sample", on_grey, frozenset({"non_white_background", "frame_at_border"})),
}
NO_RULE_OF_A_FILE = frozenset(
    {
        *(
            "title",
            "enabled",
            "refused_by_marketplace",
            "source",
            "checked",
            "authority",
            "notes",
        ),  # about the platform
        *("encoding.quality", "encoding.quality_floor", "encoding.chroma", "encoding.compression"),  # how we encode
        *("fallback.format", "fallback.quality", "fallback.quality_floor", "fallback.chroma"),
        *("rules.fill_ratio", "rules.shadow", "rules.max_upscale_ratio"),
        "canvas.later.since",
    }
)
"""Keys about the platform itself, and about how we encode and edit for it."""


def _cut(file: File) -> File:
    return file._replace(data=file.data[: len(file.data) // 2])


def stated(platform: Platform) -> Iterator[str]:
    """Yield the keys of a platform's config that hold a value, with those that are always stated by default."""
    text = (default_folder() / "platforms" / f"{platform.name}.yaml").read_text(encoding="utf-8")
    yield from _leaves(yaml.safe_load(text), "")
    if platform.encoding.bit_depth == 8:
        yield "encoding.bit_depth"


def _leaves(part: Any, path: str) -> Iterator[str]:
    if not isinstance(part, dict):
        yield path
        return
    for key, value in part.items():
        yield from _leaves(value, f"{path}.{key}" if path else key)


def breaks(platform: Platform) -> dict[str, Break]:
    """Every rule of a platform that a file can break. Where any background is welcome, none of its rules fails."""
    white = platform.background is not Background.ANY
    keys = [key for key in dict.fromkeys(stated(platform)) if key not in NO_RULE_OF_A_FILE]
    found = {key: STATED[key] for key in keys if white or key != "background"}
    return found | dict(ALWAYS) | (dict(ON_WHITE) if white else {})


def statuses(file: File, platform: Platform) -> dict[str, Status]:
    """Code -> status of each finding that is neither passed nor skipped."""
    findings = check_file(file.data, platform=platform, qc=CONFIGS.qc, name=file.name, on=file.on)
    return {one.code: one.status for one in findings if one.status in (Status.FAILED, Status.WARNING)}


def expected(one: Break, platform: Platform) -> Status:
    refused = one.code in {rule.value for rule in platform.refused_by_marketplace}
    return Status.WARNING if one.warns and not refused else Status.FAILED


def require_broken(key: str, one: Break, platform: Platform) -> None:
    found = statuses(one.file(platform), platform)
    assert found.get(one.code) is expected(one, platform), (key, found)
    failed = {code for code, status in found.items() if status is Status.FAILED}
    assert failed <= {one.code, *one.along}, (key, found)


def smaller(platform: Platform) -> Platform:
    """The platform with a greatest size that is drawn quickly."""
    if platform.canvas.max_px is None:
        return platform
    least = platform.canvas.later.min_px if platform.canvas.later else platform.canvas.min_px
    canvas = platform.canvas.model_copy(update={"max_px": least + 20})
    return platform.model_copy(update={"canvas": canvas})


@pytest.mark.parametrize("name", sorted(CONFIGS.platforms))
def test_every_key_of_a_platform_is_a_rule_with_a_file_that_breaks_it_or_none_of_a_file(name: str) -> None:
    unknown = set(stated(CONFIGS.platforms[name])) - set(STATED) - NO_RULE_OF_A_FILE
    assert not unknown, f"{unknown}: make a file that breaks the rule, in STATED"


def test_every_code_a_marketplace_refuses_for_is_broken_by_a_file() -> None:
    broken = {one.code for table in (STATED, ALWAYS, ON_WHITE) for one in table.values()}
    assert {rule.value for rule in Rule} <= broken


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_a_file_that_breaks_no_rule_fails_nowhere(name: str) -> None:
    platform = smaller(PLATFORMS[name])
    found = statuses(saved(platform, drawn(platform)), platform)
    assert Status.FAILED not in found.values(), found
    if platform.background is Background.ANY:
        assert Status.FAILED not in statuses(saved(platform, drawn(platform, backdrop=150)), platform).values()


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_a_file_that_breaks_one_rule_fails_by_its_name(name: str) -> None:
    platform = smaller(PLATFORMS[name])
    for key, one in breaks(platform).items():
        require_broken(key, one, platform)


@pytest.mark.slow  # as the test above, with the true greatest size: up to a hundred megapixels
@pytest.mark.parametrize("name", sorted(name for name, one in PLATFORMS.items() if one.canvas.max_px))
def test_a_picture_that_is_too_large_fails_by_name(name: str) -> None:
    require_broken("canvas.max_px", STATED["canvas.max_px"], PLATFORMS[name])
