"""Make photographs as large as a camera's from smaller scenes, for measurements of time and memory.

A studio scene is enlarged. Its backdrop is continued at the sides until the frame is 3:2 or 4:3 like a sensor's.
Enlarging removes the noise, so noise is added again. Without it, a JPEG would be half as long and decode faster.
"""

from __future__ import annotations

import math
import zlib

import cv2
import numpy as np

from benchmarks.scenes import load_scene
from packshot.types import Pixels8

ASPECT = 4 / 3
NOISE_LEVELS = 1.5
NOISE_PX = 0.6
QUALITY = 95


def large_photograph(scene: str, *, megapixels: float) -> bytes:
    """Return a photograph as large as a camera's, made from a smaller scene: the bytes of a JPEG (4:4:4, quality 95).

    The same arguments give the same bytes.

    Args:
        scene: its name in `benchmarks.scenes`.
        megapixels: size of the picture, in millions of pixels. Its sides are to each other as 4 to 3.
    """
    rows = round(math.sqrt(megapixels * 1e6 / ASPECT))
    columns = round(rows * ASPECT)
    picture = _with_noise(_enlarged(load_scene(scene).photo, rows, columns), seed=zlib.crc32(scene.encode()))
    quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], quality)[1].tobytes())


def _enlarged(photo: Pixels8, rows: int, columns: int) -> Pixels8:
    """As high as asked for; what is missing on the sides is the outermost columns' colour, smoothed."""
    width = round(photo.shape[1] * rows / photo.shape[0])
    large = cv2.resize(photo, (width, rows), interpolation=cv2.INTER_CUBIC)[:, :columns]
    missing = columns - large.shape[1]
    sides = (missing // 2, missing - missing // 2)
    edges = [cv2.GaussianBlur(large[:, part].mean(axis=1), (1, 0), 12) for part in (slice(0, 16), slice(-16, None))]
    filled = [np.repeat(edge[:, None], count, axis=1) for edge, count in zip(edges, sides, strict=True)]
    return np.concatenate([filled[0], large, filled[1]], axis=1).astype(np.uint8)


def _with_noise(picture: Pixels8, *, seed: int) -> Pixels8:
    """Strip by strip: noise for 50 megapixels would take 600 MB."""
    rng = np.random.default_rng(seed)
    noisy = np.empty_like(picture)
    for top in range(0, len(picture), 256):
        strip = picture[top : top + 256]
        grain = cv2.GaussianBlur(rng.standard_normal(strip.shape, np.float32), (0, 0), NOISE_PX)
        noisy[top : top + 256] = np.clip(strip + grain * (2 * NOISE_LEVELS) + 0.5, 0, 255).astype(np.uint8)
    return noisy
