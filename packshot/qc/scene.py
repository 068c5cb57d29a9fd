"""Compute all measurements of one edit that the rules use, each once, when a rule first needs it."""

from __future__ import annotations

import numpy as np

from packshot.errors import EmptySubjectError
from packshot.framing import subject_box
from packshot.qc import left_backdrop, ridges
from packshot.qc.around import Around, around_product
from packshot.qc.colour_figures import ColourFigures, measure_colour
from packshot.qc.disagreement import disagreement
from packshot.qc.edge_figures import EdgeFigures, measure_edges
from packshot.qc.inputs import QcInput
from packshot.qc.left_backdrop import Left, most_likely_left
from packshot.qc.outline import Outline, trace_outline
from packshot.qc.patches import kept_patches
from packshot.qc.reduced import Reduced, at_product, reduce_edit
from packshot.qc.regions import Region
from packshot.qc.ridges import Strip, kept_strips
from packshot.qc.white import OffWhite, away_from, find_off_white
from packshot.specs.models import Shadow
from packshot.threads import computed_once
from packshot.types import Box, Mask, Matte, Size, size_of

RESAMPLING_PX = 2
"""Width of the band around the product in which resampling may mix it with the white."""
SHADOW_REACH_RATIO = 0.12
"""A kept contact shadow ends within this share of the product's longest side."""


def background_of(matte: Matte, *, shadow: Shadow, subject: Box | None) -> Mask:
    """Return where an edit must be exactly white, (rows, columns) bool.

    Without a kept shadow, this is where the matte is 0. A kept shadow takes room around the product: a band of 12 % of
    the product's longest side, which is left out.

    Args:
        matte: each pixel's share of product, (rows, columns) float32 in 0..1.
        shadow: what the plan does with the product's shadow.
        subject: the product's box, in the same pixels as the matte; None if there is no product.
    """
    return away_from(np.asarray(matte > 0), _white_from_px(subject, shadow, 1.0))


def box_of_product(matte: Matte) -> Box | None:
    """Return the smallest box around the product, in pixels; None if there is no product.

    The product is where the matte exceeds 0.5.

    Args:
        matte: (rows, columns) float32 in 0..1: each pixel's share of product.
    """
    try:
        return subject_box(matte)
    except EmptySubjectError:
        return None


def _white_from_px(subject: Box | None, shadow: Shadow, scale: float) -> int:
    if shadow is not Shadow.KEEP or subject is None:
        return 0 if scale == 1.0 else RESAMPLING_PX
    return RESAMPLING_PX + round(SHADOW_REACH_RATIO * subject.size.longest * scale)


_OF_THE_EDIT = ("subject", "off_white", "reduced", "reduced_product", "outline", "edges", "disagreement")
"""Measurements of the photograph, its matte and its composite. They are the same for each canvas."""


class Scene:
    """One edit on one canvas, with the measurements that the rules need. Every rule gets a scene.

    Each measurement is made when it is first read, and then kept. `QcInput` says what the edit consists of.
    """

    def __init__(self, edit: QcInput) -> None:
        self.edit = edit

    def on_canvas(self, edit: QcInput) -> Scene:
        """Return a scene for the same edit on another canvas.

        The new scene keeps the measurements that do not depend on the canvas, except strips, patches and left-over
        backdrop. All others are made again when a rule needs them.

        Args:
            edit: the same photograph, matte and composite, on the other canvas.
        """
        other = Scene(edit)
        vars(other).update({name: value for name, value in vars(self).items() if name in _OF_THE_EDIT})
        return other

    @property
    def frame(self) -> Size:
        """Size of the photograph, (width, height) in pixels."""
        return size_of(self.edit.master16)

    @computed_once
    def subject(self) -> Box | None:
        """The product's box in the photograph, in pixels; None where there is no product."""
        return box_of_product(self.edit.cutout.matte)

    @computed_once
    def framed_subject(self) -> Box | None:
        """The product's box on the canvas, in pixels of the canvas; None where there is no product."""
        return box_of_product(self.edit.framed.matte)

    def white_from_px(self, scale: float) -> int:
        """Return the distance from the product, in pixels, beyond which the background must be exactly white.

        A kept shadow adds 12 % of the product's longest side. Without one the distance is 0 at a scale of 1, and 2 px
        at any other, for the pixels that resampling mixes.

        Args:
            scale: scale of the picture that is checked, relative to the photograph.
        """
        return _white_from_px(self.subject, self.edit.rendition.rules.shadow, scale)

    @computed_once
    def off_white(self) -> OffWhite:
        """Pixels of the edit's background that are not exactly white, over the whole photograph's frame."""
        matte, shadow = self.edit.cutout.matte, self.edit.rendition.rules.shadow
        return find_off_white(self.edit.composite16, background_of(matte, shadow=shadow, subject=self.subject))

    @computed_once
    def reduced(self) -> Reduced:
        """The edit reduced to at most 1024 px, with the predicted backdrop."""
        cutout = self.edit.cutout
        return reduce_edit(self.edit.master16, cutout.matte, cutout.network_matte, reduced16=self.edit.reduced16)

    @computed_once
    def reduced_product(self) -> Reduced:
        """The part of the reduced edit that contains the product, with a margin of 32 px."""
        return at_product(self.reduced)

    @computed_once
    def outline(self) -> Outline:
        """Samples of photograph and edit across the matte's outline; without points if there is no product."""
        product_px = float(self.subject.size.longest) if self.subject else 1.0
        return trace_outline(
            self.edit.master16, self.edit.composite16, self.edit.cutout.matte, self.reduced, product_px=product_px
        )

    @computed_once
    def edges(self) -> EdgeFigures:
        """Measurements of the edge at each point of the outline, such as its distance from the photograph's edge."""
        return measure_edges(self.outline)

    def _around(self, margin_px: int) -> Around | None:
        """Return the part around the product at one size; None without a product or a backdrop."""
        if self.subject is None:
            return None
        matte = self.edit.cutout.matte
        return around_product(self.edit.master16, matte, self.reduced, self.subject, margin_px=margin_px)

    @computed_once
    def strips(self) -> list[Strip]:
        """Areas of the matte outside the photograph's strongest edge, the largest first.

        Shadow or backdrop may be kept there. There are none without a product or a predicted backdrop.
        """
        around = self._around(ridges.MARGIN_PX)
        return kept_strips(around) if around else []

    @computed_once
    def patches(self) -> list[Region]:
        """Areas of the matte that have the backdrop's colour, the largest first.

        Their area is in pixels of the photograph reduced so that its longest side is at most 1000 px. There are none
        without a product or a predicted backdrop.
        """
        if self.subject is None:
            return []
        return kept_patches(self.edit.master16, self.edit.cutout.matte, self.reduced, self.subject)

    @computed_once
    def left_backdrop(self) -> Left | None:
        """The region of the matte that is most likely left-over backdrop, with its probability.

        None without a product or a predicted backdrop, or if no region comes near the backdrop's colour.
        """
        around = self._around(left_backdrop.MARGIN_PX)
        return most_likely_left(around, self.reduced.noise) if around else None

    @computed_once
    def disagreement(self) -> tuple[float, list[Region]]:
        """Differences between the segmentation network's mask and the matte: (share, areas).

        The share counts differing pixels in thin lines along the edge, divided by the pixels that are product in either
        of the two, 0..1. The areas are the wider differences, the largest first, each with its number of pixels in the
        reduced edit.
        """
        return disagreement(self.reduced)

    @computed_once
    def colour(self) -> ColourFigures | None:
        """How the product's colours and detail changed; None where too little of its interior is on the canvas."""
        return measure_colour(self.edit)
