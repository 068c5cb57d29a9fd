"""Real shirts put on a drawn mannequin: the photograph of a hollow shirt is then the exact truth of the joint."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_fill_holes

from packshot.types import Mask, Matte, Pixels8

_FINER = 4
_OFF_BACKDROP = 6


@dataclasses.dataclass(frozen=True)
class WornShirt:
    """A hollow shirt with a mannequin's neck drawn into its neckline.

    Attributes:
        neckline: left and right point of the collar, their row, and the row of its lowest point, in pixels.
    """

    file: Path
    neckline: tuple[int, int, int, int]
    mannequin: tuple[int, int, int]

    @cached_property
    def hollow(self) -> Pixels8:
        return np.asarray(Image.open(self.file).convert("RGB"))

    @cached_property
    def hollow_matte(self) -> Matte:
        picture = self.hollow.astype(np.float64)
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        off: Mask = binary_fill_holes(np.abs(picture - np.median(border, axis=0)).max(axis=2) > _OFF_BACKDROP)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(off.astype(np.uint8))
        return (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.float32)

    @cached_property
    def mannequin_seen(self) -> Matte:
        left, right, top, bottom = self.neckline
        centre, half = (left + right) / 2, (right - left) / 2
        neck = 0.6 * half
        turns = np.linspace(0, np.pi, 60)
        front = [(centre + half * np.cos(turn), top + (bottom - top) * np.sin(turn)) for turn in turns]
        above = [(centre - neck, top - 4), (centre - 0.9 * neck, top - 125), (centre - 0.5 * neck, top - 135)]
        outline = [*front, *above, *((2 * centre - x, y) for x, y in reversed(above))]
        height, width = self.hollow.shape[:2]
        fine = np.zeros((height * _FINER, width * _FINER), np.uint8)
        cv2.fillPoly(fine, [np.rint(np.array(outline) * _FINER).astype(np.int32)], 255)
        return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), np.float32) / 255

    @property
    def matte(self) -> Matte:
        return np.maximum(self.hollow_matte, self.mannequin_seen)

    def worn(self) -> Pixels8:
        left, right, top, _ = self.neckline
        y, x = np.mgrid[: self.hollow.shape[0], : self.hollow.shape[1]].astype(np.float64)
        across = (x - (left + right) / 2 + 20) / (right - left)
        light = np.clip(1.04 - 0.22 * across**2 - 0.15 * np.clip((y - top + 10) / 50, 0, 1), 0.55, 1.08)
        grain = np.random.default_rng(1).normal(0, 1.2, self.hollow.shape)
        plastic: NDArray[np.float64] = light[..., None] * np.array(self.mannequin) + grain
        share = self.mannequin_seen[..., None]
        return np.rint(np.clip(share * plastic + (1 - share) * self.hollow, 0, 255)).astype(np.uint8)

    def neck(self, warp: NDArray[np.float64]) -> tuple[Pixels8, Matte]:
        """The hollow shirt, moved: its neck shot."""
        size = (self.hollow.shape[1], self.hollow.shape[0])
        moved = cv2.warpAffine(self.hollow, warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved), np.asarray(cv2.warpAffine(self.hollow_matte, warp, size), np.float32)
