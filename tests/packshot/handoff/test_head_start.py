"""The editor's head start: the master as it is, the matte as a channel, a path to begin with."""

from __future__ import annotations

import io

import numpy as np
import tifffile

from packshot.handoff.head_start import head_start
from packshot.types import Status
from tests import drawn_products


def test_a_draft_holds_the_master_the_matte_and_a_path() -> None:
    pixels = drawn_products.pixels(1000, 1000).astype(np.uint16) * 257
    matte = drawn_products.coverage(1000, 1000).astype(np.float32)
    made = head_start(pixels, matte)
    assert made.findings == ()
    assert 3 < made.knots < 60
    with tifffile.TiffFile(io.BytesIO(made.draft_tiff)) as file:
        planes = file.asarray()
        assert 34377 in file.pages[0].tags  # Photoshop's resources, with the path
    assert np.array_equal(planes[..., :3], pixels)
    assert np.abs(planes[..., 3] / 65535 - matte).max() < 1e-4


def test_where_no_product_is_seen_a_finding_says_so() -> None:
    made = head_start(np.full((100, 100, 3), 65535, np.uint16), np.zeros((100, 100), np.float32))
    assert (made.draft_tiff, made.knots) == (b"", 0)
    assert [(one.code, one.status) for one in made.findings] == [("draft_missing", Status.SKIPPED)]
