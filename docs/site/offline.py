"""The site asks no other server for anything: no font, script, style or picture. The build fails if it would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*?\bsrc\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|<link\b(?![^>]*rel\s*=\s*["']?(?:canonical|author|license))[^>]*?\bhref\s*=\s*["']?((?:https?:)?//[^"'\s>]+)""",
    re.IGNORECASE,
)
_IN_STYLE = re.compile(r"""(?:url\(\s*["']?|@import\s*["'])((?:https?:)?//[^"'\s)]+)""", re.IGNORECASE)


def setup(app: Any) -> dict[str, bool]:
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def requests_in(text: str, *, style: bool = False) -> list[str]:
    """Return the addresses on other servers that a browser would load for a page or a style sheet."""
    return ["".join(found) for found in (_IN_STYLE if style else _LOADED).findall(text)]


def _check(app: Any, failure: Exception | None) -> None:
    from sphinx.errors import ExtensionError

    if failure:
        return
    for path in sorted(Path(app.outdir).rglob("*")):
        asked = requests_in(path.read_text(), style=path.suffix == ".css") if path.suffix in (".html", ".css") else []
        if asked:
            raise ExtensionError(f"{path.name} would load {asked[0]} from another server.")
