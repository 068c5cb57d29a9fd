from __future__ import annotations

import threading
from collections import Counter
from typing import ClassVar

import cv2
import pytest
from threadpoolctl import threadpool_info

from packshot.threads import computed_once, side_by_side

LONG_S = 60.0


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> int:
    before = cv2.getNumThreads()
    cv2.setNumThreads(request.param)
    yield request.param
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("threads")
def test_results_come_back_in_the_order_of_the_items() -> None:
    assert side_by_side(lambda number: number * number, range(50)) == [number * number for number in range(50)]


@pytest.mark.usefixtures("threads")
def test_an_error_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda number: 1 / number, [1, 0, 2])


def test_no_more_threads_work_than_opencv_may_use(threads: int) -> None:
    working = set()
    side_by_side(lambda _: working.add(threading.get_ident()), range(50))
    assert len(working) <= threads


def test_linear_algebra_has_one_thread_here_as_in_every_process_of_the_line() -> None:
    """A second one waits for the first and takes its processor time: the problems here are small."""
    import scipy.linalg  # noqa: F401  (it brings a library of its own)

    found = [one for one in threadpool_info() if one["user_api"] == "blas"]
    assert found
    assert {one["num_threads"] for one in found} == {1}, found


class Measured:
    """Measures itself, and waits there until as many threads as shall meet have come so far."""

    computed: ClassVar[Counter[str]]
    meeting: ClassVar[threading.Barrier]

    def __init__(self, name: str) -> None:
        self.name = name

    @computed_once
    def figure(self) -> str:
        """What it is."""
        self.computed[self.name] += 1
        self.meeting.wait(LONG_S)
        return f"of {self.name}"


@pytest.fixture(autouse=True)
def nothing_computed() -> None:
    Measured.computed = Counter()


def asked_by(threads: int, *measured: Measured) -> list[str]:
    found: list[str] = []
    asking = [threading.Thread(target=lambda one=one: found.append(one.figure)) for one in measured * threads]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return found


def test_threads_that_want_one_measurement_compute_it_once() -> None:
    Measured.meeting = threading.Barrier(1)
    assert asked_by(8, Measured("a photograph")) == ["of a photograph"] * 8
    assert Measured.computed == {"a photograph": 1}


def test_threads_with_different_photographs_do_not_wait_for_each_other() -> None:
    """Each stays in its measurement until the other one is in its own."""
    Measured.meeting = threading.Barrier(2)
    assert sorted(asked_by(1, Measured("a"), Measured("b"))) == ["of a", "of b"]


def test_a_measurement_that_failed_is_tried_again() -> None:
    Measured.meeting = threading.Barrier(2)
    Measured.meeting.abort()
    one = Measured("a photograph")
    with pytest.raises(threading.BrokenBarrierError):
        _ = one.figure
    Measured.meeting = threading.Barrier(1)
    assert one.figure == "of a photograph"
    assert Measured.figure.__doc__ == "What it is."
