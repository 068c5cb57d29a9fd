"""Place a product on the canvas of a delivered file: compute its place and size, and resample the picture."""

from __future__ import annotations

from packshot.framing.fit import Placement, fill_ratio_of, fit
from packshot.framing.frame import frame
from packshot.framing.place import Framed, place
from packshot.framing.subject import subject_box

__all__ = ["Framed", "Placement", "fill_ratio_of", "fit", "frame", "place", "subject_box"]
