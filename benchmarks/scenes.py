"""Make studio photographs with exact truth: rendered ones, and real cut-outs on drawn studio backdrops.

A drawn scene is blended in linear light from a product's own colours, its exact coverage, and a backdrop with fall-off
and a contact shadow. Then a camera's effects are added: noise that grows with the light, sharpening, JPEG. The same
name always gives the same picture.
"""

from __future__ import annotations

import dataclasses
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from packshot.colour.spaces import decode_working, encode_working
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.types import FloatImage, Matte, Pixels8

BACKDROPS: dict[str, tuple[float, float, float]] = {
    "white": (0.92, 0.92, 0.93),
    "lightgrey": (0.60, 0.60, 0.62),
    "midgrey": (0.21, 0.21, 0.22),
    "dark": (0.030, 0.030, 0.033),
    "colour": (0.22, 0.42, 0.55),
}
"""Linear working-space light in the middle of the backdrop."""
MARGIN_RATIO = 0.14
LONGEST_PX = 2000
_NOISE_FLOOR, _NOISE_SHOT = 0.5, 1.2
STUDIO_KINDS = {"basket": "gaps", "cactus": "thin", "ring": "jewellery", "wineglass": "glass"}
PALE_PRODUCTS = ("whitebox", "mug")
_CUTOUT_KINDS = {"teddy": "soft", "lemur": "soft", "kerosene": "glass"}
_BACKDROPS_PER_CUTOUT = {"alphamatting27": 2, "pymatting-lemur": 3, "cutouts-photo": 4, "editor-path": 2}


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """A photograph of a product with its right matte and its faultless edit.

    Attributes:
        name: object and backdrop, unique, such as ``basket-white``.
        product: name of the object. Photographs of one object are never split between fitting and testing.
        kind: ``hard``, ``pale``, ``gaps``, ``thin``, ``jewellery``, ``soft`` or ``glass``.
        backdrop: ``white``, ``lightgrey``, ``midgrey``, ``dark`` or ``colour``.
        photo: (rows, columns, 3) uint8, sRGB.
        matte: exact coverage, (rows, columns) float32 in 0..1.
        truth: the product on white, (rows, columns, 3) uint8, sRGB.
    """

    name: str
    product: str
    kind: str
    backdrop: str
    photo: Pixels8
    matte: Matte
    truth: Pixels8


