"""Measure how the product's colours and its detail changed between the photograph and the canvas.

Colours and detail are measured on square patches spread over the product's interior. For colour, each patch is divided
into a coarse grid of cells, and each cell is averaged in linear light. For detail, the photograph is first scaled like
the canvas.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import mean_channel
from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import decode_working, encode_working, srgb_decode, srgb_profile, working_profile
from packshot.framing import Framed
from packshot.qc.inputs import QcInput
from packshot.threads import computed_once
from packshot.types import Box, FloatImage, Pixels8, Pixels16

PATCH_SIDES_PX = (64, 32, 16, 8)
"""Sides of a patch that are tried, in pixels of the canvas: large ones first, smaller ones for thin products."""
CELL_PX = 16
"""Side of the cells that a patch is averaged over for colour, in pixels of the canvas."""
MOST_PATCHES = 120
_INSIDE = 0.999
"""A pixel counts as interior where the matte exceeds this."""
_GRID = 8
"""Side of a JPEG block."""
_LEAST_DETAIL = 0.15
"""With less detail than this in the photograph, in 8-bit levels, a patch tells nothing about sharpness."""
_STEP_CAP = 10.0
"""Steps between neighbouring pixels are limited to this many levels, so that real edges don't dominate."""
_LEAST_PATCHES = 3
_ENOUGH_PATCHES = 40
_SRGB_LIGHT: FloatImage = srgb_decode(np.arange(256) / 255).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class ColourFigures:
    """How colour and detail of the product's interior changed from the photograph to the delivered picture.

    `measure_colour` makes it, from up to 120 square patches inside the product.

    Attributes:
        mean_delta_e, p95_delta_e: mean and 95th percentile of delta E 2000 between photograph and delivered pixels,
            over the cells of all patches.
        clipped_ratio: share of pixels with a channel that was clipped in the conversion to the delivered space, 0..1.
        sharpness_ratio: detail that is left, as a share of the photograph's detail at the same scale: the 20th
            percentile over the patches. 1 means that none was lost. It is 1 too if the photograph has no detail to
            compare.
        blockiness: how much larger steps at every eighth pixel are than other steps, as a share of the other steps,
            minus the photograph's measurement; at least 0. It is measured before the picture is framed. 0 means that no
            JPEG blocks were added.
        worst_patch: box of the patch where colour differs most, in pixels of the photograph.
        blurriest_patch: box of the patch where most detail is missing, in pixels of the photograph.
    """

    mean_delta_e: float
    p95_delta_e: float
    clipped_ratio: float
    sharpness_ratio: float
    blockiness: float
    worst_patch: Box
    blurriest_patch: Box


@dataclasses.dataclass(frozen=True)
class _Patch:
    """A square of the canvas, and the area of the photograph that it shows.

    Attributes:
        source: the whole pixels of the photograph that contain the square.
        rows, columns: (side + 1,) positions, relative to `source`, of the borders between the canvas's pixels.
        delivered, framed: the square on the canvas: as delivered (sRGB), and before the conversion (Adobe RGB).
        master, composite: `source` in the photograph and in the composite, Adobe RGB.
    """

    source: Box
    rows: NDArray[np.floating[Any]]
    columns: NDArray[np.floating[Any]]
    delivered: Pixels8
    framed: Pixels16
    master: Pixels16
    composite: Pixels16

    @property
    def side_px(self) -> int:
        return int(self.delivered.shape[0])

    @computed_once
    def wanted(self) -> FloatImage:
        """The photograph resampled to the canvas's pixels, (side, side, 3) float32, linear light.

        When reducing, it is the mean over each canvas pixel's exact area, to fractions of a pixel, because at scales
        near 1 detail depends on where the borders fall. When enlarging, it is bicubic interpolation.
        """
        linear = decode_working(np.ascontiguousarray(self.master))
        if self.columns[1] - self.columns[0] >= 1:
            across = _averaged(_averaged(linear, self.rows).transpose(1, 0, 2), self.columns)
            return np.ascontiguousarray(across.transpose(1, 0, 2))
        centres = [((edges[:-1] + edges[1:]) / 2 - 0.5).astype(np.float32) for edges in (self.columns, self.rows)]
        x, y = np.meshgrid(*centres)
        larger = cv2.remap(linear, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.clip(larger, 0, 1), np.float32)


