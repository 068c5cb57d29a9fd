"""Pages for the source files and folders that the documents point at, so that these links work on the site too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes

PLACE = "source"
_shown: set[str] = set()


def setup(app: Any) -> dict[str, bool]:
    app.connect("doctree-read", _to_our_pages, priority=100)  # before Sphinx takes the files for downloads
    app.connect("html-collect-pages", _pages)
    return {"parallel_read_safe": False}


def _to_our_pages(app: Any, tree: nodes.document) -> None:
    root, document = Path(app.srcdir), app.env.docname
    for node in list(tree.findall(lambda one: isinstance(one, addnodes.download_reference | addnodes.pending_xref))):
        target = (root / document).parent / node["reftarget"].partition("#")[0]
        if node["reftarget"].startswith("#") or target.suffix == ".md" or not target.exists():
            continue
        name = target.resolve().relative_to(root).as_posix()
        if f"{name}/README" in app.env.found_docs:
            name = f"{name}/README"
            uri = f"{_up(document)}{name}.html"
        else:
            _shown.add(name)
            uri = f"{_up(document)}{PLACE}/{name}.html"
        node.replace_self(nodes.reference("", "", *node.children, refuri=uri, internal=True))


def _up(document: str) -> str:
    return "../" * document.count("/")


def _pages(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    root = Path(app.srcdir)
    folders = {name for name in _shown if (root / name).is_dir()}
    for name in sorted(folders):
        yield _page(name, _listing(root, name))
    for name in sorted(_shown - folders):
        yield _page(name, _code(root / name))


def _page(name: str, body: str) -> tuple[str, dict[str, Any], str]:
    title = escape(name)
    return f"{PLACE}/{name}", {"title": title, "body": f"<h1>{title}</h1>\n{body}"}, "page.html"


def _inside(root: Path, folder: str) -> list[str]:
    """Return what lies directly in a folder, without hidden and made files."""
    found = (path for path in (root / folder).iterdir() if not path.name.startswith((".", "__pycache__")))
    return sorted(path.relative_to(root).as_posix() for path in found)


def _listing(root: Path, folder: str) -> str:
    """Return a table of a folder: each name, with a link where it has a page, and what it is for."""
    rows = []
    for name in _inside(root, folder):
        own = escape(name.rpartition("/")[2]) + ("/" if (root / name).is_dir() else "")
        if name in _shown:
            own = f'<a href="{_up(f"{PLACE}/{folder}")}{PLACE}/{name}.html">{own}</a>'
        rows.append(f"<tr><td>{own}</td><td>{escape(_purpose(root / name))}</td></tr>")
    return f'<div class="table-wrapper"><table class="docutils">{"".join(rows)}</table></div>'


def _purpose(path: Path) -> str:
    """Return the first line of a module's or package's docstring."""
    module = path / "__init__.py" if path.is_dir() else path
    if module.suffix != ".py" or not module.exists():
        return ""
    return (ast.get_docstring(ast.parse(module.read_text())) or "").partition("\n")[0]


def _code(path: Path) -> str:
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return f"<p>{path.stat().st_size:,} bytes, not text.</p>"
    try:
        lexer = get_lexer_for_filename(path.name)
    except ClassNotFound:
        lexer = TextLexer()
    return str(highlight(text, lexer, HtmlFormatter(cssclass="highlight", wrapcode=True)))
