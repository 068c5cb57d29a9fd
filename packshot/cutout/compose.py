"""Put a cut-out on exact white: blend the product's colours with white in linear light.

The matte, each pixel's share of product, says how much of both a pixel gets.
"""

from __future__ import annotations

import cv2
import numpy as np

from packshot.colour.spaces import WHITE_16, WORKING_GAMMA, decode_working, encode_working
from packshot.cutout.shadow import contact_shade
from packshot.cutout.values import Cutout
from packshot.specs.models import Shadow
from packshot.types import FloatImage, Mask, Pixels16, size_of

DEEPEST_SHADE = 0.35
"""A kept shadow never gets darker than this share of white, in linear light."""
_ROWS_AT_ONCE = 64  # so a strip of a 12 MP picture fits into the processor's cache


def compose_on_white(pixels: Pixels16, cutout: Cutout, *, shadow: Shadow = Shadow.DROP) -> Pixels16:
    """Return the product on white, (rows, columns, 3) uint16, Adobe RGB.

    The result is exactly 65535 where the matte is 0, unless a shadow is kept, and equal to the photograph bit for bit
    where the matte is 1. Between them the product's own colour, without the backdrop's share, is blended with what is
    behind it, in linear light.

    Args:
        pixels: (rows, columns, 3) uint16, Adobe RGB: the photograph that the cut-out was made from.
        cutout: the matte, the product's colours where the matte is between 0 and 1, and the backdrop's surface.
        shadow: KEEP darkens the white by the product's contact shadow, measured against the backdrop's surface. Beyond
            the shadow's reach it stays exactly white. If the surface is None, there is no shadow to keep. Any other
            value leaves the white exact.
    """
    if shadow is Shadow.KEEP and cutout.surface is not None:
        composite = _shaded_white(pixels, cutout, cutout.surface)
        _lay_on(composite, pixels, cutout.matte == 1)
    else:
        composite = _on_plain_white(pixels, cutout.matte == 1)
    soft = cutout.foreground
    alpha = cutout.matte[soft.rows, soft.columns][:, None]
    behind = decode_working(composite[soft.rows, soft.columns][None])[0]
    mixed: FloatImage = alpha * soft.colours + (1 - alpha) * behind
    composite[soft.rows, soft.columns] = encode_working(mixed[None])[0]
    return composite


def _on_plain_white(pixels: Pixels16, whole: Mask) -> Pixels16:
    """Return white with the fully opaque pixels copied onto it."""
    composite = np.empty_like(pixels)
    for top in range(0, len(pixels), _ROWS_AT_ONCE):
        strip = np.s_[top : top + _ROWS_AT_ONCE]
        composite[strip] = WHITE_16
        _lay_on(composite[strip], pixels[strip], whole[strip])
    return composite


def _lay_on(ground: Pixels16, pixels: Pixels16, where: Mask) -> None:
    """Copy the pixels under a mask onto `ground`, in place. The array must belong to this module."""
    cv2.copyTo(pixels, where.view(np.uint8), ground)


def _shaded_white(pixels: Pixels16, cutout: Cutout, surface: FloatImage) -> Pixels16:
    """Return white darkened by the contact shadow, (rows, columns, 3) uint16, Adobe RGB."""
    shade = contact_shade(pixels, surface, cutout.network_matte)
    large = cv2.resize(shade, size_of(pixels), interpolation=cv2.INTER_LINEAR)
    factor = np.clip(large, DEEPEST_SHADE, 1)
    grey = np.rint(factor ** (1 / WORKING_GAMMA) * WHITE_16).astype(np.uint16)
    return np.repeat(grey[..., None], 3, axis=2)
