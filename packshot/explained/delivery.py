"""Codes of findings about a delivered file."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

A_DELIVERED_FILE = Group(
    "A delivered file",
    {
        "file_unreadable": Meaning("The file cannot be decoded.", status="failed"),
        "file_format": Meaning(
            "Not the format ordered. `check` fails a format that the platform is not known to accept (`accepts`).",
            status="failed; `check`, if the platform accepts it: warning",
        ),
        "file_extension": Meaning("`check` only: the name's ending is another than the content's.", status="failed"),
        "file_profile": Meaning("Not the profile ordered.", status="failed; `check` without a profile: warning"),
        "file_bit_depth": Meaning(
            "Not RGB of the depth ordered, or with transparency.",
            measured="bits",
            limit="ordered",
            unit="bit",
            status="failed",
        ),
        "file_bytes": Meaning(
            "Too many or too few for the platform.",
            measured="bytes",
            limit="most or least",
            unit="bytes",
            status="failed",
        ),
        "file_orientation": Meaning(
            "Relies on a turn that some readers ignore.",
            measured="EXIF orientation",
            limit="1",
            status="failed",
        ),
        "file_location": Meaning("Tells where the photograph was taken.", status="failed"),
        "canvas_size": Meaning(
            "Not the canvas ordered.",
            measured="longest side",
            limit="ordered",
            unit="px",
            status="failed",
        ),
        "canvas_aspect": Meaning(
            "Not the platform's shape.",
            measured="distance from the shape",
            limit="1",
            unit="px",
            status="failed",
        ),
        "canvas_too_large": Meaning(
            "More pixels than the platform takes.",
            measured="longest side",
            limit="most",
            unit="px",
            status="failed",
        ),
        "resolution_too_low": Meaning(
            "Fewer than the platform asks for: ask for a larger photograph.",
            measured="longest side",
            limit="least",
            unit="px",
            status="failed",
        ),
        "below_recommended_size": Meaning(
            "More would mean enlarging beyond the limit.",
            measured="longest side",
            limit="aimed at",
            unit="px",
            status="warning",
        ),
        "product_too_small": Meaning(
            "Less fill than the platform asks for.",
            measured="fill",
            limit="least",
            unit="ratio",
            status="failed; `check`, if its rim is in doubt: warning",
        ),
        "product_too_few_pixels": Meaning(
            "The platform counts the product's own pixels, without the margin (`fill.least_px`): too few.",
            measured="longest side of the product",
            limit="least",
            unit="px",
            status="failed",
        ),
        "product_too_large": Meaning(
            "More fill than it allows.",
            measured="fill",
            limit="most",
            unit="ratio",
            status="failed",
        ),
        "fill_off_target": Meaning(
            "Not the fill ordered.",
            measured="fill",
            limit="ordered",
            unit="ratio",
            status="warning",
        ),
        "cropped_product": Meaning("The product touches the border.", status="failed"),
        "empty_subject": Meaning("No product is seen.", status="failed"),
        "non_white_background": Meaning(
            "Background beyond the codec's ringing distance that is not exactly white.",
            measured="pixels",
            limit="0",
            unit="px",
            status="failed; any background welcome: warning",
        ),
        "codec_ringing": Meaning(
            "The encoder darkened white beside the product too much.",
            measured="darkest value inside that distance",
            limit="the codec's floor",
            unit="level",
            status="failed; any background welcome: warning",
        ),
        "frame_at_border": Meaning(
            "No row or column within 8 px of the border is dark from end to end: no frame, and no other background. "
            "Looked for by `packshot check`. Cut the frame off.",
            status="failed; any background welcome: warning",
            measured="rows and columns",
            limit="0",
            unit="lines",
        ),
        "perimeter_sample": Meaning(
            "The quick check; the full frame decides.",
            measured="share of border points that are white",
            limit="1",
            unit="ratio",
            status="failed; any background welcome: warning",
        ),
        "composite_not_white": Meaning(
            "Not white before encoding: the edit is at fault.",
            measured="pixels",
            limit="0",
            unit="px",
            status="failed; any background welcome: warning",
        ),
        "near_white_beside_product": Meaning(
            "`check` only: a pale part of the product or leftover backdrop; without a matte nobody can tell.",
            measured="pixels",
            limit="0",
            unit="px",
            status="warning",
        ),
        "edge_lost_in_white": Meaning(
            "The product's rim is as white as the background.",
            measured="depth",
            limit="2",
            unit="px",
            status="warning",
        ),
        "colour_shift": Meaning(
            "Master and delivered file differ too much in colour.",
            measured="mean difference",
            limit="the plan's",
            unit="dE2000",
            status="failed; `check`: skipped",
        ),
        "blurry_or_pixelated": Meaning(
            "Enlarged beyond the limit.",
            measured="scale",
            limit="most",
            unit="ratio",
            status="failed",
        ),
        "out_of_gamut": Meaning(
            "Colours of the product that the delivered space cannot show were clipped to the nearest it can. "
            "For sRGB nothing can be done: screens show no more. For print, look at the proof.",
            measured="share of the product",
            limit="1 %",
            unit="ratio",
            status="passed or warning",
        ),
        "clipping_path": Meaning(
            "The clipping path that a TIFF was ordered with, read back from the file.",
            measured="overlap with the product",
            limit="99 %",
            unit="ratio",
            status="failed or passed",
        ),
        "quality_lowered": Meaning(
            "Lowered to meet the byte limit.",
            measured="quality used",
            limit="floor",
            unit="quality",
            status="warning",
        ),
        "background_corrected": Meaning(
            "The first encoding spoilt the white; it was encoded again.",
            measured="as the check that failed",
            status="warning",
        ),
        "colour_corrected": Meaning(
            "The first encoding shifted the colours; it was encoded again.",
            measured="as the check that failed",
            status="warning",
        ),
    },
)

GROUPS = (A_DELIVERED_FILE,)
