"""Fit a draft clipping path to the outline of a matte, for an editor to start from."""

from __future__ import annotations

import numpy as np

from packshot.errors import EmptySubjectError
from packshot.paths.fit import Fitted, fit_closed
from packshot.paths.model import FIRST_PATH, Knot, Point, SavedPath, SubPath
from packshot.paths.outline import evenly_spaced, outlines
from packshot.types import Matte

DRAFT_NAME = "Packshot draft"
TOLERANCE_PX = 0.5
MIN_AREA_PX = 64.0


def draft_path(
    matte: Matte, *, tolerance_px: float = TOLERANCE_PX, min_area_px: float = MIN_AREA_PX, name: str = DRAFT_NAME
) -> SavedPath:
    """Return a draft clipping path for an editor: one subpath (outline) along each part and hole of a matte.

    The largest comes first. Subpaths use the operation "exclude", so every program shows a hole as a hole, whatever
    fill rule it uses.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1.
        tolerance_px: maximum distance of the path from the line where the matte crosses 0.5.
        min_area_px: parts and holes with a smaller area, in square pixels, are left out.
        name: the path's name.

    Raises:
        EmptySubjectError: no part is large enough.
    """
    height, width = matte.shape
    lines = outlines(matte, min_area_px=min_area_px)
    if not lines:
        raise EmptySubjectError(
            "there is no outline to draw",
            found=f"no part of the matte of {min_area_px:g} square pixels or more",
            next_step="Draw the path by hand.",
        )
    fitted = [fit_closed(evenly_spaced(line), tolerance_px=tolerance_px) for line in lines]
    return SavedPath(name, FIRST_PATH, tuple(_subpath(one, width, height) for one in fitted), is_clipping=True)


def _subpath(fitted: Fitted, width: int, height: int) -> SubPath:
    places = fitted.curves / (width, height)
    arriving = np.roll(places, 1, axis=0)
    return SubPath(
        tuple(
            Knot(Point(*come[2]), Point(*leave[0]), Point(*leave[1]), bool(smooth))
            for come, leave, smooth in zip(arriving.tolist(), places.tolist(), fitted.smooth, strict=True)
        )
    )
