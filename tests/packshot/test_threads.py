from __future__ import annotations

import threading

import cv2
import pytest

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
