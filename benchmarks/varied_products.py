"""Draw photographs of products in studios that differ, to train and test the rule that finds left-over backdrop.

A photograph's name is ``<product>#<turn>``, such as ``drawn/920000#0``; the product is one of
`benchmarks.routing_scenes`. The name is the seed of everything that is random: size, room, backdrop, shadow, bounced
light, noise, and labels on the product. Nearly half of the labels have nearly the backdrop's colour.

Drawn products are split by their number, before anything was measured. Forests may be trained, and limits chosen, on
those from the number `LEARNT` on. Those from `NEVER_TUNED_ON` on only give a last figure.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.drawn_products import drawn_kind
from benchmarks.routing_scenes import is_free, load_product, placed, product_kind, product_names
from benchmarks.scenes import draw_backdrop, photographed
from packshot.types import FloatImage, Matte, Pixels8

KINDS = ("hard", "pale", "shiny", "gaps", "thin")
"""Kinds whose coverage is never soft: backdrop shows beside such a product, or in a gap, and nowhere else."""
LEARNT, LEARNT_COUNT = 920_000, 110
NEVER_TUNED_ON, NEVER_TUNED_ON_COUNT = 910_000, 60
"""First number and count of drawn products of `KINDS`; other kinds are left out."""
TURNS = (1, 2)
"""Turns of the photographs that are made of each product that is not drawn."""
_WIDE_PX = 6.0


def learnt_names() -> list[str]:
    """Return the names of the photographs to learn from: drawn products, and free ones that are rendered or cut out."""
    free = [name for name in product_names(drawn=0) if is_free(name) and product_kind(name) in KINDS]
    return _drawn(LEARNT, LEARNT_COUNT) + [f"{name}#{turn}" for name in free for turn in TURNS]


def never_tuned_on_names() -> list[str]:
    """Return the names of the photographs for a last figure: of drawn products on which nothing was chosen."""
    return _drawn(NEVER_TUNED_ON, NEVER_TUNED_ON_COUNT)


def _drawn(first: int, count: int) -> list[str]:
    numbers = (number for number in range(first, first + 10 * count) if drawn_kind(number) in KINDS)
    return [f"drawn/{number}#0" for number in islice(numbers, count)]


def photograph(name: str) -> tuple[Pixels8, Matte]:
    """Return (a photograph of a product in a studio, its right matte). The same name always gives the same picture.

    The photograph is (rows, columns, 3) uint8, sRGB; the matte is (rows, columns) float32 in 0..1, exact.

    Args:
        name: ``<product>#<turn>``, such as ``drawn/920000#0`` or ``studio/whitebox-midgrey#1``.
    """
    rng = np.random.default_rng(zlib.crc32(f"varied {name}".encode()))
    own, matte = placed(load_product(name.split("#")[0]), rng)
    colour = _backdrop_colour(rng)
    if rng.random() < 0.7:
        own = with_labels(own, matte, colour, rng)
    behind = _shaded(draw_backdrop(matte, colour, rng), own, matte, rng)
    if rng.random() < 0.6:
        behind = _with_contact_shadow(behind, matte, rng)
    alpha = matte[..., None]
    return photographed((alpha * own + (1 - alpha) * behind).astype(np.float32), rng), matte


def photographs(names: Sequence[str]) -> Iterator[tuple[str, Pixels8, Matte]]:
    """Yield (name, photograph, right matte) for each name, in their order; as `photograph` returns them."""
    for name in names:
        yield name, *photograph(name)


def _backdrop_colour(rng: np.random.Generator) -> tuple[float, float, float]:
    """White or light grey most often; else mid grey, dark, or any colour. Linear light."""
    kind = str(rng.choice(["white", "lightgrey", "midgrey", "dark", "colour"], p=[0.4, 0.25, 0.12, 0.06, 0.17]))
    ranges = {"white": (0.81, 0.975), "lightgrey": (0.42, 0.75), "midgrey": (0.12, 0.35), "dark": (0.02, 0.1)}
    level = rng.uniform(*ranges[kind]) if kind in ranges else rng.uniform(0.08, 0.9, 3)
    red, green, blue = (float(one) for one in np.clip(level * (1 + rng.normal(0, 0.02, 3)), 0.005, 0.995))
    return red, green, blue


def with_labels(
    own: FloatImage, matte: Matte, backdrop: tuple[float, float, float], rng: np.random.Generator
) -> FloatImage:
    """Return a product's colours with one to five labels or prints, (rows, columns, 3) float32, 0..1, linear light.

    The labels lie in the product's own light. Some reach its outline, and nearly half have nearly the backdrop's
    colour.

    Args:
        own: the product's colours, (rows, columns, 3) float32, linear light.
        matte: (rows, columns) float32 in 0..1.
        backdrop: the backdrop's colour: red, green and blue, 0..1, linear light.
        rng: the source of all that is random.
    """
    solid = matte > 0.5
    light = cv2.GaussianBlur(own.mean(axis=2), (0, 0), 3)
    light = np.clip(light / max(1e-3, float(np.percentile(light[solid], 90))), 0.05, 1.2)
    rows, columns = np.nonzero(solid)
    for _ in range(int(rng.integers(1, 6))):
        place = int(rng.integers(len(rows)))
        reach = max(matte.shape) * float(rng.uniform(0.01, 0.22))
        shape = _label((int(columns[place]), int(rows[place])), reach, matte.shape, rng)
        soft = float(rng.choice([0.5, 0.8, 1.5, 6.0], p=[0.4, 0.3, 0.2, 0.1]))
        shape = np.asarray(cv2.GaussianBlur(shape, (0, 0), soft), np.float32)
        pick = rng.random()
        if pick < 0.45:
            colour = np.array(backdrop) * rng.uniform(0.6, 1.1)
        elif pick < 0.75:
            colour = np.full(3, rng.uniform(0.3, 0.95))
        else:
            colour = rng.uniform(0.02, 0.95, 3)
        paint = light[..., None] * colour * (1 + rng.normal(0, 0.03, 3))
        own = own * (1 - shape[..., None]) + paint * shape[..., None]
    return np.clip(own, 0, 1).astype(np.float32)


def _label(
    centre: tuple[int, int], reach: float, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float32]:
    """An ellipse, a rectangle, or lines of type, 0 or 1."""
    drawn = np.zeros(shape, np.float32)
    width, height = max(2.0, reach), max(2.0, reach * float(rng.uniform(0.1, 1)))
    turn = float(rng.uniform(0, 180)) if rng.random() < 0.6 else 0.0
    form = str(rng.choice(["ellipse", "rectangle", "type"], p=[0.25, 0.5, 0.25]))
    if form == "ellipse":
        cv2.ellipse(drawn, centre, (int(width), int(height)), turn, 0, 360, 1, -1)
    elif form == "rectangle":
        corners = cv2.boxPoints((centre, (2 * width, 2 * height), turn))
        cv2.fillPoly(drawn, [np.rint(corners).astype(np.int32)], 1)
    else:
        for number in range(int(rng.integers(3, 25))):
            left = centre[0] + int((number % 6 - 3) * height * 0.5)
            top = centre[1] + int((number // 6) * height * 0.7)
            size = max(1, int(height * 0.3)), max(1, int(height * rng.uniform(0.2, 0.6)))
            cv2.rectangle(drawn, (left, top), (left + size[0], top + size[1]), 1, -1)
    return drawn


def _shaded(behind: FloatImage, own: FloatImage, matte: Matte, rng: np.random.Generator) -> FloatImage:
    """The backdrop as the product shades it, with the product's light on it."""
    reach = max(matte.shape) * float(rng.choice([0.008, 0.02, 0.05]))
    near = np.clip(_wide_blur(matte, reach), 0, 1)
    shade = 1 - rng.uniform(0, 0.75) * near ** rng.uniform(0.7, 2.5)
    bounced = _wide_blur(own * matte[..., None], reach) * rng.uniform(0, 0.5)
    return np.clip(behind * (shade[..., None] + bounced), 0, 1).astype(np.float32)


