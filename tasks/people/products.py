"""Find a client's photographs by product, for shots that must wait for another photograph of their product.

Storage has a small object for each shot that another shot may wait for.
"""

from __future__ import annotations

from collections.abc import Iterator

from packshot.handoff.holds import Sibling
from packshot.keys import sibling_key, siblings_prefix
from packshot.record import ShotRecord
from tasks.storage.bucket import open_storage


def note_sibling(record: ShotRecord, *, view: str) -> None:
    """Note in storage that there is a photograph of a product, so that other shots of the product find it.

    The note is kept under `ShotRecord.product`: the SKU, or else the ASIN or GTIN. If the record names no product,
    nothing is stored. A second call replaces the first note.

    Args:
        record: the shot's record.
        view: the view of the product that the shot shows, such as "NECK".
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    product, shot = record.product, record.shot
    if product:
        sibling = Sibling(batch=shot.batch, shot=shot.shot, product=product, view=view)
        open_storage().put(
            sibling_key(shot, product), sibling.model_dump_json().encode(), content_type="application/json"
        )


def siblings_of(client: str, product: str) -> Iterator[Sibling]:
    """Yield the photographs of a product that `note_sibling` has noted: each with its batch, shot, product and view.

    They come from all batches of the client, in the order of their keys in storage. Case does not matter in `product`;
    nothing is yielded if it is empty. Storage is read as the caller goes on.

    Args:
        client: the client's short name, for example ``acme``.
        product: SKU, ASIN or GTIN, as `ShotRecord.product` gives it.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    storage = open_storage()
    for one in storage.list(siblings_prefix(client, product)) if product else ():
        yield Sibling.model_validate_json(storage.get(one.key))
