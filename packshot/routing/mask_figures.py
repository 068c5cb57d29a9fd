"""Measure the segmentation network's mask and the final matte of a cut-out, as measurements in 0..1 that grow with
doubt.

They are measured at a small size, after the network has run. A mask that is uncertain, broken or far from the final
matte shows that the photograph is hard.
"""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from packshot.routing.silhouette import disk
from packshot.types import Matte, Value

_Bytes = NDArray[np.uint8]
_Floats = NDArray[np.float32]

MASK_PX = 320
"""Longest side at which mattes are measured."""
MASK_UNSURE = (0.1, 0.9)

Figure = Annotated[float, Field(ge=0, le=1)]

_LEAST_PART_RATIO = 0.0005
_PATCH_PX = 9
_FULL_WIDTH_PX = 12.0


class MaskFigures(Value):
    """The measurements of a cut-out's mattes, each in 0..1: greater means more doubt. `measure_masks` makes them.

    "The network's mask" is the segmentation network's prediction.

    Attributes:
        unsure: number of pixels between 0.1 and 0.9 in the network's mask, divided by the length of the product's
            outline and by 12 px.
        entropy: mean binary entropy of the network's mask in and near the product, in bits.
        unsure_inside: share of the product, without its rim, between 0.1 and 0.9 in the network's mask.
        faint: 1 - mean of the network's mask inside the product.
        islands: 10 x share of the product's area outside its largest part.
        gaps: n / (n + 10), for n gaps in the mask.
        roughness: 1 - length of the smoothed mask's outline / length of the mask's outline.
        softness: 4 x partly covered area of the final matte / area of the product.
        disagreement: 10 x area where matte and network differ by more than 0.5 / area of the product.
        disagreement_patch: greatest mean difference between matte and network in a patch of 9 x 9 px.
        haze: 20 x share of the frame, away from the product, that the final matte covers a little.
        cut: share of the frame's edge that the final matte covers.
        emptiness: 1 - 10 x share of the frame that is product, and at least 0.
    """

    unsure: Figure = 0.0
    entropy: Figure = 0.0
    unsure_inside: Figure = 0.0
    faint: Figure = 0.0
    islands: Figure = 0.0
    gaps: Figure = 0.0
    roughness: Figure = 0.0
    softness: Figure = 0.0
    disagreement: Figure = 0.0
    disagreement_patch: Figure = 0.0
    haze: Figure = 0.0
    cut: Figure = 0.0
    emptiness: Figure = 0.0


def measure_masks(network: Matte, matte: Matte) -> MaskFigures:
    """Return measurements of doubt about a cut-out, made on the segmentation network's mask and the final matte.

    If the network's mask holds no product, these measurements are 1: unsure, entropy, unsure_inside, faint,
    disagreement and emptiness. The others are then 0.

    Args:
        network: the segmentation network's mask, (rows, columns) float32 in 0..1, of any size and aspect ratio.
        matte: the final matte, (rows, columns) float32 in 0..1.
    """
    final = _small(matte, scale=min(1.0, MASK_PX / max(matte.shape)))
    mask = np.asarray(cv2.resize(network, final.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    product = (mask >= 0.5).astype(np.uint8)
    if not product.any():
        return MaskFigures(unsure=1, entropy=1, unsure_inside=1, faint=1, disagreement=1, emptiness=1)
    figures = _network_figures(mask, product) | _final_figures(mask, final)
    return MaskFigures(**{name: round(min(max(float(figure), 0.0), 1.0), 4) for name, figure in figures.items()})


def _network_figures(mask: _Floats, product: _Bytes) -> dict[str, float]:
    area, outline = int(product.sum()), _outline_px(product)
    core = cv2.erode(product, disk(4))
    near = cv2.dilate(product, disk(6)) > 0
    unsure = (mask > MASK_UNSURE[0]) & (mask < MASK_UNSURE[1])
    sure = np.clip(mask, 1e-4, 1 - 1e-4)
    entropy = -(sure * np.log2(sure) + (1 - sure) * np.log2(1 - sure))
    smooth = (cv2.GaussianBlur(product * np.float32(1), (0, 0), 2.5) > 0.5).astype(np.uint8)
    return {
        "unsure": float(np.count_nonzero(unsure)) / outline / _FULL_WIDTH_PX,
        "entropy": float(entropy[near].mean()),
        "unsure_inside": float(unsure[core > 0].mean()) if core.any() else 1.0,
        "faint": 1 - float(mask[product > 0].mean()),
        "islands": 10 * (1 - _largest_part(product) / area),
        "gaps": _gap_count(product) / (_gap_count(product) + 10),
        "roughness": 1 - min(1.0, _outline_px(smooth) / outline),
    }


def _final_figures(mask: _Floats, final: _Floats) -> dict[str, float]:
    covered = final >= 0.5
    area = max(1, int(covered.sum()))
    apart = np.abs(mask - final)
    away = cv2.dilate((final >= 0.5).astype(np.uint8), disk(6)) == 0
    edge = np.concatenate([final[0], final[-1], final[1:-1, 0], final[1:-1, -1]])
    return {
        "softness": 4 * float(np.count_nonzero((final > 0.06) & (final < 0.94))) / area,
        "disagreement": 10 * float(np.count_nonzero(apart > 0.5)) / area,
        "disagreement_patch": float(cv2.blur(apart, (_PATCH_PX, _PATCH_PX)).max()),
        "haze": 20 * float((final[away] > 0.02).mean()) if away.any() else 0.0,
        "cut": float((edge > 0.5).mean()),
        "emptiness": 1 - min(1.0, 10 * area / final.size),
    }


def _small(matte: Matte, *, scale: float) -> _Floats:
    size = (max(8, round(matte.shape[1] * scale)), max(8, round(matte.shape[0] * scale)))
    return np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.float32)


def _outline_px(mask: _Bytes) -> float:
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return max(1.0, float(sum(cv2.arcLength(outline, True) for outline in outlines)))


def _largest_part(mask: _Bytes) -> int:
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max())


def _gap_count(mask: _Bytes) -> int:
    outlines, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    least_px = _LEAST_PART_RATIO * mask.size
    inner = (outline for outline, link in zip(outlines, tree[0], strict=True) if link[3] >= 0)
    return sum(1 for outline in inner if cv2.contourArea(outline) > least_px)
