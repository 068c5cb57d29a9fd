"""The clipping path in a print house's TIFF: drawn along the delivered matte, and read back from the file."""

from __future__ import annotations

from packshot.export.findings import check
from packshot.paths.draft import TOLERANCE_PX, draft_path
from packshot.paths.rasterise import rasterise
from packshot.paths.read import read_paths
from packshot.paths.write import photoshop_resources
from packshot.types import Finding, Matte

PATH_NAME = "Product"
LEAST_OVERLAP = 0.99


def clipping_path_blocks(matte: Matte) -> bytes:
    """Return Photoshop's image resource blocks (``8BIM``...) with a path along a framed matte, named as clipping path.

    Args:
        matte: (rows, columns) float32 in 0..1, on the canvas.
    Raises:
        EmptySubjectError: there is no outline to draw.
    """
    return photoshop_resources([draft_path(matte, tolerance_px=TOLERANCE_PX, name=PATH_NAME)])


def clipping_path_finding(data: bytes, matte: Matte) -> Finding:
    """Return whether the clipping path in a delivered file encloses its product.

    Args:
        data: the file as it will be handed over.
        matte: (rows, columns) float32 in 0..1, of what it was made from.
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