def data_folder() -> Path:
    """Return the folder of test data: the one named by PACKSHOT_SHARED_DATA, else the one beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("PACKSHOT_SHARED_DATA", beside))


def studio_names() -> list[str]:
    """Return the names of the rendered scenes, ``<product>-<backdrop>`` such as ``basket-white``, sorted."""
    return sorted(path.stem for path in (data_folder() / "studio" / "image").glob("*.jpg"))


def drawn_names(*, left_out: bool = False) -> list[str]:
    """Return the names of the scenes that put a real cut-out on a drawn backdrop: ``<folder>/<stem>@<backdrop>``.

    Example: ``cutouts-photo/box_02@dark``. They are in the order of folders, then of stems. Which backdrops a cut-out
    gets depends on its place in the folder, so it is the same at each call.

    Args:
        left_out: False for the usual scenes. True for other scenes, on which no limit was chosen: they show each
            cut-out on the backdrops that the usual scenes do not use for it.
    """
    names = []
    for folder, count in _BACKDROPS_PER_CUTOUT.items():
        for place, stem in enumerate(cut_out_stems(folder)):
            turn = list(BACKDROPS)[place % len(BACKDROPS) :] + list(BACKDROPS)[: place % len(BACKDROPS)]
            names += [f"{folder}/{stem}@{backdrop}" for backdrop in (turn[count:] if left_out else turn[:count])]
    return names


SETS = ("studio", "drawn", "all", "left-out")


def names_of(which: str) -> list[str]:
    """Return the names of the scenes of one set, always in the same order: rendered scenes first, then drawn ones.

    Args:
        which: one of `SETS`: ``studio`` (rendered), ``drawn``, ``all`` (both), or ``left-out`` (drawn ones on which
            no limit was chosen).
    """
    if which == "left-out":
        return drawn_names(left_out=True)
    return (studio_names() if which != "drawn" else []) + (drawn_names() if which != "studio" else [])


def load_scene(name: str) -> Scene:
    """Return a photograph with its right matte and its faultless edit.

    Args:
        name: name of the scene, such as ``basket-white`` (rendered), or ``<folder>/<stem>@<backdrop>`` (drawn).
    """
    return _drawn(name) if "@" in name else _studio(name)


def scenes(names: Sequence[str]) -> Iterator[Scene]:
    """Yield photographs with their right mattes and faultless edits, in the order of the names.

    Args:
        names: names of scenes, such as ``basket-white`` (rendered), or ``<folder>/<stem>@<backdrop>`` (drawn).
    """
    for name in names:
        yield load_scene(name)


def cut_out_stems(folder: str) -> list[str]:
    """Return the names of the cut-outs in a folder, sorted, each without its ending, such as ``box_02``.

    Args:
        folder: a folder of ``ground_truth`` in the test data, such as ``cutouts-photo`` or ``editor-path``.
    """
    kind = "rgba" if folder == "cutouts-photo" else "alpha"
    return sorted(path.stem for path in (data_folder() / "ground_truth" / folder / kind).glob("*.png"))


def _studio(name: str) -> Scene:
    folder = data_folder() / "studio"
    product, backdrop = name.split("-")
    matte = read_matte(folder / "matte" / f"{name}.png")
    photo, truth = read_rgb(folder / "image" / f"{name}.jpg"), read_rgb(folder / "truth" / f"{name}.webp")
    kind = STUDIO_KINDS.get(product, "pale" if product in PALE_PRODUCTS else "hard")
    return Scene(name, product, kind, backdrop, photo, matte, truth)


def read_rgb(path: Path) -> Pixels8:
    """Return the pixels of a picture file: (rows, columns, 3) uint8, in the colour space of the file.

    The values are those that are stored: the file's colour profile is not applied, and the picture is not turned. A
    grey picture gets three equal channels, and an alpha channel is dropped.

    Args:
        path: the file, in a format that Pillow reads.

    Raises:
        OSError: the file is missing, or is no picture.
    """
    return np.array(Image.open(path).convert("RGB"))


def read_matte(path: Path) -> Matte:
    """Return the matte in a picture file: (rows, columns) float32 in 0..1; black is 0, white is 1.

    Args:
        path: the file, in a format that Pillow reads.

    Raises:
        OSError: the file is missing, or is no picture.
    """
    return np.asarray(Image.open(path).convert("L"), np.float32) / np.float32(255)


def _drawn(name: str) -> Scene:
    source, backdrop = name.split("@")
    folder, stem = source.split("/")
    own, matte = cut_out_with_room(folder, stem)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    behind = draw_backdrop(matte, BACKDROPS[backdrop], rng)
    alpha = matte[..., None]
    photo = photographed(alpha * own + (1 - alpha) * behind, rng)
    truth = working_to_srgb8(encode_working((alpha * own + (1 - alpha)).astype(np.float32)))
    truth[matte == 0] = 255
    product = stem.split("_")[0] if folder == "editor-path" else stem
    return Scene(name, product, kind_of(folder, stem), backdrop, photo, matte, truth)


def kind_of(folder: str, stem: str) -> str:
    """Return the kind of product that a real cut-out shows: ``soft``, ``glass`` or ``hard``.

    Args:
        folder: a folder of ``ground_truth`` in the test data, such as ``cutouts-photo``.
        stem: name of the picture's file without its ending.
    """
    if folder in ("alphamatting27", "pymatting-lemur"):
        return "soft"
    return next((kind for start, kind in _CUTOUT_KINDS.items() if stem.startswith(start)), "hard")


def cut_out_product(folder: str, stem: str) -> tuple[FloatImage, Matte]:
    """Return (a real product's own colours, its coverage), from a picture with a measured matte.

    The colours are (rows, columns, 3) float32, linear Adobe RGB, and continue outside its edge. The coverage is (rows,
    columns) float32 in 0..1.

    Args:
        folder: a folder of ``ground_truth`` in the test data, such as ``cutouts-photo``.
        stem: name of the picture's file without its ending.
    """
    root = data_folder() / "ground_truth" / folder
    if folder == "cutouts-photo":
        rgba = np.asarray(Image.open(root / "rgba" / f"{stem}.png").convert("RGBA"))
        photo, matte = np.ascontiguousarray(rgba[..., :3]), rgba[..., 3].astype(np.float32) / np.float32(255)
    else:
        photo = read_rgb(next((root / "image").glob(f"{stem}.*")))
        matte = read_matte(root / "alpha" / f"{stem}.png")
    linear = decode_working(srgb8_to_working(photo))
    if folder in ("alphamatting27", "pymatting-lemur"):
        from pymatting import estimate_foreground_ml

        own = estimate_foreground_ml(linear.astype(np.float64), matte.astype(np.float64)).astype(np.float32)
        return np.clip(own, 0, 1), matte
    return spread_colours(linear, matte), matte


def spread_colours(linear: FloatImage, matte: Matte) -> FloatImage:
    """Return colours that continue outside a product's edge: (rows, columns, 3) float32, linear light.

    Each pixel outside has the colour of the nearest pixel that the product covers fully. So the product can be put on
    another backdrop.

    Args:
        linear: the picture, (rows, columns, 3) float32, linear light.
        matte: (rows, columns) float32 in 0..1.
    """
    solid = np.asarray(cv2.erode((matte > 0.995).astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)
    _, labels = cv2.distanceTransformWithLabels(1 - solid, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(solid)
    where = np.zeros((int(labels.max()) + 1, 2), np.intp)
    where[labels[rows, columns]] = np.stack([rows, columns], axis=1)
    near = where[labels]
    return np.where(solid[..., None] > 0, linear, linear[near[..., 0], near[..., 1]])


def cut_out_with_room(folder: str, stem: str) -> tuple[FloatImage, Matte]:
    """Return (a real product's own colours, its coverage), with room around the product.

    The colours are (rows, columns, 3) float32, linear light, and continue outside its edge. The coverage is (rows,
    columns) float32 in 0..1. The longest side is at most 2000 px. Where the frame cuts the product, there is no room.

    Args:
        folder: a folder of ``ground_truth`` in the test data, such as ``cutouts-photo``.
        stem: name of the picture's file without its ending.
    """
    return _with_room(*cut_out_product(folder, stem))


def _with_room(own: FloatImage, matte: Matte) -> tuple[FloatImage, Matte]:
    """Room around the product, except where the frame cuts it."""
    share = min(1.0, LONGEST_PX / (max(matte.shape) * (1 + 2 * MARGIN_RATIO)))
    if share < 1:
        size = (round(matte.shape[1] * share), round(matte.shape[0] * share))
        premultiplied = cv2.resize(own * matte[..., None], size, interpolation=cv2.INTER_AREA)
        small = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.float32)
        filled = cv2.resize(own, size, interpolation=cv2.INTER_AREA)
        known = small[..., None] > 0.02
        own = np.where(known, premultiplied / np.maximum(small, 0.02)[..., None], filled)
        matte = small
    margin = round(MARGIN_RATIO * max(matte.shape))
    return with_border(own, matte, [0 if cut else margin for cut in cut_sides(matte)])


def with_border(own: FloatImage, matte: Matte, sides_px: Sequence[int]) -> tuple[FloatImage, Matte]:
    """Return (colours, coverage) with a border, in which the product's colours continue, and the coverage is 0.

    Both results have the dtype, range and colour space of the arguments.

    Args:
        own: the colours, (rows, columns, 3) float32, linear light.
        matte: the coverage, (rows, columns) float32 in 0..1.
        sides_px: width of the border at top, bottom, left and right.
    """
    top, bottom, left, right = sides_px
    own_around = cv2.copyMakeBorder(own, top, bottom, left, right, cv2.BORDER_REPLICATE)
    matte_around = cv2.copyMakeBorder(matte, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    return np.clip(own_around, 0, 1).astype(np.float32), np.clip(matte_around, 0, 1).astype(np.float32)


def cut_sides(matte: Matte) -> tuple[bool, bool, bool, bool]:
    """Return four bools, for the top, bottom, left and right side of the frame: True if this side cuts the product.

    A side cuts the product if a pixel of the outermost row or column is covered by more than half.

    Args:
        matte: (rows, columns) float32 in 0..1.
    """
    top, bottom, left, right = (float(line.max()) > 0.5 for line in (matte[0], matte[-1], matte[:, 0], matte[:, -1]))
    return top, bottom, left, right


def draw_backdrop(matte: Matte, colour: tuple[float, float, float], rng: np.random.Generator) -> FloatImage:
    """Return a smooth backdrop, (rows, columns, 3) float32, linear light.

    It has fall-off, a gradient, and the product's soft shadow on the floor.

    Args:
        matte: the product's coverage, (rows, columns) float32 in 0..1.
        colour: the backdrop's colour, linear light, 0..1.
        rng: decides what is random.
    """
    rows, columns = matte.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    x, y = x / columns - 0.5, y / rows - 0.5
    tilt_x, tilt_y = rng.uniform(-0.15, 0.15, 2)
    light = 1 - rng.uniform(0.1, 0.5) * (x**2 + y**2) + tilt_x * x + tilt_y * y
    ys, xs = np.nonzero(matte > 0.5)
    foot, middle = ys.max() / rows - 0.5, xs.mean() / columns - 0.5
    width, height = np.ptp(xs) / columns, rng.uniform(0.03, 0.08)
    shadow = np.exp(-(((x - middle) / (0.55 * width)) ** 2) - ((y - foot) / height) ** 2) * rng.uniform(0.1, 0.6)
    light = np.clip(light * (1 - shadow), 0, 1.1)
    return np.asarray(np.clip(light[..., None] * np.array(colour, np.float32), 0, 1), np.float32)


def photographed(linear: FloatImage, rng: np.random.Generator) -> Pixels8:
    """Return a picture as a camera would take it: (rows, columns, 3) uint8, sRGB.

    It has noise, sharpening, and the loss of a JPEG with full chroma resolution, as studios deliver it.

    Args:
        linear: (rows, columns, 3) float32, linear light.
        rng: decides what is random.
    """
    encoded = working_to_srgb8(encode_working(linear.astype(np.float32))).astype(np.float32)
    sigma = _NOISE_FLOOR + _NOISE_SHOT * np.sqrt(encoded / 255) * rng.uniform(0.5, 1.5)
    seen = encoded + cv2.GaussianBlur(rng.standard_normal(encoded.shape, np.float32), (0, 0), 0.6) * sigma * 1.5
    seen += rng.uniform(0.2, 0.5) * (seen - cv2.GaussianBlur(seen, (0, 0), 0.9))
    picture = np.clip(seen + 0.5, 0, 255).astype(np.uint8)[..., ::-1]
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(90, 97)), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    coded = cv2.imencode(".jpg", picture, quality)[1]
    decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
