"""The changelog names each release once, the newest first, and the code has the newest one's number."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

import packshot
from tests.release.scripts import ROOT

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits"}
"""The sections of Keep a Changelog 1.1, and one of our own."""


class Release(NamedTuple):
    number: str
    date: datetime.date
    sections: list[str]


def headings() -> list[str]:
    return re.findall(r"^#{2,} .+$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def releases() -> list[Release]:
    found: list[Release] = []
    for heading in headings()[1:]:
        if heading.startswith("### "):
            if found:
                found[-1].sections.append(heading.removeprefix("### "))
            continue
        number, _, date = heading.removeprefix("## ").partition(" - ")
        found.append(Release(number, datetime.date.fromisoformat(date), []))
    return found


def in_order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


def test_what_is_not_released_yet_comes_first() -> None:
    assert headings()[0] == "## Unreleased"


def test_the_newest_release_has_the_number_of_the_code() -> None:
    assert releases()[0].number == packshot.__version__


def test_releases_are_listed_once_the_newest_first() -> None:
    listed = releases()
    assert [one.number for one in listed] == sorted({one.number for one in listed}, key=in_order, reverse=True)
    assert [one.date for one in listed] == sorted((one.date for one in listed), reverse=True)


def test_each_release_has_the_sections_of_keep_a_changelog_each_once() -> None:
    for one in releases():
        assert one.sections
        assert set(one.sections) <= KINDS
        assert len(one.sections) == len(set(one.sections)), f"{one.number} has a section twice"
