"""Find the products of a batch that have photographs of all the views their client asks for, and the missing views.

A view is the side that a photograph shows, such as the back. A batch is one upload of photographs by a client. A view
that came in another batch of the client counts too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from packshot.figures import counted
from packshot.record import DONE, ShotRecord, State
from packshot.specs.sets import ProductSets
from packshot.types import Value

NOT_RECEIVED = "not received"
THE_REST = "the rest of its product"
"""Tables show this as the one that an approved shot waits for."""
MOST_SAID = 5
READY = frozenset({State.APPROVED, State.EXPORTED, State.VERIFIED, *DONE})
"""States in which a photograph counts as present: it is approved, or delivered."""
_STANDS: Mapping[State, str] = {
    State.IN_REVIEW: "waits for a reviewer",
    State.AWAITING_EDITOR: "waits for an editor",
    State.AWAITING_SIGNOFF: "waits for a senior editor",
    State.ON_HOLD: "waits for the client",
    State.REFUSED: "refused",
    State.FAILED: "failed",
}


class SetShot(Value):
    """One photograph of a product, to find out whether the product is complete. `set_shot` makes it from a record.

    Attributes:
        shot: the shot's name.
        product: the product's SKU, ASIN or GTIN; empty if it is not known.
        view: code of the view; empty if it is not known.
        category: name of the category; empty if it is unknown.
        ready: True if the photograph counts as present: it is approved, or delivered.
        stands: why the photograph is not ready, in words, such as "waits for a reviewer", "refused" or "not finished".
            It has no meaning if `ready` is True.
        batch: name of the batch in which the photograph came, if that is another batch of the client; empty for the
            batch that is looked at.
        delivered: True if its files have gone out to the client.
    """

    shot: str
    product: str
    view: str
    category: str = ""
    ready: bool = False
    stands: str = ""
    batch: str = ""
    delivered: bool = False


class ProductSet(Value):
    """One product of a batch, and the views that it still lacks. `product_sets` makes it.

    Attributes:
        product: its SKU, else its ASIN or GTIN, in the spelling of its first photograph.
        shots: names of all its photographs in this batch, in whatever state.
        views: codes of the views that the product must have.
        lacks: missing view -> the reason, such as "not received" or "waits for a reviewer in spring-24". It is empty if
            the product is complete.
        elsewhere: view that is present, but not from this batch -> name of the batch in which it came.
        to_come: those views of `elsewhere` that are approved but not delivered yet.
    """

    product: str
    shots: tuple[str, ...]
    views: tuple[str, ...]
    lacks: Mapping[str, str] = Field(default_factory=dict)
    elsewhere: Mapping[str, str] = Field(default_factory=dict)
    to_come: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.lacks

    @property
    def lacking(self) -> str:
        """The missing views, such as "PT02 (not received), NECK (waits for a reviewer)"; empty if none is."""
        return ", ".join(f"{view} ({why})" for view, why in self.lacks.items())

    @property
    def from_elsewhere(self) -> str:
        """The views that came in other batches, such as "PT01 in spring-24, NECK in summer-24"; empty if none did."""
        return ", ".join(f"{view} in {batch}" for view, batch in self.elsewhere.items())


def set_shot(record: ShotRecord, *, ready: bool | None = None, elsewhere: bool = False) -> SetShot:
    """Return a shot's product, view and category, and whether the shot counts as present, from its record.

    `product_sets` needs these facts of every shot. A product is complete if, for each view that its client asks for, at
    least one shot counts as present.

    Args:
        record: the shot's record.
        ready: True or False decides whether the shot counts as present, whatever its record says. With None, it counts
            if it is approved or delivered, even if a later step failed.
        elsewhere: True if the shot came in another batch than the one that is looked at.
    """
    state = record.failed_from if record.failed_from in READY else record.state
    return SetShot(
        shot=record.shot.shot,
        product=_named_product(record),
        view=record.fact("view"),
        category=record.reports.get("routing", {}).get("category", "") or record.fact("category"),
        ready=state in READY if ready is None else ready,
        stands=_STANDS.get(record.state, "not finished"),
        batch=record.shot.batch if elsewhere else "",
        delivered=record.state in DONE,
    )


def _named_product(record: ShotRecord) -> str:
    """Return the product that a shot names; empty if its SKU is only its file's name, for want of another."""
    named = (record.facts[name] for name in ("sku", "asin", "gtin") if record.fact(name))
    return next((one.value for one in named if one.source != "default"), "")


