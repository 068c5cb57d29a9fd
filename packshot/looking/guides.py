"""Compute, for each platform, which part of an edit its file shows and how much of it the product should fill."""

from __future__ import annotations

from collections.abc import Iterable

from packshot.framing.fit import fit
from packshot.qc.scene import box_of_product
from packshot.specs.models import RenditionPlan
from packshot.types import Box, Matte, Size, Value


class Guide(Value):
    """Where a platform's canvas and the product lie on an edit. `guides` makes it for a viewer that draws it.

    All boxes are in pixels of the edit.

    Attributes:
        platform: the platform's name.
        frame: the part that becomes the platform's canvas; it may reach beyond the picture.
        fill: a box in the middle of the frame. The product should just fill it, in at least one direction.
        product: the product's box.
        fill_ratio, wanted_fill_ratio: how much of the canvas the product fills, and how much was ordered, 0..1: the
            product's share of the canvas's width or height, whichever is greater.
        canvas: width and height of the delivered picture, in pixels.
    """

    platform: str
    frame: Box
    fill: Box
    product: Box
    fill_ratio: float
    wanted_fill_ratio: float
    canvas: Size


def guides(matte: Matte, renditions: Iterable[RenditionPlan]) -> tuple[Guide, ...]:
    """Return the guides that a viewer draws on an edit, one per rendition in their order; empty without a product.

    A guide shows which part of the edit the export will put on the platform's canvas.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1.
        renditions: the plans for the platforms.
    """
    product = box_of_product(matte)
    return tuple(_guide(product, one) for one in renditions) if product else ()


def _guide(product: Box, rendition: RenditionPlan) -> Guide:
    rules = rendition.rules
    placement = fit(
        product,
        canvas=rendition.platform.canvas,
        fill_ratio=rules.fill_ratio,
        max_upscale_ratio=rules.max_upscale_ratio,
    )
    frame = placement.window
    across = round(frame.width * (1 - rules.fill_ratio) / 2)
    down = round(frame.height * (1 - rules.fill_ratio) / 2)
    return Guide(
        platform=rendition.platform.name,
        frame=frame,
        fill=Box(frame.left + across, frame.top + down, frame.right - across, frame.bottom - down),
        product=product,
        fill_ratio=placement.fill_ratio,
        wanted_fill_ratio=rules.fill_ratio,
        canvas=placement.canvas,
    )
