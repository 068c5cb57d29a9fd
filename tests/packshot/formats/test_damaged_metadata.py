"""Damaged metadata is told in every format, and the picture is read all the same. Whole metadata is never called so."""

from __future__ import annotations

import struct

import pytest

from packshot.formats.iptc import iptc_damage, read_iptc
from packshot.formats.xmp import read_xmp, xmp_damage
from packshot.ingest.decode import Photo, open_photo
from packshot.ingest.metadata import Metadata, with_sidecar
from tests.fuzz.files import XMP as SEED
from tests.packshot.formats.test_conformance import FILES, IPTC, LIMITS, XMP, opened

EXIF_START = (b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08")


def codes(photo: Photo) -> list[str]:
    return [one.code for one in photo.findings]


def harmed_xmp(data: bytes) -> bytes:
    at = data.index(XMP)
    return data[:at] + XMP.replace(b"</rdf:RDF>", b"          ") + data[at + len(XMP) :]


def harmed_exif(data: bytes) -> bytes:
    """EXIF whose directory promises more entries than there are bytes."""
    at = next(data.index(start, 4) for start in EXIF_START if start in data[4:])
    return data[: at + 8] + b"\xff\xff" + data[at + 10 :]


def harmed_iptc(data: bytes) -> bytes:
    """IPTC whose last record is longer than what is there."""
    at, last = data.index(IPTC), IPTC.rindex(b"\x1c\x02")
    return data[: at + last + 3] + b"\x7f\xff" + data[at + last + 5 :]


HARMS = {"XMP": (harmed_xmp, XMP), "EXIF": (harmed_exif, b"Drawn"), "IPTC": (harmed_iptc, IPTC)}
HELD = [
    (name, block)
    for name, (_, make) in FILES.items()
    for block, (_, mark) in HARMS.items()
    if mark in make() and (name, block) != ("TIFF", "EXIF")  # a TIFF's own directory is its picture's
]


def test_there_are_blocks_in_nearly_every_format() -> None:
    assert len(HELD) >= 2 * (len(FILES) - 2)


@pytest.mark.parametrize("name", FILES)
def test_whole_metadata_is_not_called_damaged(name: str) -> None:
    assert "metadata_damaged" not in codes(opened(name))


@pytest.mark.parametrize(("name", "block"), HELD)
def test_a_damaged_block_is_told_and_the_picture_is_read(name: str, block: str) -> None:
    data = HARMS[block][0](FILES[name][1]())
    photo = open_photo(data, name="A1", limits=LIMITS)
    assert "metadata_damaged" in codes(photo)
    assert sorted(photo.size) == [64, 96]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_xmp_is_read_in_each_encoding_that_its_standard_allows(encoding: str) -> None:
    packet = SEED.decode().encode(encoding)
    assert xmp_damage(packet) == ""
    assert read_xmp(packet)["title"] == "A kettle"
    assert with_sidecar(Metadata(), packet).keywords == ("spring", "A1_MAIN")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_packet_that_says_nothing_is_whole(encoding: str) -> None:
    for body in ("", '<x:xmpmeta xmlns:x="adobe:ns:meta/" />', '<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'):
        assert xmp_damage(f'<?xpacket begin="" id="W5M0"?>\n{body}\n<?xpacket end="w"?>\0\0'.encode(encoding)) == ""
    assert xmp_damage(b"") == xmp_damage(bytes(50)) == ""


def test_a_long_iptc_record_is_passed_and_the_next_is_read() -> None:
    long = b"\x1c\x02\x78" + struct.pack(">HI", 0x8004, 40_000) + bytes(40_000)
    assert read_iptc(long + b"\x1c\x02\x50\0\x03Ada\0\0")["creator"] == "Ada"
    assert iptc_damage(long + b"\x1c\x02\x50\0\x03Ada\0\0") == ""
    assert iptc_damage(long[:-1]) == iptc_damage(b"\x1c\x02\x50\0\x09Ada") != ""
