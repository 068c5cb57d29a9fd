"""Put defects of visible size into good edits, at random places and with random strength.

Each defect's function returns the edit with one defect, or None if the product has no room for it, or if nobody could
see it. Unless a function says otherwise, the defect is in the matte and in the composite, as after a wrong cut-out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import cv2
import numpy as np

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import decode_working, encode_working, working_profile
from packshot.colour.transform import srgb8_to_working, working_to_srgb8
from packshot.types import Matte, Pixels16

LEAST_VISIBLE_DELTA_E = 3.0
"""A halo, leftover, filled hole or bite has to change the composite by this on average, or nobody could see it."""
WHITE = 65535


@dataclasses.dataclass(frozen=True)
class Edit:
    """The pictures of one edit before framing, which quality control reads.

    Attributes:
        master, composite: (rows, columns, 3) uint16, Adobe RGB: the photograph, and the product on white.
        matte: (rows, columns) float32 in 0..1.
        network: the segmentation network's matte, (rows, columns) float32 in 0..1. A defect of the network is in it
            too.
        window_shift: how far the framing window is shifted to the right and down, as shares of its width and height.
    """

    master: Pixels16
    matte: Matte
    network: Matte
    composite: Pixels16
    window_shift: tuple[float, float] = (0.0, 0.0)


Defect: TypeAlias = Callable[[Edit, np.random.Generator], Edit | None]


def halo(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with a ring of 1-3 px of the backdrop all around the product; wider around large products.

    None if nobody could see the ring.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    reach = int(rng.integers(1, 4)) * _unit_px(edit)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return _with_matte(edit, np.asarray(cv2.dilate(edit.matte, kernel), np.float32))


def halo_in_composite(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with a ring of the backdrop around the product, which is in the composite only.

    The matte stays right. None if nobody could see the ring.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    changed = halo(edit, rng)
    return None if changed is None else dataclasses.replace(changed, matte=edit.matte, network=edit.network)


def bite(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with 0.3-3 % of the product's area cut off at its outer edge.

    None if so much cannot be cut off at the place that was drawn, or if nobody could see it.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    share = rng.uniform(0.003, 0.03)
    x, y = _outline_point(edit.matte, rng)
    shape = _grown(edit.matte.shape, x, y, lambda blob: float((blob * edit.matte).sum()), share * _area(edit), rng)
    return None if shape is None else _with_matte(edit, edit.matte * (1 - shape), rng=rng)


def leftover(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with left-over backdrop of 0.3-3 % of the product's area.

    The left-over touches the product or lies beside it. None if there is no room for it, or nobody could see it.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    share = rng.uniform(0.003, 0.03)
    x, y = _outline_point(edit.matte, rng)
    if rng.random() < 0.3:
        y, x = (int(value) for value in rng.choice(np.argwhere(_room_outside(edit.matte))))
    shape = _grown(edit.matte.shape, x, y, lambda b: float((b * (1 - edit.matte)).sum()), share * _area(edit), rng)
    return None if shape is None else _with_matte(edit, np.maximum(edit.matte, shape), rng=rng)


def leftover_in_composite(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with left-over backdrop of 0.3-3 % of the product's area, which is in the composite only.

    The matte stays right. None if there is no room for the left-over backdrop, or nobody could see it.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    changed = leftover(edit, rng)
    return None if changed is None else dataclasses.replace(changed, matte=edit.matte, network=edit.network)


def punched_hole(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with a false hole of 0.2-1 % of the product's area.

    None if no part of the product is wide enough, or nobody could see it.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    shape = _inner_blob(edit, rng, share=rng.uniform(0.002, 0.01))
    return None if shape is None else _with_matte(edit, edit.matte * (1 - shape), rng=rng)


def filled_hole(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with a gap through which the backdrop shows, and which the matte wrongly takes for product.

    If the product has gaps of at least 0.2 % of its area, one of these is taken in half of the cases. In all other
    cases a gap of 0.2-1 % of the product's area is cut into the photograph. None if no part of the product is wide
    enough, or nobody could see the gap.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    gaps = _gaps(edit)
    if gaps and rng.random() < 0.5:
        return _with_matte(edit, np.maximum(edit.matte, gaps[int(rng.integers(len(gaps)))]), rng=rng)
    shape = _inner_blob(edit, rng, share=rng.uniform(0.002, 0.01))
    if shape is None:
        return None
    behind = decode_working(_backdrop(edit, rng))
    keep = 1 - shape[..., None]
    cut = encode_working((decode_working(edit.master) * keep + behind * (1 - keep)).astype(np.float32))
    master = np.where(shape[..., None] > 0, cut, edit.master)
    composite = np.where(shape[..., None] > 0, cut, edit.composite)
    through = composite[shape > 0.99].mean(axis=0).astype(np.uint16)[None, None]  # noise is no difference
    if _mean_delta_e(through, np.full_like(through, WHITE), np.ones((1, 1), bool)) < LEAST_VISIBLE_DELTA_E:
        return None
    return dataclasses.replace(edit, master=master, composite=composite)


def off_white_patch(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with a square patch of value 254 or 253 (of 255) in the composite's background; never None.

    The matte stays right.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    rows, columns = edit.matte.shape
    side = int(rng.integers(2, max(3, min(rows, columns) // 8)))
    clear = cv2.erode((edit.matte == 0).astype(np.uint8), np.ones((side, side), np.uint8), anchor=(0, 0))
    y, x = (int(value) for value in rng.choice(np.argwhere(clear[:-side, :-side])))
    composite = edit.composite.copy()
    composite[y : y + side, x : x + side] = int(rng.choice([253, 254])) * 257
    return dataclasses.replace(edit, composite=composite)


def crop_in_frame(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with 1-10 % of the product's extent outside the canvas; never None.

    Only the framing window is shifted; the pictures stay as they are.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    rows, columns = np.nonzero(edit.matte > 0.5)
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    longest = max(width, height) / 0.86
    sideways = bool(rng.random() < 0.5)
    extent = width if sideways else height
    shift = ((longest - extent) / 2 + rng.uniform(0.01, 0.1) * extent) / longest * rng.choice([-1.0, 1.0])
    return dataclasses.replace(edit, window_shift=(shift, 0.0) if sideways else (0.0, shift))


def crop_in_photo(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with 1-10 % of the product's extent cut off by the photograph itself; never None.

    All pictures of the edit are cropped in the same way, as if the camera had cut the product.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    rows, columns = np.nonzero(edit.matte > 0.5)
    share = rng.uniform(0.01, 0.1)
    first, last = slice(None), slice(None)
    if rng.random() < 0.5:
        first = slice(int(rows.min() + share * np.ptp(rows)), None)
    else:
        last = slice(None, int(columns.max() - share * np.ptp(columns)))
    part = (first, last)
    return Edit(
        master=np.ascontiguousarray(edit.master[part]),
        matte=np.ascontiguousarray(edit.matte[part]),
        network=np.ascontiguousarray(edit.network[part]),
        composite=np.ascontiguousarray(edit.composite[part]),
    )


def colour_shift(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with the product's colour changed by a mean delta E 2000 of 3 or little more.

    The change is in its light or in its colour balance. The matte stays right. None if no gain that is tried changes
    the colour so much.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    linear = decode_working(edit.composite)
    product = (edit.matte > 0)[..., None]
    direction = rng.normal(0, 1, 3)
    for strength in np.linspace(0.02, 0.8, 40):
        gain = np.exp(direction / np.abs(direction).max() * strength).astype(np.float32)
        composite = np.where(product, encode_working((linear * gain).astype(np.float32)), edit.composite)
        if _mean_delta_e(edit.composite, composite, edit.matte > 0.9) >= rng.uniform(3.0, 3.5):
            return dataclasses.replace(edit, composite=composite)
    return None


def blur(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with a blurred product in the composite: a Gaussian of 1-3 px; never None.

    For large products the width grows with the product's size. Matte and edge stay as they are.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    sigma_px = float(rng.uniform(1.0, 3.0)) * _unit_px(edit)
    keep = edit.matte[..., None]
    # Blurred with its own colours around it, so that the edge stays where it is.
    weight = cv2.GaussianBlur(edit.matte, (0, 0), sigma_px)[..., None]
    soft = cv2.GaussianBlur(decode_working(edit.composite) * keep, (0, 0), sigma_px) / np.maximum(weight, 1e-3)
    return dataclasses.replace(edit, composite=_on_white(np.clip(soft, 0, 1), edit.matte))


def jpeg_blocks(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with a product that was compressed as JPEG of quality 5-30; never None.

    Background and matte stay as they are.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    srgb = working_to_srgb8(edit.composite)
    coded = cv2.imencode(".jpg", srgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(5, 31))])[1]
    decoded = np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1])
    composite = np.where((edit.matte > 0)[..., None], srgb8_to_working(decoded), edit.composite)
    return dataclasses.replace(edit, composite=composite)


def jagged_edge(edit: Edit, rng: np.random.Generator) -> Edit | None:
    """Return the edit with an outline in steps of 4-8 px; on large products the steps are larger.

    None if nobody could see the steps.

    Args:
        edit: a good edit; it is not changed.
        rng: decides what is random.
    """
    step = int(rng.integers(4, 9)) * _unit_px(edit)
    rows, columns = edit.matte.shape
    small = cv2.resize(edit.matte, (columns // step, rows // step), interpolation=cv2.INTER_AREA)
    stairs = cv2.resize((small > 0.5).astype(np.float32), (columns, rows), interpolation=cv2.INTER_NEAREST)
    return _with_matte(edit, np.asarray(stairs, np.float32))


DEFECTS: Mapping[str, tuple[Defect, frozenset[str]]] = MappingProxyType(
    {
        "halo 1-3 px": (halo, frozenset({"fringe", "fringe_width"})),
        "halo, composite only": (halo_in_composite, frozenset({"fringe", "fringe_width"})),
        "bite >= 0.3 %": (bite, frozenset({"bite_suspected", "missing_part_suspected", "sharp_edge_outside"})),
        "leftover blob": (leftover, frozenset({"leftover_suspected", "loose_outline"})),
        "leftover, composite only": (leftover_in_composite, frozenset({"background_leftover"})),
        "filled hole": (filled_hole, frozenset({"filled_hole_suspected", "leftover_suspected"})),
        "punched hole": (punched_hole, frozenset({"punched_hole_suspected", "missing_part_suspected"})),
        "254/253 patch": (off_white_patch, frozenset({"non_white_background"})),
        "crop, canvas": (crop_in_frame, frozenset({"product_cut", "part_outside_canvas"})),
        "crop, photograph": (crop_in_photo, frozenset({"product_touches_frame"})),
        "colour shift dE 3+": (colour_shift, frozenset({"colour_shift", "colour_shift_p95"})),
        "blur": (blur, frozenset({"blurred"})),
        "JPEG blocks": (jpeg_blocks, frozenset({"jpeg_blocks"})),
        "jagged edge": (jagged_edge, frozenset({"jagged_edge"})),
    }
)
"""By kind: how it is made, and the codes that name it rightly."""


def _with_matte(edit: Edit, matte: Matte, *, rng: np.random.Generator | None = None) -> Edit | None:
    """Return the edit as a cut-out with this matte leaves it; None if nobody could see the difference.

    With `rng`, the network is to blame in half of the cases: its matte then has the defect too.
    """
    changed = np.abs(matte - edit.matte) > 0.02
    composite = edit.composite.copy()
    part = _on_white(decode_working(edit.master[changed][None]), matte[changed][None])[0]
    less = matte[changed] < edit.matte[changed]
    fade = np.where(edit.matte[changed] > 0, matte[changed] / np.maximum(edit.matte[changed], 1e-3), 0)[None]
    faded = _on_white(decode_working(edit.composite[changed][None]), np.clip(fade, 0, 1).astype(np.float32))[0]
    composite[changed] = np.where(less[:, None], faded, part)
    if _mean_delta_e(edit.composite, composite, changed) < LEAST_VISIBLE_DELTA_E:
        return None
    network = edit.network
    if rng is not None and rng.random() < 0.5:
        network = np.where(changed, matte, network).astype(np.float32)
    return dataclasses.replace(edit, matte=matte.astype(np.float32), network=network, composite=composite)


def _on_white(linear: np.ndarray, matte: Matte) -> Pixels16:
    keep = matte[..., None]
    return encode_working((linear * keep + (1 - keep)).astype(np.float32))


def _mean_delta_e(before: Pixels16, after: Pixels16, where: np.ndarray) -> float:
    places = np.flatnonzero(where)
    if not places.size:
        return 0.0
    places = places[:: max(1, places.size // 20_000)]
    pair = [np.ascontiguousarray(pixels.reshape(-1, 3)[places][None]) for pixels in (before, after)]
    first, second = (lab_of(pixels, icc=working_profile()) for pixels in pair)
    return float(delta_e_2000(first, second).mean())


def _area(edit: Edit) -> float:
    return float(edit.matte.sum())


def _unit_px(edit: Edit) -> int:
    rows, columns = np.nonzero(edit.matte > 0.5)
    return max(1, round(max(np.ptp(rows), np.ptp(columns)) / 1700))


def _outline_point(matte: Matte, rng: np.random.Generator) -> tuple[int, int]:
    lines, _ = cv2.findContours((matte >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(lines, key=len)[:, 0]
    x, y = line[int(rng.integers(len(line)))]
    return int(x), int(y)


def _room_outside(matte: Matte) -> np.ndarray:
    reach = max(matte.shape) // 40
    far = cv2.dilate((matte > 0).astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) == 0
    far[:reach] = far[-reach:] = False
    far[:, :reach] = far[:, -reach:] = False
    return np.asarray(far)


def _blob(shape: tuple[int, int], x: float, y: float, radius: float, wobble: np.ndarray) -> Matte:
    """A rounded shape whose outline wobbles, with a soft pixel at its edge."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    angle = np.arctan2(rows - y, columns - x)
    edge = radius * (1 + 0.15 * np.cos(2 * angle + wobble[0]) + 0.1 * np.cos(3 * angle + wobble[1]))
    return np.asarray(np.clip(edge + 0.5 - np.hypot(columns - x, rows - y), 0, 1), np.float32)


