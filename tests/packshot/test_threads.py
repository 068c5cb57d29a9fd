from __future__ import annotations

import threading

import cv2
import pytest
from threadpoolctl import threadpool_info

from packshot.threads import side_by_side


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
