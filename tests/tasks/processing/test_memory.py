"""What one process spends on photographs at the same time: never more than the largest accepted one takes alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from packshot.ingest.limits import working_bytes
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, Source, State
from tasks.environment.configs import configs_in_force
from tasks.processing import memory
from tasks.processing.memory import Room, room_for
from tasks.processing.networks import LoadedModel
from tasks.records.bookkeeping import Life
from tasks.records.stored import load_record
from tasks.results.handovers import ApprovedShot
from tasks.stages import first_edit, shot_stages
from tasks.storage.bucket import Storage
from tests.drawn_products import ContrastNetwork
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import routed

ALL, LONG_S = 100, 60


def works(place: Room, wanted: int, log: Callable[[], None], until: threading.Event) -> None:
    with place.taken(wanted, of_bytes=ALL):
        log()
        assert until.wait(LONG_S)


def test_those_work_together_that_find_room_and_the_others_follow_in_their_order() -> None:
    """A large one is not passed over for ever by small ones that would fit beside the one at work."""
    place, log, events = Room(), list[str](), {name: threading.Event() for name in ("first", "large", "small")}
    entered = threading.Condition()

    def start(pool: ThreadPoolExecutor, name: str, wanted: int) -> None:
        def say() -> None:
            with entered:
                log.append(name)
                entered.notify_all()

        pool.submit(works, place, wanted, say, events[name])

    def until(condition: Callable[[], bool]) -> None:
        with entered:
            assert entered.wait_for(condition, LONG_S)

    with ThreadPoolExecutor(3) as pool:
        start(pool, "first", 40)
        until(lambda: log == ["first"])
        start(pool, "large", 300)  # more than there is: it gets all, alone
        while len(place._waiting) < 1:
            pass
        start(pool, "small", 10)
        while len(place._waiting) < 2:
            pass
        assert log == ["first"]
        events["first"].set()
        until(lambda: log == ["first", "large"])
        events["large"].set()
        until(lambda: log == ["first", "large", "small"])
        events["small"].set()
    assert place._taken == 0


def test_room_is_given_back_after_an_error() -> None:
    place = Room()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), place.taken(ALL, of_bytes=ALL):
            raise ZeroDivisionError
    assert (place._taken, len(place._waiting)) == (0, 0)


def test_the_stages_that_hold_whole_pictures_hold_room_for_them(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: dict[str, int] = {}

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            taken[name] = memory._room._taken
            return function(*arguments, **options)

        return call

    for name in ("edit", "export"):
        monkeypatch.setattr(shot_stages.pipeline, name, noted(name, getattr(shot_stages.pipeline, name)))
    monkeypatch.setattr(first_edit, "load_model", lambda: LoadedModel("contrast", ContrastNetwork(), ()))
    (routed_shot,) = routed(batch, {"A1": 0.43})
    in_a_run(lambda: shot_stages.edit_shot.fn(routed_shot))
    Life(routed_shot.shot).reach(State.APPROVED, why="Ada approves")
    in_a_run(lambda: shot_stages.export_shot.fn(ApprovedShot.of(load_record(routed_shot.shot), generation=0)))
    width, height = load_record(routed_shot.shot).reports["reading"]["size"]
    assert taken == dict.fromkeys(("edit", "export"), working_bytes(width * height))
    assert memory._room._taken == 0


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