def measure_colour(edit: QcInput) -> ColourFigures | None:
    """Return how the product's colours and detail changed in an edit, measured on patches of its interior.

    None if fewer than three patches can be compared: the product is too small or too thin, or its interior lies outside
    the photograph's frame.

    Args:
        edit: the edit on one canvas.
    """
    patches = list(_patches(edit))
    if len(patches) < _LEAST_PATCHES:
        return None
    delta_e = _delta_e(patches)
    detail = np.array([_detail_ratio(patch) for patch in patches])
    known = np.isfinite(detail)
    return ColourFigures(
        mean_delta_e=float(delta_e.mean()),
        p95_delta_e=float(np.percentile(delta_e, 95)),
        clipped_ratio=float(np.mean([_clipped(patch) for patch in patches])),
        sharpness_ratio=float(np.percentile(detail[known], 20)) if known.any() else 1.0,
        blockiness=_blockiness(patches),
        worst_patch=patches[int(np.argmax(delta_e.mean(axis=1)))].source,
        blurriest_patch=patches[int(np.nanargmin(np.where(known, detail, 9.0)))].source,
    )


def _patches(edit: QcInput) -> Iterator[_Patch]:
    """Yield at most `MOST_PATCHES` patches that lie fully inside the photograph."""
    places, side = _interior_places(edit.framed)
    chosen = places[:: max(1, -(-len(places) // MOST_PATCHES))]
    placement = edit.framed.placement
    across = placement.window.width / placement.canvas.width
    down = placement.window.height / placement.canvas.height
    rows, columns = edit.master16.shape[:2]
    for top, left in chosen:
        x = placement.window.left + (left + np.arange(side + 1)) * across
        y = placement.window.top + (top + np.arange(side + 1)) * down
        source = Box(math.floor(x[0]), math.floor(y[0]), math.ceil(x[-1]), math.ceil(y[-1]))
        if source.left < 0 or source.top < 0 or source.right > columns or source.bottom > rows or source.width < 4:
            continue
        on_canvas = (slice(top, top + side), slice(left, left + side))
        in_photo = (slice(source.top, source.bottom), slice(source.left, source.right))
        yield _Patch(
            source=source,
            rows=y - source.top,
            columns=x - source.left,
            delivered=edit.srgb8[on_canvas],
            framed=edit.framed.pixels[on_canvas],
            master=edit.master16[in_photo],
            composite=edit.composite16[in_photo],
        )


def _interior_places(framed: Framed) -> tuple[list[tuple[int, int]], int]:
    """Return (top, left) of squares that lie fully inside the product, and their side."""
    inside = (framed.matte > _INSIDE).astype(np.uint8)
    best: tuple[list[tuple[int, int]], int] = [], PATCH_SIDES_PX[0]
    for side in PATCH_SIDES_PX:
        kernel = np.ones((side, side), np.uint8)
        whole = cv2.erode(inside, kernel, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
        step = side // 2
        places = [(int(top) * step, int(left) * step) for top, left in np.argwhere(whole[::step, ::step])]
        if len(places) * side > len(best[0]) * best[1]:
            best = places, side
        if len(places) >= _ENOUGH_PATCHES:
            break
    return best


def _delta_e(patches: list[_Patch]) -> NDArray[np.float32]:
    """Return delta E 2000 of each patch's cells, (patches, cells)."""
    side = patches[0].side_px
    before = np.stack([_cells(patch.wanted, side).reshape(-1, 3) for patch in patches])
    after = np.stack([_cells(_SRGB_LIGHT[patch.delivered], side).reshape(-1, 3) for patch in patches])
    labs = lab_of(encode_working(before), icc=working_profile()), lab_of(_srgb16(after), icc=srgb_profile())
    return np.asarray(delta_e_2000(*labs), np.float32)


def _cells(linear: FloatImage, side_px: int) -> FloatImage:
    """Return a patch averaged over its cells, (cells, cells, 3) linear light."""
    cells = max(1, side_px // CELL_PX)
    return np.asarray(cv2.resize(linear, (cells, cells), interpolation=cv2.INTER_AREA), np.float32)


def _srgb16(linear: FloatImage) -> Pixels16:
    """Return linear light encoded as 16-bit sRGB (IEC 61966-2-1)."""
    value = np.clip(linear, 0, 1)
    encoded = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(encoded * 65535), np.uint16)


def _clipped(patch: _Patch) -> float:
    """Return the share of a patch's pixels that are at 0 or 255 in a channel although the framed pixel is not."""
    high = (patch.delivered == 255) & (patch.framed < 64500)
    low = (patch.delivered == 0) & (patch.framed > 1500)
    return float((high | low).any(axis=2).mean())


def _detail_ratio(patch: _Patch) -> float:
    """Return the detail of a patch divided by the photograph's; NaN where the photograph has none.

    Detail is the mean absolute Laplacian. The composite is compared at 1:1 and the canvas at its own scale; the lower
    ratio counts.
    """
    master = _detail(patch.master)
    kept = _detail(patch.composite) / master if master > _LEAST_DETAIL else float("nan")
    if np.array_equal(patch.framed, patch.composite):
        return kept
    master = _detail(encode_working(patch.wanted))
    framed = _detail(patch.framed) / master if master > _LEAST_DETAIL else float("nan")
    return float(np.fmin(kept, framed))


def _averaged(linear: FloatImage, borders: NDArray[np.floating[Any]]) -> FloatImage:
    """Return the means over the rows between borders. A border may lie within a row."""
    total = np.concatenate([np.zeros((1, *linear.shape[1:])), np.cumsum(linear, axis=0, dtype=np.float64)])
    whole = np.minimum(borders.astype(np.intp), len(linear) - 1)
    share = (borders - whole)[:, None, None]
    at_borders = total[whole] * (1 - share) + total[whole + 1] * share
    return np.asarray(np.diff(at_borders, axis=0) / np.diff(borders)[:, None, None], np.float32)


def _detail(pixels: Pixels16) -> float:
    """Return the mean absolute Laplacian of the grey picture, in 8-bit levels."""
    return float(np.abs(cv2.Laplacian(_grey(pixels), cv2.CV_32F)).mean())


def _grey(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return the mean of the channels in 8-bit levels."""
    return mean_channel(pixels.astype(np.float32)) * np.float32(255 / np.iinfo(pixels.dtype).max)


def _blockiness(patches: list[_Patch]) -> float:
    """Return how much more the JPEG grid stands out in the composite than in the photograph, at least 0."""
    untouched = all(np.array_equal(patch.master, patch.composite) for patch in patches)
    master = _grid_excess([(patch.master, patch.source) for patch in patches])
    composite = master if untouched else _grid_excess([(patch.composite, patch.source) for patch in patches])
    return max(0.0, composite - master)


def _grid_excess(pictures: list[tuple[Pixels16, Box]]) -> float:
    """Return how much the steps at one of the eight phases exceed the others, as a share of them.

    A JPEG grid makes steps larger at one phase. The mean over horizontal and vertical steps is returned.
    """
    excess = []
    for vertical in (False, True):
        total, count = np.zeros(_GRID), np.zeros(_GRID)
        for pixels, box in pictures:
            grey = _grey(pixels).T if vertical else _grey(pixels)
            step = np.minimum(np.abs(np.diff(grey, axis=1)), _STEP_CAP).sum(axis=0)
            phase = (np.arange(len(step)) + (box.top if vertical else box.left)) % _GRID
            total += np.bincount(phase, step, _GRID)
            count += np.bincount(phase, minlength=_GRID) * grey.shape[0]
        mean = total / np.maximum(count, 1)
        top = int(np.argmax(mean))
        rest = float(np.delete(mean, top).mean())
        excess.append(mean[top] / rest - 1 if rest > 1e-3 else 0.0)
    return float(np.mean(excess))