def _grown(
    shape: tuple[int, int], x: float, y: float, size: Callable[[Matte], float], wanted: float, rng: np.random.Generator
) -> Matte | None:
    wobble = rng.uniform(0, 2 * np.pi, 2)
    radius = float(np.sqrt(wanted / np.pi))
    for _ in range(12):
        blob = _blob(shape, x, y, radius, wobble)
        if size(blob) >= wanted:
            return blob
        radius *= 1.15
    return None


def _inner_blob(edit: Edit, rng: np.random.Generator, *, share: float) -> Matte | None:
    radius = float(np.sqrt(share * _area(edit) / np.pi))
    depth = cv2.distanceTransform((edit.matte > 0.99).astype(np.uint8), cv2.DIST_L2, 5)
    places = np.argwhere(depth > 1.3 * radius + 4)
    if not len(places):
        return None
    y, x = rng.choice(places)
    return _blob(edit.matte.shape, float(x), float(y), radius, rng.uniform(0, 2 * np.pi, 2))


def _gaps(edit: Edit) -> list[Matte]:
    """Return the product's own gaps of at least 0.2 % of its area, each as a matte that fills it."""
    open_ground = np.pad((edit.matte < 0.5).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(open_ground, None, (0, 0), 2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((open_ground[1:-1, 1:-1] == 1).astype(np.uint8))
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] > 0.002 * _area(edit)]
    kernel = np.ones((9, 9), np.uint8)
    return [cv2.dilate((labels == i).astype(np.uint8), kernel).astype(np.float32) for i in large]


def _backdrop(edit: Edit, rng: np.random.Generator) -> Pixels16:
    """The photograph with the product painted over by the backdrop around it, and noise like a camera's."""
    rows, columns = edit.matte.shape
    small = max(1, columns // 8), max(1, rows // 8)
    seen = cv2.resize((edit.master >> 8).astype(np.uint8), small, interpolation=cv2.INTER_AREA)
    covered = cv2.resize(edit.matte, small, interpolation=cv2.INTER_AREA) > 0
    hidden = cv2.dilate(covered.astype(np.uint8), np.ones((7, 7), np.uint8))
    painted = cv2.GaussianBlur(cv2.inpaint(seen, hidden, 5, cv2.INPAINT_TELEA).astype(np.float32), (0, 0), 2)
    smooth = cv2.resize(painted, (columns, rows), interpolation=cv2.INTER_LINEAR) * 257
    return np.asarray(np.clip(smooth + rng.normal(0, 2.0 * 257, smooth.shape), 0, WHITE), np.uint16)
