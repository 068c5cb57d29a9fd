"""Judge an edit by rules: each rule measures something, the results give a score, and the score gives a verdict.

The edit is the product cut out and put on exact white. The verdict is to approve it, to let a person review it, or to
redo it.
"""

from __future__ import annotations

from packshot.qc.evidence import Evidence, crop_evidence
from packshot.qc.inputs import ColourReference, QcInput
from packshot.qc.report import QcReport, RenditionReport, judge, judge_all
from packshot.qc.white import OffWhite, QuickCheck, check_border_points, find_off_white

__all__ = [
    "ColourReference",
    "Evidence",
    "OffWhite",
    "QcInput",
    "QcReport",
    "QuickCheck",
    "RenditionReport",
    "check_border_points",
    "crop_evidence",
    "find_off_white",
    "judge",
    "judge_all",
]
