"""Instruments for delivered files that share nothing with the line's own: Pillow, NumPy, tifffile, YAML as it is.

The line's word is taken for one thing only: the matte in storage, to know where the product is.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy import ndimage

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
RINGING_PX = {"jpg": 8, "webp": 12, "tif": 0}
"""How far from the product a codec may leave anything but exact white: JPEG 4:4:4, lossy WebP, lossless TIFF."""
RESAMPLED_PX = 2
"""How far resampling carries the product's edge, and how well a file and its matte are brought to cover each other."""
OFF_WHITE = 253 / 255
"""What is darker counts as product: light edges of a pale product too, and most of the ringing right beside it."""
EXTENSIONS = {"jpeg": "jpg", "webp": "webp", "tiff": "tif"}


class Measured(NamedTuple):
    """A delivered file, decoded.

    Attributes:
        pixels: (rows, columns, 3), uint8 or uint16.
    """

    pixels: NDArray[Any]
    icc: bytes
    format: str

    @property
    def white(self) -> int:
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def darkest(self) -> NDArray[Any]:
        """The least channel of every pixel."""
        return self.pixels.min(axis=2)


def decode(data: bytes) -> Measured:
    """Decode a delivered file; TIFF by tifffile, because Pillow brings 16 bits down to 8."""
    with Image.open(io.BytesIO(data)) as image:
        kind = str(image.format)
        icc = image.info.get("icc_profile") or b""
        if kind != "TIFF":
            return Measured(np.asarray(image.convert("RGB")), icc, kind)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        return Measured(page.asarray(), bytes(page.tags["InterColorProfile"].value), kind)


def read_matte(data: bytes) -> NDArray[np.float64]:
    """A stored matte, (rows, columns) in 0..1."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image).astype(np.float64) / 65535


def product_on_canvas(matte: NDArray[np.float64], size: tuple[int, int], *, fill: float, square: bool) -> NDArray[Any]:
    """Where a file of this size may show product: the matte, brought to where the rules put it; bool, (rows, columns).

    The product's box (coverage above one half) stands in the middle, its longest side filling `fill` of the canvas;
    without a shape to keep to, the margins are the same on all sides.
    """
    rows, columns = np.flatnonzero((matte > 0.5).any(axis=1)), np.flatnonzero((matte > 0.5).any(axis=0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    longest = max(right - left, bottom - top)
    margins = longest / fill - longest
    wide, high = (longest / fill,) * 2 if square else (right - left + margins, bottom - top + margins)
    window = [
        (left + right - wide) / 2,
        (top + bottom - high) / 2,
        (left + right + wide) / 2,
        (top + bottom + high) / 2,
    ]
    covered = Image.fromarray((matte > 1 / 512).astype(np.uint8) * 255)
    brought = covered.transform(size, Image.Transform.EXTENT, window, Image.Resampling.BILINEAR, fillcolor=0)
    return np.asarray(brought) > 0


def off_white(file: Measured, product: NDArray[Any], *, beyond_px: int) -> int:
    """How many pixels of the whole frame, farther than this from the product, are not exactly white."""
    near = ndimage.maximum_filter(product, size=2 * beyond_px + 1)
    return int(np.count_nonzero((file.darkest < file.white) & ~near))


def border_is_white(file: Measured, *, share: float = 0.02) -> bool:
    """Whether the outermost part of the frame is exactly white, all round."""
    ring = max(1, round(share * min(file.size)))
    inner = np.zeros(file.pixels.shape[:2], bool)
    inner[ring:-ring, ring:-ring] = True
    return bool((file.pixels[~inner] == file.white).all())


def fill_ratio(file: Measured) -> float:
    """Longest side of what is not white, over the canvas's side along which it takes most."""
    dark = file.darkest < OFF_WHITE * file.white
    down, across = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return max((across[-1] - across[0] + 1) / file.size[0], (down[-1] - down[0] + 1) / file.size[1])


def fill_tolerance(file: Measured) -> float:
    """How well `fill_ratio` can know it: whole pixels, and half of the ringing that a codec may leave."""
    ringing_px = RINGING_PX[EXTENSIONS[file.format.lower()]]
    return (6 + ringing_px / 2) / max(file.size)


def profile_title(icc: bytes) -> str:
    """What a profile calls itself."""
    return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()


def is_srgb(icc: bytes) -> bool:
    """Whether every colour means under this profile what it means in sRGB, to a level."""
    steps = np.linspace(0, 255, 6).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    there = ImageCms.profileToProfile(Image.fromarray(colours), profile, ImageCms.createProfile("sRGB"))
    assert there is not None
    return bool(np.abs(np.asarray(there).astype(int) - colours).max() <= 1)


def platform(name: str) -> dict[str, Any]:
    """A platform's facts as its file has them."""
    return dict(yaml.safe_load((CONFIGS / "platforms" / f"{name}.yaml").read_text()))


def client_platforms(name: str) -> list[str]:
    """A client's platforms, in the order of its style guide."""
    return list(yaml.safe_load((CONFIGS / "clients" / f"{name}.yaml").read_text())["platforms"])


def wanted_fill(facts: dict[str, Any]) -> float:
    """The fill that the rules ask of a platform."""
    defaults = yaml.safe_load((CONFIGS / "defaults.yaml").read_text())
    return float(facts.get("rules", {}).get("fill_ratio", defaults["fill_ratio"]))
