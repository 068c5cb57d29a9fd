"""List the names of the rules and codecs for which ``qc.yaml`` states limits.

A codec here is a way to encode a delivered file, such as ``jpeg-444``. A test compares the names with the rules and
codecs that exist.
"""

from __future__ import annotations

RING_CODECS = frozenset({"jpeg-444", "jpeg-420", "webp", "lossless"})
"""Codecs by the artifacts they leave beside an edge, named as in `packshot.export.codecs.EncoderSettings.codec`."""

RULE_NAMES = frozenset(
    {
        "non_white_background",
        "background_leftover",
        "non_white_rendition",
        "quick_check",
        "gradient_alignment",
        "outline_shift",
        "outline_moved",
        "rim_changed",
        "fringe",
        "fringe_width",
        "jagged_edge",
        "edge_contrast",
        "pale_on_white",
        "uncertain_band",
        "islands",
        "haze_around",
        "network_disagreement",
        "network_disagreement_patch",
        "network_overruled",
        "network_overruled_detail",
        "outline_unproven",
        "bite_suspected",
        "missing_part_suspected",
        "sharp_edge_outside",
        "punched_hole_suspected",
        "leftover_suspected",
        "loose_outline",
        "filled_hole_suspected",
        "pinhole",
        "kept_shadow_suspected",
        "base_unproven",
        "backdrop_patch_suspected",
        "backdrop_strip_suspected",
        "backdrop_left_suspected",
        "product_touches_frame",
        "empty_product",
        "several_products",
        "backdrop_not_smooth",
        "fill_ratio",
        "fill_outside_platform",
        "off_centre",
        "product_cut",
        "part_outside_canvas",
        "enlarged",
        "low_resolution",
        "below_recommended",
        "colour_shift",
        "colour_shift_p95",
        "channel_clipping",
        "blurred",
        "jpeg_blocks",
        "colour_not_verified",
    }
)
"""Rules of quality control, by component: background, edge, fill, colour."""
