"""Make the clipping path in a TIFF for print from the delivered matte, and verify it in the written file.

A clipping path is a vector outline, by which layout programs cut the product out.
"""

from __future__ import annotations

from packshot.export.findings import check
from packshot.paths.draft import TOLERANCE_PX, draft_path
from packshot.paths.rasterise import rasterise
from packshot.paths.read import read_paths
from packshot.paths.write import photoshop_resources
from packshot.types import Finding, Matte

PATH_NAME = "Product"
LEAST_OVERLAP = 0.99
"""Least intersection over union of the path's inside and the product."""


def clipping_path_blocks(matte: Matte) -> bytes:
    """Return Photoshop's image resource blocks (``8BIM``...) with a clipping path along the matte, for a TIFF.

    Layout programs show only what lies inside the clipping path. The path is named "Product".

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, on the canvas.
    Raises:
        EmptySubjectError: the matte has no outline.
    """
    return photoshop_resources([draft_path(matte, tolerance_px=TOLERANCE_PX, name=PATH_NAME)])


def clipping_path_finding(data: bytes, matte: Matte) -> Finding:
    """Return the finding `clipping_path`: does the clipping path in a delivered file enclose its product?

    Its value is the common area of path and product, as a share of the area that either covers, 0..1. The check fails
    below 0.99, and if the file names no clipping path (then there is no value).

    Args:
        data: the file as delivered.
        matte: the matte from which the path was made, (rows, columns) float32 in 0..1.
    """
    path = read_paths(data, name=PATH_NAME).clipping
    if path is None:
        return check("clipping_path", False, "A clipping path was ordered, and the file names none.", gate=True)
    inside, product = rasterise(path, matte.shape[1], matte.shape[0]) >= 0.5, matte >= 0.5
    overlap = float((inside & product).sum() / max(1, (inside | product).sum()))
    return check(
        "clipping_path",
        overlap >= LEAST_OVERLAP,
        f"The clipping path {path.name!r} with {path.knots} knots overlaps the product by {overlap:.2%}.",
        measured=round(overlap, 5),
        limit=LEAST_OVERLAP,
        unit="ratio",
        gate=True,
    )
