"""Let numba read compiled code from a folder in which this process may not write.

numba uses a folder only if it can write a file there. A confined process can write nowhere, so numba finds no folder,
and would compile everything again. With `ReadOnlyLocator` it finds the folder that ``NUMBA_CACHE_DIR`` names, if
``NUMBA_CACHE_LOCATOR_CLASSES`` names this class.
"""

from __future__ import annotations

from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator


class ReadOnlyLocator(UserProvidedCacheLocator):
    """Tells numba in which folder compiled code lies: in ``NUMBA_CACHE_DIR``, even if this process may not write there.

    numba makes an instance itself, if ``NUMBA_CACHE_LOCATOR_CLASSES`` names this class.
    """

    def get_cache_path(self) -> str:
        """Return the path of the folder that holds all compiled code."""
        return str(Path(self._cache_path).parent)  # the other is a folder in it, named after the source's

    def ensure_cache_path(self) -> None:
        """Do nothing. Numba's own version raises an error if it cannot write in the folder."""
