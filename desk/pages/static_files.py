"""Serve the desk's scripts and styles.

Their addresses contain a hash of their content, so a browser asks for them only once.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from desk.pictures.packs import FOR_EVER

STATIC = Path(__file__).parents[1] / "static"
_DIGITS = 16


@cache
def static_version() -> str:
    """Return a hash of all the desk's scripts and styles: 16 hex digits.

    It changes if a file changes, is added or is renamed. It is a part of their address, so that a browser loads a
    changed file again.
    """
    told = hashlib.sha256()
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        told.update(f"{path.relative_to(STATIC).as_posix()}\n{path.stat().st_size}\n".encode())
        told.update(path.read_bytes())
    return told.hexdigest()[:_DIGITS]


class KeptFiles(StaticFiles):
    """Serves the desk's scripts and styles below ``/static/<version>/`` as files that a browser may keep for ever."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a script or style, or "not modified", with the header that lets a browser keep it for ever.

        Starlette calls it, with the arguments of its own `StaticFiles.file_response`.
        """
        response = super().file_response(*args, **kwargs)
        response.headers.update(FOR_EVER)
        return response
