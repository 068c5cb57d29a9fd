"""Print a carton's design on the rendered white box: `python samples/printed_box.py PHOTO MATTE TRUTH OUT`.

A white box has no edge against a white background; a printed one stands out wherever it is put. The photograph's light,
noise, backdrop and shadow stay as they are: only the product's own light is multiplied by what its print reflects.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

TOP = ((253, 217), (555, 202), (652, 223), (330, 240))
FRONT = ((330, 240), (652, 223), (643, 678), (336, 724))
SIDE = ((253, 217), (330, 240), (336, 724), (261, 660))
"""Corners of the faces in a frame of 900 pixels, from the upper left one, clockwise."""
CARTON, BAND, PAPER, INK = (0.13, 0.30, 0.36), (0.62, 0.30, 0.10), (0.66, 0.62, 0.52), (0.05, 0.07, 0.09)
"""Reflectance of the print, linear."""
FACE_PX = (600, 850)


def linear(levels: NDArray[np.uint8]) -> NDArray[np.float64]:
    share = levels / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def levels(light: NDArray[np.float64]) -> NDArray[np.uint8]:
    light = np.clip(light, 0, 1)
    share = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * share), np.uint8)


def front() -> NDArray[np.float64]:
    """A front with a band, a paper label and lines of print."""
    width, height = FACE_PX
    face = np.full((height, width, 3), CARTON)
    face[610:700] = BAND
    face[150:470, 90:510] = PAPER
    face[205:262, 140:460] = INK
    for row in (300, 330, 360, 390):
        face[row : row + 10, 140 : 440 - row // 8] = INK
    return face


def side() -> NDArray[np.float64]:
    """A narrow side with the same band."""
    width, height = FACE_PX
    face = np.full((height, width, 3), CARTON)
    face[610:700] = BAND
    return face


def reflectance(size: tuple[int, int]) -> NDArray[np.float64]:
    """The print as the camera sees it, (rows, columns, 3); beyond the faces the carton goes on."""
    width, height = size
    scale = width / 900
    seen = np.full((height, width, 3), CARTON)
    for corners, face in ((TOP, np.full((8, 8, 3), np.multiply(CARTON, 1.35))), (SIDE, side()), (FRONT, front())):
        rows, columns = face.shape[:2]
        flat = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
        way = cv2.getPerspectiveTransform(flat, (np.array(corners) * scale).astype(np.float32))
        drawn = cv2.warpPerspective(face, way, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside = cv2.warpPerspective(np.ones((rows, columns)), way, (width, height), flags=cv2.INTER_LINEAR)
        seen = seen * (1 - inside[..., None]) + drawn * inside[..., None]
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.8))


def main(photo: Path, matte: Path, truth: Path, out: Path) -> None:
    original = Image.open(photo)
    taken = linear(np.asarray(original.convert("RGB")))
    share = np.asarray(Image.open(matte).convert("L"))[..., None] / 255
    product = linear(np.asarray(Image.open(truth).convert("RGB"))) - (1 - share)
    height, width = taken.shape[:2]
    printed = taken - product * (1 - reflectance((width, height)))
    more = {name: original.info[name] for name in ("exif", "icc_profile") if name in original.info}
    Image.fromarray(levels(printed)).save(out, quality=94, subsampling=0, **more)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
