"""Readers of outside bytes against changed files, for as long as one likes.

    python -m tests.fuzz.run [--seconds 60] [--target NAME ...] [--found FOLDER]

The time is shared out among the targets. What a reader should not have done is shrunk, printed and kept below FOLDER;
make it a test, then mend it. Ends with status 1 if anything was found.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS, Target

EXAMPLES = 50
MOST_PROCESSOR_S = 20.0
"""For one file of less than half a megabyte: whatever takes longer grows faster than its bytes."""


class Fault(AssertionError):  # noqa: N818  what is found is a fault of the reader
    """What a reader should not have done; `data` makes it do it again."""

    def __init__(self, what: str, data: bytes) -> None:
        super().__init__(what)
        self.data = data


def try_one(target: Target, data: bytes) -> None:
    """Read bytes; whatever is neither read nor refused, or takes too long, is a fault.

    Raises:
        Fault: so it was.
    """
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.read(data)
    except target.refused:
        pass
    except Exception as error:
        raise Fault(f"{type(error).__name__}: {error}", data) from error
    took = time.process_time() - began
    if took > MOST_PROCESSOR_S:
        raise Fault(f"it took {took:.0f} s of processor time", data)


def fuzz(name: str, seconds: float, *, first: int = 0) -> tuple[int, Fault | None]:
    """Try a target for some time, at least one round of examples; return how many were tried, and what was found.

    Args:
        first: seed of the first round; the same seeds try the same files.
    """
    target, tried = TARGETS[name], 0
    ends, round_ = time.monotonic() + seconds, first
    while True:
        tried += EXAMPLES
        try:
            _round(target, round_)()
        except Fault as fault:
            return tried, fault
        round_ += 1
        if time.monotonic() >= ends:
            return tried, None


def _round(target: Target, number: int) -> Callable[[], None]:
    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(target.seeds()))
    def once(data: bytes) -> None:
        try_one(target, data)

    return once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--target", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--found", type=Path, default=Path(".packshot") / "fuzz")
    parser.add_argument("--first", type=int, default=int(time.time()), help="seed of the first round")
    given_ = parser.parse_args()
    well = True
    for name in given_.target:
        tried, fault = fuzz(name, given_.seconds / len(given_.target), first=given_.first)
        print(f"{name}: {tried} tried, {fault or 'nothing found'}", flush=True)  # noqa: T201
        if fault is not None:
            well = False
            given_.found.mkdir(parents=True, exist_ok=True)
            file = given_.found / f"{name.replace(' ', '-')}-{hashlib.sha256(fault.data).hexdigest()[:12]}.bin"
            file.write_bytes(fault.data)
            print(f"  kept as {file}, {len(fault.data)} bytes: {fault.data[:80]!r}", flush=True)  # noqa: T201
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
