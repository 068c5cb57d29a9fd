"""Explain the findings about delivered files: for each code, what it means and what to do."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

A_DELIVERED_FILE = Group(
    "A delivered file",
    {
        "file_unreadable": Meaning("The file cannot be decoded.", status="failed"),
        "file_format": Meaning(
            "The file does not have the format that was ordered. `check` fails every format that is not in the "
            "platform's `accepts`.",
            status="failed; `check`, if the platform accepts it: warning",
        ),
        "file_extension": Meaning(
            "Only by `check`: the file name's extension does not match the content.", status="failed"
        ),
        "file_name": Meaning(
            "Only by `check`: the platform's template does not make this file name. Rename the file. Names of "
            "`packshot edit` are not compared.",
            status="failed, if the marketplace refuses such names; else warning; skipped",
        ),
        "file_dpi": Meaning(
            "The file does not state the resolution for print that was ordered.",
            measured="resolution",
            limit="ordered",
            unit="dpi",
            status="failed",
        ),
        "file_profile": Meaning(
            "The file does not have the colour profile that was ordered.",
            status="failed; `check` without a profile: warning",
        ),
        "file_bit_depth": Meaning(
            "The file is not RGB, does not have the bit depth that was ordered, or has transparency.",
            measured="bits",
            limit="ordered",
            unit="bit",
            status="failed",
        ),
        "file_bytes": Meaning(
            "The file is too large or too small for the platform.",
            measured="bytes",
            limit="maximum or minimum",
            unit="bytes",
            status="failed",
        ),
        "file_orientation": Meaning(
            "The file relies on an EXIF rotation, which some readers ignore.",
            measured="EXIF orientation",
            limit="1",
            status="failed",
        ),
        "file_location": Meaning("The metadata say where the photograph was taken.", status="failed"),
        "canvas_size": Meaning(
            "The canvas does not have the size that was ordered.",
            measured="longest side",
            limit="ordered",
            unit="px",
            status="failed",
        ),
        "canvas_aspect": Meaning(
            "The canvas does not have the platform's aspect ratio.",
            measured="distance from that aspect ratio",
            limit="1",
            unit="px",
            status="failed",
        ),
        "canvas_too_large": Meaning(
            "The picture has more pixels than the platform accepts.",
            measured="longest side",
            limit="maximum",
            unit="px",
            status="failed",
        ),
        "resolution_too_low": Meaning(
            "The picture has fewer pixels than the platform requires. Ask for a larger photograph.",
            measured="longest side",
            limit="minimum",
            unit="px",
            status="failed",
        ),
        "below_recommended_size": Meaning(
            "The picture is smaller than recommended. To make it larger, it would have to be enlarged beyond the "
            "limit.",
            measured="longest side",
            limit="recommended size",
            unit="px",
            status="warning",
        ),
        "product_too_small": Meaning(
            "The product fills less of the canvas than the platform requires.",
            measured="fill",
            limit="minimum",
            unit="ratio",
            status="failed; `check`, if the product's edge is uncertain: warning",
        ),
        "product_too_few_pixels": Meaning(
            "The product itself has too few pixels. This platform does not count the margin (`fill.least_px`).",
            measured="longest side of the product",
            limit="minimum",
            unit="px",
            status="failed",
        ),
        "product_too_large": Meaning(
            "The product fills more of the canvas than the platform allows.",
            measured="fill",
            limit="maximum",
            unit="ratio",
            status="failed",
        ),
        "fill_off_target": Meaning(
            "The product does not fill the canvas as ordered.",
            measured="fill",
            limit="ordered",
            unit="ratio",
            status="warning",
        ),
        "cropped_product": Meaning("The product touches the edge of the picture.", status="failed"),
        "empty_subject": Meaning("No product was found.", status="failed"),
        "non_white_background": Meaning(
            "Part of the background is not exactly white. Pixels within the codec's ringing distance of the product "
            "do not "
            "count.",
            measured="pixels",
            limit="0",
            unit="px",
            status="failed; any background welcome: warning",
        ),
        "codec_ringing": Meaning(
            "The encoder darkened the white beside the product too much.",
            measured="darkest value within the ringing distance",
            limit="the codec's minimum",
            unit="level",
            status="failed; any background welcome: warning",
        ),
        "frame_at_border": Meaning(
            "A row or column within 8 px of the border is dark from end to end: a frame, or a background that is not "
            "white. Only `packshot check` looks for it. Crop the frame.",
            status="failed; any background welcome: warning",
            measured="rows and columns",
            limit="0",
            unit="lines",
        ),
        "perimeter_sample": Meaning(
            "A quick check of points along the border found one that is not white. The check of the whole picture "
            "decides.",
            measured="share of border points that are white",
            limit="1",
            unit="ratio",
            status="failed; any background welcome: warning",
        ),
        "composite_not_white": Meaning(
            "The background was not white even before encoding. The edit is wrong.",
            measured="pixels",
            limit="0",
            unit="px",
            status="failed; any background welcome: warning",
        ),
        "near_white_beside_product": Meaning(
            "Only by `check`: something beside the product is almost white. It is a pale part of the product, or "
            "backdrop "
            "that was left. Without a cut-out this cannot be decided.",
            measured="pixels",
            limit="0",
            unit="px",
            status="warning",
        ),
        "edge_lost_in_white": Meaning(
            "The product's edge is as white as the background.",
            measured="depth",
            limit="2",
            unit="px",
            status="warning",
        ),
        "colour_shift": Meaning(
            "The colours of the delivered file differ too much from those of the master.",
            measured="mean difference",
            limit="that of the plan",
            unit="dE2000",
            status="failed; `check`: skipped",
        ),
        "blurry_or_pixelated": Meaning(
            "The product was enlarged beyond the limit.",
            measured="scale",
            limit="maximum",
            unit="ratio",
            status="failed",
        ),
        "out_of_gamut": Meaning(
            "The delivered colour space cannot show some colours of the product. They were clipped to the nearest "
            "colours "
            "that it can show. For sRGB nothing can be done, because usual screens show no more. For print, look at "
            "the "
            "proof.",
            measured="share of the product",
            limit="1 %",
            unit="ratio",
            status="passed or warning",
        ),
        "clipping_path": Meaning(
            "A TIFF was ordered with a clipping path. This compares the path in the file with the product.",
            measured="overlap with the product",
            limit="99 %",
            unit="ratio",
            status="failed or passed",
        ),
        "quality_lowered": Meaning(
            "The encoding quality was lowered to meet the byte limit.",
            measured="quality used",
            limit="minimum",
            unit="quality",
            status="warning",
        ),
        "background_corrected": Meaning(
            "The first encoding damaged the white background, so the file was encoded again.",
            measured="as in the check that failed",
            status="warning",
        ),
        "colour_corrected": Meaning(
            "The first encoding shifted the colours, so the file was encoded again.",
            measured="as in the check that failed",
            status="warning",
        ),
    },
)

GROUPS = (A_DELIVERED_FILE,)
