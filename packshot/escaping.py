"""Text that somebody else wrote, made harmless for the place that shows it. Every place uses these functions.

A client writes file names, manifest cells and metadata; an editor writes names and notes. None of it may become a link,
a picture, a command, a formula or a line of its own where the line shows it. Each function knows one kind of place:

    terminal, json_text     console, logs
    markdown, code          forms and artifacts of the workflow engine
    cell                    cells of table artifacts, descriptions: Markdown on one page, plain text on another
    chat, header, body      notices
    page_environment        HTML
    table_cell, table_text  tables that people open in a spreadsheet
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from markupsafe import Markup

UNSEEN = "\ufffd"
"""Stands for a character that cannot be seen, or that steers what shows it."""
ASIDE = "\u200b"
"""A blank without width: it parts what would be taken for a link or a call, and looks like nothing."""
LONGEST_HEADER = 200

_JOINERS = "\u200c\u200d"  # scripts of India and Persia need them inside words
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:$^=])")
_CALLS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
"""Where Markdown as GitHub has it, and chats, make links of plain text: addresses and names that are called."""
_LINKS = re.compile(r"(?<=\])(?=[(\[:])|(?<=<)(?=[A-Za-z/!?])|(?<=!)(?=\[)")
"""Where Markdown begins a link, a picture or HTML."""
_BLOCKS = re.compile(r"(?=[#>*+=_`~|-])|(?=\d+[.)])")
"""How a line begins that Markdown takes for a heading, a list, a quotation, a rule or code."""
_FORMULA_STARTS = frozenset("=+-@%'\u2212")
_SEPARATORS = re.compile(r"([;|])")


def one_line(text: str) -> str:
    """Return a text on one line: every run of blanks as one, all else that cannot be seen as `UNSEEN`."""
    return " ".join("".join(one if one.isspace() else _seen(one) for one in text).split())


def _seen(character: str) -> str:
    steers = unicodedata.category(character) in _STEERING and character not in _JOINERS
    return UNSEEN if steers else character


def terminal(text: str) -> str:
    """Return a text for one line of a terminal or a log: as long as it was, without any control or escape sequence."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if one.isspace() else _seen(one) for one in text)


def json_text(text: str) -> str:
    """Return JSON that says the same, with what cannot be seen as ``\\uXXXX``; its own line feeds stay."""
    return "".join(one if one == "\n" or _seen(one) == one else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    pairs = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[at : at + 4]}" for at in range(0, len(pairs), 4))


def markdown(text: str) -> str:
    """Return a text so that Markdown shows it as it is, on one line; inside a table too."""
    return _MARKS.sub(r"\\\1", _CALLS.sub(ASIDE, one_line(text)))


def code(text: str) -> str:
    """Return a text as a code span of Markdown, whatever backticks it holds."""
    line = one_line(text) or UNSEEN
    fence = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def cell(text: str) -> str:
    """Return a text for a place that one page reads as Markdown and another shows as it stands.

    What could become a link, a picture, HTML or a block is parted by a blank without width: it looks the same on both.
    Other texts stay as they are.
    """
    line = one_line(text)
    if _BLOCKS.match(line):
        line = ASIDE + line
    return _LINKS.sub(ASIDE, _CALLS.sub(ASIDE, line))


def chat(text: str) -> str:
    """Return a text for a chat's message: no call to everybody (``<!channel>``, ``@here``) and no link."""
    line = _LINKS.sub(ASIDE, _CALLS.sub(ASIDE, one_line(text)))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def header(text: str) -> str:
    """Return a text for a header of a mail: one line, of at most `LONGEST_HEADER` characters."""
    return one_line(text)[:LONGEST_HEADER]


def body(text: str) -> str:
    """Return a text for the body of a mail: lines stay lines, nothing in them steers."""
    return "\n".join(terminal(line) for line in text.splitlines())


def page_environment(package: str, filters: Mapping[str, Callable[..., Any]] | None = None) -> jinja2.Environment:
    """Return what renders a room's HTML pages: all texts are escaped, and what cannot be seen in them is shown.

    Args:
        package: the room, with its folder ``templates``.
        filters: ways of writing figures, by name.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_on_a_page,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    return environment


def _on_a_page(value: Any) -> Any:
    """Texts from outside without what steers; the template's own markup as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(terminal(line) for line in value.split("\n"))


def table_cell(text: str) -> str:
    """Return a text for a cell of a table: on one line, with an apostrophe before what a spreadsheet could run.

    A spreadsheet skips blanks and marks that cannot be seen, takes full-width signs for their narrow ones, and parts a
    line at ``;`` or ``|`` where it is told so: each part is looked at as it would be. `table_text` takes them off.
    """
    parts = _SEPARATORS.split(one_line(text))
    return "".join(f"'{part}" if _could_run(part) else part for part in parts)


def table_text(cell: str) -> str:
    """Return the text, on one line, of which `table_cell` made this cell."""
    parts = _SEPARATORS.split(cell)
    return "".join(part[1:] if part.startswith("'") and _could_run(part[1:]) else part for part in parts)


def _could_run(part: str) -> bool:
    seen = unicodedata.normalize("NFKC", part).lstrip(f' "{UNSEEN}{_JOINERS}')
    return bool(seen) and seen[0] in _FORMULA_STARTS
