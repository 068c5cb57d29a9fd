"""What can be learnt from: judged shots of the line, and the photographs with truth that come with Packshot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from packshot.decision import Decision
from packshot.learning.audits import REPORT, is_refusal, refusal_of
from packshot.record import ShotRecord
from packshot.routing.model import Example

HELD_OUT_RATIO = 0.3
"""Share of the products on which models are compared and never trained."""


def example_of(record: ShotRecord, judgements: Sequence[Decision]) -> Example | None:
    """Return what a shot teaches; None where the machine did not edit it, or nobody judged its edit.

    Args:
        judgements: the record's decisions since the shot last began anew.
    """
    routing, figures = record.reports.get("routing", {}), record.reports.get("figures")
    decision = refusal_of(judgements)
    if decision is None or not figures or not routing.get("features"):
        return None
    audited = bool(record.reports.get(REPORT, {}).get("approved"))
    return Example(
        figures={**routing["features"], **figures},
        refused=is_refusal(decision),
        group=f"{record.shot.client}/{record.fact('sku') or record.shot.shot}",
        category=routing.get("category", ""),
        approved=audited,
        source="audit" if audited else "review",
    )


def is_held_out(example: Example) -> bool:
    """Return whether a shot is kept for comparing models; all shots of a product are, or none, for good."""
    digest = hashlib.sha256(f"held out:{example.group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < HELD_OUT_RATIO * 2**64


@cache
def truth_examples() -> tuple[Example, ...]:
    """Return the photographs with truth whose figures come with Packshot."""
    data = resources.files("packshot.learning").joinpath("truth.json").read_bytes()
    return TypeAdapter(tuple[Example, ...]).validate_json(data)
