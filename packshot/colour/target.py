"""Find a ColorChecker Classic in a photograph and read its 24 patches.

OpenCV's chart detector proposes places, but it also proposes keyboards and checked shirts. A proposal is accepted only
if its six greys get darker from white to black and one matrix explains all 24 colours.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.difference import delta_e_2000
from packshot.colour.spaces import WHITE_16, decode_working
from packshot.colour.target_values import COLUMNS, PATCHES, ROWS, lab_of_linear, reference_lab, reference_linear
from packshot.colour.transform import working_to_srgb8
from packshot.types import Pixels16, Value, size_of

Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
Colour = tuple[float, float, float]

_LOOKED_AT_PX, _LEFT_OUT = 1200, 0.7
"""Longest side of the copy that is searched, and the share of a reduction that is done by skipping pixels."""
_THOROUGH_PX = (1200, 2400, 4000)
"""Longest sides of the copies that a thorough search uses."""
_GLANCED_AT_PX, _DARK_LEVELS, _LEAST_POINTS = 320, 16.0, 5
_LEAST_SPREADS = (0.6, 0.35, 0.5)
"""Least spread of the logarithms of red/blue, red/green and green/blue: half of what the dullest photographed target
has."""
_SAMPLED = 0.4
"""Share of a patch's side that is read. The proposed corners are off by up to a fifth of a patch."""
_LEAST_PATCH_PX = 6
"""Least side of a patch."""
_MOST_EXPLAINED_DELTA_E = 20.0
"""Greatest mean delta E 2000 that the best matrix may leave."""
_LEAST_GREY_STEP = 1.02
"""Least ratio between a grey and the next darker one."""
_CLIPPED = 0.995
_MOST_CANDIDATES = 3
_DIM = 170
"""A picture with 98 % of its values below this (of 255) is searched in a brightened copy too."""
_GREYS = slice(18, 24)


class TargetReading(Value):
    """A colour target (ColorChecker Classic) found in a photograph. `find_target` makes it.

    Attributes:
        corners: (x, y) of the target's four corners, in pixels of the photograph: the outer corners of the patches dark
            skin, bluish green, black and white, in this order.
        patches: (red, green, blue) of the 24 patches in linear Adobe RGB, 0..1, row by row from dark skin to black.
        clipped: numbers (1 to 24) of patches with a channel that the camera clipped.
        noise: standard deviation of L* inside a patch, median over the patches.
        area_ratio: area of the patches' rectangle as a share of the frame, 0..1.
        side_px: shortest side of a patch, in pixels of the photograph.
    """

    corners: Corners
    patches: tuple[Colour, ...]
    clipped: tuple[int, ...] = ()
    noise: float = 0.0
    area_ratio: float = 0.0
    side_px: float = 0.0


def find_target(pixels: Pixels16, *, thorough: bool = False) -> TargetReading | None:
    """Return the colour target (ColorChecker Classic) in a picture, with its 24 patches as read; None if there is none.

    The picture is searched at one size after the other. The largest target of the first size at which there is one is
    returned. A target is believed only if its greys fall from white to black and one matrix explains its colours.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB.
        thorough: also search larger copies of the picture, for small targets, and pictures without strong colours. Use
            it where a target is expected.
    """
    if not thorough and not _is_colourful(pixels):
        return None
    size = size_of(pixels)
    sides = [min(_LOOKED_AT_PX, size.longest)]  # a thorough search begins as a quick one: it finds whatever that finds
    if thorough:
        sides += [min(side, 2 * size.longest) for side in _THOROUGH_PX]
    for side_px in dict.fromkeys(sides):
        scale = side_px / max(size)
        shape = (max(1, round(size.width * scale)), max(1, round(size.height * scale)))
        step = max(1, int(_LEFT_OUT / scale))
        coarse = pixels[::step, ::step]  # the rest of the reduction is done by averaging
        small = cv2.resize(coarse, shape, interpolation=cv2.INTER_AREA if scale <= 1 else cv2.INTER_CUBIC)
        readings = [_read(pixels, corners / scale) for corners in _candidates(np.asarray(small, np.uint16))]
        believed = [reading for reading in readings if reading is not None]
        if believed:
            return max(believed, key=lambda reading: reading.area_ratio)
    return None


