"""Drawn product photographs in the working space, whose figures are known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from packshot.types import Pixels16

LIGHT_GREY = (0.80, 0.80, 0.80)
WHITE = (1.0, 1.0, 1.0)
RED = (0.75, 0.15, 0.15)


@dataclass(frozen=True)
class Scene:
    """A canvas that shapes are drawn on, in encoded working-space values of 0..1."""

    rows: int = 900
    columns: int = 1200
    backdrop: tuple[float, float, float] = LIGHT_GREY
    fall_off: float = 0.05
    noise: float = 0.003
    canvas: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        y, x = np.mgrid[-1 : 1 : self.rows * 1j, -1 : 1 : self.columns * 1j]
        light = 1 - self.fall_off * (x**2 + y**2)
        object.__setattr__(self, "canvas", (light[..., None] * np.array(self.backdrop)).astype(np.float32))

    def box(self, left: int, top: int, right: int, bottom: int, colour: tuple[float, float, float] = RED) -> Scene:
        cv2.rectangle(self.canvas, (left, top), (right - 1, bottom - 1), colour, -1)
        return self

    def disc(self, x: int, y: int, radius: int, colour: tuple[float, float, float] = RED) -> Scene:
        cv2.circle(self.canvas, (x, y), radius, colour, -1, cv2.LINE_AA)
        return self

    def line(
        self, start: tuple[int, int], end: tuple[int, int], width: int, colour: tuple[float, float, float] = RED
    ) -> Scene:
        cv2.line(self.canvas, start, end, colour, width, cv2.LINE_AA)
        return self

    def shadow(self, x: int, y: int, across: int, down: int, depth: float = 0.25) -> Scene:
        """A soft dark patch on what was drawn so far."""
        ys, xs = np.mgrid[0 : self.rows, 0 : self.columns]
        weight = np.exp(-(((xs - x) / across) ** 2 + ((ys - y) / down) ** 2))
        self.canvas[:] = self.canvas * (1 - depth * weight[..., None])
        return self

    def pixels(self, seed: int = 0) -> Pixels16:
        """The photograph: (rows, columns, 3) uint16, slightly blurred as by a lens, with noise."""
        random = np.random.default_rng(seed)
        photo = cv2.GaussianBlur(self.canvas, (0, 0), 0.8)
        photo = photo + random.normal(0, self.noise, photo.shape)
        return np.asarray(np.clip(photo, 0, 1) * 65535 + 0.5, np.uint16)