def product_sets(
    shots: Iterable[SetShot], rule: ProductSets, *, elsewhere: Iterable[SetShot] = ()
) -> tuple[ProductSet, ...]:
    """Return the products of a batch that must have certain views, each with the views that it lacks, sorted by name.

    Shots belong to one product if their SKU, ASIN or GTIN is equal but for case. A shot without one belongs to no
    product. A product that need not have any view is left out. If a view has several photographs, one that is ready is
    enough. The categories of the batch's own photographs decide which views a product must have.

    Args:
        shots: all photographs of the batch.
        rule: which views a product must have, by category.
        elsewhere: photographs of the client's other batches. Those of products that the batch does not have are
            ignored.
    """
    others = _by_product(elsewhere)
    sets = (_set(some, rule, others.get(name, ())) for name, some in sorted(_by_product(shots).items()))
    return tuple(one for one in sets if one.views)


def _by_product(shots: Iterable[SetShot]) -> dict[str, list[SetShot]]:
    products: dict[str, list[SetShot]] = {}
    for one in shots:
        if one.product:
            products.setdefault(one.product.casefold(), []).append(one)
    return products


def _set(shots: Sequence[SetShot], rule: ProductSets, others: Iterable[SetShot]) -> ProductSet:
    views = rule.views_of(one.category for one in shots)
    known = [*shots, *sorted(others, key=lambda one: not one.delivered)]
    lacks, found = {}, {}
    for view in views:
        taken = [one for one in known if one.view == view]
        there = next((one for one in taken if one.ready), None)
        if there is None:
            lacks[view] = _why_lacking(taken[0]) if taken else NOT_RECEIVED
        elif there.batch:
            found[view] = there
    return ProductSet(
        product=shots[0].product,
        shots=tuple(one.shot for one in shots),
        views=views,
        lacks=lacks,
        elsewhere={view: one.batch for view, one in found.items()},
        to_come=tuple(view for view, one in found.items() if not one.delivered),
    )


def _why_lacking(shot: SetShot) -> str:
    return f"{shot.stands} in {shot.batch}" if shot.batch else shot.stands


def held_back(sets: Iterable[ProductSet]) -> dict[str, str]:
    """Return which photographs may not be delivered yet, because a view of their product is missing: shot -> reason.

    The key is the shot's name. The reason is a clause, alike for all shots of a product: "waits until its product is
    complete: SKU1 lacks PT02 (not received)". Every shot of an incomplete product in this batch has an entry, whatever
    its state is. A view that was not received has no shot, so it has no entry. The result is empty if all products are
    complete.

    Args:
        sets: products of a batch, from `product_sets`.
    """
    return {
        shot: f"waits until its product is complete: {one.product} lacks {one.lacking}"
        for one in sets
        if not one.complete
        for shot in one.shots
    }


def in_words(sets: Iterable[ProductSet]) -> str:
    """Return a clause such as "2 of 3 products complete: SKU1 lacks PT02 (not received)"; "" without products.

    It names the first five incomplete products and counts the others.

    Args:
        sets: products of a batch.
    """
    ones = list(sets)
    lacking = [one for one in ones if not one.complete]
    said = "; ".join(f"{one.product} lacks {one.lacking}" for one in lacking[:MOST_SAID])
    more = f"; and {len(lacking) - MOST_SAID} more" if len(lacking) > MOST_SAID else ""
    whole = f"{len(ones) - len(lacking)} of {counted(len(ones), 'product')} complete" if ones else ""
    return f"{whole}: {said}{more}" if lacking else whole
