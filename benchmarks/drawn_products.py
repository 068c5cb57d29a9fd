"""Draw products from a number: the same number always gives the same product.

Shape, edge hardness, holes, hair, glass and colour are random; the products' coverage is exact.

The products are no real objects. They vary the causes of easy and hard cut-outs far more widely than the few products
with measured coverage. Nobody else has rights in them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packshot.types import FloatImage, Matte

KINDS = {"hard": 0.34, "pale": 0.12, "shiny": 0.1, "gaps": 0.12, "thin": 0.1, "soft": 0.11, "glass": 0.11}
"""Kinds of products and their shares."""
SIDE_PX = 900
_OVER = 3  # drawn so much larger, then averaged: coverage in steps of a ninth, which no cut-out resolves
_ROOM = 0.12

_Mask = NDArray[np.float32]


def draw_product(number: int) -> tuple[str, FloatImage, Matte]:
    """Return (kind, own colours, matte) of a product that is drawn from a number, with some room around it.

    The kind is ``hard``, ``pale``, ``shiny``, ``gaps``, ``thin``, ``soft`` or ``glass``. The product's colours are
    (rows, columns, 3) float32 in 0..1, linear light, and continue outside its edge. The matte is its exact coverage,
    (rows, columns) float32 in 0..1.

    Args:
        number: any number; the same one always gives the same product.
    """
    kind, rng = _begun(number)
    body = _body(rng)
    own = _coloured(body, kind, rng)
    matte = _covered(body, kind, rng)
    return kind, own, matte


def drawn_kind(number: int) -> str:
    """Return the kind of the product that `draw_product` draws from a number, without drawing it.

    It is ``hard``, ``pale``, ``shiny``, ``gaps``, ``thin``, ``soft`` or ``glass``.
    """
    return _begun(number)[0]


def drawn_bodies(number: int) -> int:
    """Return how many separate objects `draw_product` draws from a number, without drawing them: 1, 2 or 3."""
    return _body_count(_begun(number)[1])


def _body_count(rng: np.random.Generator) -> int:
    return int(rng.choice([1, 2, 3], p=[0.86, 0.1, 0.04]))


def _begun(number: int) -> tuple[str, np.random.Generator]:
    rng = np.random.default_rng([number, 20])
    return str(rng.choice(list(KINDS), p=list(KINDS.values()))), rng


def _body(rng: np.random.Generator) -> _Mask:
    """One closed shape, sometimes two or three, at drawing size: 0 or 1."""
    side = SIDE_PX * _OVER
    canvas = np.zeros((side, side), np.uint8)
    count = _body_count(rng)
    for place in range(count):
        centre = (side * (place + 0.5) / count, side / 2)
        reach = side * (0.5 - _ROOM) / (count if count > 1 else 1)
        outline = _outline(rng, reach, tall=float(rng.uniform(0.45, 1.0)))
        if count == 1 and rng.random() < 0.5:
            outline = outline[:, ::-1]
        cv2.fillPoly(canvas, [np.rint(outline + centre).astype(np.int32)], 1)
    return canvas.astype(np.float32)


def _outline(rng: np.random.Generator, reach: float, *, tall: float) -> NDArray[np.float64]:
    """A lathe's profile, a superellipse or a wavy round: (points, 2) around 0."""
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    form = rng.choice(["lathe", "superellipse", "waves"])
    if form == "superellipse":
        power = rng.uniform(2, 10)
        radius = (np.abs(np.cos(turn)) ** power + np.abs(np.sin(turn)) ** power) ** (-1 / power)
        x, y = radius * np.cos(turn) * tall, radius * np.sin(turn)
        size = max(np.abs(x).max(), np.abs(y).max())
        return np.asarray(np.stack([x, y], axis=1) * reach / size, np.float64)
    if form == "waves":
        radius = np.ones_like(turn)
        for order in range(2, 8):
            radius += rng.normal(0, 0.35 / order) * np.cos(order * turn + rng.uniform(0, 6.3))
        radius = np.clip(radius, 0.3, None)
        points = np.stack([radius * np.cos(turn) * tall, radius * np.sin(turn)], axis=1)
        return np.asarray(points * reach / np.abs(points).max(), np.float64)
    height = np.linspace(-1, 1, 240)
    knots = rng.uniform(0.15, 1.0, int(rng.integers(4, 9)))
    width = tall * np.interp(height, np.linspace(-1, 1, len(knots)), knots)
    width = np.convolve(np.pad(width, 12, mode="edge"), np.ones(25) / 25, mode="valid")
    half = np.stack([width, height], axis=1)
    return np.concatenate([half, half[::-1] * (-1, 1)]) * reach


