"""A minute of fuzzing in all, on drawn seeds that never change; `make fuzz` goes on with others."""

from __future__ import annotations

import pytest

from packshot.formats.sniff import PICTURES, FileKind
from packshot.ingest.decode import open_photo
from tests.fuzz.run import Fault, Target, fuzz, try_one
from tests.fuzz.targets import FORMATS, LIMITS, TARGETS

SECONDS = 60.0


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_of_outside_bytes_reads_or_refuses(name: str) -> None:
    tried, fault = fuzz(name, SECONDS / len(TARGETS))
    assert fault is None, (name, fault, fault and fault.data)
    assert tried


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"results"}))
def test_a_reader_reads_its_seeds(name: str) -> None:
    for data in TARGETS[name].seeds():
        TARGETS[name].read(data)


def test_a_result_that_is_none_is_refused_as_one() -> None:
    for data in TARGETS["results"].seeds():
        try_one(TARGETS["results"], data)


def test_every_format_that_is_read_has_a_target_of_its_own() -> None:
    assert {f"format {kind}" for kind in PICTURES} <= set(TARGETS)


@pytest.mark.parametrize("kind", sorted(PICTURES - {FileKind.BMP, FileKind.PSD, FileKind.RAW}))
def test_a_format_that_can_hold_several_pictures_has_a_file_of_several_among_its_seeds(kind: FileKind) -> None:
    """No seed was an AVIF with a film, which ended every process that read it."""
    opened = [open_photo(data, name="a", limits=LIMITS) for data in FORMATS[kind]()]
    assert any(one.code == "first_frame_only" for photo in opened for one in photo.findings)


def test_what_a_reader_should_not_raise_is_found() -> None:
    def read(data: bytes) -> None:
        raise IndexError("beyond the end")

    with pytest.raises(Fault, match="IndexError: beyond the end"):
        try_one(Target(read, lambda: [b"x"]), b"x")
