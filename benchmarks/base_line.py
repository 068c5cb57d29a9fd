"""Measure whether an edit ends in a dark line along its base, and how far its base is from the true one.

    python -m benchmarks.base_line [--set studio] [--only NAME ...]

A contact shadow's darkest part is a line, a few pixels wide, right under the product. A scene is a test photograph
whose right matte is known. Every scene is cut out. Along the base, the lowest 12 % of the product where its outline
faces down, two things are measured:

- darkness: how much darker the last 3 px inside the outline are than those 6 to 12 px inside, in levels of the greatest
  channel; for the edit's matte and for the true one
- how far the matte ends from the true one, positive outwards, in pixels
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.cutout_quality import KeptSegmenter
from benchmarks.scenes import SETS, load_scene, names_of
from packshot.colour.channels import greatest_channel
from packshot.colour.transform import srgb8_to_working
from packshot.cutout import cut_out
from packshot.types import Matte, Pixels16

BASE_OF_HEIGHT, FACES_DOWN, LEAST_POINTS = 0.12, 0.5, 20
STEP_PX = 0.5
OFFSETS_PX = np.arange(-12, 6 + STEP_PX / 2, STEP_PX, dtype=np.float32)
LAST_PX, DEEPER_PX = (-3.0, -0.5), (-12.0, -6.0)


class Base(NamedTuple):
    """Points of the base: the lowest part of a product's outline, where it faces down. `base_of` makes it.

    Attributes:
        x, y: (points,) column and row of each point, in pixels.
        outward: (points, 2) unit vectors (x, y) that point away from the product, at right angles to the outline.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    outward: NDArray[np.float32]

    def across(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a picture's values along the line that crosses the outline at each point: (points, 37) float32.

        The values are half a pixel apart, from 12 px inside the outline to 6 px outside.

        Args:
            picture: (rows, columns) float32; the values have its unit.
        """
        away = OFFSETS_PX + np.float32(0.5)  # the points lie on the product's outermost pixels
        places = (self.x[:, None] + away * self.outward[:, :1], self.y[:, None] + away * self.outward[:, 1:])
        return np.asarray(cv2.remap(picture, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def base_of(matte: Matte) -> Base | None:
    """Return the product's base: the points in its lowest 12 % where the outline faces down.

    None if there are fewer than 20 such points, or no product.

    Args:
        matte: (rows, columns) float32 in 0..1.
    """
    whole = (matte >= 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    soft = cv2.GaussianBlur(matte, (0, 0), 2.0)
    x, y = np.concatenate(contours)[:, 0].T
    slope = np.stack([cv2.Sobel(soft, cv2.CV_32F, *axis)[y, x] for axis in ((1, 0), (0, 1))], axis=1)
    outward = -slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    rows = np.flatnonzero(whole.any(axis=1))
    low = (outward[:, 1] > FACES_DOWN) & (y > rows[-1] - BASE_OF_HEIGHT * (rows[-1] - rows[0]))
    if low.sum() < LEAST_POINTS:
        return None
    return Base(x[low].astype(np.float32), y[low].astype(np.float32), outward[low])


def darkness(pixels: Pixels16, base: Base) -> NDArray[np.float32]:
    """Return how much darker the product is right at its base than a little further inside: (points,) float32.

    The unit is levels (0..255) of the greatest channel. The last 3 px inside the outline are compared with the pixels 6
    to 12 px inside. Above 0 the last pixels are darker, as a contact shadow is that was kept as product.

    Args:
        pixels: the photograph, (rows, columns, 3) uint16, Adobe RGB.
        base: the base of a matte of the photograph, from `base_of`.
    """
    light = base.across(greatest_channel(pixels.astype(np.float32) / np.float32(257)))
    last, deeper = (light[:, _between(*part)] for part in (LAST_PX, DEEPER_PX))
    return np.asarray(np.median(deeper, axis=1) - last.mean(axis=1), np.float32)


def ends_beyond(matte: Matte, true: Matte, base: Base) -> NDArray[np.float32]:
    """Return how far a matte ends outside of the true one at the points of the true base: (points,) float32, in pixels.

    Below 0 it ends inside.

    Args:
        matte, true: (rows, columns) float32 in 0..1.
        base: of the true matte.
    """
    found, wanted = (base.across(one).sum(axis=1) for one in (matte, true))
    return np.asarray((found - wanted) * STEP_PX, np.float32)


def _between(low: float, high: float) -> slice:
    return slice(round((low - OFFSETS_PX[0]) / STEP_PX), round((high - OFFSETS_PX[0]) / STEP_PX) + 1)


def row(name: str, model: str) -> str | None:
    """Return the measurements of the machine's edit of a scene, as a row of a Markdown table.

    The cells are the scene's name, the mean darkness at the base of the edit and of the true matte, and how far the
    edit's base ends outside the true one (median, 5th and 95th percentile, in pixels). None if one of the two mattes
    has no base.

    Args:
        name: the scene's name, such as ``basket-white``.
        model: name of the segmentation model, such as ``isnet-general-use``.
    """
    scene = load_scene(name)
    pixels = srgb8_to_working(scene.photo)
    matte = cut_out(pixels, KeptSegmenter(model)).matte
    own, true = base_of(matte), base_of(scene.matte)
    if own is None or true is None:
        return None
    off = ends_beyond(matte, scene.matte, true)
    low, middle, high = np.percentile(off, [5, 50, 95])
    dark = darkness(pixels, own).mean(), darkness(pixels, true).mean()
    return f"| {name} | {dark[0]:.0f} | {dark[1]:.0f} | {middle:+.2f} | {low:+.2f} | {high:+.2f} |"


def main() -> None:
    """Print a Markdown table of all scenes: how dark each edit is along its base, and how far off the base is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="isnet-general-use")
    parser.add_argument("--set", choices=SETS, default="studio")
    parser.add_argument("--only", nargs="*", default=None, help="parts of scene names")
    args = parser.parse_args()
    print("| scene | darkness | darkness of truth | ends beyond truth, median | 5 % | 95 % |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in names_of(args.set):
        if args.only is None or any(part in name for part in args.only):
            found = row(name, args.model)
            if found:
                print(found, flush=True)


if __name__ == "__main__":
    main()