def _coloured(body: _Mask, kind: str, rng: np.random.Generator) -> FloatImage:
    """Base colour, light and shade, a print or a grain, a glint: at the product's size."""
    small = np.asarray(cv2.resize(body, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.float32)
    shade = _shade(small, rng, depth=0.9 if kind == "shiny" else float(rng.uniform(0.15, 0.6)))
    own = shade[..., None] * _base_colour(kind, rng)
    if kind in ("hard", "gaps", "soft") and rng.random() < 0.55:
        own = own * _print(rng)[..., None]
    if kind == "shiny":
        bands = 0.5 + 0.5 * np.sin(cv2.GaussianBlur(shade, (0, 0), 6) * rng.uniform(10, 30))
        own = own * (0.25 + 0.75 * bands[..., None])
    if kind in ("shiny", "glass") or rng.random() < 0.25:
        own = own + _glint(rng)[..., None]
    return np.asarray(np.clip(own, 0, 1), np.float32)


def _base_colour(kind: str, rng: np.random.Generator) -> FloatImage:
    """Linear light. Pale products are nearly as light as a white backdrop."""
    if kind in ("pale", "glass"):
        return (rng.uniform(0.62, 0.95) * (1 + rng.normal(0, 0.02, 3))).astype(np.float32)
    if kind == "shiny":
        return (rng.uniform(0.3, 0.95) * (1 + rng.normal(0, 0.03, 3))).astype(np.float32)
    hue, saturation, light = rng.uniform(0, 1), rng.beta(1.5, 1.5), rng.uniform(0.1, 0.95)
    rgb = light * (1 - saturation * (0.5 + 0.5 * np.cos(2 * np.pi * (hue + np.array([0, 1 / 3, 2 / 3])))))
    return (rgb**2.2).astype(np.float32)


def _shade(shape: _Mask, rng: np.random.Generator, *, depth: float) -> _Mask:
    """A rounded body's light from one side: Lambert's law on a height made from the distance to the edge."""
    away = cv2.distanceTransform((shape > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    height = cv2.GaussianBlur(np.sqrt(away * (SIDE_PX * rng.uniform(0.02, 0.3))), (0, 0), 5)
    across, down = (cv2.Sobel(height, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0))
    towards = rng.uniform(0, 2 * np.pi)
    lit = (1 - across * np.cos(towards) - down * np.sin(towards)) / np.sqrt(1 + across**2 + down**2)
    return np.asarray(np.clip(1 - depth * (1 - lit), 0.03, 1.1), np.float32)


def _print(rng: np.random.Generator) -> _Mask:
    """Stripes, blocks of type or grain, as a factor."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX].astype(np.float32)
    form = rng.choice(["stripes", "type", "grain"])
    contrast = float(rng.uniform(0.15, 0.8))
    if form == "stripes":
        turn, step = rng.uniform(0, np.pi), rng.uniform(10, 120)
        waves = np.sin((x * np.cos(turn) + y * np.sin(turn)) * 2 * np.pi / step)
        return np.asarray(1 - contrast * (waves > 0), np.float32)
    if form == "grain":
        grain = cv2.GaussianBlur(rng.standard_normal((SIDE_PX, SIDE_PX), np.float32), (0, 0), rng.uniform(1, 6))
        return np.asarray(np.clip(1 + contrast * 0.4 * grain / max(1e-6, float(grain.std())), 0.1, 1.4), np.float32)
    made = np.ones((SIDE_PX, SIDE_PX), np.float32)
    for _ in range(int(rng.integers(8, 60))):
        left, top = rng.integers(SIDE_PX // 4, 3 * SIDE_PX // 4, 2)
        cv2.rectangle(made, (int(left), int(top)), (int(left + rng.integers(6, 120)), int(top + 7)), 1 - contrast, -1)
    return made


def _glint(rng: np.random.Generator) -> _Mask:
    """A lamp's reflection."""
    made = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        left, top = (int(one) for one in rng.integers(SIDE_PX // 4, 3 * SIDE_PX // 4, 2))
        cv2.ellipse(made, (left, top), (int(rng.integers(5, 40)), int(rng.integers(30, 200))), 10, 0, 360, 1.0, -1)
    return cv2.GaussianBlur(made, (0, 0), rng.uniform(3, 15)) * np.float32(rng.uniform(0.2, 0.9))


def _covered(body: _Mask, kind: str, rng: np.random.Generator) -> Matte:
    """The coverage at the product's size, with what its kind cuts out of it or hangs on to it."""
    drawn = body.astype(np.uint8)
    if kind == "gaps":
        drawn = _with_gaps(drawn, rng)
    if kind == "thin":
        drawn = _with_wires(drawn, rng)
    if kind == "soft":
        drawn = _with_hair(drawn, rng)
    matte = cv2.resize(drawn.astype(np.float32), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    if kind == "glass":
        inside = cv2.distanceTransform((matte > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        wall, clear = rng.uniform(4, 25), rng.uniform(0.1, 0.6)
        matte = matte * (clear + (0.95 - clear) * np.exp(-((inside / wall) ** 2)))
    return np.clip(cv2.GaussianBlur(matte, (0, 0), rng.uniform(0.4, 0.9)), 0, 1).astype(np.float32)


def _with_gaps(drawn: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    side = drawn.shape[0]
    count, across = (
        (int(rng.integers(1, 3)), side // 8) if rng.random() < 0.5 else (40, int(rng.integers(side // 60, side // 20)))
    )
    places = np.argwhere(cv2.erode(drawn, np.ones((9, 9), np.uint8), iterations=side // 90) > 0)
    for row, column in places[rng.integers(0, len(places), count)] if len(places) else ():
        size = (max(6, int(across * rng.uniform(0.5, 1.2))), max(6, int(across * rng.uniform(0.3, 1.2))))
        cv2.ellipse(drawn, (int(column), int(row)), size, float(rng.uniform(0, 180)), 0, 360, 0, -1)
    return drawn


def _with_wires(drawn: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A smaller body with cables, straps or stems."""
    side = drawn.shape[0]
    kernel = np.ones((3, 3), np.uint8)
    drawn = np.asarray(cv2.erode(drawn, kernel, iterations=int(side * rng.uniform(0.01, 0.09))), np.uint8)
    for _ in range(int(rng.integers(2, 12))):
        ends = rng.uniform(side * 0.06, side * 0.94, (4, 2))
        t = np.linspace(0, 1, 120)[:, None]
        curve = (1 - t) ** 3 * ends[0] + 3 * t * (1 - t) ** 2 * ends[1] + 3 * t**2 * (1 - t) * ends[2] + t**3 * ends[3]
        width = int(rng.integers(2, 12)) * _OVER
        cv2.polylines(drawn, [np.rint(curve).astype(np.int32)], False, 1, width)
    return drawn


def _with_hair(drawn: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Hairs all along the outline, each with its own length and bend."""
    outlines, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    soft = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), 15)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, dx, 1 - dx, ksize=3) for dx in (1, 0))
    points = np.concatenate([outline[:, 0] for outline in outlines])
    longest = rng.uniform(6, 45) * _OVER
    for x, y in points[rng.integers(0, len(points), int(rng.integers(800, 4000)))]:
        out = -np.array([across[y, x], down[y, x]])
        out = out / max(1e-6, float(np.hypot(*out))) + rng.normal(0, 0.45, 2)
        start, middle = np.array([x, y]) - out * 4, np.array([x, y]) + out * longest * rng.uniform(0.2, 0.5)
        tip = middle + (out + rng.normal(0, 0.4, 2)) * longest * rng.uniform(0.1, 0.5)
        cv2.polylines(drawn, [np.rint([start, middle, tip]).astype(np.int32)], False, 1, int(rng.integers(1, 5)))
    return drawn
