"""Find what a shot must wait for before work can start: a photograph, a colour reference, or a clear order.

The shot is then on hold, until its client sends what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from packshot.specs.handoff import HandoffConfig
from packshot.specs.services import unknown_services
from packshot.types import Value


class Need(StrEnum):
    """Something that is missing, so that a shot waits for its client.

    Attributes:
        NECK_SHOT: a photograph of the garment's inside.
        COLOUR_REFERENCE: a photograph that shows the product's true colour.
        KNOWN_SERVICE: an answer what an unknown word for a service means.
        PRODUCT: an answer which product the photograph shows.
    """

    NECK_SHOT = "neck_shot"
    COLOUR_REFERENCE = "colour_reference"
    KNOWN_SERVICE = "known_service"
    PRODUCT = "product"


class Sibling(Value):
    """A photograph of the same client that a shot may wait for, with the fields that match it to a product.

    Attributes:
        batch, shot: names of batch and shot.
        product: its SKU, ASIN or GTIN; case does not matter.
        view: code of its view, such as ``NECK``.
    """

    batch: str
    shot: str
    product: str
    view: str


class Missing(Value):
    """One thing that a shot waits for, so that its client must send or answer something.

    Attributes:
        need: what is missing: a photograph or an answer.
        sentence: the request to the client, one or more sentences.
    """

    need: Need
    sentence: str


def missing_for(
    *,
    file: str,
    product: str,
    view: str,
    ghost_mannequin: bool,
    reference_required: bool,
    reference_given: bool,
    services: Sequence[str] = (),
    siblings: Iterable[Sibling],
    config: HandoffConfig,
) -> tuple[Missing, ...]:
    """Return what the client must send or answer before a shot can continue; empty if nothing is missing.

    Each need occurs once at most: first the missing photographs, then the questions.

    Args:
        file: the photograph's file as its client named it. The requests name it if no product is known.
        product: the SKU, ASIN or GTIN by which photographs are matched; empty if nothing names it. Then the client is
            asked.
        view: code of the shot's view. Only some views need a neck shot or a reference.
        ghost_mannequin: True if the mannequin is removed from the picture and the garment's inside put in its place (a
            neck joint), for which a neck shot is needed.
        reference_required: True if the client requires a colour check against a reference.
        reference_given: True if the reference is a colour or a target in the frame, so no photograph is needed.
        services: the words for services (kinds of handwork) in the manifest. The client is asked about unknown words.
        siblings: the client's other photographs. They are read only if something is needed.
        config: says which views need a neck joint, and which views show a garment's inside or a colour reference.
    """
    unknown = unknown_services(services)
    named = product or file
    asked = (*(() if product else (_which_product(file),)), *((_asked_back(named, unknown),) if unknown else ()))
    needs = tuple(_needs(view, ghost_mannequin, reference_required and not reference_given, config))
    others = list(siblings) if needs else []
    missing = (
        _missing(need, product=named, config=config)
        for need in needs
        if not paired(need, product=product, siblings=others, config=config)
    )
    return (*missing, *asked)


def _which_product(file: str) -> Missing:
    return Missing(
        need=Need.PRODUCT,
        sentence=f"Which product is on {file}? The file's name does not say it, or does not follow the client's "
        "pattern, and neither manifest nor metadata name a SKU, ASIN or GTIN. Send the batch again with the name "
        "corrected or a row in the manifest.",
    )


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
    """Return the photographs of a product that meet a need, such as all its neck shots, in the given order.

    `config` names a view for each need. The photographs of the product with this view are returned. The result is empty
    if there are none, or if the need cannot be met by a photograph.

    Args:
        need: what the shot needs.
        product: SKU, ASIN or GTIN; case does not matter. If it is empty, nothing matches.
        siblings: the client's other photographs.
        config: names the views that show a neck shot or a colour reference.
    """
    if need in (Need.KNOWN_SERVICE, Need.PRODUCT):
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
