"""The pages of the site, grouped by reader.

Sphinx wants them in the page that it begins with. That is the README, which others read as it is; so they are added
while Sphinx reads it. A document that is in no group fails the build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = sorted(path.stem for path in (ROOT / "docs" / "adr").glob("0*.md"))

NAVIGATION = {
    "New here": ("docs/concepts", "docs/limits", "docs/cli", "samples/SOURCES"),
    "Studio managers": (
        *("docs/configs", "docs/routing", "docs/quality", "docs/daily_report", "docs/return_rate"),
        *("docs/colour", "docs/formats"),
    ),
    "Editors and reviewers": ("docs/people", "docs/editor_files", "docs/paths"),
    "Operators": (
        *("docs/runbook", "docs/errors", "docs/settings", "docs/performance", "docs/security"),
        *("infra/README", "infra/policies/README"),
    ),
    "Developers": (
        *("docs/tour", "CONTRIBUTING", "docs/releasing", "benchmarks/seen/README", "CHANGELOG"),
        *("docs/adr/README", *(f"docs/adr/{name}" for name in DECISIONS)),
    ),
}
"""Heading -> pages, as paths from the root of the repository without `.md`."""


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", _add_navigation)
    return {"parallel_read_safe": True}


def _add_navigation(app: Any, document: str, source: list[str]) -> None:
    lists = {heading: [page for page in pages if "/adr/0" not in page] for heading, pages in NAVIGATION.items()}
    if document == app.config.root_doc:
        source[0] += "".join(_toctree("\n".join(pages), caption=heading) for heading, pages in lists.items())
    if document == "docs/adr/README":
        source[0] += _toctree("\n".join(DECISIONS))


def _toctree(entries: str, *, caption: str = "") -> str:
    options = ":hidden:\n" + (f":caption: {caption}\n" if caption else "")
    return f"\n\n```{{toctree}}\n{options}\n{entries}\n```\n"
