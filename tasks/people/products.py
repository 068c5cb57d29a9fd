"""The photographs of a client by product: storage has a small object for each shot that another shot may wait for."""

from __future__ import annotations

from collections.abc import Iterator

from packshot.handoff.holds import Sibling
from packshot.keys import sibling_key, siblings_prefix
from packshot.record import ShotRecord
from tasks.storage.bucket import open_storage


def note_sibling(record: ShotRecord, *, view: str) -> None:
    """Store an object for a shot, so that other shots of the same product find it. Without a product, nothing is
    stored.

    Args:
        view: the view of the product that the shot shows, such as "NECK".
    """
    product, shot = record.product, record.shot
    if product:
        sibling = Sibling(batch=shot.batch, shot=shot.shot, product=product, view=view)
        open_storage().put(
            sibling_key(shot, product), sibling.model_dump_json().encode(), content_type="application/json"
        )


def siblings_of(client: str, product: str) -> Iterator[Sibling]:
    """Yield the noted photographs of a product, from all batches of the client; none if `product` is empty.

    Storage is read while iterating.

    Args:
        client: the client's short name, as in its keys in storage.
        product: SKU, ASIN or GTIN, as `ShotRecord.product` gives it.
    """
    storage = open_storage()
    for one in storage.list(siblings_prefix(client, product)) if product else ():
        yield Sibling.model_validate_json(storage.get(one.key))
