"""Turn the warnings that decoders give about a file into findings, which stay with the shot. None is printed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from packshot.types import Finding, Status

_OF_THE_CALL = "Interlace handling should be turned on"
"""libpng says this of how it was called, not of the file."""
_MOST_CHARACTERS = 300


class _Words(logging.Filter, threading.local):
    """Keeps what the decoder of one thread logs, while recording is on. Nothing of it goes on to standard error."""

    kept: list[str] | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if self.kept is not None:
            self.kept.append(record.getMessage())
        return False


_WORDS = _Words()
logging.getLogger("imagecodecs").addFilter(_WORDS)


@contextmanager
def decoders_words() -> Iterator[list[str]]:
    """Collect the warnings of imagecodecs' decoders in this thread, while a `with` block runs.

    The list that is yielded is filled with their texts.

    The warnings are not printed.
    """
    before, _WORDS.kept = _WORDS.kept, []
    try:
        yield _WORDS.kept
    finally:
        _WORDS.kept = before


def words_findings(words: list[str]) -> tuple[Finding, ...]:
    """Return a tuple of one finding, with all warnings of a decoder about a picture; empty if there are none.

    Remarks on how the decoder was called, which say nothing of the picture, do not count.

    The finding stops automatic approval, because such a warning means that pixels were repaired or guessed.

    Args:
        words: the warnings, from `decoders_words`.
    """
    said = [one for one in dict.fromkeys(words) if _OF_THE_CALL not in one]
    if not said:
        return ()
    message = f"The decoder read the file, but says: {'; '.join(said)[:_MOST_CHARACTERS]}."
    return (Finding(code="decoder_warned", status=Status.FAILED, message=message, gate=True),)
