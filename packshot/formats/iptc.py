"""Read the records of IPTC-IIM 4.2."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from packshot.formats.texts import MOST_KEYWORDS, Facts, clean

_MOST_RECORDS = 2000
_EXTENDED = 0x8000
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


def iptc_damage(record: bytes) -> str:
    """Return in words what is damaged in IPTC records: "IPTC records that are cut off"; empty if nothing is damaged.

    Args:
        record: the IPTC records of a file (IPTC-IIM), as stored.
    """
    end = max((end for *_, end in _records(record)), default=0)
    return "IPTC records that are cut off" if record[end:].strip(b"\0") else ""


def read_iptc(record: bytes) -> Facts:
    """Return the facts that IPTC records state: name of the fact -> text, for example "copyright" -> "Acme Ltd".

    Names are fields of `packshot.ingest.metadata.Metadata`, such as "creator", or one of `IPTC_TAGS`: texts that may
    name the product, such as "job_id". "title" and "keywords" (a tuple of texts) are always there, and may be empty.
    Records after the first damaged one are not read.

    Args:
        record: the bare IPTC-IIM records of a file, without the Photoshop resource around them.
    """
    found: Facts = {}
    keywords: list[str] = []
    for group, number, content, _ in _records(record):
        text = clean(content.decode("utf-8", "replace"))
        if (group, number) == (2, 25) and text and len(keywords) < MOST_KEYWORDS:
            keywords.append(text)
        elif text and (group, number) in _IPTC_FIELDS:
            found.setdefault(_IPTC_FIELDS[group, number], text)
    return found | {"keywords": tuple(keywords), "title": found.get("object_name", "")}


def _records(record: bytes) -> Iterator[tuple[int, int, bytes, int]]:
    """Yield record number, data set number, content and end of each whole data set (IIM 4.2, 1.5).

    A content of 32,768 bytes or more has an extended length; it is too long for the fields that are read here.
    """
    at = 0
    for _ in range(_MOST_RECORDS):
        if record[at : at + 1] != b"\x1c" or at + 5 > len(record):
            return
        group, number, size = struct.unpack_from(">BBH", record, at + 1)
        at += 5
        if size & _EXTENDED:
            digits = size & ~_EXTENDED
            size, at = int.from_bytes(record[at : at + digits], "big"), at + digits
        if at + size > len(record):
            return
        yield group, number, record[at : at + min(size, _EXTENDED)], at + size
        at += size
