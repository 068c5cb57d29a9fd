import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.formats.sniff import FileKind, detect
from tests.shared_data import shared_data


@given(st.binary(max_size=200))
def test_any_bytes_are_of_some_kind(data):
    assert detect(data) in FileKind


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0", FileKind.JPEG),
        (b"RIFF\x10\0\0\0WEBPVP8 ", FileKind.WEBP),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", FileKind.HEIC),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", FileKind.AVIF),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", FileKind.RAW),
        (b"\0\0\0\x18ftypqt  \0\0\0\0qt  \0\0\0\0", FileKind.VIDEO),
        (b"RIFF\x10\0\0\0AVI LIST", FileKind.UNKNOWN),
        (b"  \n<HTML><head>", FileKind.HTML),
    ],
)
def test_kinds_are_told_by_their_first_bytes(start, kind):
    assert detect(start + bytes(40) * (kind is not FileKind.HTML)) is kind


def test_real_raw_files_are_not_taken_for_tiffs():
    for path in sorted(shared_data("raw").rglob("*")):
        if path.suffix.lower() in (".cr2", ".cr3", ".dng", ".arw", ".raf", ".rw2", ".pef", ".x3f", ".mrw", ".kdc"):
            assert detect(path.read_bytes()) is FileKind.RAW, path.name
