"""Codes of findings about returned work and people's decisions."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

RETURNED_WORK = Group(
    "Returned work",
    {
        "returned_size": Meaning(
            "The picture is as large as the master. A warning: it is smaller or larger, and only its path, mask "
            "or channel is used, on the master.",
            status="passed, warning, failed",
            gate=True,
        ),
        "returned_matte": Meaning(
            "There is a matte, and it covers a product: not nothing, not everything, not the background.",
            measured="share of the picture",
            unit="ratio",
            status="passed, failed",
            gate=True,
        ),
        "returned_like_draft": Meaning(
            "A warning: both differ much. Look at both; the editor's is probably right.",
            measured="overlap with the machine's matte",
            unit="overlap",
            status="passed, warning, skipped",
            gate=False,
        ),
        "draft_unchanged": Meaning(
            "The machine's matte came back as it was handed out.",
            measured="overlap with the machine's matte",
            unit="overlap",
            status="warning",
            gate=False,
        ),
        "returned_profile": Meaning(
            "The picture says what its colours mean.",
            status="passed, failed, skipped",
            gate=True,
        ),
        "returned_depth": Meaning(
            "A warning: the master's 16 bits were not kept.",
            measured="bits per channel",
            unit="bit",
            status="passed, warning, skipped",
            gate=False,
        ),
        "returned_white": Meaning(
            "A flattened picture stands on exact white. Skipped where the line lays it on white itself; a "
            "warning where nothing tells white product from background.",
            measured="share that is exactly white",
            unit="ratio",
            status="passed, warning, failed, skipped",
            gate=True,
        ),
        "same_shot": Meaning(
            "It is the photograph that was handed out, neither turned nor mirrored. Skipped for products "
            "without any detail.",
            measured="correlation of the product's detail with the master's",
            unit="correlation",
            status="passed, failed, skipped",
            gate=True,
        ),
        "product_moved": Meaning(
            "The product stands where it stood, as large as it was.",
            measured="farthest corner of the product",
            unit="px",
            status="passed, failed, skipped",
            gate=True,
        ),
        "returned_colour": Meaning(
            "The product kept its colours, unless a correction was ordered.",
            measured="median over the product",
            unit="delta E 2000",
            status="passed, failed, skipped",
            gate=True,
        ),
        "product_repainted": Meaning(
            "Nothing of the product was painted over, unless retouching was ordered.",
            measured="largest changed place",
            unit="ratio",
            status="passed, failed, skipped",
            gate=True,
        ),
    },
)
NECK_JOINT = Group(
    "Neck joint",
    {
        "neck_filled": Meaning(
            "The opening shows the garment's inside, without a hole.",
            measured="share of the neckline's opening that the matte covers",
            unit="ratio",
            status="passed, failed, skipped",
            gate=True,
        ),
        "mannequin_left": Meaning(
            "No mannequin is left. A lining of just the mannequin's colour and shade can be mistaken for it: "
            "take the work over with that reason.",
            measured="share of the mannequin that still shows the master's own pixels",
            unit="ratio",
            status="passed, failed, skipped",
            gate=True,
        ),
        "joint_outline": Meaning(
            "Neither notch, gap nor spike where neck and garment meet, and the garment was not cut into.",
            measured="the longest break",
            unit="px",
            status="passed, failed, skipped",
            gate=True,
        ),
        "joint_line": Meaning(
            "No bright or dark line along the joint that the photograph has not. A warning: a dark line that "
            "may be the collar's shadow.",
            measured="share of the joint along which one line runs",
            unit="ratio",
            status="passed, warning, failed, skipped",
            gate=True,
        ),
    },
)
PEOPLE_DECISIONS = Group(
    "People's decisions",
    {
        "draft_missing": Meaning(
            "The machine sees no product to draw a draft path around; the editor's ticket has none.",
            status="skipped",
            gate=False,
        ),
        "neck_joint_missing": Meaning(
            "No layered file for the neck joint: there is no neck shot, or the picture is larger than a PSD holds.",
            status="skipped",
            gate=False,
        ),
        "mannequin_not_recognised": Meaning(
            "What is mannequin was not told from the garment; the message says why. Nothing is masked in the "
            "layered file, and what comes back is not checked for a mannequin.",
            status="skipped",
            gate=False,
        ),
        "neck_not_aligned": Meaning(
            "The neck shot shows too little of what the exterior shows: it was placed by the shoulders' "
            "outline, or just laid in. Move it to where it belongs.",
            status="warning",
            gate=False,
        ),
        "check_overridden": Meaning(
            "Somebody took returned work over although a check of it failed; who and why stand in the message, "
            "also in the certificate.",
            status="warning",
            gate=False,
        ),
        "colour_by_eye": Meaning(
            "Whether whoever signed off compared the colours with the product.",
            status="passed; not compared: skipped",
            gate=False,
        ),
    },
)

GROUPS = (
    RETURNED_WORK,
    NECK_JOINT,
    PEOPLE_DECISIONS,
)
