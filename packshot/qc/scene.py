"""Everything the rules measure on, computed when first asked for and once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from packshot.errors import EmptySubjectError
from packshot.framing import subject_box
from packshot.qc.colour_figures import ColourFigures, measure_colour
from packshot.qc.disagreement import disagreement
from packshot.qc.edge_figures import EdgeFigures, measure_edges
from packshot.qc.inputs import QcInput
from packshot.qc.outline import Outline, trace_outline
from packshot.qc.reduced import Reduced, at_product, reduce_edit
from packshot.qc.regions import Region
from packshot.qc.ridges import Strip, kept_strips
from packshot.qc.white import OffWhite, away_from, find_off_white
from packshot.specs.models import Shadow
from packshot.types import Box, Size, size_of

RESAMPLING_PX = 2
SHADOW_REACH_RATIO = 0.12
"""A contact shadow that is kept ends within this share of the product's longest side."""


_OF_THE_EDIT = ("subject", "off_white", "reduced", "reduced_product", "outline", "edges", "disagreement")
"""What is measured on the photograph, its matte and its composite: the same whatever canvas they are put on."""


class Scene:
    """One edit as the rules see it."""

    def __init__(self, edit: QcInput) -> None:
        self.edit = edit

    def on_canvas(self, edit: QcInput) -> Scene:
        """Return the same edit on another canvas; what was measured on the edit itself is not measured again."""
        other = Scene(edit)
        vars(other).update({name: value for name, value in vars(self).items() if name in _OF_THE_EDIT})
        return other

    @property
    def frame(self) -> Size:
        """Size of the photograph."""
        return size_of(self.edit.master16)

    @cached_property
    def subject(self) -> Box | None:
        """The product's box in the photograph; None where there is no product."""
        try:
            return subject_box(self.edit.cutout.matte)
        except EmptySubjectError:
            return None

    @cached_property
    def framed_subject(self) -> Box | None:
        """The product's box on the canvas; None where there is no product."""
        try:
            return subject_box(self.edit.framed.matte)
        except EmptySubjectError:
            return None

    def white_from_px(self, scale: float) -> int:
        """How far from the product the background has to be exactly white; a shadow that is kept needs room."""
        if self.edit.rendition.rules.shadow is not Shadow.KEEP or self.subject is None:
            return 0 if scale == 1.0 else RESAMPLING_PX
        return RESAMPLING_PX + round(SHADOW_REACH_RATIO * self.subject.size.longest * scale)

    @cached_property
    def off_white(self) -> OffWhite:
        """What of the composite's background is not exactly white, over the whole frame."""
        product = np.asarray(self.edit.cutout.matte > 0)
        return find_off_white(self.edit.composite16, away_from(product, self.white_from_px(1.0)))

    @cached_property
    def reduced(self) -> Reduced:
        cutout = self.edit.cutout
        return reduce_edit(self.edit.master16, cutout.matte, cutout.network_matte, reduced16=self.edit.reduced16)

    @cached_property
    def reduced_product(self) -> Reduced:
        """The part of the reduced edit that holds the product."""
        return at_product(self.reduced)

    @cached_property
    def outline(self) -> Outline:
        product_px = float(self.subject.size.longest) if self.subject else 1.0
        return trace_outline(
            self.edit.master16, self.edit.composite16, self.edit.cutout.matte, self.reduced, product_px=product_px
        )

    @cached_property
    def edges(self) -> EdgeFigures:
        return measure_edges(self.outline)

    @cached_property
    def strips(self) -> list[Strip]:
        """Areas of the matte before the photograph's strongest edge, the largest first."""
        if self.subject is None:
            return []
        return kept_strips(self.edit.master16, self.edit.cutout.matte, self.reduced, self.subject)

    @cached_property
    def disagreement(self) -> tuple[float, list[Region]]:
        """What the network and the refined matte disagree about and the photograph does not settle."""
        return disagreement(self.reduced)

    @cached_property
    def colour(self) -> ColourFigures | None:
        """None where too little of the product's interior is on the canvas to measure."""
        return measure_colour(self.edit)
