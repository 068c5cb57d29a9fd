"""Draw contact sheets of one edit, by which a person judges it without knowing the machine's verdict.

The edit is the product cut out by the machine. A sheet has three views: the edit on white, the edit on a dark surround,
and the photograph. They are at 1:1, or at the delivered size if that is smaller. If the three views fit on one sheet,
each shows the whole product once. Otherwise the first sheet begins with a small overview, and tiles along the product's
outline follow at full size. A tile's label has the column and row of its upper left corner, in pixels of the matte; a
ruler counts these pixels. Sheets are small enough that viewers show them without reducing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.seen.outline_tiles import TILE_PX, Tile, cut, walk
from packshot.types import Matte, Pixels8

MOST_PX = 1500
MOST_PIXELS = 1_200_000
DELIVERED_PX = 1720
"""Longest side of a product on a canvas of 2000 px."""
DARK = 44
GREY = 128
AROUND_PX = 24
OVERVIEW_PX = 400
LABEL_PX = 13
GAP_PX = 4
RULE_STEPS = (20, 50, 100, 200, 500)


class Views(NamedTuple):
    """A part of one edit in three views of one size, as a person sees it on a contact sheet.

    Attributes:
        white, dark: the edit on white and on a dark surround, (rows, columns, 3) uint8, sRGB.
        photo: the photograph, (rows, columns, 3) uint8, sRGB.
        matte: (rows, columns) float32 in 0..1.
        left, top: position of the part in the edit's matte, in its pixels.
        scale: shown pixels per pixel of the edit's matte.
    """

    white: Pixels8
    dark: Pixels8
    photo: Pixels8
    matte: Matte
    left: int
    top: int
    scale: float

    def at(self, x: int, y: int) -> tuple[int, int]:
        """Return where a shown pixel lies in the edit's matte, as (column, row).

        Args:
            x, y: column and row of the shown pixel.
        """
        return round(self.left + x / self.scale), round(self.top + y / self.scale)


def sheets(matte: Matte, composite: Pixels8, photo: Pixels8) -> list[Pixels8]:
    """Return an edit's contact sheets, at least one: each (rows, columns, 3) uint8, sRGB.

    Each shows the edit on white, the edit on a dark background, and the photograph beside them. A small edit is whole,
    on one sheet. Of a large one, each sheet shows some pieces along the outline, at 1:1. Each side of a sheet is at
    most about 1500 pixels.

    Args:
        matte: (rows, columns) float32 in 0..1.
        composite: the edit on white, (rows, columns, 3) uint8, sRGB.
        photo: the photograph, of the form of `composite`.
    """
    views = _views(matte, composite, photo)
    rows, columns = (side + LABEL_PX + GAP_PX for side in views.matte.shape)
    for across, down in ((3, 1), (1, 3), (2, 2)):
        if max(across * columns, down * rows) <= MOST_PX and across * columns * down * rows <= MOST_PIXELS:
            return [_whole(views, across=across)]
    return _tiled(views)


def on_dark(composite: Pixels8, matte: Matte, *, level: int = DARK) -> Pixels8:
    """Return a composite on white as it would look on a dark surround, (rows, columns, 3) uint8, sRGB.

    Its white is replaced in linear light.

    Args:
        composite: (rows, columns, 3) uint8, sRGB.
        matte: (rows, columns) float32 in 0..1.
        level: value of the dark surround, 0..255.
    """
    linear = _decoded(composite)
    away = (1 - matte[..., None]) * np.float32(1 - float(_decoded(np.array(level, np.uint8))))
    return _encoded(np.clip(linear - away, 0, 1))


def _decoded(srgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    share = srgb.astype(np.float32) / np.float32(255)
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _encoded(linear: NDArray[np.float32]) -> Pixels8:
    share = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    srgb: Pixels8 = np.rint(share * 255).astype(np.uint8)
    return srgb


def _views(matte: Matte, composite: Pixels8, photo: Pixels8) -> Views:
    """The part with the product in it, at the size it is delivered in."""
    found = np.nonzero(matte > 0.02)
    if not found[0].size:
        found = (np.array([0, matte.shape[0] - 1]), np.array([0, matte.shape[1] - 1]))
    rows, columns = found
    longest = int(max(np.ptp(rows), np.ptp(columns))) + 1
    scale = min(1.0, DELIVERED_PX / longest)
    around = round(AROUND_PX / scale)
    top, left = max(0, int(rows.min()) - around), max(0, int(columns.min()) - around)
    part = np.s_[top : int(rows.max()) + around + 1, left : int(columns.max()) + around + 1]
    dark = on_dark(composite[part], matte[part])
    views = Views(composite[part], dark, photo[part], matte[part], left, top, 1.0)
    return views if scale == 1 else _smaller(views, scale)


def _smaller(views: Views, share: float) -> Views:
    size = (max(1, round(views.matte.shape[1] * share)), max(1, round(views.matte.shape[0] * share)))
    white, dark, photo, matte = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in views[:4])
    return Views(
        white.astype(np.uint8),
        dark.astype(np.uint8),
        photo.astype(np.uint8),
        matte.astype(np.float32),
        views.left,
        views.top,
        views.scale * share,
    )


def _whole(views: Views, *, across: int) -> Pixels8:
    panes = [_ruled(one, views) for one in views[:3]]
    rows = [panes[start : start + across] for start in range(0, 3, across)]
    return _stacked([_beside(row) for row in rows])


def _tiled(views: Views) -> list[Pixels8]:
    tiles = walk(views.matte)
    strips = [_strip(views, tile) for tile in tiles]
    across = max(1, (MOST_PX + GAP_PX) // (strips[0].shape[1] + 2 * GAP_PX))
    rows = [_beside(strips[start : start + across], gap=2 * GAP_PX) for start in range(0, len(strips), across)]
    most = min(MOST_PX, MOST_PIXELS // rows[0].shape[1])
    made: list[Pixels8] = []
    page = [_overview(views)]
    height = page[0].shape[0]
    for row in rows:
        if page and height + row.shape[0] + GAP_PX > most:
            made.append(_stacked(page))
            page, height = [], 0
        page.append(row)
        height += row.shape[0] + GAP_PX
    return [*made, _stacked(page)] if page else made


def _overview(views: Views) -> Pixels8:
    """The whole product, smaller, three times."""
    share = min(OVERVIEW_PX / views.matte.shape[1], OVERVIEW_PX / views.matte.shape[0])
    small = _smaller(views, share)
    return _beside([_ruled(one, small) for one in small[:3]])


def _strip(views: Views, tile: Tile) -> Pixels8:
    """A tile three times, and above it where it lies."""
    panes = [cut(one, tile) for one in views[:3]]
    label = np.full((LABEL_PX, 3 * TILE_PX, 3), GREY, np.uint8)
    x, y = views.at(tile.left, tile.top)
    _write(label, f"x {x}  y {y}", (2, LABEL_PX - 3))
    return np.concatenate([label, np.concatenate(panes, axis=1)], axis=0)


def _ruled(picture: Pixels8, views: Views) -> Pixels8:
    """A picture with a rule above it and on its left that counts the matte's pixels."""
    rows, columns = picture.shape[:2]
    out = np.full((rows + LABEL_PX, columns + LABEL_PX, 3), GREY, np.uint8)
    out[LABEL_PX:, LABEL_PX:] = picture
    step = next((one for one in RULE_STEPS if one * views.scale >= 40), RULE_STEPS[-1])
    for first, length, across in ((views.left, columns, True), (views.top, rows, False)):
        for value in range(-(-first // step) * step, first + int(length / views.scale), step):
            place = LABEL_PX + round((value - first) * views.scale)
            if place >= out.shape[1 if across else 0]:
                continue
            if across:
                out[LABEL_PX - 3 : LABEL_PX, place] = 255
                _write(out, str(value), (place + 2, LABEL_PX - 3))
            else:
                out[place, LABEL_PX - 3 : LABEL_PX] = 255
                turned = np.full((LABEL_PX, 40, 3), GREY, np.uint8)
                _write(turned, str(value), (2, LABEL_PX - 4))
                upright = np.rot90(turned)[:, : LABEL_PX - 3]
                end = max(0, place - 2)
                height = min(40, end)
                out[end - height : end, : LABEL_PX - 3] = upright[40 - height :]
    return out


def _write(picture: Pixels8, text: str, place: tuple[int, int]) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_PLAIN, 0.8, (255, 255, 255), 1, cv2.LINE_AA)


def _beside(pictures: Sequence[Pixels8], *, gap: int = GAP_PX) -> Pixels8:
    height = max(one.shape[0] for one in pictures)
    width = sum(one.shape[1] for one in pictures) + gap * (len(pictures) - 1)
    out, left = np.full((height, width, 3), GREY, np.uint8), 0
    for one in pictures:
        out[: one.shape[0], left : left + one.shape[1]] = one
        left += one.shape[1] + gap
    return out


def _stacked(pictures: Sequence[Pixels8]) -> Pixels8:
    width = max(one.shape[1] for one in pictures)
    height = sum(one.shape[0] for one in pictures) + GAP_PX * (len(pictures) - 1)
    out, top = np.full((height, width, 3), GREY, np.uint8), 0
    for one in pictures:
        out[top : top + one.shape[0], : one.shape[1]] = one
        top += one.shape[0] + GAP_PX
    return out
