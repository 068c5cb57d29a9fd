"""Record proof that a person who answers was signed in (with name and password) at the review desk.

A Prefect form accepts any name. When the desk sends an answer, it also stores a copy beside the shot's record, with
Packshot's seal: a code, made with a secret key, that only Packshot can make. If an answer has no such copy, anybody may
have typed the name in it.
"""

from __future__ import annotations

from packshot.errors import ObjectMissingError
from packshot.keys import shot_key
from packshot.naming import ShotId
from tasks.people.forms import Answer
from tasks.storage.bucket import open_storage
from tasks.storage.seals import seal, unseal

VOUCHED = "vouched.json"


def vouch(shot: ShotId, answer: Answer) -> None:
    """Store a copy of an answer with Packshot's seal (an HMAC), as proof that the person named in it was signed in at
    the review desk.

    The copy replaces the copy of an earlier answer about the shot.

    Raises:
        ConfigError: the secret key that seals answers can't be used.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    key = shot_key(shot, VOUCHED)
    open_storage().put(key, seal(key, _said(answer)), content_type="application/octet-stream")


def is_vouched_for(shot: ShotId, answer: Answer) -> bool:
    """Return True if the review desk has stored a copy of exactly this answer with a valid seal (an HMAC).

    If so, the person named in the answer was signed in. If not, anybody may have typed the name.

    Raises:
        ConfigError: the secret key that seals answers can't be used.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    key = shot_key(shot, VOUCHED)
    try:
        sealed = open_storage().get(key)
    except ObjectMissingError:
        return False
    return unseal(key, sealed) == _said(answer)


def _said(answer: Answer) -> bytes:
    return answer.model_dump_json().encode()
