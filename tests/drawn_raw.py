"""A camera RAW drawn from known colours: a DNG with a mosaic, and a preview that shows something else."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

XYZ_TO_CAMERA = np.array([[0.80, -0.20, -0.05], [-0.45, 1.30, 0.16], [-0.05, 0.18, 0.66]])
"""A plausible sensor: what a DNG calls ColorMatrix1, here for D65."""
D65 = np.array([0.95047, 1.0, 1.08883])
BLACK, WHITE = 256, 16383
PATCH_PX = 32


def draw_dng(
    xyz: NDArray[np.float64],
    *,
    orientation: int = 1,
    brightness: float = 0.8,
    noise: float = 2.0,
    more: tuple[tuple[Any, ...], ...] = (),
) -> bytes:
    """Return a DNG of patches in a row.

    Args:
        xyz: (patches, 3), under D65, where white is `D65`.
        brightness: share of the sensor's range that white takes.
        noise: standard deviation, in sensor values.
        more: further tags of the directory with the sensor's values.
    """
    neutral = XYZ_TO_CAMERA @ D65
    camera = xyz @ XYZ_TO_CAMERA.T / neutral.max() * brightness
    row = np.repeat(camera, PATCH_PX, axis=0)
    scene = np.repeat(row[None], 2 * PATCH_PX, axis=0)
    mosaic = np.empty(scene.shape[:2])
    for (top, left), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        mosaic[top::2, left::2] = scene[top::2, left::2, channel]
    sensor = BLACK + mosaic * (WHITE - BLACK) + np.random.default_rng(7).normal(0, noise, mosaic.shape)
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as tiff:
        preview = np.zeros((48, 64, 3), np.uint8)
        preview[..., 0] = 255
        tiff.write(preview, photometric="rgb", subfiletype=1, subifds=1, metadata=None, extratags=_camera(orientation))
        tiff.write(
            np.clip(np.rint(sensor), 0, WHITE).astype(np.uint16),
            photometric=32803,
            subfiletype=0,
            metadata=None,
            extratags=[
                (33421, 3, 2, (2, 2), True),
                (33422, 1, 4, (0, 1, 1, 2), True),
                (50714, 3, 1, BLACK, True),
                (50717, 3, 1, WHITE, True),
                *more,
            ],
        )
    return stream.getvalue()


def _camera(orientation: int) -> list[tuple[Any, ...]]:
    neutral = XYZ_TO_CAMERA @ D65
    neutral = neutral / neutral[1]
    matrix = tuple(part for value in XYZ_TO_CAMERA.ravel() for part in (round(value * 10_000), 10_000))
    return [
        (274, 3, 1, orientation, True),
        (271, 2, 0, "Packshot", True),
        (272, 2, 0, "Drawn camera", True),
        (50706, 1, 4, (1, 4, 0, 0), True),
        (50707, 1, 4, (1, 1, 0, 0), True),
        (50708, 2, 0, "Packshot drawn camera", True),
        (50721, 10, 9, matrix, True),
        (50728, 5, 3, tuple(part for value in neutral for part in (round(value * 1_000_000), 1_000_000)), True),
        (50778, 3, 1, 21, True),
    ]
