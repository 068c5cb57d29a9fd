"""Prove with a seal (HMAC-SHA256) that Packshot itself has written an object in storage, under its present object key.

Others who can write to the bucket can't make a valid seal. A seal covers the object's key and its content, so an object
that was written elsewhere, or moved to another key, has no valid one. The secret key is in a file that the settings
name, never in an environment variable.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from packshot.errors import ConfigError
from tasks.environment.settings import get_settings, variable

FEWEST_CHARACTERS = 32
_MARK, _SIGNED = b"packshot-seal-1", b"packshot-sign-1"
_SEALED = len(_MARK) + 1 + 64 + 1  # the mark, a space, the seal in hex, a line feed


def seal(key: str, content: bytes) -> bytes:
    """Return the bytes to store: the content, with its seal in a line before it.

    Args:
        key: the key under which the object will be stored.
        content: the object's bytes.
    Raises:
        ConfigError: the secret key can't be used.
    """
    return b"%s %s\n%s" % (_MARK, _seal_of(key, content), content)


def unseal(key: str, sealed: bytes) -> bytes | None:
    """Return the content of a sealed object, without its seal; None if the seal is missing or wrong.

    If the seal is missing or wrong, somebody other than Packshot wrote the object, changed it, or moved it from another
    key. The content is not parsed here.

    Args:
        key: the object's key in storage.
        sealed: the object's bytes as they were read.
    Raises:
        ConfigError: the secret key can't be used.
    """
    head, content = sealed[:_SEALED], sealed[_SEALED:]
    return content if hmac.compare_digest(head, b"%s %s\n" % (_MARK, _seal_of(key, content))) else None


def signature(purpose: str, content: bytes) -> bytes:
    """Return Packshot's signature of a text that is not an object in storage: 32 bytes, HMAC-SHA256.

    Whoever has the same secret key can make it again and compare. It is valid for one purpose only.

    Args:
        purpose: names what the signature is for, so that it can't be used for something else.
        content: the bytes to sign.
    Raises:
        ConfigError: the secret key can't be used.
    """
    message = b"%s\0%s\0%s" % (_SIGNED, purpose.encode(), content)
    return hmac.new(line_key(), message, hashlib.sha256).digest()


def line_key() -> bytes:
    """Return the secret key for seals and signatures, at least 32 bytes.

    The key is read from the file that the setting ``PACKSHOT_RESULTS_KEY_FILE`` names. If this setting is not set and
    the default file is missing, a random key is created in that file.

    Raises:
        ConfigError: the key's file is missing, can't be read, or is too short.
    """
    settings = get_settings()
    path = settings.results_key_file
    if "results_key_file" not in settings.model_fields_set and not path.exists():
        draw_key(path)
    try:
        found = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(f"{type(error).__name__}") from error
    if len(found) < FEWEST_CHARACTERS:
        raise _unusable(f"{len(found)} characters")
    return found.encode()


def draw_key(path: Path) -> None:
    """Create a file with a random key of 64 hex digits that only this user can read.

    An existing file stays as it is, also if two processes do this at once. Missing folders are made.

    Args:
        path: the file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    drawn = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with open(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(secrets.token_hex(32) + "\n")
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(drawn)  # atomic, and only if there is none
    drawn.unlink()


def _seal_of(key: str, content: bytes) -> bytes:
    name = key.encode()
    message = b"%s\0%d\0%s%s" % (_MARK, len(name), name, content)
    return hmac.new(line_key(), message, hashlib.sha256).hexdigest().encode()


def _unusable(found: str) -> ConfigError:
    return ConfigError(
        "the file with the key for results cannot be used",
        variable("results_key_file"),
        found=found,
        allowed=f"a text of {FEWEST_CHARACTERS} characters or more",
        next_step="Make one with `openssl rand -hex 32`. All workers need the same key.",
    )
