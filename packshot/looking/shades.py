"""Colour the values of an overlay, so that they can be seen on products of any colour, and on white, grey and black."""

from __future__ import annotations

import functools

import numpy as np

from packshot.looking.overlays import SEEN_DELTA_E, STEPS_PER_DELTA_E, Overlay
from packshot.looking.pyramid import encode_picture
from packshot.types import Pixels8

OFF_WHITE_RGB = (255, 0, 255)
MATTE_EDGE_RGB = (0, 200, 255)
HEAT = ((SEEN_DELTA_E, (255, 221, 51)), (2.0, (255, 153, 0)), (5.0, (230, 40, 20)), (10.0, (150, 0, 90)))
"""Colours of differences: from this delta E 2000 on, this colour; less is not shown."""
_HEAT_ALPHA = 210


def encode_overlay(values: Pixels8, overlay: Overlay) -> bytes:
    """Return a tile of an overlay as the bytes of a lossless WebP with alpha; empty if it shows nothing.

    Args:
        values: (rows, columns) uint8, the tile's part of the overlay's values.
        overlay: which overlay it is; that decides the colours.
    """
    shades = _shades(overlay)[values]
    return encode_picture(shades) if shades[..., 3].any() else b""


@functools.cache
def _shades(overlay: Overlay) -> Pixels8:
    """Return the colour of each value, (256, 4) uint8: red, green, blue, alpha. Value 0 is transparent."""
    shades = np.zeros((256, 4), np.uint8)
    if overlay is Overlay.OFF_WHITE:
        shades[1:] = (*OFF_WHITE_RGB, 255)
    elif overlay is Overlay.MATTE_EDGE:
        shades[1:] = (*MATTE_EDGE_RGB, 255)
    else:
        for from_delta_e, rgb in HEAT:
            shades[round(from_delta_e * STEPS_PER_DELTA_E) :] = (*rgb, _HEAT_ALPHA)
    return shades
