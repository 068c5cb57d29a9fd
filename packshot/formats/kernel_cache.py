"""Compiled code is read from a folder that this process must not write.

numba takes a folder only if it can write a file there, so a confined process finds none. It finds one by this class if
``NUMBA_CACHE_LOCATOR_CLASSES`` names it and ``NUMBA_CACHE_DIR`` is the folder itself.
"""

from __future__ import annotations

from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator


class ReadOnlyLocator(UserProvidedCacheLocator):
    """The folder ``NUMBA_CACHE_DIR``, whether or not it can be written."""

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(Path(self._cache_path).parent)  # the other is a folder in it, named after the source's

    def ensure_cache_path(self) -> None:
        """Ask nothing of the folder."""
