"""Each table that can be made from the code is the one that the code makes."""

from __future__ import annotations

import re

import pytest

from tests.docs.tables import DOCS, TABLES, block


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_the_one_that_the_code_makes(name: str) -> None:
    document, made = TABLES[name]
    found = block(name).findall((DOCS / document).read_text())
    assert found == [made()], "run: python -m tests.docs.tables"


def test_no_document_names_a_table_that_nothing_makes() -> None:
    for path in DOCS.rglob("*.md"):
        for name in re.findall(r"<!-- table: (.*?) -->", path.read_text()):
            assert TABLES[name][0] == path.name
