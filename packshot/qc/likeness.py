"""Classify the pixels of the reduced photograph: like the backdrop, like the backdrop in shadow, or neither."""

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
"""A pixel is visible on white if a channel is more than this many levels below white."""
_LEAST_LIKE = 6.0
_LEAST_UNLIKE = 12.0
_SHADOW_COLOUR = 0.05
_BRIGHTER_THAN_BACKDROP = 1.03


Picture = TypeVar("Picture", bound=NDArray[Any])


def _once(measure: Callable[[Reduced], Picture]) -> Callable[[Reduced], Picture]:
    """Return the measure with a cache: its result is kept in `Reduced.known`, under the function's name."""

    @functools.wraps(measure)
    def measured(reduced: Reduced) -> Picture:
        if measure.__name__ not in reduced.known:
            reduced.known[measure.__name__] = measure(reduced)
        return reduced.known[measure.__name__]  # type: ignore[return-value]

    return measured


@dataclasses.dataclass(frozen=True)
class Lighting:
    """The photograph's light compared with the predicted backdrop's. Both arrays are (rows, columns) float32.

    `lighting` makes it. Shadow changes the light, but not the colour of a backdrop; so backdrop in shadow can be told
    from product.

    Attributes:
        factor: the photograph's light divided by the backdrop's. 1 means equally lit; below 1 means shadow.
        colour: distance between the photograph's colour and the backdrop's colour in that light, as a share of the
            backdrop's light.
    """

    factor: FloatImage
    colour: FloatImage

    def within(self, *, darkest: float, brightest: float = _BRIGHTER_THAN_BACKDROP, most_colour: float) -> Mask:
        """Return where the photograph looks like the backdrop in a range of light, (rows, columns) bool.

        Args:
            darkest, brightest: the range of `factor`, which must lie between them. The default of `brightest`, 1.03,
                allows for noise in fully lit backdrop.
            most_colour: `colour` must be less than this times `factor`: the darker a place is, the less its colour may
                be away from the backdrop's.
        """
        lit = (self.factor > darkest) & (self.factor < brightest)
        return np.asarray(lit & (self.colour < most_colour * self.factor))


@_once
def visible_on_white(reduced: Reduced) -> Mask:
    """Return where the photograph's pixels would be visible on a white page, (rows, columns) bool, at reduced size.

    A pixel is visible if a channel is more than 8 levels (of 255) below white.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it. The result is remembered in it.
    """
    return np.asarray(greatest_channel(255 - reduced.master) > VISIBLE_ON_WHITE)


@_once
def like_backdrop(reduced: Reduced) -> Mask:
    """Return where the photograph equals the predicted backdrop, (rows, columns) bool, at reduced size.

    The two are compared as averages over 5 x 5 pixels. A difference of less than 6 levels (of 255), or than twice the
    noise, does not count.

    Args:
        reduced: the edit, reduced to at most 1024 px, with a predicted backdrop.
    """
    assert reduced.backdrop is not None
    even = cv2.blur(reduced.master - reduced.backdrop, (5, 5))
    return np.asarray(greatest_channel(np.abs(even)) < max(_LEAST_LIKE, 2 * reduced.noise))


@_once
def unlike_backdrop(reduced: Reduced) -> Mask:
    """Return where the photograph clearly differs from the predicted backdrop, (rows, columns) bool, at reduced size.

    Some channel differs by more than 12 levels (of 255), and by more than 6 times the noise. Without a predicted
    backdrop the result is False everywhere.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it.
    """
    return np.asarray(reduced.difference > max(_LEAST_UNLIKE, 6 * reduced.noise))


@_once
def shadow(reduced: Reduced) -> Mask:
    """Return where the photograph shows backdrop, either lit or in shadow, (rows, columns) bool, at reduced size.

    There the photograph has the backdrop's colour, and is at most 3 % brighter.

    Args:
        reduced: the edit, reduced to at most 1024 px, with a predicted backdrop.
    """
    lit = _lighting(reduced, reduced.master)
    same_colour = lit.colour < _SHADOW_COLOUR * np.maximum(lit.factor, 0.1)
    return np.asarray((lit.factor < _BRIGHTER_THAN_BACKDROP) & same_colour)


def lighting(reduced: Reduced, *, side: int) -> Lighting:
    """Return the light and colour of each pixel of the reduced edit, compared with the predicted backdrop's.

    Args:
        reduced: the edit, reduced to at most 1024 px, with a predicted backdrop.
        side: side of the square over which the photograph is averaged first, in pixels of the reduced edit.
    """
    return _lighting(reduced, np.asarray(cv2.blur(reduced.master, (side, side)), np.float32))


def _lighting(reduced: Reduced, seen: FloatImage) -> Lighting:
    """Return how a picture is lit compared with the backdrop.

    A shadow darkens all channels by the same factor in linear light. Squared levels are close enough to linear light
    here.
    """
    light: Any = cv2.multiply(seen, seen, scale=1 / 255**2)
    lit, power = _backdrop_light(reduced), _backdrop_power(reduced)
    factor = dot_product(light, lit) / power
    rest: Any = cv2.subtract(light, cv2.multiply(lit, cv2.merge([factor] * 3)))
    return Lighting(factor, np.sqrt(dot_product(rest, rest) / power))


@_once
def _backdrop_light(reduced: Reduced) -> FloatImage:
    """Return the backdrop's approximate linear light, (rows, columns, 3)."""
    assert reduced.backdrop is not None
    light: Any = cv2.multiply(reduced.backdrop, reduced.backdrop, scale=1 / 255**2)
    return np.asarray(light + np.float32(1e-4), np.float32)


@_once
def _backdrop_power(reduced: Reduced) -> FloatImage:
    """Return the squared length of the backdrop's light vector, (rows, columns)."""
    return dot_product(_backdrop_light(reduced), _backdrop_light(reduced))


@_once
def slope(reduced: Reduced) -> FloatImage:
    """Return the gradient of the reduced photograph's grey values, (rows, columns) float32.

    The gradient is in levels (0..255) per pixel of the reduced edit.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it.
    """
    return _slope(reduced.grey)


def colour_slope(reduced: Reduced) -> FloatImage:
    """Return the gradient of the reduced photograph's steepest channel, (rows, columns) float32.

    The gradient is in levels (0..255) per pixel of the reduced edit. Unlike the gradient of the grey values (`slope`),
    it also finds edges between colours of equal brightness.

    Args:
        reduced: the edit, reduced to at most 1024 px, or a part of it.
    """
    return greatest_channel(_slope(reduced.master))


def _slope(levels: FloatImage) -> FloatImage:
    """Return the gradient's magnitude by Sobel filters, in levels per pixel."""
    across, down = cv2.Sobel(levels, cv2.CV_32F, 1, 0), cv2.Sobel(levels, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down) / np.float32(8), np.float32)
