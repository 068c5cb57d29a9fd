"""Drawn studio photographs whose truth is known, and a network that is as wrong as real ones are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property, partial

import cv2
import numpy as np
import pytest

from packshot.colour.spaces import decode_working, encode_working
from packshot.cutout import cut_out
from packshot.cutout.values import Cutout
from packshot.types import Matte, Pixels8, Pixels16

SIDE = 1400
BACKDROPS = {
    "light grey": (0.62, 0.62, 0.64),
    "mid grey": (0.22, 0.22, 0.23),
    "dark": (0.03, 0.03, 0.033),
    "coloured": (0.20, 0.42, 0.55),
}


@dataclasses.dataclass(frozen=True)
class DrawnNetwork:
    """A network that gives a drawn prediction, whatever it is shown."""

    prediction: Matte
    model: str = "drawn"
    fingerprint: str = "0" * 12
    engine: str = "none"
    precision: str = "float32"

    def predict(self, rgb: Pixels8) -> Matte:
        return self.prediction


@dataclasses.dataclass(frozen=True)
class Photograph:
    """A drawn photograph: linear light in, what a camera makes of it out.

    Attributes:
        matte: exact coverage.
        product, backdrop: linear light, (rows, columns, 3).
        network: the prediction, (256, 256).
    """

    matte: Matte
    product: np.ndarray
    backdrop: np.ndarray
    network: DrawnNetwork
    noise: float = 0.004

    @cached_property
    def pixels(self) -> Pixels16:
        share = self.matte[..., None]
        light = share * self.product + (1 - share) * self.backdrop
        grain = np.random.default_rng(7).normal(0, self.noise, light.shape)
        light = light + grain * np.sqrt(np.clip(light, 0.01, 1))
        return encode_working(np.clip(light, 0, 1).astype(np.float32))

    @cached_property
    def cut(self) -> Cutout:
        """What the line makes of it. Several tests look at one result."""
        return cut_out(self.pixels, self.network)

    @property
    def truth(self) -> Pixels16:
        """The product on white, without noise."""
        share = self.matte[..., None]
        return encode_working((share * self.product + (1 - share)).astype(np.float32))

    def change(self, **changes: object) -> Photograph:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def covered(shape: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Matte:
    """Coverage of a shape given by its signed distance (negative inside) in pixels, with a lens's edge."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return np.clip(0.5 - shape(y, x) / 2, 0, 1).astype(np.float32)


def disc(y: np.ndarray, x: np.ndarray, *, centre: tuple[float, float] = (700, 700), radius: float) -> np.ndarray:
    return np.hypot(y - centre[0], x - centre[1]) - radius


def ring(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A disc with a round gap: a mug's handle, seen from the side."""
    return np.maximum(disc(y, x, radius=420), -disc(y, x, radius=130))


def seen_by_network(matte: Matte, *, cells: int = 256, blur: float = 1.2, shift: float = 0.7) -> DrawnNetwork:
    """A prediction in coarse cells, soft at the edge and off by a part of a cell."""
    small = cv2.resize(matte, (cells, cells), interpolation=cv2.INTER_AREA)
    moved = cv2.warpAffine(small, np.array([[1, 0, shift], [0, 1, -shift]], np.float32), (cells, cells))
    return DrawnNetwork(np.clip(cv2.GaussianBlur(moved, (0, 0), blur), 0, 1).astype(np.float32))


def sweep(colour: tuple[float, float, float]) -> np.ndarray:
    """A studio backdrop: a colour with fall-off to the corners."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    fall_off = 1 - 0.35 * (y**2 + x**2)
    return fall_off[..., None] * np.asarray(colour)


def paint() -> np.ndarray:
    """A product's colours: red-brown stripes with some texture, unlike any of the backdrops."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    stripes = 0.5 + 0.5 * np.sin(x / 37) * np.cos(y / 53)
    low, high = np.array([0.30, 0.10, 0.05]), np.array([0.55, 0.22, 0.10])
    return low + stripes[..., None] * (high - low)


ROUND = partial(disc, radius=420)


def photograph(backdrop: str = "mid grey", shape: Callable[..., np.ndarray] = ROUND) -> Photograph:
    matte = covered(shape)
    return Photograph(matte, paint(), sweep(BACKDROPS[backdrop]), seen_by_network(matte))


def linear(pixels: Pixels16) -> np.ndarray:
    return decode_working(pixels)


@pytest.fixture(params=list(BACKDROPS), scope="module")
def on_each_backdrop(request: pytest.FixtureRequest) -> Photograph:
    return photograph(request.param)


@pytest.fixture
def on_grey() -> Photograph:
    return photograph()
