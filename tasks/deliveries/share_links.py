"""Make, check and withdraw share links, with which clients look at deliveries without an account.

A person who has such a link can look at one delivery of one client, until the link expires or is withdrawn. Packshot
signs each link. An object beside the batch's record lists the links that were made and withdrawn.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from pydantic import Field

from packshot.batch import Delivery
from packshot.errors import NamingError, ObjectMissingError, RecordConflictError, TerminalError
from packshot.keys import shares_key
from packshot.naming import BatchId, batch_id
from packshot.stored import Stored, read_stored
from packshot.types import Value
from tasks.records.bookkeeping import now
from tasks.records.stored import load_batch
from tasks.storage.bucket import open_storage
from tasks.storage.seals import signature

LONGEST_DAYS, USUAL_DAYS = 90, 14
MOST_TRIES = 20
_PURPOSE, _FORM = "share link", "share form"
_MARK = "1"
"""First part of what is signed; another form of links gets another one."""


class Link(Value):
    """A share link: whoever has its address can look at one delivery until the link expires or is withdrawn.

    Attributes:
        id: a random text, which Packshot's signature covers.
        made_at, expires_at: when it was made, and until when it is valid, if nobody withdraws it.
        made_by, withdrawn_by: names of persons; `withdrawn_by` is empty if nobody has withdrawn the link.
        withdrawn_at: None if nobody has withdrawn the link.
    """

    id: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""

    def opens_at(self, at: datetime) -> bool:
        """Return True if the link is valid at a time: it was not withdrawn, and expires later."""
        return self.withdrawn_at is None and at < self.expires_at


class Shares(Stored):
    """All share links of one delivery, as they are stored.

    Attributes:
        batch: the delivery's batch.
        number: number of the delivery in its batch.
        links: the oldest first; withdrawn and expired links stay.
    """

    batch: BatchId
    number: int
    links: tuple[Link, ...] = Field(default=())


class Shared(NamedTuple):
    """What a share link's token says: which delivery it opens, and until when.

    Attributes:
        batch, number: the delivery's batch, and its number in this batch.
        id: `Link.id` of the link.
        expires_at: until when the link is valid, if nobody withdraws it.
    """

    batch: BatchId
    number: int
    id: str
    expires_at: datetime


def share(batch: BatchId, number: int, *, days: int = USUAL_DAYS, by: str) -> tuple[Link, str]:
    """Make a link by which people can look at a finished delivery; return (the link, its token).

    The link's address is that of the review desk, then ``/shared/`` and the token. Each call makes a new link.

    Args:
        number: number of the delivery in its batch.
        days: how long the link is valid, 1 to 90; by default 14.
        by: name of the person who makes the link.
    Raises:
        TerminalError: there is no finished delivery of this number, or the number of days is not allowed.
        ObjectMissingError: there is no such batch.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise TerminalError(
            "a link cannot last so long", f"{days} days", allowed=f"1 to {LONGEST_DAYS}", next_step="Choose fewer days."
        )
    handed_over(batch, number)
    at = now().replace(microsecond=0)
    made = Link(id=secrets.token_hex(8), made_at=at, made_by=by, expires_at=at + timedelta(days=days))
    _change(batch, number, lambda links: (*links, made))
    return made, token_of(batch, number, made)


def unshare(batch: BatchId, number: int, *, by: str) -> int:
    """Withdraw all links to a delivery; return how many of them were still valid.

    Args:
        number: number of the delivery in its batch.
        by: name of the person who withdraws them.
    Raises:
        TerminalError: there is no finished delivery of this number.
        ObjectMissingError: there is no such batch.
    """
    handed_over(batch, number)
    at = now()
    open_ones = [one.id for one in links_of(batch, number) if one.opens_at(at)]

    def withdraw(links: tuple[Link, ...]) -> tuple[Link, ...]:
        gone = {"withdrawn_at": at, "withdrawn_by": by}
        return tuple(one.model_copy(update=gone) if one.opens_at(at) else one for one in links)

    if open_ones:
        _change(batch, number, withdraw)
    return len(open_ones)


