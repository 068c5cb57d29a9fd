"""What one process spends on photographs at the same time: never more than the largest accepted one takes alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from packshot.ingest.limits import working_bytes
from packshot.naming import batch_id
from packshot.record import ShotRecord, Source
from tasks.configs import configs_in_force
from tasks.room import Room, room_for

ALL, LONG_S = 100, 60


def works(room: Room, wanted: int, log: Callable[[], None], until: threading.Event) -> None:
    with room.taken(wanted, of_bytes=ALL):
        log()
        assert until.wait(LONG_S)


def test_those_work_together_that_find_room_and_the_others_follow_in_their_order() -> None:
    """A large one is not passed over for ever by small ones that would fit beside the one at work."""
    room, log, events = Room(), list[str](), {name: threading.Event() for name in ("first", "large", "small")}
    entered = threading.Condition()

    def start(pool: ThreadPoolExecutor, name: str, wanted: int) -> None:
        def say() -> None:
            with entered:
                log.append(name)
                entered.notify_all()

        pool.submit(works, room, wanted, say, events[name])

    def until(condition: Callable[[], bool]) -> None:
        with entered:
            assert entered.wait_for(condition, LONG_S)

    with ThreadPoolExecutor(3) as pool:
        start(pool, "first", 40)
        until(lambda: log == ["first"])
        start(pool, "large", 300)  # more than there is: it gets all, alone
        while len(room._waiting) < 1:
            pass
        start(pool, "small", 10)
        while len(room._waiting) < 2:
            pass
        assert log == ["first"]
        events["first"].set()
        until(lambda: log == ["first", "large"])
        events["large"].set()
        until(lambda: log == ["first", "large", "small"])
        events["small"].set()
    assert room._taken == 0


def test_room_is_given_back_after_an_error() -> None:
    room = Room()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), room.taken(ALL, of_bytes=ALL):
            raise ZeroDivisionError
    assert (room._taken, len(room._waiting)) == (0, 0)


def test_who_holds_room_does_not_wait_for_itself() -> None:
    shot = batch_id("acme", "room").shot("A1")
    record = ShotRecord(
        shot=shot,
        source=Source(key="a", sha256="", size_bytes=1),
        reports={"reading": {"size": [32_000, 7_800]}},
    )
    assert working_bytes(32_000 * 7_800) > configs_in_force().ingest.max_working_bytes
    with room_for(record), room_for(record):
        pass
    with room_for(record):
        pass
