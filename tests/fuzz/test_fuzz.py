"""A minute of fuzzing in all, on drawn seeds that never change; `make fuzz` goes on with others."""

from __future__ import annotations

import pytest

from tests.fuzz.run import Fault, Target, fuzz, try_one
from tests.fuzz.targets import TARGETS

SECONDS = 60.0


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_of_outside_bytes_reads_or_refuses(name: str) -> None:
    tried, fault = fuzz(name, SECONDS / len(TARGETS))
    assert fault is None, (name, fault, fault and fault.data)
    assert tried


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_reads_its_seeds(name: str) -> None:
    for data in TARGETS[name].seeds():
        try_one(TARGETS[name], data)


def test_what_a_reader_should_not_raise_is_found() -> None:
    def read(data: bytes) -> None:
        raise IndexError("beyond the end")

    with pytest.raises(Fault, match="IndexError: beyond the end"):
        try_one(Target(read, lambda: [b"x"]), b"x")
