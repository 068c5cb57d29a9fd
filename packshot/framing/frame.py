"""Place an edited picture on the canvas of one rendition (a shot's file for one platform), and resample it there."""

from __future__ import annotations

from packshot.framing.fit import fit
from packshot.framing.place import Framed, place
from packshot.framing.subject import subject_box
from packshot.specs.models import RenditionPlan
from packshot.types import Matte, Pixels16


def frame(composite: Pixels16, matte: Matte, rendition: RenditionPlan) -> Framed:
    """Return the edited picture on a platform's canvas, with its matte and its place on the canvas.

    Args:
        composite: the product on white, (rows, columns, 3) uint16, Adobe RGB.
        matte: each pixel's share of product, (rows, columns) float32 in 0..1, of the size of `composite`.
        rendition: all settings of the shot's file for this platform, among them the canvas, the fill ratio (the
            product's share of the canvas) and the greatest enlargement.

    Raises:
        EmptySubjectError: the matte contains no product.
    """
    rules = rendition.rules
    placement = fit(
        subject_box(matte),
        canvas=rendition.platform.canvas,
        fill_ratio=rules.fill_ratio,
        max_upscale_ratio=rules.max_upscale_ratio,
    )
    return place(composite, matte, placement)
