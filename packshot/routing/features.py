"""Measure a master before any cut-out, to decide who edits it.

Every measurement lies in 0..1 and grows with the difficulty.

They are made on reduced copies in CIE L*a*b*, with a rough silhouette of the product.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from packshot.colour.difference import lab_of
from packshot.colour.spaces import working_profile
from packshot.routing.appearance import appearance_figures
from packshot.routing.backdrop import Backdrop, Surface, backdrop_at, border_of
from packshot.routing.seen_backdrop import SeenBackdrop, see_backdrop
from packshot.routing.silhouette import Silhouette, clear_of_shadow, disk, eroded, find_silhouette, share
from packshot.types import Box, FloatImage, Pixels16, Size, Value, size_of

_Bytes = NDArray[np.uint8]
_Floats = NDArray[np.float32]

FRAME_PX = 512
"""Longest side of the copy on which the frame is measured."""
PRODUCT_PX = 768
"""Longest side of the copy on which the product's box is measured."""

Figure = Annotated[float, Field(ge=0, le=1)]

_MARGIN_RATIO = 0.08
_EDGE_SLOPE = 1.5  # L* per pixel at the measuring size
_VEIL_SLOPE = 0.1  # L* per pixel; an empty gap shows noise only, glass shows structure
_VEIL_SIGMAS = 1.5
_CLOSE_DELTA_E = 12.0
_OBJECT_RATIO = 0.05
_GAP_RATIO = 0.0004
_TEXTURE_FULL_SCALE = 20.0  # L*


class Features(Value):
    """Figures measured on a master before the cut-out, by which it is decided who edits the shot. `measure` makes them.

    Each grows with the difficulty and is in 0..1: a greater measurement counts as 1. `packshot.specs.models.Feature`
    has the same names.

    Attributes:
        edge_density: share of the product's pixels on a lightness edge.
        thin_structure: share of the product in parts thinner than about 2.5 % of its size: wires, straps, stems.
        hole_density: n / (n + 10), for n inner gaps.
        see_through: share of the silhouette that looks like the backdrop but has faint structure: glass, sheer fabric,
            pale on pale.
        outline_complexity: 1 - length of the smoothed outline / length of the outline: spikes, fringes, lace, wires.
        fuzzy_outline: mean distance in pixels between the outer outline and its smoothed form: hair, fur, spines.
        texture: mean local standard deviation of L* inside the product, divided by 20.
        backdrop_roughness: share of the frame's border that a smooth backdrop does not explain. The border is as wide
            as the product leaves it, at most 4 % of the shorter side.
        touches_frame: share of the frame's edge that is covered by the product.
        objects: 1 - 1 / number of separate objects.
        colour_match: share of the outline where product and backdrop differ by less than delta E 12.
        low_contrast: 1 - the 25th percentile of delta E between product and backdrop along the outline, divided by 40.
        weak_outline: share of the outline without a lightness edge.
        pale_inside: share of the product's inside that hardly differs from the backdrop.
        specular: share of the product in neutral highlights: gloss, metal, glass.
        shadow: area of shadow / area of shadow and product.
        stray_detail: share of a band outside the outline that differs a little from the backdrop: hairs, threads,
            veils.
        backdrop_noise: standard deviation of the backdrop around a smooth surface, minus delta E 0.6, divided by delta
            E 6.
        hollow: 1 - delta E from the backdrop in the product's centre / delta E at its rim: glass.
        same_hue: share of the product's inside with the hue of the backdrop: glass, chrome, white on white.
        threads: n / (n + 1), for n = total length of parts thinner than 2 % of the product's size / that size.
        gap_area: area of inner gaps / area of the product.
        backdrop_chroma: chroma of the backdrop, divided by 60.
        backdrop_darkness: 1 - L* of the backdrop / 100.
    """

    edge_density: Figure = 0.0
    thin_structure: Figure = 0.0
    hole_density: Figure = 0.0
    see_through: Figure = 0.0
    outline_complexity: Figure = 0.0
    fuzzy_outline: Figure = 0.0
    texture: Figure = 0.0
    backdrop_roughness: Figure = 0.0
    touches_frame: Figure = 0.0
    objects: Figure = 0.0
    colour_match: Figure = 0.0
    low_contrast: Figure = 0.0
    weak_outline: Figure = 0.0
    pale_inside: Figure = 0.0
    specular: Figure = 0.0
    shadow: Figure = 0.0
    stray_detail: Figure = 0.0
    backdrop_noise: Figure = 0.0
    hollow: Figure = 0.0
    same_hue: Figure = 0.0
    threads: Figure = 0.0
    gap_area: Figure = 0.0
    backdrop_chroma: Figure = 0.0
    backdrop_darkness: Figure = 0.0


