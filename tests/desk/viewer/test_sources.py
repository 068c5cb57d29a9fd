"""What others wrote is in the package unchanged, with its licence, and is said to be theirs."""

from __future__ import annotations

import hashlib
import re

from desk.app import STATIC

VIEWER = STATIC / "viewer"
SOURCES = dict(re.findall(r"^\| `(\S+)` \|.*`([0-9a-f]{64})` \|$", (VIEWER / "SOURCES.md").read_text(), re.M))


def test_the_files_of_others_are_those_that_are_named() -> None:
    theirs = {str(path.relative_to(VIEWER)): path for path in (VIEWER / "openseadragon").iterdir()}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in theirs.items()} == SOURCES
    assert "Redistributions in binary form" in theirs["openseadragon/LICENSE.txt"].read_text()


def test_no_module_asks_for_anything_outside() -> None:
    own = [path for path in VIEWER.iterdir() if path.suffix in (".js", ".css")]
    assert len(own) > 5
    for path in own:
        outside = set(re.findall(r"https?://[^\s\"')]+", path.read_text())) - {"http://www.w3.org/2000/svg"}
        assert not outside, path.name
