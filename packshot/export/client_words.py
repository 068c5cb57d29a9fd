"""Describe a shot to its client: who made and approved it, why it is missing, and which findings matter.

Details that only Packshot's operators need (runs, models, routes, probabilities) are in the certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packshot.decision import Choice
from packshot.export.delivery import ShotSummary
from packshot.record import State
from packshot.types import Finding

DOUBT_UNIT = "probability"
"""Unit of findings in which the machine states how sure it is. They are about its work, not about the picture."""
_APPROVALS = (Choice.APPROVE.value, Choice.SIGN.value)
_WAITS: Mapping[State, str] = {
    State.IN_REVIEW: "A person looks at it.",
    State.AWAITING_EDITOR: "An editor works on it.",
    State.AWAITING_SIGNOFF: "A second person looks at the editor's work.",
    State.APPROVED: "It is approved and comes with a later delivery.",
    State.EXPORTED: "It is approved and comes with a later delivery.",
    State.VERIFIED: "It is approved and comes with a later delivery.",
}


def title(name: str) -> str:
    """Return a name such as ``amazon_main`` as people write it: ``Amazon main``.

    Args:
        name: a name in small letters, joined by underscores or dashes.
    """
    return name.replace("_", " ").replace("-", " ").capitalize()


def made_by(shot: ShotSummary) -> str:
    """Return who made the picture, for the client: "a machine" or "an editor".

    Args:
        shot: the photograph's summary. If it names no segmentation network, an editor made the picture.
    """
    return "a machine" if shot.model else "an editor"


def approved_by(shot: ShotSummary) -> str:
    """Return who approved the picture, for the client: a person's name, or "the machine's checks"; empty if nobody did.

    Args:
        shot: the photograph's summary. If it names several people, the last one counts.
    """
    people = [one["by"] for one in shot.decisions if one.get("choice") in _APPROVALS]
    return people[-1] if people else "the machine's checks" if shot.approved_by else ""


def why_absent(shot: ShotSummary) -> str:
    """Return in words for the client why a photograph is not delivered, for example "A person looks at it."

    If the photograph was refused, or the client must send or answer something, the text is the reason in the summary
    (`why`).

    Args:
        shot: a photograph without files in the delivery.
    """
    if shot.kind == "failed" and shot.left_out:
        return " ".join(f"{title(name)}: {why}" for name, why in sorted(shot.left_out.items()))
    if shot.kind == "failed" and shot.state not in _WAITS:
        return "It could not be finished because of a fault on our side. We go on with it."
    return _WAITS.get(shot.state, shot.why)


def told(findings: Iterable[Finding], *, already: Iterable[str] = ()) -> list[Finding]:
    """Return the findings that a client needs to know, in the given order.

    Of findings with the same message only the first is kept. The machine's statements about its own certainty are left
    out: findings whose unit is "probability". Findings that passed are kept: leave them out before.

    Args:
        findings: the findings on a shot or a file.
        already: messages that the client is told elsewhere. They are left out.
    """
    said = set(already)
    found = []
    for one in findings:
        if one.unit != DOUBT_UNIT and one.message not in said:
            said.add(one.message)
            found.append(one)
    return found