class Frame(NamedTuple):
    """A master's whole frame, reduced, and the backdrop in it. `frame_of` makes it.

    Attributes:
        lab: (rows, columns, 3) float32, CIE L*a*b*, at most 512 px on the longest side.
        seen: the backdrop in that frame.
    """

    lab: FloatImage
    seen: SeenBackdrop


def frame_of(pixels: Pixels16) -> Frame:
    """Return a copy of the whole master, reduced to at most 512 px, with the backdrop that is seen in it.

    Args:
        pixels: the master, (rows, columns, 3) uint16, Adobe RGB.
    """
    lab = reduced_lab(pixels, side_px=FRAME_PX)
    return Frame(lab, see_backdrop(lab))


def measure(pixels: Pixels16, *, within: Frame | None = None) -> Features:
    """Return the measurements of a master by which it is decided who edits the shot, the machine or a person.

    The master is measured as a whole first, in a copy of at most 512 px. Then the part around the product is measured
    at a fixed size, so that the measurements do not depend on how much of the master the product fills. Each lies in
    0..1; values beyond become 0 or 1. If nothing differs from the backdrop, `colour_match` is 1 and the other
    measurements of the product are 0.

    Args:
        pixels: the master, (rows, columns, 3) uint16, Adobe RGB.
        within: the result of `frame_of` for the same master, if the caller has it; this saves time. None: `measure`
            calls `frame_of` itself.
    """
    frame, seen = within or frame_of(pixels)
    shape = find_silhouette(frame, seen.backdrop)
    figures = {
        "backdrop_roughness": _backdrop_roughness(seen),
        "touches_frame": _touches_frame(shape),
        "colour_match": 1.0,
    }
    if shape.box:
        window = _window(shape.box, measured=size_of(frame), frame=size_of(pixels))
        figures |= _product_figures(pixels, seen.surface, window)
    return Features(**{name: round(min(max(figure, 0.0), 1.0), 4) for name, figure in figures.items()})


def reduced_lab(pixels: Pixels16, *, side_px: int) -> FloatImage:
    """Return pixels in CIE L*a*b*, (rows, columns, 3) float32, at most `side_px` on the longest side.

    Pixels are averaged as encoded values, not in linear light. This is accurate enough for visible differences and ten
    times faster.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        side_px: greatest length of the longest side. No side gets shorter than 8 px.
    """
    size = size_of(pixels)
    scale = min(1.0, side_px / size.longest)
    wanted = (max(8, round(size.width * scale)), max(8, round(size.height * scale)))
    reduced = cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA)
    return lab_of(np.asarray(reduced, np.uint16), icc=working_profile())


def _window(box: Box, *, measured: Size, frame: Size) -> Box:
    """Return the product's box with a margin, scaled from the measuring size to pixels of the master."""
    across, down = frame.width / measured.width, frame.height / measured.height
    margin = _MARGIN_RATIO * box.size.longest + 2
    return Box(
        max(0, round((box.left - margin) * across)),
        max(0, round((box.top - margin) * down)),
        min(frame.width, round((box.right + margin) * across)),
        min(frame.height, round((box.bottom + margin) * down)),
    )


