"""Codes of findings about the cut-out and of quality control."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

THE_CUT_OUT = Group(
    "The cut-out",
    {
        "fallback_model": Meaning(
            "Cut out with the small network, because the other was not available. Run `packshot models fetch`, then "
            "process the shot again.",
            status="warning",
            gate=False,
        ),
        "empty_mask": Meaning(
            "No product found. An editor gets the shot.",
            measured="share that is product",
            limit="0.0005",
            unit="ratio",
            status="failed",
            gate=True,
        ),
        "backdrop_not_smooth": Meaning(
            "The edge was left to the network alone. Quality control adds a finding of the same code, which is a gate.",
            measured="unexplained share of the backdrop",
            unit="ratio",
            status="warning",
            gate=False,
        ),
        "gap_suspected": Meaning(
            "Something inside the product looks like the backdrop and was left as product. Look whether it is a gap.",
            measured="share of the photograph",
            unit="ratio",
            status="warning",
            gate=False,
        ),
        "real_proof_missing": Meaning(
            "Nobody named the category, or it stands on a visible floor, or it is pale on a pale backdrop: "
            "drawn scenes prove nothing of such shots, and too few real photographs were judged. A reviewer "
            "looks, blindly; the verdict counts.",
            measured="real photographs of its kind that people judged",
            limit="the least that the promise needs",
            unit="shots",
            status="failed, or passed",
            gate=True,
        ),
        "refusal_likely": Meaning(
            "The trained model (routing.md) holds a refusal for likelier than the promise allows, or too few "
            "shots are labelled to promise anything. A reviewer looks.",
            measured="probability of a refusal",
            limit="the greatest that keeps the promise",
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
            measured="background pixels of the composite that are not exactly 255, whole frame",
            unit="px",
            gate=True,
        ),
        "background_leftover": Meaning(
            measured="largest visible patch of background that is not exactly white, of the frame",
            unit="per mille",
            gate=True,
        ),
        "non_white_rendition": Meaning(
            measured="background pixels of the rendition beyond the resampled matte that are not exactly 255",
            unit="px",
            gate=True,
        ),
        "quick_check": Meaning(measured="points along the border that are not exactly white", unit="share", gate=True),
    },
    advice=("Look at the place in `box`; the edit is at fault. Process the shot again, or give it to an editor."),
)
EDGE = Group(
    "Edge",
    {
        "gradient_alignment": Meaning(
            measured="outline more than 1 px beside the edge in the photograph",
            unit="share",
            gate=False,
        ),
        "outline_shift": Meaning(
            measured="how much the outline as a whole is too wide or too tight",
            unit="px",
            gate=False,
        ),
        "outline_moved": Meaning(
            measured=(
                "how far the outline as a whole lies beside the product: too wide on one side, too tight on the other"
            ),
            unit="px",
            gate=True,
        ),
        "rim_changed": Meaning(
            measured=(
                "longest stretch of outline just inside of which a machine's edit is not the photograph's own, "
                "as if blurred"
            ),
            unit="px",
            gate=True,
        ),
        "fringe": Meaning(measured="outline along which the backdrop's colour is left", unit="share", gate=False),
        "fringe_width": Meaning(
            measured="how wide the backdrop's colour is left along the outline, in the median", unit="px", gate=False
        ),
        "jagged_edge": Meaning(
            measured=(
                "how far the outline jumps around the edge in the photograph, all along: the tenth that jumps "
                "most is left out"
            ),
            unit="px",
            gate=False,
        ),
        "edge_contrast": Meaning(
            measured="outline along which product and surroundings hardly differ",
            unit="share",
            gate=False,
        ),
        "pale_on_white": Meaning(
            measured=(
                "longest stretch of outline along which the product differs from the white it is delivered on "
                "by less than a delta E 2000 of 1; of its longest side"
            ),
            unit="share",
            gate=True,
        ),
        "uncertain_band": Meaning(
            measured="width of the half-transparent rim that only a tenth of the outline exceeds",
            unit="px",
            gate=False,
        ),
        "islands": Meaning(measured="small separate specks, of the product", unit="per mille", gate=False),
        "haze_around": Meaning(measured="a faint veil on the white, of the photograph", unit="per mille", gate=True),
        "network_disagreement": Meaning(
            measured="how the refined matte and the network's differ: 1 - IoU",
            unit="share",
            gate=False,
        ),
        "network_disagreement_patch": Meaning(
            measured="the largest place where the refined matte and the network's differ, of the product",
            unit="per mille",
            gate=False,
        ),
        "network_overruled": Meaning(
            measured=(
                "largest area that the network is sure of and the matte decides the other way, whatever the "
                "photograph shows, of the product"
            ),
            unit="per mille",
            gate=True,
        ),
        "network_overruled_detail": Meaning(
            measured=(
                "largest detail that the matte keeps or drops against the network: a narrow gap that stays filled, a "
                "bit of backdrop at an edge; of a picture 1000 px long"
            ),
            unit="px",
            gate=True,
        ),
        "outline_unproven": Meaning(
            measured=(
                "the worst 40 px of outline, of a picture 2000 px long: how much of it has no edge in the photograph "
                "within 1 px and no network that is sure of product 2 px inside"
            ),
            unit="share",
            gate=True,
        ),
        "bite_suspected": Meaning(
            measured="longest stretch of outline that cuts through something that goes on outside",
            unit="px",
            gate=True,
        ),
        "punched_hole_suspected": Meaning(
            measured="longest stretch of a hole's outline that cuts through something: the hole may be a false one",
            unit="px",
            gate=True,
        ),
        "missing_part_suspected": Meaning(
            measured="largest area beside the matte that is not backdrop, of the product",
            unit="per mille",
            gate=True,
        ),
        "sharp_edge_outside": Meaning(
            measured="largest sharp structure just outside the matte, of the product",
            unit="per mille",
            gate=True,
        ),
        "leftover_suspected": Meaning(
            measured="largest area at the outline that looks like backdrop, of the product",
            unit="per mille",
            gate=True,
        ),
        "filled_hole_suspected": Meaning(
            measured="largest area inside the product that looks like backdrop, perhaps a filled gap, of the product",
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
                "largest area of the matte that ends softly outside and by a stronger edge inside, as a contact "
                "shadow does; in a product 1200 px long"
            ),
            unit="px",
            gate=True,
        ),
        "product_touches_frame": Meaning(
            measured="border of the photograph that the product covers: it may be cut off",
            unit="share",
            gate=True,
        ),
        "empty_product": Meaning(
            measured="area of the product; too little of the photograph is a failure",
            unit="share",
            gate=True,
        ),
        "several_products": Meaning(measured="separate things beyond the one expected", gate=True),
        "backdrop_not_smooth": Meaning(measured="1 if nothing confirms the edge, else 0", gate=True),
    },
    advice=(
        "Compare before and after at the place in `box`, at 1:1. Approve the picture if the edge is right; "
        "else give it to an editor."
    ),
)
FILL = Group(
    "Fill",
    {
        "fill_ratio": Meaning(measured="distance from the fill ordered", unit="ratio", gate=False),
        "fill_outside_platform": Meaning(
            measured="how far the fill lies outside what the platform accepts",
            unit="ratio",
            gate=True,
        ),
        "off_centre": Meaning(
            measured="distance of the product's middle from the canvas's, of its longest side",
            unit="ratio",
            gate=False,
        ),
        "product_cut": Meaning(measured="border of the canvas that the product covers", unit="share", gate=True),
        "part_outside_canvas": Meaning(measured="product that did not come onto the canvas", unit="share", gate=True),
        "enlarged": Meaning(measured="enlargement beyond what is allowed", unit="ratio", gate=True),
        "low_resolution": Meaning(
            measured="what the canvas lacks of the platform's least size",
            unit="share",
            gate=True,
        ),
        "below_recommended": Meaning(measured="what the canvas lacks of the size aimed at", unit="share", gate=False),
    },
    advice=(
        "The photograph is too small or too closely cut, or the style guide asks for what the platform does "
        "not accept. Correct the style guide and process the shot again, or ask for a larger photograph."
    ),
)
COLOUR_AND_DETAIL = Group(
    "Colour and detail",
    {
        "colour_shift": Meaning(
            measured="mean difference from the photograph, over the product",
            unit="delta E 2000",
            gate=True,
        ),
        "colour_shift_p95": Meaning(
            measured="colour difference that 95 % of the product stays below",
            unit="delta E 2000",
            gate=True,
        ),
        "channel_clipping": Meaning(
            measured="product whose colours the delivered space cannot hold",
            unit="share",
            gate=False,
        ),
        "blurred": Meaning(
            measured="detail on the canvas over detail in the photograph; less is worse",
            unit="ratio",
            gate=True,
        ),
        "jpeg_blocks": Meaning(
            measured="steps at borders of JPEG blocks beyond those in the photograph",
            unit="ratio",
            gate=True,
        ),
        "colour_not_verified": Meaning(
            measured=(
                "difference from a colour reference; skipped where there is none, failed where the plan requires one"
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
