"""Find the regions inside a matte where the photograph has nearly the backdrop's colour, and measure each region.

A matte says how much of each pixel is product. A region may be backdrop that was left in it by mistake, or a part of
the product; `left_backdrop` decides that by the measurements. The input is the photograph around the product, with its
matte and its predicted backdrop. The photograph was reduced before, so that the product's longest side is at most 1200
px. Distances are in pixels of this reduced picture, and colours in levels (0..255).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import greatest_channel, greatest_difference, mean_channel
from packshot.qc.around import Around
from packshot.types import Box, FloatImage, Mask, Matte


class _Near(NamedTuple):
    """How near the backdrop's colour a pixel is: limits of its mean difference, of its tint, and of any channel."""

    darkest: float
    brightest: float
    tint: float
    any_channel: float
    steepest: float = np.inf


_FAMILIES = (
    _Near(-9, 9, 9, 9),
    _Near(-25, 25, 25, 25),
    _Near(-45, 45, 45, 45),
    _Near(-80, 80, 60, 80),
    _Near(-60, 16, 7, 70, 5),
    _Near(-110, 25, 14, 130, 5),
)
"""A gap is searched for by several limits, because shade and bounced light change it. The last two families end at
edges (a gradient in levels per pixel), so that a part of the product in nearly the same colour does not join a gap."""
_LEAST_PX, _MOST = 12, 250
"""Smaller regions are ignored, and so are all but the largest ones of a family."""
_LEAST_NOISE = 0.5
_PRODUCT_LEVELS, _PRODUCT_NOISES = 24.0, 6.0
_STEEP, _STEEPER = 8.0, 15.0
_WINDOWS_PX = (31, 91)
_RING_PX, _BESIDE_PX = 9, 5
_NEAR_PX = (3.0, 48.0)
_BINS, _BIN_LEVELS = 32, 8

Column = NDArray[np.float64]
"""(regions,)."""


@dataclasses.dataclass(frozen=True)
class Regions:
    """Regions of the matte with nearly the backdrop's colour, and measurements of each. `near_backdrop` makes it.

    Attributes:
        boxes: one box per region, in pixels of the photograph.
        area: (regions,) float64: number of pixels of each region, in the reduced picture around the product.
        figures: measurements of the regions, each (regions,) float64, by name, for example "thick". A random forest
            judges by them whether a region is backdrop.
        places: flat indices, into the picture around the product, of the pixels of all regions. A pixel may be in
            several regions.
        region: for each entry of `places`, the index of its region.
    """

    boxes: tuple[Box, ...]
    area: Column
    figures: Mapping[str, Column]
    places: NDArray[np.intp]
    region: NDArray[np.intp]

    @cached_property
    def pixels(self) -> tuple[NDArray[np.intp], ...]:
        """The pixels of each region: flat indices into the picture around the product, in the order of `boxes`.

        All regions together are sorted once, however many are asked for.
        """
        order = np.argsort(self.region, kind="stable")
        ends = np.searchsorted(self.region[order], np.arange(1, len(self.boxes)))
        return tuple(np.split(self.places[order], ends))

    def mean(self, picture: NDArray[Any]) -> Column:
        """Return the mean of a picture over each region, (regions,) float64, in the order of `boxes`.

        Args:
            picture: (rows, columns), of the size of the picture around the product.
        """
        total = np.bincount(self.region, weights=picture.ravel()[self.places], minlength=len(self.boxes))
        return np.asarray(total / self.area, np.float64)


def near_backdrop(around: Around, noise: float) -> Regions | None:
    """Return the regions of the matte with nearly the backdrop's colour, measured; None if there are none.

    Regions smaller than 12 px are left out. A place may be in several regions, found by different limits of colour.

    Args:
        around: the photograph around the product, reduced, with its matte and its predicted backdrop.
        noise: the backdrop's noise, in levels (0..255).
    """
    if not around.kept.any():
        return None
    maps = _Maps(around, max(noise, _LEAST_NOISE))
    found = [part for near in _FAMILIES if (part := _family(near, maps)) is not None]
    if not found:
        return None
    stats = np.concatenate([part.stats for part in found])
    boxes = tuple(around.box(left, top, left + width, top + height) for left, top, width, height, _ in stats.tolist())
    figures = {name: np.concatenate([part.figures[name] for part in found]) for name in found[0].figures}
    firsts = np.cumsum([0, *(len(part.stats) for part in found)])
    region = np.concatenate([part.region + first for part, first in zip(found, firsts, strict=False)])
    places = np.concatenate([part.places for part in found])
    return Regions(boxes, stats[:, cv2.CC_STAT_AREA].astype(np.float64), figures, places, region)


class _Family(NamedTuple):
    """Regions within one family's limits: their rows of OpenCV's statistics, their measurements, and their pixels."""

    stats: NDArray[np.int32]
    figures: dict[str, Column]
    places: NDArray[np.intp]
    region: NDArray[np.intp]


