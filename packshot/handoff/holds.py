"""What a shot has to wait for before anybody can work on it: another photograph, its true colour, or a clear order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from packshot.specs.handoff import HandoffConfig
from packshot.specs.services import unknown_services
from packshot.types import Value


class Need(StrEnum):
    """What may be missing."""

    NECK_SHOT = "neck_shot"
    COLOUR_REFERENCE = "colour_reference"
    KNOWN_SERVICE = "known_service"


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
    services: Sequence[str] = (),
    siblings: Iterable[Sibling],
    config: HandoffConfig,
) -> tuple[Missing, ...]:
    """Return what has to arrive before a shot can go on; empty if nothing has.

    Args:
        product: the SKU, ASIN or GTIN by which photographs are paired.
        ghost_mannequin: whether the garment gets the neck joint.
        reference_required: whether the client lets nothing pass whose colour was held against no reference.
        reference_given: whether something else than a photograph is the reference: a colour, or a target in the frame.
        services: what the manifest asks for beside the delivery; a word that nobody knows is asked back.
        siblings: the client's other photographs; not looked at where nothing is needed.
    """
    unknown = unknown_services(services)
    asked = (_asked_back(product, unknown),) if unknown else ()
    needs = tuple(_needs(view, ghost_mannequin, reference_required and not reference_given, config))
    others = list(siblings) if needs else []
    missing = (
        _missing(need, product=product, config=config)
        for need in needs
        if not paired(need, product=product, siblings=others, config=config)
    )
    return (*missing, *asked)


def _asked_back(product: str, unknown: Sequence[str]) -> Missing:
    return Missing(
        need=Need.KNOWN_SERVICE,
        sentence=f"The manifest asks for a service for {product} that nobody knows: {', '.join(unknown)}. "
        "Correct it and have the shot processed again; or let it go on with a note that says what is meant: an editor "
        "does it.",
    )


def _needs(view: str, ghost_mannequin: bool, reference: bool, config: HandoffConfig) -> Iterator[Need]:
    if ghost_mannequin and view in config.ghost_mannequin_views:
        yield Need.NECK_SHOT
    if reference and view not in (config.reference_view, config.neck_view):
        yield Need.COLOUR_REFERENCE


def paired(need: Need, *, product: str, siblings: Iterable[Sibling], config: HandoffConfig) -> tuple[Sibling, ...]:
    """Return the photographs that meet a need of a product, in the order given."""
    if need is Need.KNOWN_SERVICE:
        return ()
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
