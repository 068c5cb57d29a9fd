"""Read the records of IPTC-IIM 4.2."""

from __future__ import annotations

import struct

from packshot.formats.texts import MOST_KEYWORDS, Facts, clean

_MOST_RECORDS = 2000
_IPTC_FIELDS = {
    (2, 5): "object_name",
    (2, 103): "job_id",
    (2, 22): "fixture_id",
    (2, 80): "creator",
    (2, 116): "copyright",
    (2, 105): "headline",
    (2, 40): "instructions",
}
IPTC_TAGS = frozenset({"object_name", "job_id", "fixture_id", "headline", "instructions"})
"""Records that may name the product."""


def read_iptc(record: bytes) -> Facts:
    """Return what IPTC records say, up to the first that is damaged."""
    found: Facts = {}
    keywords: list[str] = []
    at = 0
    for _ in range(_MOST_RECORDS):
        if record[at : at + 1] != b"\x1c" or at + 5 > len(record):
            break
        group, number, size = struct.unpack_from(">BBH", record, at + 1)
        if size & 0x8000:  # an extended length: too long for the fields that are read here
            break
        text = clean(record[at + 5 : at + 5 + size].decode("utf-8", "replace"))
        if (group, number) == (2, 25) and text and len(keywords) < MOST_KEYWORDS:
            keywords.append(text)
        elif text and (group, number) in _IPTC_FIELDS:
            found.setdefault(_IPTC_FIELDS[group, number], text)
        at += 5 + size
    return found | {"keywords": tuple(keywords), "title": found.get("object_name", "")}