class _Maps:
    """Pictures that the measurements are read from, each (rows, columns) float32 and computed once."""

    def __init__(self, around: Around, noise: float) -> None:
        self.kept, self.noise = around.kept, noise
        self.even = np.asarray(cv2.GaussianBlur(around.levels, (0, 0), 0.7), np.float32)
        off = np.asarray(cv2.subtract(self.even, around.backdrop), np.float32)
        self.bright = mean_channel(off)
        self.tint = greatest_channel(np.abs(off - self.bright[..., None]))
        self.unlike = greatest_difference(self.even, around.backdrop)
        across, down = cv2.Sobel(around.levels, cv2.CV_32F, 1, 0), cv2.Sobel(around.levels, cv2.CV_32F, 0, 1)
        self.slope = greatest_channel(np.asarray(cv2.magnitude(across, down) / np.float32(8), np.float32))
        self.steepest = np.asarray(cv2.dilate(self.slope, np.ones((3, 3), np.uint8)), np.float32)
        grey = mean_channel(around.levels)
        self.texture = np.asarray(cv2.blur(np.abs(grey - cv2.blur(grey, (3, 3))), (3, 3)), np.float32)
        product = self.kept.view(np.uint8)
        self.depth = np.asarray(cv2.distanceTransform(product, cv2.DIST_L2, 5), np.float32)
        away = cv2.distanceTransform(1 - product, cv2.DIST_L2, 5)
        self.beside = np.asarray((away > _NEAR_PX[0]) & (away < _NEAR_PX[1]))

    @cached_property
    def windows(self) -> dict[str, Matte]:
        """How much of the window around each pixel is clearly product, or lies outside the matte: name -> shares, 0..1.

        The name is ``product_`` or ``outside_`` and the window's side in pixels.
        """
        clear = self.kept & (self.unlike > max(_PRODUCT_LEVELS, _PRODUCT_NOISES * self.noise))
        shares = {}
        for side in _WINDOWS_PX:
            shares[f"product_{side}"] = np.asarray(cv2.blur(clear.astype(np.float32), (side, side)), np.float32)
            shares[f"outside_{side}"] = np.asarray(cv2.blur((~self.kept).astype(np.float32), (side, side)), np.float32)
        return shares

    @cached_property
    def product_colours(self) -> FloatImage:
        """How often each colour occurs in the product without its rim: (bins, bins, bins) float32."""
        return self._histogram(self.kept & (self.depth > 2))

    @cached_property
    def backdrop_colours(self) -> FloatImage:
        """How often each colour occurs in the backdrop beside the product: (bins, bins, bins) float32."""
        return self._histogram(self.beside)

    def _histogram(self, where: Mask) -> FloatImage:
        """Return how many pixels have each colour or one next to it, (bins, bins, bins)."""
        places = np.clip(self.even[where] / _BIN_LEVELS, 0, _BINS - 1).astype(np.int64)
        index = (places[:, 0] * _BINS + places[:, 1]) * _BINS + places[:, 2]
        counts = np.bincount(index, minlength=_BINS**3).astype(np.float32).reshape(_BINS, _BINS, _BINS)
        for axis in range(3):
            padded = np.pad(counts, [(1, 1) if one == axis else (0, 0) for one in range(3)])
            before, own, after = (np.take(padded, range(first, first + _BINS), axis=axis) for first in range(3))
            counts = before + own + after
        return np.asarray(counts, np.float32)


def _family(near: _Near, maps: _Maps) -> _Family | None:
    """Return the regions of one family, the largest ones only; None if there are none."""
    more = 2 * (maps.noise - _LEAST_NOISE)
    found = maps.kept & (maps.bright > near.darkest - more) & (maps.bright < near.brightest + more)
    found &= (maps.tint < near.tint + more) & (maps.unlike < near.any_channel + more)
    if np.isfinite(near.steepest):
        found &= maps.slope < max(near.steepest, near.steepest / 2 * maps.noise)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found.view(np.uint8), connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    chosen = 1 + np.argsort(-areas, kind="stable")[: min(_MOST, int(np.count_nonzero(areas >= _LEAST_PX)))]
    if not chosen.size:
        return None
    renamed = np.zeros(count, np.int32)
    renamed[chosen] = np.arange(1, len(chosen) + 1)
    of_region = _OfRegion(renamed[labels], len(chosen))
    figures = {**_own_figures(of_region, maps), **_ring_figures(of_region, maps)}
    return _Family(np.asarray(stats[chosen], np.int32), figures, of_region.places, of_region.region)


