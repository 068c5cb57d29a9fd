"""Explain the findings about the cut-out and of quality control: for each code, what it means and what to do."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

THE_CUT_OUT = Group(
    "The cut-out",
    {
        "fallback_model": Meaning(
            "The small network was used, because the usual one was not available. Run `packshot models fetch`, then "
            "process the shot again.",
            status="warning",
            gate=False,
        ),
        "empty_mask": Meaning(
            "No product was found. An editor gets the shot.",
            measured="share of the picture that is product",
            limit="0.0005",
            unit="ratio",
            status="failed",
            gate=True,
        ),
        "backdrop_not_smooth": Meaning(
            "The backdrop is too uneven to be modelled, so only the AI's first mask decided the edge. Quality control "
            "adds a finding of the same code, which is a gate.",
            measured="share of the backdrop that the model does not explain",
            unit="ratio",
            status="warning",
            gate=False,
        ),
        "gap_suspected": Meaning(
            "A place inside the product looks like the backdrop. It was kept as product. Check whether it is a gap.",
            measured="share of the photograph",
            unit="ratio",
            status="warning",
            gate=False,
        ),
        "real_proof_missing": Meaning(
            "People have judged too few real photographs of this kind of shot. The kinds are: nobody named the "
            "category, the product stands on a visible floor and its base is not proven, it is pale on a pale "
            "backdrop, or its backdrop is dark. Drawn scenes prove nothing about them. So a reviewer judges the shot "
            "without its score, and the verdict counts as evidence. A warning means that the client's style guide "
            "takes the risk (`approve_unproven_kinds`), so the shot was approved all the same.",
            measured="real photographs of its kind that people judged",
            limit="minimum that the promise needs",
            unit="shots",
            status="failed, warning, or passed",
            gate=True,
        ),
        "refusal_likely": Meaning(
            "The trained model (routing.md) estimates that a refusal is likelier than the promise allows, or too few "
            "shots have been judged to promise anything. A reviewer looks at the shot.",
            measured="probability of a refusal",
            limit="maximum that keeps the promise",
            unit="probability",
            status="failed, or passed",
            gate=True,
        ),
    },
)
BACKGROUND = Group(
    "Background",
    {
        "non_white_background": Meaning(
            measured="background pixels of the whole composite that are not exactly 255",
            unit="px",
            gate=True,
        ),
        "background_leftover": Meaning(
            measured=(
                "area of the largest visible patch of background that is not exactly white, as a share of the picture"
            ),
            unit="per mille",
            gate=True,
        ),
        "non_white_rendition": Meaning(
            measured="background pixels of the delivered picture, outside the cut-out, that are not exactly 255",
            unit="px",
            gate=True,
        ),
        "quick_check": Meaning(measured="points along the border that are not exactly white", unit="share", gate=True),
    },
    advice=("Look at the place in `box`. The edit is wrong. Process the shot again, or give it to an editor."),
)
EDGE = Group(
    "Edge",
    {
        "gradient_alignment": Meaning(
            measured="share of the outline that lies more than 1 px from the edge in the photograph",
            unit="share",
            gate=False,
        ),
        "outline_shift": Meaning(
            measured="how far the whole outline is too wide or too tight",
            unit="px",
            gate=False,
        ),
        "outline_moved": Meaning(
            measured=(
                "how far the whole outline is shifted: too wide on one side of the product, too tight on the other"
            ),
            unit="px",
            gate=True,
        ),
        "rim_changed": Meaning(
            measured=(
                "longest stretch of outline along which the product's rim differs from the photograph, for example "
                "because it is blurred; only for edits by the machine"
            ),
            unit="px",
            gate=True,
        ),
        "fringe": Meaning(
            measured="share of the outline along which the backdrop's colour is left", unit="share", gate=False
        ),
        "fringe_width": Meaning(
            measured="median width of the backdrop's colour left along the outline", unit="px", gate=False
        ),
        "jagged_edge": Meaning(
            measured=(
                "how far the outline jumps to and fro across the edge in the photograph: the root mean square, without "
                "the worst tenth"
            ),
            unit="px",
            gate=False,
        ),
        "edge_contrast": Meaning(
            measured="share of the outline along which product and surroundings hardly differ",
            unit="share",
            gate=False,
        ),
        "pale_on_white": Meaning(
            measured=(
                "longest stretch of outline along which the product differs by less than 1 delta E 2000 from the white "
                "it is delivered on, divided by the product's longest side"
            ),
            unit="share",
            gate=True,
        ),
        "uncertain_band": Meaning(
            measured="width of the half-transparent edge; only a tenth of the outline has a wider one",
            unit="px",
            gate=False,
        ),
        "islands": Meaning(
            measured="area of small separate specks, as a share of the product", unit="per mille", gate=False
        ),
        "haze_around": Meaning(
            measured="area of a faint veil on the white, as a share of the photograph", unit="per mille", gate=True
        ),
        "network_disagreement": Meaning(
            measured="area in which the final cut-out and the AI's first mask differ, as a share of both together",
            unit="share",
            gate=False,
        ),
        "network_disagreement_patch": Meaning(
            measured=(
                "area of the largest place where the final cut-out and the AI's first mask differ, as a share of the "
                "product"
            ),
            unit="per mille",
            gate=False,
        ),
        "network_overruled": Meaning(
            measured=(
                "largest area where the cut-out says the opposite of the AI's first mask although the AI is sure, as a "
                "share of the product; what the photograph shows there does not matter"
            ),
            unit="per mille",
            gate=True,
        ),
        "network_overruled_detail": Meaning(
            measured=(
                "largest detail about which the cut-out and the AI's first mask disagree, for example a narrow gap "
                "that stays filled, or a bit of backdrop at an edge; scaled to a picture 1000 px long"
            ),
            unit="px",
            gate=True,
        ),
        "outline_unproven": Meaning(
            measured=(
                "unproven share of the worst 40 px of outline, scaled to a picture 2000 px long. A point is unproven "
                "if "
                "the photograph has no edge within 1 px and the AI is not sure of product 2 px further inside"
            ),
            unit="share",
            gate=True,
        ),
        "bite_suspected": Meaning(
            measured="longest stretch of outline that cuts through something which continues outside",
            unit="px",
            gate=True,
        ),
        "punched_hole_suspected": Meaning(
            measured="longest stretch of a hole's outline that cuts through something, so that the hole may be wrong",
            unit="px",
            gate=True,
        ),
        "missing_part_suspected": Meaning(
            measured="largest area beside the cut-out that is not backdrop, as a share of the product",
            unit="per mille",
            gate=True,
        ),
        "sharp_edge_outside": Meaning(
            measured="largest sharp structure just outside the cut-out, as a share of the product",
            unit="per mille",
            gate=True,
        ),
        "leftover_suspected": Meaning(
            measured="largest area of the cut-out at the outline that looks like backdrop, as a share of the product",
            unit="per mille",
            gate=True,
        ),
        "filled_hole_suspected": Meaning(
            measured="largest area inside the product that looks like backdrop, as a share of the product; it may be a "
            "filled gap",
            unit="per mille",
            gate=True,
        ),
        "loose_outline": Meaning(
            measured="longest stretch of outline that runs through plain backdrop",
            unit="px",
            gate=True,
        ),
        "pinhole": Meaning(
            measured="largest small hole in the edit where the photograph shows no gap",
            unit="px",
            gate=True,
        ),
        "kept_shadow_suspected": Meaning(
            measured=(
                "largest area of the cut-out with a soft edge outside and a stronger edge inside, as a contact shadow "
                "has; scaled to a product 1200 px long"
            ),
            unit="px",
            gate=True,
        ),
        "base_unproven": Meaning(
            measured=(
                "share of the product's base along which the photograph has no edge at the cut-out's outline, or one "
                "more than 1 px farther out, or the cut-out keeps a contact shadow's dark line. The base is the lowest "
                "12 % of the product, where the outline faces down. Skipped where no shadow lies along it"
            ),
            unit="share",
            gate=True,
        ),
        "backdrop_patch_suspected": Meaning(
            measured=(
                "largest patch near the cut-out's outline that has the backdrop's colour and ends at something clearly "
                "different, for example a narrow gap that stays filled, or a wedge in a corner; or a window anywhere, "
                "of exactly that colour and sharp all around; scaled to a picture 1000 px long"
            ),
            unit="px",
            gate=True,
        ),
        "backdrop_strip_suspected": Meaning(
            measured=(
                "largest area of the cut-out outside the photograph's strongest edge whose colour is nearly the "
                "backdrop's; scaled to a product 1200 px long"
            ),
            unit="px",
            gate=True,
        ),
        "backdrop_left_suspected": Meaning(
            measured=(
                "greatest probability that a patch of the cut-out is backdrop. Two small forests of decision trees "
                "give it from the photograph alone, and the smaller one counts: the patch's colour, shade and texture "
                "against the backdrop's, the edges around it, its place, and where else its colour occurs. Skipped for "
                "a cut-out that a person made"
            ),
            unit="probability",
            gate=True,
        ),
        "product_touches_frame": Meaning(
            measured="share of the photograph's border that the product covers; the product may be cut off",
            unit="share",
            gate=True,
        ),
        "empty_product": Meaning(
            measured="area of the product, as a share of the photograph; too small a share is a failure",
            unit="share",
            gate=True,
        ),
        "several_products": Meaning(measured="number of separate objects beyond the one expected", gate=True),
        "backdrop_not_smooth": Meaning(measured="1 if nothing confirms the edge, else 0", gate=True),
    },
    advice=(
        "Compare before and after at the place in `box`, at 1:1. If the edge is right, approve the picture. "
        "If not, give it to an editor."
    ),
)
FILL = Group(
    "Fill",
    {
        "fill_ratio": Meaning(measured="difference from the fill that was ordered", unit="ratio", gate=False),
        "fill_outside_platform": Meaning(
            measured="how far the fill lies outside what the platform accepts",
            unit="ratio",
            gate=True,
        ),
        "off_centre": Meaning(
            measured="distance between the centres of product and canvas, divided by the canvas's longest side",
            unit="ratio",
            gate=False,
        ),
        "product_cut": Meaning(measured="share of the canvas border that the product covers", unit="share", gate=True),
        "part_outside_canvas": Meaning(
            measured="share of the product that lies outside the canvas", unit="share", gate=True
        ),
        "enlarged": Meaning(measured="enlargement beyond what is allowed", unit="ratio", gate=True),
        "low_resolution": Meaning(
            measured="how much the canvas falls short of the platform's minimum size",
            unit="share",
            gate=True,
        ),
        "below_recommended": Meaning(
            measured="how much the canvas falls short of the recommended size", unit="share", gate=False
        ),
    },
    advice=(
        "The photograph is too small, it is cropped too closely, or the style guide asks for something that the "
        "platform does not accept. Correct the style guide and process the shot again, or ask for a larger photograph."
    ),
)
COLOUR_AND_DETAIL = Group(
    "Colour and detail",
    {
        "colour_shift": Meaning(
            measured="mean colour difference from the photograph, over the product",
            unit="delta E 2000",
            gate=True,
        ),
        "colour_shift_p95": Meaning(
            measured="colour difference that 95 % of the product's pixels do not exceed",
            unit="delta E 2000",
            gate=True,
        ),
        "channel_clipping": Meaning(
            measured="share of the product whose colours the delivered colour space cannot hold",
            unit="share",
            gate=False,
        ),
        "blurred": Meaning(
            measured="detail on the canvas divided by detail in the photograph; lower is worse",
            unit="ratio",
            gate=True,
        ),
        "jpeg_blocks": Meaning(
            measured="how much stronger the steps at borders of JPEG blocks are than in the photograph",
            unit="ratio",
            gate=True,
        ),
        "colour_not_verified": Meaning(
            measured=(
                "difference from a colour reference; without a reference: skipped, or failed if the plan requires one"
            ),
            unit="delta E 2000",
            gate=True,
        ),
    },
    advice=("Compare the product's colours with the photograph's."),
)

GROUPS = (
    THE_CUT_OUT,
    BACKGROUND,
    EDGE,
    FILL,
    COLOUR_AND_DETAIL,
)
