"""Provide the folder with the compiled code of our JPEG reader's loops, which numba compiles on each machine.

Child processes that open files may read this folder and not write to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from packshot.formats import jpeg_codes, jpeg_lossless, jpeg_progressive

_LOOPS = {
    "follow": Path(jpeg_codes.__file__),
    "follow_progressive": Path(jpeg_progressive.__file__),
    "follow_lossless": Path(jpeg_lossless.__file__),
}
"""The compiled functions, and the sources that they stand in."""
_READ_ONLY = "packshot.formats.kernel_cache.ReadOnlyLocator"
_looking = threading.Lock()


def kernel_folder() -> Path | None:
    """Return the folder with the code that numba has compiled on this machine; None if no folder can be written.

    The first call on a machine compiles the code, which takes some seconds. Without a folder, each child process that
    opens files must compile it again; that is logged as a warning.
    """
    with _looking:
        return _found()


def kernel_variables(folder: Path | None) -> Mapping[str, str]:
    """Return the environment variables with which a child process reads the compiled code from a folder: name -> value.

    Args:
        folder: the result of `kernel_folder`; None gives no variables.
    """
    if folder is None:
        return {}
    return {"NUMBA_CACHE_DIR": str(folder), "NUMBA_CACHE_LOCATOR_CLASSES": _READ_ONLY}


@cache
def _found() -> Path | None:
    if (folder := _kept()) is None:
        with contextlib.suppress(jpeg_codes.NotCompiledError):
            jpeg_codes.load_walk()
            jpeg_progressive.load_progressive_walk()
            jpeg_lossless.load_lossless_walk()
        folder = _kept()
    if folder is None:
        logging.getLogger(__name__).warning(
            "Compiled code can't be kept: neither %s, NUMBA_CACHE_DIR nor the user's cache folder can be written. Each "
            "process that opens files compiles it anew. Set NUMBA_CACHE_DIR to a folder that can be written.",
            _LOOPS["follow"].parent / "__pycache__",
        )
    return folder


def _kept() -> Path | None:
    """Return the folder that has the code of all loops, compiled by this Python and this numba; None if none has."""
    first, *others = (list(_folders(name, source)) for name, source in _LOOPS.items())
    return next((folder for folder in first if all(folder in one for one in others)), None)


def _folders(name: str, source: Path) -> Iterator[Path]:
    """Yield the folders that have a loop's code.

    Each function has an index, which names the numba and the source's hash.
    """
    wanted = version("numba").encode(), hashlib.sha256(source.read_bytes()).digest()
    for index in _indexes(name, source):
        with contextlib.suppress(OSError):
            content = index.read_bytes()
            if all(one in content for one in wanted):
                yield index.parent


def _indexes(loop: str, source: Path) -> Iterator[Path]:
    """Yield the indexes in the folders in which numba looks, in its order."""
    name = f"{source.stem}.{loop}-*.py{sys.version_info[0]}{sys.version_info[1]}*.nbi"
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        yield from Path(given).glob(f"*/{name}")
    yield from (source.parent / "__pycache__").glob(name)
    with contextlib.suppress(RuntimeError):  # there is no home
        yield from Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").glob(f"numba/*/{name}")
