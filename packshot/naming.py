"""Check which names of clients, batches, shots and files are allowed in keys, folders and archives."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from pydantic import model_validator

from packshot.errors import NamingError
from packshot.types import Value

READY = "READY"
MANIFEST = "manifest.csv"

NAME_PATTERN = r"^[A-Za-z0-9](\.?[A-Za-z0-9_-])*$"
"""Allowed names of clients, batches and shots, as the forms' schemas state it; `MAX_NAME_LENGTH` applies too."""
MAX_NAME_LENGTH = 100
MAX_KEY_BYTES = 900
"""S3 allows 1,024 bytes; the rest is for the parts that Packshot adds to a client's name."""

_NAME = re.compile(NAME_PATTERN.strip("^$"))


class BatchId(Value):
    """A client's batch, by the names of the client and the batch.

    The names are checked, so code that gets an id can rely on them.

    Raises:
        NamingError: a name is not allowed in a storage key.
    """

    client: str
    batch: str

    @model_validator(mode="after")
    def _has_names(self) -> BatchId:
        checked_name(self.client, what="client")
        checked_name(self.batch, what="batch")
        return self

    def __str__(self) -> str:
        return f"{self.client}/{self.batch}"

    def shot(self, name: str) -> ShotId:
        """Return the id of a shot in this batch.

        Args:
            name: the shot's name, such as ``BTL201_MAIN``.

        Raises:
            NamingError: the name is not allowed in a storage key.
        """
        return ShotId(client=self.client, batch=self.batch, shot=name)


class ShotId(Value):
    """One photograph in a batch, by the names of client, batch and shot.

    Raises:
        NamingError: a name is not allowed in a storage key.
    """

    client: str
    batch: str
    shot: str

    @model_validator(mode="after")
    def _has_names(self) -> ShotId:
        BatchId(client=self.client, batch=self.batch)
        checked_name(self.shot, what="shot")
        return self

    @property
    def in_batch(self) -> BatchId:
        """The id of the shot's batch."""
        return BatchId(client=self.client, batch=self.batch)

    def __str__(self) -> str:
        return f"{self.client}/{self.batch}/{self.shot}"


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a client, batch or shot.

    Allowed are letters of ASCII, digits, ``.``, ``_`` and ``-``, at most 100 characters. The first is a letter or
    digit. There is no ``..``, and no ``.`` at the end.
    """
    return len(text) <= MAX_NAME_LENGTH and _NAME.fullmatch(text) is not None


def checked_name(name: str, *, what: str) -> str:
    """Return a name of a client, batch or shot unchanged, if it is valid by `is_name`.

    Args:
        name: the name.
        what: what is named ("client", "batch"), for the message.

    Raises:
        NamingError: the name is not valid.
    """
    if not is_name(name):
        raise NamingError(
            f"this {what} cannot be used in a storage key",
            repr(name[: MAX_NAME_LENGTH + 1]),
            allowed="letters, digits, '.', '_' and '-', starting with a letter or digit, no '..', no '.' at the end, "
            f"at most {MAX_NAME_LENGTH}",
            next_step=f"Rename the {what}.",
        )
    return name


def path_trouble(path: str) -> str:
    """Return why a relative path can't be a storage key, a local file or a member of an archive; empty if it can.

    Example: ``it leads out of its folder``. Names by clients and editors may contain spaces, accents and any script.
    Not allowed are an empty path, one longer than 900 bytes, steps out of the folder (``..``, also as ``%2e%2e`` or
    with a backslash), empty steps, absolute paths, drives and invisible characters.
    """
    if not path:
        return "it is empty"
    if len(path.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        return f"it is longer than {MAX_KEY_BYTES} bytes"
    unseen = next((one for one in path if not _can_be_seen(one)), "")
    if unseen:
        return f"it has a character that cannot be seen (U+{ord(unseen):04X})"
    for spelt in (path, unquote(path), unquote(unquote(path))):
        parts = spelt.replace("\\", "/").split("/")
        if any(part in (".", "..") for part in parts):
            return "it leads out of its folder"
        if not all(parts):
            return "it has an empty step"
        if re.match(r"[A-Za-z]:", parts[0]):
            return "it names a drive"
        if any(not _can_be_seen(one) for one in spelt):
            return "it has a character that cannot be seen, written with '%'"
    return ""


def _can_be_seen(character: str) -> bool:
    joins = character in "\u200c\u200d"  # Indic and Persian scripts need them inside words
    return joins or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def checked_path(path: str, *, what: str) -> str:
    """Return a relative path unchanged, if it can be a storage key (`path_trouble` finds nothing wrong).

    Args:
        path: the path.
        what: what has this path ("uploaded file"), for the message.

    Raises:
        NamingError: the path is not valid.
    """
    trouble = path_trouble(path)
    if trouble:
        raise NamingError(
            f"the name of this {what} cannot be used: {trouble}",
            repr(path[:200]),
            allowed="a path below the folder, without '..', of characters that can be seen",
            next_step=f"Rename the {what}.",
        )
    return path


def batch_id(client: str, batch: str) -> BatchId:
    """Return the id of a batch.

    Args:
        client: the client's name.
        batch: the batch's name.

    Raises:
        NamingError: one of the names is not valid.
    """
    return BatchId(client=checked_name(client, what="client"), batch=checked_name(batch, what="batch"))