class _OfRegion:
    """Sums over each region and over the ring around it.

    Attributes:
        places: flat index of each pixel of a region; `region` its region, from 0.
        ring: flat index of each pixel in a ring; `ring_region` the region it lies around.
    """

    def __init__(self, labels: NDArray[np.int32], count: int) -> None:
        self.count, self.mask = count, labels > 0
        flat = labels.ravel()
        places = np.flatnonzero(flat)
        order = np.argsort(flat[places].astype(np.uint8), kind="stable")  # a radix sort: `_MOST` fits in 8 bits
        self.places = places[order]
        self.region = flat[self.places].astype(np.intp) - 1
        self._starts = np.searchsorted(self.region, np.arange(count))
        self.area = np.bincount(self.region, minlength=count).astype(np.float64)
        named = labels.astype(np.float32)
        grown, beside = (cv2.dilate(named, np.ones((side, side), np.uint8)).ravel() for side in (_RING_PX, _BESIDE_PX))
        self.ring = np.flatnonzero((grown > 0) & (flat == 0))
        self.ring_region = grown[self.ring].astype(np.int64) - 1
        self.apart = beside[self.ring] == 0  # not right beside a region, where its colour and the next one mix

    def mean(self, picture: NDArray[Any]) -> Column:
        total = np.bincount(self.region, weights=picture.ravel()[self.places], minlength=self.count)
        return np.asarray(total / self.area, np.float64)

    def least(self, picture: NDArray[Any]) -> Column:
        return np.minimum.reduceat(picture.ravel()[self.places], self._starts).astype(np.float64)

    def most(self, picture: NDArray[Any]) -> Column:
        return np.maximum.reduceat(picture.ravel()[self.places], self._starts).astype(np.float64)

    def ring_count(self, where: Mask) -> Column:
        return np.bincount(self.ring_region[where], minlength=self.count).astype(np.float64)

    def ring_mean(self, values: NDArray[Any], where: Mask) -> Column:
        """Return the mean of some values over the ring around each region: (regions,); -1 for a ring without values.

        Args:
            values: one value for each pixel of the rings, in the order of `ring`.
            where: True for the pixels that count.
        """
        total = np.bincount(self.ring_region[where], weights=values[where], minlength=self.count)
        count = self.ring_count(where)
        return np.where(count > 0, total / np.maximum(count, 1), -1.0)


def _own_figures(of_region: _OfRegion, maps: _Maps) -> dict[str, Column]:
    """Return measurements of the regions themselves: size, place, colour, texture, and who else has their colour."""
    mean, area = of_region.mean, of_region.area
    product = max(1, int(np.count_nonzero(maps.kept & (maps.depth > 2))))
    ground = max(1, int(np.count_nonzero(maps.beside)))
    plain = max(0.2, float(np.median(maps.texture[maps.beside]))) if maps.beside.any() else 1.0
    thick = of_region.most(cv2.distanceTransform(of_region.mask.view(np.uint8), cv2.DIST_L2, 5))
    bright = mean(maps.bright)
    spread = np.sqrt(np.maximum(mean(maps.bright.astype(np.float64) ** 2) - bright**2, 0))
    bins = np.clip(np.stack([mean(maps.even[..., channel]) for channel in range(3)]) / _BIN_LEVELS, 0, _BINS - 1)
    red, green, blue = bins.astype(np.int64)
    elsewhere = np.maximum(maps.product_colours[red, green, blue] - area, 0)
    unlike = mean(maps.unlike)
    return {
        "area": np.log10(area),
        "area_share": np.log10(area / product),
        "thick": thick,
        "long": area / thick**2,
        "bright": bright,
        "bright_spread": spread,
        "tint": mean(maps.tint),
        "unlike": unlike,
        "unlike_least": of_region.least(maps.unlike),
        "unlike_noises": unlike / maps.noise,
        "slope": mean(maps.slope),
        "texture": mean(maps.texture) / plain,
        "depth_least": of_region.least(maps.depth),
        "depth_mean": mean(maps.depth),
        "depth_share": of_region.most(maps.depth) / max(1.0, float(maps.depth.max())),
        "elsewhere": np.log10(elsewhere / product + 1e-5),
        "elsewhere_own": np.log10((elsewhere + 1) / area),
        "in_backdrop": np.log10(maps.backdrop_colours[red, green, blue] / ground + 1e-5),
        **{name: mean(share) for name, share in maps.windows.items()},
    }


def _ring_figures(of_region: _OfRegion, maps: _Maps) -> dict[str, Column]:
    """Return the measurements of the rings around the regions, apart for the ring's share in the product and outside
    it.
    """
    ring = of_region.ring
    inside = maps.kept.ravel()[ring]
    outside, everywhere = ~inside, np.ones(len(ring), bool)
    steepest, unlike = maps.steepest.ravel()[ring], maps.unlike.ravel()[ring]
    own = np.stack([of_region.mean(maps.even[..., channel]) for channel in range(3)], axis=1)
    contrast = np.abs(maps.even.reshape(-1, 3)[ring] - own[of_region.ring_region]).max(axis=1, initial=0)
    edge = steepest > max(_STEEP, 3 * maps.noise)
    strong_edge = steepest > max(_STEEPER, 3 * maps.noise)
    apart = of_region.apart
    return {
        "open": of_region.ring_count(outside) / np.maximum(of_region.ring_count(everywhere), 1),
        "inside_slope": of_region.ring_mean(steepest, inside),
        "inside_edge": of_region.ring_mean(strong_edge, inside),
        "inside_contrast": of_region.ring_mean(contrast, inside & apart),
        "inside_unlike": of_region.ring_mean(unlike, inside & apart),
        "outside_slope": of_region.ring_mean(steepest, outside),
        "outside_edge": of_region.ring_mean(edge, outside),
        "outside_contrast": of_region.ring_mean(contrast, outside & apart),
    }
