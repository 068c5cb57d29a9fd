"""Explain the findings about editors' returned pictures and people's decisions: for each code, what to do."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

RETURNED_WORK = Group(
    "Returned work",
    {
        "returned_size": Meaning(
            "The picture must be as large as the master. If it is not, this is a warning: only its path, mask or "
            "channel "
            "is used, with the master's pixels.",
            status="passed, warning, failed",
            gate=True,
        ),
        "returned_matte": Meaning(
            "The file must contain a cut-out that covers the product. A cut-out that covers nothing, everything or the "
            "background is refused.",
            measured="share of the picture",
            unit="ratio",
            status="passed, failed",
            gate=True,
        ),
        "returned_like_draft": Meaning(
            "Compares the editor's cut-out with the machine's. If they differ a lot, this is a warning. Look at both; "
            "the "
            "editor's is probably right.",
            measured="overlap with the machine's cut-out",
            unit="overlap",
            status="passed, warning, skipped",
            gate=False,
        ),
        "draft_unchanged": Meaning(
            "The machine's cut-out came back unchanged. Check that it was really edited.",
            measured="overlap with the machine's cut-out",
            unit="overlap",
            status="warning",
            gate=False,
        ),
        "returned_profile": Meaning(
            "The picture must state its colour space.",
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
            "A flattened picture must have an exactly white background. Skipped if Packshot adds the white "
            "itself; a warning if nothing tells a white product from the background.",
            measured="share that is exactly white",
            unit="ratio",
            status="passed, warning, failed, skipped",
            gate=True,
        ),
        "same_shot": Meaning(
            "The work must show the photograph that was handed out, not rotated or mirrored. Skipped for products "
            "without any detail.",
            measured="correlation of the product's detail with the master's",
            unit="correlation",
            status="passed, failed, skipped",
            gate=True,
        ),
        "product_moved": Meaning(
            "The product must keep its place and size.",
            measured="farthest corner of the product",
            unit="px",
            status="passed, failed, skipped",
            gate=True,
        ),
        "returned_colour": Meaning(
            "The product must keep its colours, unless a correction was ordered.",
            measured="median over the product",
            unit="delta E 2000",
            status="passed, failed, skipped",
            gate=True,
        ),
        "product_repainted": Meaning(
            "No part of the product may be painted over, unless retouching was ordered.",
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
            "The neckline's opening must show the garment's inside, without a hole.",
            measured="share of the neckline's opening that the cut-out covers",
            unit="ratio",
            status="passed, failed, skipped",
            gate=True,
        ),
        "mannequin_left": Meaning(
            "No part of the mannequin may be left. A lining with the mannequin's colour can be mistaken for it: "
            "then accept the work, with that reason.",
            measured="share of the mannequin that still shows the master's own pixels",
            unit="ratio",
            status="passed, failed, skipped",
            gate=True,
        ),
        "joint_outline": Meaning(
            "The outline may have no notch, gap or spike where neck and garment meet, and the garment may not be cut.",
            measured="the longest break",
            unit="px",
            status="passed, failed, skipped",
            gate=True,
        ),
        "joint_line": Meaning(
            "The joint may show no bright or dark line that is not in the photograph. A warning: a dark line "
            "that may be the collar's shadow.",
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
            "The machine found no product, so the editor's ticket has no draft path.",
            status="skipped",
            gate=False,
        ),
        "neck_joint_missing": Meaning(
            "There is no layered file for the neck joint, because there is no neck shot or the picture is too "
            "large for a PSD.",
            status="skipped",
            gate=False,
        ),
        "mannequin_not_recognised": Meaning(
            "The mannequin could not be told from the garment; the message says why. The layered file has no "
            "mask, and returned work is not checked for a mannequin.",
            status="skipped",
            gate=False,
        ),
        "neck_not_aligned": Meaning(
            "The neck shot could not be aligned with the main shot by its details. It was placed by the outline "
            "of the shoulders, or without alignment. Move it to its place.",
            status="warning",
            gate=False,
        ),
        "check_overridden": Meaning(
            "Somebody accepted returned work although a check failed. The message and the certificate say who and why.",
            status="warning",
            gate=False,
        ),
        "colour_by_eye": Meaning(
            "Says whether the person who signed off compared the colours with the product.",
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
