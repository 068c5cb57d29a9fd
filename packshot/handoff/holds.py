"""What a shot has to wait for before anybody can work on it: another photograph of the product, or its true colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from packshot.specs.handoff import HandoffConfig
from packshot.types import Value


class Need(StrEnum):
    """What may be missing."""

    NECK_SHOT = "neck_shot"
    COLOUR_REFERENCE = "colour_reference"


class Sibling(Value):
    """Another photograph of the client's, as far as pairing asks.

    Attributes:
        product: its SKU, ASIN or GTIN, in lower case.
    """

    batch: str
    shot: str
    product: str
    view: str


class Missing(Value):
    """Something a shot waits for.

    Attributes:
        sentence: what the client is asked for.
    """

    need: Need
    sentence: str


def missing_for(
    *,
    product: str,
    view: str,
    ghost_mannequin: bool,
    reference_required: bool,
    reference_given: bool,
    siblings: Iterable[Sibling],
    config: HandoffConfig,
) -> tuple[Missing, ...]:
    """Return what has to arrive before a shot can go on; empty if nothing has.

    Args:
        product: the SKU, ASIN or GTIN by which photographs are paired.
        ghost_mannequin: whether the garment gets the neck joint.
        reference_required: whether the client lets nothing pass whose colour was held against no reference.
        reference_given: whether something else than a photograph is the reference: a colour, or a target in the frame.
        siblings: the client's other photographs; not looked at where nothing is needed.
    """
    needs = tuple(_needs(view, ghost_mannequin, reference_required and not reference_given, config))
    others = list(siblings) if needs else []
    return tuple(
        _missing(need, product=product, config=config)
        for need in needs
        if not paired(need, product=product, siblings=others, config=config)
    )


def _needs(view: str, ghost_mannequin: bool, reference: bool, config: HandoffConfig) -> Iterator[Need]:
    if ghost_mannequin and view in config.ghost_mannequin_views:
        yield Need.NECK_SHOT
    if reference and view not in (config.reference_view, config.neck_view):
        yield Need.COLOUR_REFERENCE


def paired(need: Need, *, product: str, siblings: Iterable[Sibling], config: HandoffConfig) -> tuple[Sibling, ...]:
    """Return the photographs that meet a need of a product, in the order given."""
    view = config.neck_view if need is Need.NECK_SHOT else config.reference_view
    wanted = product.casefold()
    return tuple(one for one in siblings if one.view == view and one.product.casefold() == wanted and wanted)


def _missing(need: Need, *, product: str, config: HandoffConfig) -> Missing:
    if need is Need.NECK_SHOT:
        return Missing(
            need=need,
            sentence=f"The neck shot of {product} is missing: a photograph of the garment's inside, view "
            f"{config.neck_view}. Upload it in any batch; this shot then goes on by itself.",
        )
    return Missing(
        need=need,
        sentence=f"The colour reference of {product} is missing: a photograph of the swatch, view "
        f"{config.reference_view}. Upload it in any batch; this shot then goes on by itself.",
    )
