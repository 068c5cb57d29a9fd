"""Only packshot/formats takes files of pictures apart: no other room knows how a container begins."""

from __future__ import annotations

import re
from pathlib import Path

import packshot

SOURCES = Path(packshot.__file__).parents[1]
FLOORS = ("packshot", "tasks", "flows", "desk", "deployments")
STARTS = re.compile(
    r"""b["'](8BPS|8BIM|RIFF|WEBP|GIF8|BM["']|II\*|MM\\0|\\x89PNG|\\xff\\xd8|[a-z]{0,4}ftyp|JXL |Exif|<x:xmp)"""
    r"|import .*\b(open_tiff|segments|chunks|boxes|split_blocks|read_resources|decode_psd)\b"
)
MAY = {
    "packshot/handoff/neck_joint/photoshop.py": "writes a layered document",
    "packshot/paths/read.py": "reads the records of paths, which Photoshop's resources hold",
    "packshot/export/codecs.py": "writes the EXIF chunk of a PNG",
}


def test_no_other_room_walks_the_bytes_of_a_picture_s_file() -> None:
    found = {
        f"{path.relative_to(SOURCES)}: {line.strip()}"
        for floor in FLOORS
        for path in (SOURCES / floor).rglob("*.py")
        if not path.is_relative_to(SOURCES / "packshot" / "formats") and str(path.relative_to(SOURCES)) not in MAY
        for line in path.read_text().splitlines()
        if STARTS.search(line)
    }
    assert found == set()


def test_the_pattern_finds_what_it_looks_for() -> None:
    for line in (
        'if data.startswith(b"8BPS"):',
        'at = data.find(b"Exif\0")',
        "from packshot.formats.ifd import open_tiff",
    ):
        assert STARTS.search(line)
