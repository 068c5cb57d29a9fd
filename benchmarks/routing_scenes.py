"""Make photographs as examples for routing: products with exact coverage on many backdrops, as often as wanted.

    studio/<name>           rendered products
    alphamatting27/<stem>   real products with measured coverage; if the frame cuts one, its mirror image continues it
    cutouts-photo/<stem>    real products, cut out with transparency
    editor-path/<stem>      real products, cut out by an editor's clipping path
    pymatting-lemur/<stem>  a real animal's fur, with its coverage
    drawn/<number>          products of `benchmarks.drawn_products`

A photograph's name is ``<product>#<turn>``. Name and turn are the seed for backdrop, size, place, light, shadow, noise,
sharpening and JPEG. The same name always gives the same picture.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks.drawn_products import draw_product, drawn_kind
from benchmarks.scenes import (
    BACKDROPS,
    PALE_PRODUCTS,
    STUDIO_KINDS,
    Scene,
    cut_out_product,
    cut_out_stems,
    cut_sides,
    data_folder,
    draw_backdrop,
    kind_of,
    photographed,
    read_matte,
    read_rgb,
    spread_colours,
    with_border,
)
from packshot.colour.spaces import decode_working, encode_working
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.types import FloatImage, Matte

DRAWN = 160
"""How many products are drawn."""
PRODUCT_PX = (420, 1000)
MARGIN_RATIO = (0.06, 0.45)
CUT_SHARE = 0.04
"""Share of the photographs in which the frame cuts the product."""
_SHIPPABLE = ("whitebox", "basket", "ring", "wineglass", "bottlelabel", "chromekettle")
_FREE_FOLDERS = ("pymatting-lemur", "cutouts-photo", "drawn")
_NOT_FREE = ("10767101038_1_large",)


@dataclasses.dataclass(frozen=True, eq=False)
class Product:
    """A product with exact coverage.

    Attributes:
        group: products of one group are the same object; never split them between fitting and testing.
        kind: kind of the product, such as ``hard``, ``shiny``, ``soft`` or ``glass``.
        free: whether its licence allows us to publish a model that was trained on it.
        own: the product's own colours, (rows, columns, 3) float32, linear light. They continue outside its edge.
        matte: (rows, columns) float32 in 0..1: its coverage.
    """

    group: str
    kind: str
    free: bool
    own: FloatImage
    matte: Matte


def product_names(*, drawn: int = DRAWN) -> list[str]:
    """Return the names of all products, ``<folder>/<stem>``, such as ``studio/basket-white`` or ``drawn/12``.

    Args:
        drawn: number of drawn products.
    """
    studio = sorted({path.stem for path in (data_folder() / "studio" / "image").glob("*.jpg")})
    names = [f"studio/{stem}" for stem in studio]
    for folder in ("alphamatting27", "cutouts-photo", "editor-path", "pymatting-lemur"):
        names += [f"{folder}/{stem}" for stem in cut_out_stems(folder)]
    return names + [f"drawn/{number}" for number in range(drawn)]


def product_kind(name: str) -> str:
    """Return what kind of product a name stands for, such as ``hard`` or ``glass``, without loading it.

    Args:
        name: of a product or of a photograph of it.
    """
    folder, stem = name.split("#")[0].split("/")
    if folder == "drawn":
        return drawn_kind(int(stem))
    if folder == "studio":
        product = stem.split("-")[0]
        return STUDIO_KINDS.get(product, "pale" if product in PALE_PRODUCTS else "hard")
    return kind_of(folder, stem)


def scene_names(*, turns: int, drawn: int = DRAWN) -> Iterator[str]:
    """Yield the names of photographs, ``<product>#<turn>``, in a mixed order.

    Every product comes once before any product's next turn.

    Args:
        turns: number of photographs of each product.
        drawn: number of drawn products.
    """
    products = np.array(product_names(drawn=drawn))
    for turn in range(turns):
        for name in np.random.default_rng(turn).permutation(products):
            yield f"{name}#{turn}"


def group_of(name: str) -> str:
    """Return the group of a photograph or a product: a text that is the same for all views and colours of one object.

    Example: ``basket`` for ``studio/basket-white#0``. The name decides. A group is never split between fitting and
    testing.

    Args:
        name: of a product (``studio/basket-white``) or of a photograph of it (``studio/basket-white#0``).
    """
    folder, stem = name.split("#")[0].split("/")
    if folder == "studio":
        return stem.split("-")[0]
    if folder == "editor-path":
        return stem.split("_")[0].split("-")[0]
    return "box" if stem.startswith("box_") else f"{folder}-{stem}"


def is_free(name: str) -> bool:
    """Return whether a product's licence allows us to publish a model that was trained on it.

    Args:
        name: of a product (``studio/basket-white``) or of a photograph of it (``studio/basket-white#0``).
    """
    folder, stem = name.split("#")[0].split("/")
    return group_of(name) in _SHIPPABLE or (folder in _FREE_FOLDERS and stem not in _NOT_FREE)


def load_variation(name: str) -> Scene:
    """Return a photograph of a product with its right matte and edit. The same name always gives the same picture.

    Args:
        name: ``<product>#<turn>``, such as ``drawn/12#0``. It is the seed of everything that is random.
    """
    source, _ = name.split("#")
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    product = load_product(source)
    own, matte = placed(product, rng)
    backdrop, colour = _backdrop(rng)
    behind = draw_backdrop(matte, colour, rng)
    alpha = matte[..., None]
    photo = photographed(alpha * own + (1 - alpha) * behind, rng)
    truth = working_to_srgb8(encode_working((alpha * own + (1 - alpha)).astype(np.float32)))
    truth[matte == 0] = 255
    return Scene(name, product.group, product.kind, backdrop, photo, matte, truth)


def load_product(name: str) -> Product:
    """Return a product with its own colours and its exact coverage.

    Args:
        name: ``<folder>/<stem>``, such as ``studio/basket-white`` or ``drawn/12``.
    """
    folder, stem = name.split("/")
    if folder == "drawn":
        _, own, matte = draw_product(int(stem))
    elif folder == "studio":
        own, matte = _rendered(stem)
    else:
        own, matte = _mirrored(*cut_out_product(folder, stem))
    return Product(group_of(name), product_kind(name), is_free(name), own, matte)


def _rendered(stem: str) -> tuple[FloatImage, Matte]:
    """A rendered product's own colours: what truth shows on white, with the white taken off."""
    folder = data_folder() / "studio"
    matte = read_matte(folder / "matte" / f"{stem}.png")
    linear = decode_working(srgb8_to_working(read_rgb(folder / "truth" / f"{stem}.webp")))
    alpha = matte[..., None]
    own = np.where(alpha > 0.05, (linear - (1 - alpha)) / np.maximum(alpha, 0.05), 0)
    own = np.clip(own, 0, 1).astype(np.float32)
    return np.where(alpha > 0.05, own, spread_colours(own, matte)), matte


def _mirrored(own: FloatImage, matte: Matte) -> tuple[FloatImage, Matte]:
    """Where the frame cuts a product on one side, it goes on as its mirror image, so that all of it is there."""
    top, bottom, left, right = cut_sides(matte)
    if top != bottom:
        parts = (slice(None, None, -1), slice(None)) if top else (slice(None), slice(None, None, -1))
        own, matte = (np.concatenate([picture[part] for part in parts], axis=0) for picture in (own, matte))
    if left != right:
        parts = (slice(None, None, -1), slice(None)) if left else (slice(None), slice(None, None, -1))
        own, matte = (np.concatenate([picture[:, part] for part in parts], axis=1) for picture in (own, matte))
    return np.ascontiguousarray(own), np.ascontiguousarray(matte)


def placed(product: Product, rng: np.random.Generator) -> tuple[FloatImage, Matte]:
    """Return (colours, coverage): a product at a random size, with random room around it.

    Both are (rows, columns[, 3]) float32 in 0..1; the colours are in linear light. The product's longest side is 420 to
    1000 px, but a product is never enlarged. The room on each side is 6 to 45 % of that side. In about 4 % of the
    results the frame cuts the product at one side, so there is no room. A side that cuts the product already gets none.

    Args:
        product: the product.
        rng: decides what is random.
    """
    rows, columns = np.nonzero(product.matte > 0)
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    own, matte = product.own[box], product.matte[box]
    scale = min(1.0, float(rng.uniform(*PRODUCT_PX)) / max(matte.shape))
    size = (max(8, round(matte.shape[1] * scale)), max(8, round(matte.shape[0] * scale)))
    premultiplied = cv2.resize(own * matte[..., None], size, interpolation=cv2.INTER_AREA)
    plain = cv2.resize(own, size, interpolation=cv2.INTER_AREA)
    matte = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), np.float32)
    alpha = matte[..., None]
    own = np.where(alpha > 0.02, premultiplied / np.maximum(alpha, 0.02), plain)
    cut = [one or rng.random() < CUT_SHARE / 4 for one in cut_sides(product.matte)]
    sides = [0 if one else round(float(rng.uniform(*MARGIN_RATIO)) * max(matte.shape)) for one in cut]
    return with_border(own, matte, sides)


def _backdrop(rng: np.random.Generator) -> tuple[str, tuple[float, float, float]]:
    """A studio's white or light grey most often, as studios have it; else another grey, or a colour of any hue."""
    name = str(rng.choice(list(BACKDROPS), p=[0.4, 0.25, 0.12, 0.08, 0.15]))
    if name == "colour":
        red, green, blue = (float(one) for one in rng.uniform(0.08, 0.75, 3))
        return name, (red, green, blue)
    light = float(rng.uniform(0.88, 1.08))
    red, green, blue = (min(1.0, one * light) for one in BACKDROPS[name])
    return name, (red, green, blue)
