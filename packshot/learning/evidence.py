"""Collect training examples for the routing model: judged shots of production, and scenes with a known right result.

The routing model says how probable it is that a person would refuse the machine's edit. The scenes come with Packshot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from packshot.blind import AUDIT
from packshot.decision import Decision
from packshot.learning.audits import is_refusal, refusal_of
from packshot.record import ShotRecord
from packshot.routing.model import Example

HELD_OUT_RATIO = 0.3
"""Share of the products that are used only to compare models, never to train them."""


def example_of(record: ShotRecord, judgements: Sequence[Decision]) -> Example | None:
    """Return a judged shot as an example from which the routing model learns whether people refuse an edit.

    The result is None if the machine did not edit the shot, or if nobody judged its edit.

    Args:
        record: the shot's record: all that is stored about the shot.
        judgements: the decisions since the shot was last started again, oldest first.
    """
    routing, figures = record.reports.get("routing", {}), record.reports.get("figures")
    decision = refusal_of(judgements)
    if decision is None or not figures or not routing.get("features"):
        return None
    audited = bool(record.reports.get(AUDIT, {}).get("approved"))
    return Example(
        figures={**routing["features"], **figures},
        refused=is_refusal(decision),
        group=f"{record.shot.client}/{record.fact('sku') or record.shot.shot}",
        category=routing.get("category", ""),
        approved=audited,
        source="audit" if audited else "review",
    )


def is_held_out(example: Example) -> bool:
    """Return whether an example is kept out of training, so that models can be compared on it.

    A hash of `Example.group` (the client's product, or the scene) decides. So all shots of a product get the same
    answer, on every call. About 30 % of the products are held out.
    """
    digest = hashlib.sha256(f"held out:{example.group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < HELD_OUT_RATIO * 2**64


@cache
def truth_examples() -> tuple[Example, ...]:
    """Return the training examples that come with Packshot: drawn and rendered scenes whose right result is known.

    They are read from a file once, and remembered.
    """
    data = resources.files("packshot.learning").joinpath("truth.json").read_bytes()
    return TypeAdapter(tuple[Example, ...]).validate_json(data)
