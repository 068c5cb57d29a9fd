"""Where the photograph looks like the backdrop, like its shadow, or like neither; pixel by pixel, reduced."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.colour.channels import dot_product, greatest_channel
from packshot.qc.reduced import Reduced
from packshot.types import FloatImage, Mask

VISIBLE_ON_WHITE = 8.0
"""Levels below white from which something can be seen on white."""
_LEAST_LIKE = 6.0
_LEAST_UNLIKE = 12.0
_SHADOW_COLOUR = 0.05
_BRIGHTER_THAN_BACKDROP = 1.03


Picture = TypeVar("Picture", bound=NDArray[Any])


def _once(measure: Callable[[Reduced], Picture]) -> Callable[[Reduced], Picture]:
    """Return the same measure, which looks up what it has measured on an edit before."""

    @functools.wraps(measure)
    def measured(reduced: Reduced) -> Picture:
        if measure.__name__ not in reduced.known:
            reduced.known[measure.__name__] = measure(reduced)
        return reduced.known[measure.__name__]  # type: ignore[return-value]

    return measured


@dataclasses.dataclass(frozen=True)
class Lighting:
    """How the photograph is lit against the predicted backdrop, (rows, columns) float32 each.

    Attributes:
        factor: how much of the backdrop's light is there.
        colour: how far the rest is from the backdrop's colour, in shares of its light.
    """

    factor: FloatImage
    colour: FloatImage

    def within(self, *, darkest: float, brightest: float = _BRIGHTER_THAN_BACKDROP, most_colour: float) -> Mask:
        """Where the photograph has the backdrop's colour, in a light between two shares of its own."""
        lit = (self.factor > darkest) & (self.factor < brightest)
        return np.asarray(lit & (self.colour < most_colour * self.factor))


@_once
def visible_on_white(reduced: Reduced) -> Mask:
    """Where the photograph would be seen on white."""
    return np.asarray(greatest_channel(255 - reduced.master) > VISIBLE_ON_WHITE)


@_once
def like_backdrop(reduced: Reduced) -> Mask:
    """Where the photograph is the predicted backdrop on average, whatever the noise."""
    assert reduced.backdrop is not None
    even = cv2.blur(reduced.master - reduced.backdrop, (5, 5))
    return np.asarray(greatest_channel(np.abs(even)) < max(_LEAST_LIKE, 2 * reduced.noise))


@_once
def unlike_backdrop(reduced: Reduced) -> Mask:
    return np.asarray(reduced.difference > max(_LEAST_UNLIKE, 6 * reduced.noise))


@_once
def shadow(reduced: Reduced) -> Mask:
    """Where the photograph is the backdrop, or the backdrop in shadow."""
    lit = _lighting(reduced, reduced.master)
    same_colour = lit.colour < _SHADOW_COLOUR * np.maximum(lit.factor, 0.1)
    return np.asarray((lit.factor < _BRIGHTER_THAN_BACKDROP) & same_colour)


def lighting(reduced: Reduced, *, side: int) -> Lighting:
    """Return how the photograph is lit, averaged over windows of so many pixels."""
    return _lighting(reduced, np.asarray(cv2.blur(reduced.master, (side, side)), np.float32))


def _lighting(reduced: Reduced, seen: FloatImage) -> Lighting:
    """A shadow darkens all channels by the same factor, in linear light; a square is near enough to it here."""
    light: Any = cv2.multiply(seen, seen, scale=1 / 255**2)
    lit, power = _backdrop_light(reduced), _backdrop_power(reduced)
    factor = dot_product(light, lit) / power
    rest: Any = cv2.subtract(light, cv2.multiply(lit, cv2.merge([factor] * 3)))
    return Lighting(factor, np.sqrt(dot_product(rest, rest) / power))


@_once
def _backdrop_light(reduced: Reduced) -> FloatImage:
    assert reduced.backdrop is not None
    light: Any = cv2.multiply(reduced.backdrop, reduced.backdrop, scale=1 / 255**2)
    return np.asarray(light + np.float32(1e-4), np.float32)


@_once
def _backdrop_power(reduced: Reduced) -> FloatImage:
    return dot_product(_backdrop_light(reduced), _backdrop_light(reduced))


@_once
def slope(reduced: Reduced) -> FloatImage:
    """Levels per reduced pixel, of the grey picture."""
    return _slope(reduced.grey)


def colour_slope(reduced: Reduced) -> FloatImage:
    """Levels per reduced pixel, of the channel in which it is steepest: colours of one brightness differ too."""
    return greatest_channel(_slope(reduced.master))


def _slope(levels: FloatImage) -> FloatImage:
    across, down = cv2.Sobel(levels, cv2.CV_32F, 1, 0), cv2.Sobel(levels, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down) / np.float32(8), np.float32)
