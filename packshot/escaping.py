"""Escape text from outside, for the kind of place that shows it. Every such place uses these functions.

Clients write file names, manifest cells and metadata; editors write names and notes. No such text may become a link, a
picture, a command, a formula or a separate line at the place that shows it. Each function is for one kind of place:

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
"""Replaces an invisible or control character."""
ASIDE = "\u200b"
"""Zero-width space. It is invisible, and breaks up text that would be taken for a link or a mention."""
LONGEST_HEADER = 200

_JOINERS = "\u200c\u200d"  # Indic and Persian scripts need them inside words
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:$^=])")
_CALLS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)
"""Where GitHub's Markdown and chats turn plain text into links: addresses and mentions."""
_LINKS = re.compile(r"(?<=\])(?=[(\[:])|(?<=<)(?=[A-Za-z/!?])|(?<=!)(?=\[)")
"""Where Markdown starts a link, a picture or HTML."""
_BLOCKS = re.compile(r"(?=[#>*+=_`~|-])|(?=\d+[.)])")
"""Line starts that Markdown takes for a heading, list, quotation, rule or code."""
_FORMULA_STARTS = frozenset("=+-@%'\u2212")
_SEPARATORS = re.compile(r"([;|])")


def one_line(text: str) -> str:
    """Return a text on one line, for any place that shows a single line.

    Each run of white space becomes one space, and spaces at both ends are removed. Each invisible or control
    character becomes `UNSEEN` (U+FFFD).
    """
    return " ".join("".join(one if one.isspace() else _seen(one) for one in text).split())


def _seen(character: str) -> str:
    steers = unicodedata.category(character) in _STEERING and character not in _JOINERS
    return UNSEEN if steers else character


def terminal(text: str) -> str:
    """Return a text that a terminal or log can show on one line, without control characters or escape sequences.

    The length stays the same: each white-space character becomes a space, each invisible or control character becomes
    `UNSEEN` (U+FFFD).
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if one.isspace() else _seen(one) for one in text)


def json_text(text: str) -> str:
    """Return JSON of the same meaning in which each invisible or control character is written as ``\\uXXXX``.

    Line feeds are kept, because they can only stand between values.

    Args:
        text: valid JSON.
    """
    return "".join(one if one == "\n" or _seen(one) == one else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    pairs = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pairs[at : at + 4]}" for at in range(0, len(pairs), 4))


def markdown(text: str) -> str:
    """Return a text on one line that Markdown shows literally, also inside a table.

    Every sign that means something in Markdown gets a backslash: ``a*b`` becomes ``a\\*b``. A zero-width space breaks
    up addresses and mentions, so that they do not become links.
    """
    return _MARKS.sub(r"\\\1", _CALLS.sub(ASIDE, one_line(text)))


def code(text: str) -> str:
    """Return a text as a Markdown code span on one line, whatever backticks the text contains."""
    line = one_line(text) or UNSEEN
    fence = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def cell(text: str) -> str:
    """Return a text on one line for a place that one page reads as Markdown and another page shows as plain text.

    A zero-width space is inserted wherever Markdown would begin a link, a picture, HTML or a block such as a heading.
    So the text looks alike on both pages. A text without such places and on one line is unchanged.
    """
    line = one_line(text)
    if _BLOCKS.match(line):
        line = ASIDE + line
    return _LINKS.sub(ASIDE, _CALLS.sub(ASIDE, line))


def chat(text: str) -> str:
    """Return a text on one line for a chat message, without links and mentions.

    A mention such as ``<!channel>`` or ``@here`` would call people. ``&``, ``<`` and ``>`` become HTML entities, as
    Slack expects.
    """
    line = _LINKS.sub(ASIDE, _CALLS.sub(ASIDE, one_line(text)))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def header(text: str) -> str:
    """Return a text for a mail header: on one line, cut off after `LONGEST_HEADER` (200) characters."""
    return one_line(text)[:LONGEST_HEADER]


def body(text: str) -> str:
    """Return a text for a mail's body.

    Line breaks are kept. Within a line, each invisible or control character becomes `UNSEEN` (U+FFFD).
    """
    return "\n".join(terminal(line) for line in text.splitlines())


def page_environment(package: str, filters: Mapping[str, Callable[..., Any]] | None = None) -> jinja2.Environment:
    """Return the Jinja environment with which a package makes its HTML pages.

    No text from outside becomes HTML: all text is escaped. Invisible and control characters become `UNSEEN` (U+FFFD).
    A variable that is missing is an error.

    Args:
        package: name of the package that has the folder ``templates``.
        filters: extra template filters, by name.
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
    """Return a text without control characters; trusted markup and other values unchanged."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(terminal(line) for line in value.split("\n"))


def table_cell(text: str) -> str:
    """Return a text for a table cell: on one line, with an apostrophe before everything that a spreadsheet could run.

    Spreadsheets skip leading spaces and invisible characters, read full-width characters as normal ones, and may split
    a line at ``;`` or ``|``. Therefore each part is checked by itself. `table_text` removes the apostrophes.

    Example: ``=1+1`` becomes ``'=1+1``.
    """
    parts = _SEPARATORS.split(one_line(text))
    return "".join(f"'{part}" if _could_run(part) else part for part in parts)


def table_text(cell: str) -> str:
    """Return the text of a table cell without the apostrophes that `table_cell` added before formulas.

    Example: ``'=1+1`` becomes ``=1+1``. An apostrophe that a person wrote before other text stays.
    """
    parts = _SEPARATORS.split(cell)
    return "".join(part[1:] if part.startswith("'") and _could_run(part[1:]) else part for part in parts)


def _could_run(part: str) -> bool:
    seen = unicodedata.normalize("NFKC", part).lstrip(f' "{UNSEEN}{_JOINERS}')
    return bool(seen) and seen[0] in _FORMULA_STARTS