def _product_figures(pixels: Pixels16, surface: Surface, window: Box) -> dict[str, float]:
    part = pixels[window.top : window.bottom, window.left : window.right]
    lab = reduced_lab(part, side_px=PRODUCT_PX)
    backdrop = backdrop_at(surface, lab, window=window, frame=size_of(pixels))
    shape = find_silhouette(lab, backdrop)
    if not shape.area_px:
        return {}
    core = eroded(shape.filled, 2)
    outline = shape.filled - eroded(shape.filled, 1)
    nearby = np.asarray(cv2.dilate(backdrop.distance * shape.filled, disk(3)), np.float32)
    return {
        "edge_density": share(shape.slope > _EDGE_SLOPE, of=core),
        "thin_structure": _thin_structure(shape),
        "hole_density": _hole_density(shape),
        "see_through": _see_through(backdrop, shape),
        "outline_complexity": _outline_complexity(shape),
        "fuzzy_outline": _fuzzy_outline(shape, outline),
        "texture": _texture(np.ascontiguousarray(lab[..., 0]), core),
        "objects": _objects(shape),
        "colour_match": share(nearby < _CLOSE_DELTA_E, of=outline & clear_of_shadow(shape, 3)),
        **appearance_figures(lab, backdrop, shape),
    }


def _backdrop_roughness(seen: SeenBackdrop) -> float:
    off = seen.unexplained
    return float(off[border_of(size_of(off), seen.surface.border_ratio)].mean())


def _touches_frame(shape: Silhouette) -> float:
    product = shape.product
    return float(np.concatenate([product[0], product[-1], product[1:-1, 0], product[1:-1, -1]]).mean())


def _thin_structure(shape: Silhouette) -> float:
    """Return the share of the product that a morphological opening removes."""
    opened = cv2.morphologyEx(shape.product, cv2.MORPH_OPEN, disk(max(2, round(shape.size_px * 0.0125))))
    return 1 - float(opened.sum()) / float(shape.product.sum())


def _hole_density(shape: Silhouette) -> float:
    outlines, tree = cv2.findContours(shape.product, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    least_px = max(12.0, _GAP_RATIO * shape.size_px**2)
    gaps = sum(
        1
        for outline, link in zip(outlines, tree[0], strict=True)
        if link[3] >= 0 and cv2.contourArea(outline) > least_px
    )
    return gaps / (gaps + 10)


def _see_through(backdrop: Backdrop, shape: Silhouette) -> float:
    gap = eroded(shape.filled & (1 - shape.product) & (1 - shape.shadow), 1).astype(bool)
    veiled = gap & (shape.slope > _VEIL_SLOPE) & (backdrop.distance > _VEIL_SIGMAS * backdrop.sigma)
    return float(veiled.sum()) / shape.area_px


def _outline_complexity(shape: Silhouette) -> float:
    sigma = max(1.5, shape.size_px * 0.015)
    smooth = (cv2.GaussianBlur(shape.product * np.float32(1), (0, 0), sigma) > 0.5).astype(np.uint8)
    length = _outline_length(shape.product)
    return 1 - min(1.0, _outline_length(smooth) / length) if length else 0.0


def _outline_length(mask: _Bytes) -> float:
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return float(sum(cv2.arcLength(cv2.approxPolyDP(outline, 1.0, True), True) for outline in outlines))


def _fuzzy_outline(shape: Silhouette, outline: _Bytes) -> float:
    """Return the area between the outline and its smoothed form, over the outline's length."""
    smooth = cv2.GaussianBlur(shape.filled * np.float32(1), (0, 0), max(1.5, shape.size_px * 0.008)) > 0.5
    clear = clear_of_shadow(shape, 9)
    between = (smooth != shape.filled.astype(bool)) & clear.astype(bool)
    return float(between.sum()) / max(1, int((outline & clear).sum()))


def _texture(lightness: _Floats, core: _Bytes) -> float:
    mean = cv2.blur(lightness, (9, 9))
    spread = np.sqrt(np.maximum(cv2.blur(lightness * lightness, (9, 9)) - mean * mean, 0))
    inside = core.astype(bool)
    return float(spread[inside].mean()) / _TEXTURE_FULL_SCALE if inside.any() else 0.0


def _objects(shape: Silhouette) -> float:
    count, _, stats, _ = cv2.connectedComponentsWithStats(shape.filled, connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    return 1 - 1 / max(1, int((areas >= _OBJECT_RATIO * shape.area_px).sum()))