def _with_contact_shadow(behind: FloatImage, matte: Matte, rng: np.random.Generator) -> FloatImage:
    """The backdrop with a dark, slightly tinted shadow right under the lowest seventh of the product."""
    rows = np.flatnonzero((matte > 0.5).any(axis=1))
    tall = max(1.0, 0.15 * (rows[-1] - rows[0]))
    lower = np.clip((np.arange(matte.shape[0]) - (rows[-1] - tall)) / tall, 0, 1)[:, None]
    shadow = np.roll(matte, int(max(1, rng.uniform(0.002, 0.02) * matte.shape[0])), axis=0)
    shadow = _wide_blur(shadow, float(rng.choice([1.0, 3.0, 8.0]))) * lower
    depth = rng.uniform(0.1, 0.7) * np.array([1, rng.uniform(0.85, 1.1), rng.uniform(0.8, 1.1)])
    return np.asarray(np.clip(behind * (1 - shadow[..., None] * depth), 0, 1), np.float32)


def _wide_blur(picture: FloatImage, sigma_px: float) -> FloatImage:
    """A Gaussian blur; a wide one is made at a quarter of the size, where it is cheap."""
    if sigma_px < _WIDE_PX:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    even = cv2.GaussianBlur(small, (0, 0), sigma_px / 4)
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
