"""Texts as a client, an editor or a stranger could write them, and what they must not become where they are shown."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from packshot.escaping import ASIDE, UNSEEN

TEXTS = (
    "![x](http://evil.example/a.png)",
    "[press](http://evil.example/) [a][b] [b]: http://evil.example",
    "<img src=x onerror=alert(1)> <script>alert(1)</script> <!-- -->",
    "<https://evil.example> https://evil.example www.evil.example WWW.evil.example mailto:a@evil.example",
    "<!channel> <!here> <@U012> <http://evil.example|click> @everyone @here &lt;!channel&gt;",
    "`a` ``b`` ~~~ *c* _d_ ~~e~~ | f | $g$ \\ \\[h](http://evil.example)",
    "# heading\n- list\n> quoted\n1. one\n---\n```\ncode\n```",
    "name\r\nBcc: all@evil.example\r\n\r\nbody",
    "\x1b[2J\x1b]8;;http://evil.example\x1b\\press\x1b]8;;\x1b\\ \x9b31m \x07\x08\x7f",
    "packshot: all is well\npackshot: 7,500 delivered",
    "jpg.\u202egnp \u2066\u200b\u00ad\ufeff\u2028\u2029\U000e0041\ud800",
    "=1+1",
    "[red]x[/red] [link=http://evil.example]press[/link]",
    "<a href='javascript:alert(1)'>x</a>\" onmouseover=\"alert(1)",
    "{{ 7 * 7 }} {% include 'x' %} %s %(x)s {0}",
)
EVERYTHING = " ".join(TEXTS)

_AUTOLINKS = re.compile(r"(https?://|www(?=\.))([-.\w]+)([^ \t\r\n]*)|([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)", re.IGNORECASE)
"""What GitHub's Markdown, as Prefect's pages have it, makes links of plain text, even where marks were escaped."""
_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def steering(text: str) -> set[str]:
    """The characters of a text that are not seen or steer what shows it, besides blank and line feed."""
    return {
        one
        for one in text
        if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") and one not in f"\n\u200c\u200d{ASIDE}"
    }


def links_of_markdown(text: str) -> list[str]:
    """What Markdown would load or lead to, run or take for HTML."""
    found = []
    for token in _PARSER.parse(text):
        for one in (token, *(token.children or ())):
            if one.type in ("link_open", "image", "html_inline", "html_block"):
                found.append(str(one.attrs.get("href") or one.attrs.get("src") or one.content))
            if one.type == "text":
                found += [match[0] for match in _AUTOLINKS.finditer(one.content)]
    return found


def seen_in_markdown(text: str) -> str:
    """What Markdown shows of a text of one paragraph, without blanks that have no width."""
    inline = [token for token in _PARSER.parse(text) if token.type == "inline"]
    return "".join(one.content for token in inline for one in token.children or ()).replace(ASIDE, "")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags_of_html(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """The tags of a page with their attributes."""
    parser = _Tags()
    parser.feed(page)
    return parser.found


def on_one_line(text: str) -> str:
    """How a text looks where its blanks are one and what cannot be seen is marked."""
    return " ".join("".join(UNSEEN if steering(one) and not one.isspace() else one for one in text).split()).replace(
        ASIDE, UNSEEN
    )