def _is_colourful(pixels: Pixels16) -> bool:
    """Return whether a picture has hues as different as a target's, in any light. Most products have not.

    The light's colour multiplies the channels. It shifts the logarithms of their ratios but does not change their
    spread.
    """
    step = max(1, max(pixels.shape[:2]) // _GLANCED_AT_PX)
    glance = pixels[::step, ::step].reshape(-1, 3).astype(np.float32)
    glance *= np.float32(255) / max(float(np.percentile(glance, 98)), 1.0)
    red, green, blue = np.log(glance + _DARK_LEVELS).T
    ends = (_LEAST_POINTS, len(glance) - 1 - _LEAST_POINTS)
    if ends[0] >= ends[1]:
        return True
    spreads = (
        float(np.ptp(np.partition(ratio, ends)[list(ends)])) for ratio in (red - blue, red - green, green - blue)
    )
    return all(spread >= least for spread, least in zip(spreads, _LEAST_SPREADS, strict=True))


def _candidates(pixels: Pixels16) -> list[NDArray[np.float64]]:
    """Return quadrilaterals, (4, 2) each, where OpenCV's detector suspects a target.

    The detector expects a well-exposed picture, so a dim one is also tried brightened.
    """
    picture = working_to_srgb8(pixels)[..., ::-1]
    found: list[NDArray[np.float64]] = []
    top = float(np.percentile(picture[::4, ::4], 98))
    for exposed in (picture, _brightened(picture, top)) if top < _DIM else (picture,):
        detector = _detector()
        detector.setColorChartType(cv2.mcc.MCC24)
        if min(picture.shape[:2]) >= 60 and detector.process(np.ascontiguousarray(exposed), _MOST_CANDIDATES):
            found += [np.asarray(one.getBox(), np.float64) for one in detector.getListColorChecker()]
        if found:
            break
    return found


def _detector() -> Any:
    """Return OpenCV's chart detector."""
    mcc: Any = cv2.mcc  # its functions are created at import, so the type stubs don't know them
    return mcc.CCheckerDetector_create()


def _brightened(picture: NDArray[np.uint8], top: float) -> NDArray[np.uint8]:
    """Return a picture with `top` raised to 255 and the dark tones lifted."""
    level = np.clip(np.arange(256) / max(1.0, top), 0, 1) ** 0.7 * 255
    return np.asarray(cv2.LUT(picture, level.astype(np.uint8)), np.uint8)


def _read(pixels: Pixels16, corners: NDArray[np.float64]) -> TargetReading | None:
    """Return the reading in the rotation (of four) that fits a target best; None if none fits."""
    if not _is_convex(corners):
        return None
    turns = [np.roll(corners, shift, axis=0) for shift in range(4)]
    best: tuple[float, TargetReading] | None = None
    for turned in turns:
        reading = _sample(pixels, turned)
        if reading is None:
            continue
        misfit = _misfit(np.array(reading.patches))
        if misfit <= _MOST_EXPLAINED_DELTA_E and (best is None or misfit < best[0]):
            best = misfit, reading
    return best[1] if best else None


def _is_convex(corners: NDArray[np.float64]) -> bool:
    """Return whether the corners are finite and form a convex quadrilateral."""
    return bool(np.isfinite(corners).all()) and cv2.isContourConvex(corners.astype(np.float32))


def _sample(pixels: Pixels16, corners: NDArray[np.float64]) -> TargetReading | None:
    """Return the patches read inside the corners; None if the patches are too small or leave the frame."""
    grid = np.array([[0, 0], [COLUMNS, 0], [COLUMNS, ROWS], [0, ROWS]], np.float32)
    to_frame = cv2.getPerspectiveTransform(grid, corners.astype(np.float32))
    side_px = _patch_side(corners)
    if side_px < _LEAST_PATCH_PX:
        return None
    half = _SAMPLED / 2
    squares = np.array(
        [
            [[x + 0.5 + dx, y + 0.5 + dy] for dx, dy in ((-half, -half), (half, -half), (half, half), (-half, half))]
            for y in range(ROWS)
            for x in range(COLUMNS)
        ],
        np.float32,
    )
    quads = np.asarray(cv2.perspectiveTransform(squares.reshape(1, -1, 2), to_frame), np.float32)
    colours, clipped, noise = [], [], []
    for number, quad in enumerate(quads.reshape(PATCHES, 4, 2), start=1):
        inside = _pixels_in(pixels, quad)
        if inside is None:
            return None
        linear = decode_working(inside[None])[0].astype(np.float64)
        colour = np.median(linear, axis=0)
        colours.append((float(colour[0]), float(colour[1]), float(colour[2])))
        if (inside.max(axis=1) >= _CLIPPED * WHITE_16).mean() > 0.1:
            clipped.append(number)
        noise.append(float(np.std(lab_of_linear(linear)[:, 0])))
    height, width = pixels.shape[:2]
    return TargetReading(
        corners=_four(corners),
        patches=tuple(colours),
        clipped=tuple(clipped),
        noise=round(float(np.median(noise)), 3),
        area_ratio=round(float(cv2.contourArea(corners.astype(np.float32))) / (width * height), 5),
        side_px=round(side_px, 1),
    )


def _four(corners: NDArray[np.float64]) -> Corners:
    """Return the corners as rounded tuples."""
    one, two, three, four = ((round(float(x), 1), round(float(y), 1)) for x, y in corners)
    return one, two, three, four


def _patch_side(corners: NDArray[np.float64]) -> float:
    """Return the shortest side of a patch, in pixels."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    return float(min(sides[0] / COLUMNS, sides[2] / COLUMNS, sides[1] / ROWS, sides[3] / ROWS))


def _pixels_in(pixels: Pixels16, quad: NDArray[np.float32]) -> NDArray[np.uint16] | None:
    """Return the pixels inside a quadrilateral, (count, 3); None if it leaves the frame."""
    left, top = np.floor(quad.min(axis=0)).astype(int)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int) + 1
    if left < 0 or top < 0 or right > pixels.shape[1] or bottom > pixels.shape[0]:
        return None
    part = pixels[top:bottom, left:right]
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(quad - (left, top)).astype(np.int32), 1)
    return part[mask > 0]


def _misfit(patches: NDArray[np.float64]) -> float:
    """Return the mean delta E 2000 left by the best matrix; infinite if the greys don't fall from white to black."""
    grey = patches[_GREYS].mean(axis=1)
    if (grey[:-1] < grey[1:] * _LEAST_GREY_STEP).any():
        return float("inf")
    weights = 1 / (reference_linear().mean(axis=1, keepdims=True) + 0.02)
    matrix, *_ = np.linalg.lstsq(patches * weights, reference_linear() * weights, rcond=None)
    return float(delta_e_2000(lab_of_linear(patches @ matrix), reference_lab()).mean())
