"""A cut-out on exact white, in linear light."""

from __future__ import annotations

import cv2
import numpy as np

from packshot.colour.spaces import WHITE_16, decode_working, encode_working
from packshot.cutout.values import Cutout
from packshot.specs.models import Shadow
from packshot.types import FloatImage, Matte, Pixels16

DEEPEST_SHADE = 0.35
"""A kept shadow never gets darker than this share of white."""


def compose_on_white(pixels: Pixels16, cutout: Cutout, *, shadow: Shadow = Shadow.DROP) -> Pixels16:
    """Return the product on white: exactly 65535 where the matte is 0, the photograph bit for bit where it is 1.

    Args:
        pixels: (rows, columns, 3) uint16, working space: the photograph the cut-out was made from.
        shadow: KEEP darkens the white by the natural contact shadow; farther out it is still exactly white.
    """
    composite = np.full_like(pixels, WHITE_16)
    if shadow is Shadow.KEEP and cutout.shade is not None:
        composite = _shaded(cutout.shade, cutout.matte)
    whole = cutout.matte == 1
    composite[whole] = pixels[whole]
    soft = cutout.foreground
    alpha = cutout.matte[soft.rows, soft.columns][:, None]
    behind = decode_working(composite[soft.rows, soft.columns][None])[0]
    mixed: FloatImage = alpha * soft.colours + (1 - alpha) * behind
    composite[soft.rows, soft.columns] = encode_working(mixed[None])[0]
    return composite


def _shaded(shade: Matte, matte: Matte) -> Pixels16:
    """White, darkened by the shade as it fell on the backdrop."""
    rows, columns = matte.shape
    large = cv2.resize(shade, (columns, rows), interpolation=cv2.INTER_LINEAR)
    factor = np.clip(large, DEEPEST_SHADE, 1)
    grey = np.rint(factor ** (256 / 563) * WHITE_16).astype(np.uint16)
    return np.repeat(grey[..., None], 3, axis=2)
