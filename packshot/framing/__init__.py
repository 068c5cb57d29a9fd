"""Framing: compute the product's place and size on a rendition's canvas, and resample the picture to the canvas."""

from __future__ import annotations

from packshot.framing.fit import Placement, fill_ratio_of, fit
from packshot.framing.frame import frame
from packshot.framing.place import Framed, place
from packshot.framing.subject import subject_box

__all__ = ["Framed", "Placement", "fill_ratio_of", "fit", "frame", "place", "subject_box"]
