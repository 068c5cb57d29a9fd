"""Measure how a product looks against its backdrop: contrast, gloss, shadow, fine detail around it.

Each measurement is at least 0, and 1 is a lot; some may exceed 1. By the measurements, routing decides who edits the
shot.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.routing.backdrop import LEAST_SIGMA, Backdrop
from packshot.routing.silhouette import Silhouette, clear_of_shadow, disk, eroded, share
from packshot.types import FloatImage

_Bytes = NDArray[np.uint8]

_CLEAR_DELTA_E = 40.0  # above this, neither a person nor a network confuses product and backdrop
_WEAK_SLOPE = 2.0  # L* per pixel at the measuring size
_GLINT_LIGHTNESS = 85.0
_GLINT_CHROMA = 14.0
_GLINT_CONTRAST = 8.0  # L* above the surroundings
_FAINT_SIGMAS = 2.5
_NOISE_FULL_SCALE = 6.0  # delta E
_CHROMA_FULL_SCALE = 60.0
_SAME_HUE_DELTA_E = 6.0  # in a*b* alone
_THREAD_RATIO = 0.01
_LEAST_THREAD_RATIO = 0.03


def appearance_figures(lab: FloatImage, backdrop: Backdrop, shape: Silhouette) -> dict[str, float]:
    """Return how the product looks against its backdrop: name of the measurement -> measurement, at least 0.

    They are measurements such as "low_contrast" and "shadow", and grow with the difficulty of a cut-out. 1 is full
    scale; a few may exceed it. `packshot.routing.features.Features` explains each.

    Args:
        lab: the part of the photograph around the product, (rows, columns, 3) float32, CIE L*a*b*.
        backdrop: the backdrop in this part of the photograph.
        shape: the product's rough silhouette in this part of the photograph, not empty.
    """
    outline = (shape.filled - eroded(shape.filled, 1)) & clear_of_shadow(shape, 3)
    return {
        "low_contrast": _low_contrast(backdrop, shape, outline),
        "weak_outline": _weak_outline(shape, outline),
        "pale_inside": share(backdrop.distance < 2 * shape.limit, of=eroded(shape.filled, 3)),
        "specular": _specular(lab, shape),
        "shadow": float(shape.shadow.sum()) / float(shape.shadow.sum() + shape.area_px),
        "stray_detail": _stray_detail(backdrop, shape),
        "hollow": _hollow(backdrop, shape),
        "same_hue": share(_hue_apart(lab, backdrop) < _SAME_HUE_DELTA_E, of=eroded(shape.filled, 3)),
        "threads": _threads(shape),
        "gap_area": float((shape.filled & (1 - shape.product) & (1 - shape.shadow)).sum()) / shape.area_px,
        "backdrop_chroma": float(np.hypot(*_mean_hue(backdrop))) / _CHROMA_FULL_SCALE,
        "backdrop_darkness": 1 - float(backdrop.lab[..., 0].mean()) / 100,
        "backdrop_noise": min(1.0, max(0.0, backdrop.sigma - LEAST_SIGMA) / _NOISE_FULL_SCALE),
    }


def _low_contrast(backdrop: Backdrop, shape: Silhouette, outline: _Bytes) -> float:
    """Return 1 - q / 40.

    Q is the 25th percentile of delta E between product and backdrop along the outline, at most 40.
    """
    nearby = cv2.dilate(backdrop.distance * shape.filled, disk(3))[outline.astype(bool)]
    return 1 - min(1.0, float(np.percentile(nearby, 25)) / _CLEAR_DELTA_E) if nearby.size else 1.0


def _weak_outline(shape: Silhouette, outline: _Bytes) -> float:
    return share(cv2.dilate(shape.slope, disk(2)) < _WEAK_SLOPE, of=outline)


def _specular(lab: FloatImage, shape: Silhouette) -> float:
    """Return the share of the product in neutral spots much lighter than their surroundings: reflections of lamps."""
    lightness = np.ascontiguousarray(lab[..., 0])
    around = cv2.blur(lightness, (31, 31))
    chroma = cv2.magnitude(lab[..., 1], lab[..., 2])
    glint = (lightness > _GLINT_LIGHTNESS) & (chroma < _GLINT_CHROMA) & (lightness - around > _GLINT_CONTRAST)
    return share(glint, of=eroded(shape.filled, 3))


def _stray_detail(backdrop: Backdrop, shape: Silhouette) -> float:
    """Return the share of a band outside the outline that differs a little from the backdrop.

    Such pixels are hairs, threads or reflections.
    """
    reach = max(3, round(shape.size_px * 0.02))
    away = cv2.distanceTransform(1 - shape.filled, cv2.DIST_L2, 5)
    band = ((away > 2) & (away <= reach)).astype(np.uint8)
    smooth = cv2.GaussianBlur(backdrop.distance, (0, 0), 0.7)
    return share(smooth > _FAINT_SIGMAS * backdrop.sigma, of=band & clear_of_shadow(shape, 3))


def _hollow(backdrop: Backdrop, shape: Silhouette) -> float:
    """Return how much more the product's centre looks like the backdrop than its rim does.

    Glass shows the backdrop in its centre and reflected lamps at its rim.
    """
    reach = max(2, round(shape.size_px * 0.03))
    depth = cv2.distanceTransform(shape.filled, cv2.DIST_L2, 5)  # much faster than erosion with a large radius
    inside, rim = depth > 2 * reach, (depth > 0) & (depth <= reach)
    if not inside.any() or not rim.any():
        return 0.0
    return 1 - min(1.0, float(np.median(backdrop.distance[inside])) / max(1.0, _typical_top(backdrop.distance[rim])))


def _typical_top(values: NDArray[np.float32]) -> float:
    return float(np.percentile(values, 75))


def _hue_apart(lab: FloatImage, backdrop: Backdrop) -> NDArray[np.float32]:
    off = lab - backdrop.lab
    return np.asarray(cv2.magnitude(off[..., 1], off[..., 2]), np.float32)


def _mean_hue(backdrop: Backdrop) -> tuple[float, float]:
    return float(backdrop.lab[..., 1].mean()), float(backdrop.lab[..., 2].mean())


def _threads(shape: Silhouette) -> float:
    """Return the total length of thin parts, scaled to 0..1.

    Length matters, not area: one missing thread spoils a cut-out, however few pixels it has.
    """
    opened = cv2.morphologyEx(shape.product, cv2.MORPH_OPEN, disk(max(1, round(shape.size_px * _THREAD_RATIO))))
    _, _, stats, _ = cv2.connectedComponentsWithStats(shape.product - opened, connectivity=8)
    lengths = np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    length = float(lengths[lengths > _LEAST_THREAD_RATIO * shape.size_px].sum()) / max(1.0, shape.size_px)
    return length / (length + 1)
