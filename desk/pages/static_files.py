"""The desk's scripts and styles. Their address names their content, so that a browser keeps them and asks once."""

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
    """Return a name for the files as they are: 16 hex digits, other ones if any of them changes."""
    told = hashlib.sha256()
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        told.update(f"{path.relative_to(STATIC).as_posix()}\n{path.stat().st_size}\n".encode())
        told.update(path.read_bytes())
    return told.hexdigest()[:_DIGITS]


class KeptFiles(StaticFiles):
    """Files that a browser may keep for ever: below ``/static/<version>/``."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file, or "not modified", with the header that lets a browser keep it."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(FOR_EVER)
        return response
