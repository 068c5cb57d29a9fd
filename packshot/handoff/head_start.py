"""Make the file with which an editor starts: a TIFF of the master, with the machine's matte and a draft clipping path.

The draft is not an edit. The draft shows where the machine sees the product, and the editor decides.
"""

from __future__ import annotations

import dataclasses

from packshot.errors import EmptySubjectError
from packshot.paths.draft import draft_path
from packshot.paths.draft_file import write_draft
from packshot.types import Finding, Matte, Pixels16, Status


@dataclasses.dataclass(frozen=True)
class HeadStart:
    """The file from which an editor starts: the master, with the machine's matte and a draft clipping path.

    Attributes:
        draft_tiff: the TIFF's bytes; empty if the machine found no product. Then there is a finding.
        knots: number of points (knots) of the draft path, over all subpaths; 0 without a path.
        findings: the finding `draft_missing` if there is no TIFF; otherwise empty.
    """

    draft_tiff: bytes
    knots: int
    findings: tuple[Finding, ...]


def head_start(pixels: Pixels16, matte: Matte) -> HeadStart:
    """Return the file with which an editor starts: a TIFF of the master with the machine's matte and a draft path.

    Without a product in the matte there is no file, but a finding (`HeadStart`).

    Args:
        pixels: the master, (rows, columns, 3) uint16, Adobe RGB.
        matte: the machine's matte, (rows, columns) float32 in 0..1. The path follows it.
    """
    try:
        path = draft_path(matte)
    except EmptySubjectError as error:
        finding = Finding(code="draft_missing", status=Status.SKIPPED, message=f"No draft path: {error}")
        return HeadStart(b"", 0, (finding,))
    return HeadStart(write_draft(pixels, matte, path), path.knots, ())
