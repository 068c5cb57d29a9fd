"""Turn rendered light into a photograph as a camera does: exposure, lens, noise, tone curve, sharpening, JPEG."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ORIENTATION_TAG = 0x0112


def developed(light: NDArray[np.float32], *, backdrop_level: float, seed: int, warmth: float = 0) -> NDArray[np.uint8]:
    """Return the photograph that a camera makes of the light: (rows, columns, 3), uint8 sRGB.

    Darker corners, blur of the lens, sensor noise, a tone curve and sharpening are added.

    Args:
        light: (rows, columns, 3) float32, linear sRGB, from 0; it may exceed 1.
        backdrop_level: sRGB level, 0 to 255, that the backdrop gets at the picture's left and right edges, from a
            quarter to half way down. The exposure follows from it.
        seed: of the random sensor noise; equal seeds give equal noise.
        warmth: by how many stops red is brighter than blue, because the white balance is too warm; 0 is neutral.
    """
    rows, columns = light.shape[:2]
    band, edge = slice(rows // 4, rows // 2), columns // 12
    sides = np.concatenate([light[band, :edge], light[band, -edge:]])
    exposed = light * (_linear(backdrop_level / 255) / float(np.median(sides.max(axis=2))))
    exposed = exposed * np.array([2 ** (warmth / 2), 1, 2 ** (-warmth / 2)])
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    exposed = exposed * (1 - 0.05 * (x**2 + y**2) / 2)[..., None]
    seen = cv2.GaussianBlur(exposed.astype(np.float32), (0, 0), 0.55)
    noise = np.random.default_rng(seed).standard_normal(seen.shape).astype(np.float32)
    seen = seen + noise * np.sqrt(np.maximum(seen, 0) * 1.2e-5 + 4e-7)
    level = _level(_shouldered(np.maximum(seen, 0)))
    sharp = level + 0.55 * (level - cv2.GaussianBlur(level, (0, 0), 1.0))
    return np.asarray(np.rint(255 * np.clip(sharp, 0, 1)), np.uint8)


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _level(light: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def _shouldered(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return highlights rolled off from 0.7 on, as film and raw converters do."""
    knee = 0.7
    over = np.maximum(light - knee, 0)
    return np.where(light > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), light)


def write(picture: NDArray[np.uint8], file: Path, *, turned: bool = False, quality: int = 92) -> None:
    """Write a picture as a file: as WebP if its name ends with ``.webp``, otherwise as JPEG. Nothing is returned.

    Args:
        picture: (rows, columns, 3), uint8 sRGB.
        file: path of the file; an existing one is replaced.
        turned: True stores the picture on its side. A JPEG then has the EXIF orientation that puts it upright; a WebP
            does not.
        quality: of the compression, 1 to 100.
    """
    exif = Image.Exif()
    if turned:
        picture = np.ascontiguousarray(np.rot90(picture, 1))
        exif[ORIENTATION_TAG] = 6
    image, stream = Image.fromarray(picture), io.BytesIO()
    if file.suffix == ".webp":
        image.save(stream, "WEBP", quality=quality, method=6)
    else:
        image.save(stream, "JPEG", quality=quality, subsampling=0, optimize=True, **({"exif": exif} if turned else {}))
    file.write_bytes(stream.getvalue())
