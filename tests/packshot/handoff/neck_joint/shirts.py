"""Drawn shirts on mannequins as masters, each made once."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.handoff.neck_joint.mannequin import Mannequin, find_mannequin
from packshot.handoff.neck_joint.placing import Side
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.types import Mask, Pixels8, Pixels16
from tests.drawn_mannequins import Garment
from tests.packshot.returned import works


def as_master(picture: Pixels8) -> Pixels16:
    return develop(open_photo(works.png(picture), name="drawn", limits=works.limits())).pixels16


@cache
def exterior(shirt: Garment) -> Side:
    return Side(as_master(shirt.worn()), shirt.matte)


@cache
def draft(shirt: Garment) -> Mannequin:
    side = exterior(shirt)
    return find_mannequin(side.pixels, side.matte)


def neck(shirt: Garment, warp: NDArray[np.float64] | None = None) -> Side:
    picture, matte = shirt.neck(warp)
    return Side(as_master(picture), matte)


def inside_out(shirt: Garment, warp: NDArray[np.float64] | None = None) -> Side:
    picture, matte = shirt.inside_out(warp)
    return Side(as_master(picture), matte)


def overlap(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def mapped(places: NDArray[Any], warp: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(places @ warp[:, :2].T + warp[:, 2])


def neckline(shirt: Garment) -> NDArray[np.float64]:
    """The corners of the opening."""
    rows, columns = np.nonzero(shirt.opening)
    return np.array(
        [(x, y) for x in (columns.min(), columns.max()) for y in (rows.min(), rows.max())],
        np.float64,
    )
