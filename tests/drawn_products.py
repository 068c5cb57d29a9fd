"""Photographs of a drawn product, as files, and a network that finds it by its contrast to the border."""

from __future__ import annotations

import dataclasses
import io

import cv2
import numpy as np
from PIL import Image, ImageCms

from packshot.types import Matte, Pixels8

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
BACKDROP = (168, 169, 171)
PAINT = (150, 82, 60)


@dataclasses.dataclass(frozen=True)
class ContrastNetwork:
    """Takes for product what differs from the picture's border; like a real network it sees coarse, soft cells."""

    model: str = "contrast"
    fingerprint: str = "0" * 12
    engine: str = "numpy"
    precision: str = "float32"
    cells: int = 320

    def predict(self, rgb: Pixels8) -> Matte:
        small = cv2.resize(rgb, (self.cells, self.cells), interpolation=cv2.INTER_AREA).astype(np.float32)
        border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
        distance = np.abs(small - np.median(border, axis=0)).max(axis=2)
        return cv2.GaussianBlur(np.clip((distance - 15) / 20, 0, 1).astype(np.float32), (0, 0), 1.0)


def coverage(width: int, height: int, *, radius_ratio: float = 0.43) -> Matte:
    """How much of each pixel a disc in the middle covers, with a lens's edge."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) - radius_ratio * min(width, height)
    return np.clip(0.5 - away / 2, 0, 1).astype(np.float32)


def pixels(
    width: int = 1000,
    height: int = 1000,
    *,
    seed: int = 5,
    radius_ratio: float = 0.43,
    paint: tuple[int, int, int] = PAINT,
) -> Pixels8:
    """A striped disc on a grey sweep that is darker in the corners, with a camera's grain; sRGB."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    fall_off = 1 - 0.12 * ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)
    stripes = 0.8 + 0.2 * np.sin(x / 23) * np.cos(y / 31)
    share = coverage(width, height, radius_ratio=radius_ratio)[..., None]
    sweep, product = fall_off[..., None] * np.array(BACKDROP), stripes[..., None] * np.array(paint)
    grain = np.random.default_rng(seed).normal(0, 1.2, (height, width, 3))
    return np.rint(np.clip(share * product + (1 - share) * sweep + grain, 0, 255)).astype(np.uint8)


def encoded(picture: Pixels8, kind: str = "PNG", **options: object) -> bytes:
    """A picture as the bytes of a file with an sRGB profile."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, icc_profile=SRGB, **options)
    return file.getvalue()


def photograph(
    width: int = 1000,
    height: int = 1000,
    *,
    seed: int = 5,
    radius_ratio: float = 0.43,
    paint: tuple[int, int, int] = PAINT,
) -> bytes:
    """A photograph as a camera writes it: JPEG, high quality."""
    picture = pixels(width, height, seed=seed, radius_ratio=radius_ratio, paint=paint)
    return encoded(picture, "JPEG", quality=96, subsampling=0)