def handed_over(batch: BatchId, number: int) -> Delivery:
    """Return what a batch's record says of a delivery whose files were all written.

    Args:
        number: number of the delivery in its batch.
    Raises:
        TerminalError: there is no delivery of this number, or it is not finished.
        ObjectMissingError: there is no such batch.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    whole = {one.number: one for one in load_batch(batch).deliveries if one.certificate_sha256}
    if number not in whole:
        raise TerminalError(
            "there is no such delivery",
            f"{batch}, delivery {number}",
            allowed=", ".join(map(str, sorted(whole))) or "none: nothing was delivered yet",
            next_step="See what was delivered: packshot batch status.",
        )
    return whole[number]


def links_of(batch: BatchId, number: int) -> tuple[Link, ...]:
    """Return all share links to a delivery, the oldest first, also those that have expired or were withdrawn.

    The result is empty if no link was made.

    Args:
        number: number of the delivery in its batch.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    key = shares_key(batch, number)
    found = open_storage().get_if_there(key)
    return () if found is None else read_stored(Shares, found, name=key).links


def token_of(batch: BatchId, number: int, link: Link) -> str:
    """Return a link's token: the text in the link's address that proves that Packshot made the link.

    The token contains the delivery, the link's id, the expiry time, and Packshot's signature of all three.

    Args:
        number: number of the delivery in its batch.
        link: a share link to that delivery.
    """
    said = "/".join([_MARK, batch.client, batch.batch, str(number), link.id, str(int(link.expires_at.timestamp()))])
    return _signed(said.encode())


def read_token(token: str) -> Shared | None:
    """Return what a share link's token says; None if Packshot has not signed it, or it has the form of another version.

    Nothing is read from storage. Whether the link has expired or was withdrawn is not checked here.

    Args:
        token: the text from a link's address. It may be anything.
    """
    content = _bytes_of(token.partition(".")[0])
    if content is None or not hmac.compare_digest(token.encode(), _signed(content).encode()):
        return None
    parts = content.decode().split("/")
    if len(parts) != 6 or parts[0] != _MARK:
        return None
    try:
        which = batch_id(parts[1], parts[2])
    except NamingError:
        return None
    expires = datetime.fromtimestamp(int(parts[5]), now().tzinfo)
    return Shared(batch=which, number=int(parts[3]), id=parts[4], expires_at=expires)


def link_behind(shared: Shared) -> Link | None:
    """Return the stored link that a token belongs to; None if storage has no such link.

    The link may have expired or been withdrawn: `Link.opens_at` tells.

    Args:
        shared: what the token says, from `read_token`.
    """
    return next((one for one in links_of(shared.batch, shared.number) if one.id == shared.id), None)


def form_token(shared: Shared) -> str:
    """Return a secret text that each form on a shared page carries. Only somebody who has the link can know it.

    It is made from the delivery and the link's id, so each call for one link returns an equal text. When a form is
    sent, the desk compares the text in the form with this one. So another web site can't send a form in the name of the
    link's reader.

    Args:
        shared: what the link's token says, from `read_token`.
    """
    return _plain(signature(_FORM, "/".join([str(shared.batch), str(shared.number), shared.id]).encode()))


def _change(batch: BatchId, number: int, change: Callable[[tuple[Link, ...]], tuple[Link, ...]]) -> None:
    key, storage = shares_key(batch, number), open_storage()
    for tries in count(1):
        try:
            found = storage.get_with_etag(key)
        except ObjectMissingError:
            found = None
        before = read_stored(Shares, found[0], name=key) if found else Shares(batch=batch, number=number)
        after = before.model_copy(update={"links": change(before.links)}).model_dump_json(indent=1).encode()
        try:
            if found:
                storage.replace_if(key, after, etag=found[1], content_type="application/json")
            else:
                storage.put_if_absent(key, after, content_type="application/json")
        except RecordConflictError:
            if tries == MOST_TRIES:
                raise
            continue
        return


def delivered_batches() -> Iterator[BatchId]:
    """Yield the batches that have a folder of deliveries in storage, sorted by client and name.

    Folders whose names are not allowed for a batch are left out.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    storage = open_storage()
    for client in storage.folders("deliveries/"):
        for name in storage.folders(f"deliveries/{client}/"):
            try:
                yield batch_id(client, name)
            except NamingError:
                continue


def _signed(said: bytes) -> str:
    return f"{_plain(said)}.{_plain(signature(_PURPOSE, said))}"


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes_of(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
