"""A seal over what the line writes for itself, so that nobody else who writes to the bucket can write it.

HMAC-SHA256 with a key of the line, over the object's key and its content: what was written elsewhere, or moved from
another key, has no good seal. The key is a file that the settings name, never a variable.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from packshot.errors import ConfigError
from tasks.settings import get_settings, variable

FEWEST_CHARACTERS = 32
_MARK = b"packshot-seal-1"
_SEALED = len(_MARK) + 1 + 64 + 1  # the mark, a blank, the seal in hex, a line feed


def seal(key: str, content: bytes) -> bytes:
    """Return the content with its seal in a line before it.

    Args:
        key: of the object in storage.
    """
    return b"%s %s\n%s" % (_MARK, _seal_of(key, content), content)


def unseal(key: str, sealed: bytes) -> bytes | None:
    """Return the content if its seal is ours and belongs to this key, else None. Nothing is parsed before."""
    head, content = sealed[:_SEALED], sealed[_SEALED:]
    return content if hmac.compare_digest(head, b"%s %s\n" % (_MARK, _seal_of(key, content))) else None


def line_key() -> bytes:
    """Return the line's key. Where the settings name no file, it is drawn the first time.

    Raises:
        ConfigError: the file that the settings name is missing, or holds too little.
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
    """Draw a key into a file that only this user can read; one that is there already, or comes to be, stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    drawn = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with open(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.write(secrets.token_hex(32) + "\n")
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(drawn)  # whole at once, and only if there is none
    drawn.unlink()


def _seal_of(key: str, content: bytes) -> bytes:
    name = key.encode()
    message = b"%s\0%d\0%s%s" % (_MARK, len(name), name, content)
    return hmac.new(line_key(), message, hashlib.sha256).hexdigest().encode()


def _unusable(found: str) -> ConfigError:
    return ConfigError(
        "the file of the line's key is not usable",
        variable("results_key_file"),
        found=found,
        allowed=f"a text of {FEWEST_CHARACTERS} characters or more",
        next_step="Write one with `openssl rand -hex 32`; all workers of a line need the same.",
    )
