"""What threads share is made once, however many ask for it at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.environment.threads import made_once
from tasks.index import database

AT_ONCE = 8


def asked_at_once(ask: Callable[[], object]) -> list[object]:
    """Return the answers of several threads that begin together."""
    begin = threading.Barrier(AT_ONCE)

    def one(_: int) -> object:
        begin.wait()
        return ask()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_threads_that_ask_at_once_get_the_same() -> None:
    made = []

    @made_once
    def slow(name: str) -> object:
        time.sleep(0.05)  # long enough for the others to come
        made.append(name)
        return object()

    assert len(set(map(id, asked_at_once(lambda: slow("a"))))) == 1
    assert slow("b") is not slow("a")
    assert made == ["a", "b"]


def test_what_could_not_be_made_is_tried_again() -> None:
    tries = []

    @made_once
    def fails_first() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no room")
        return 7

    with pytest.raises(OSError, match="no room"):
        fails_first()
    assert (fails_first(), fails_first(), len(tries)) == (7, 7, 2)


@pytest.mark.parametrize("name", ["_loop", "_shared", "_in_file", "own_in_memory"])
def test_what_the_index_shares_between_threads_is_made_once(name: str) -> None:
    """Two event loops with one pool of connections fail whoever gets the connection of the other."""
    assert getattr(database, name).__code__ is made_once(object).__code__
