"""How often the run that hands out parts asks how they stand: seldom in a long quiet, and soon after a change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.states import Completed, Running

from flows import sharing
from flows.sharing import LONGEST_POLL_S, pause_s, share
from packshot.naming import batch_id
from tasks.runs.parts import POLL_S, Stage

BATCH = batch_id("acme", "spring")


def test_the_end_of_a_part_is_noticed_late_by_a_tenth_of_its_time_at_most() -> None:
    for quiet_s in (0.0, 5.0, 60.0, 150.0, 3600.0):
        assert POLL_S <= pause_s(quiet_s) <= max(POLL_S, min(LONGEST_POLL_S, quiet_s / 10))


class Elsewhere:
    """Two parts on other machines, each of which takes some time, and a clock that only pauses move on."""

    def __init__(self, takes_s: float) -> None:
        self.now_s, self.questions = 0.0, 0
        self.ends_s: dict[UUID, float] = {}
        self.takes_s = takes_s

    def hand_out(self, *_: Any, **__: Any) -> UUID:
        run = uuid4()
        self.ends_s[run] = self.takes_s * (1 + len(self.ends_s))
        return run

    def runs_by_id(self, ids: list[UUID]) -> dict[UUID, Any]:
        self.questions += 1
        return {one: SimpleNamespace(state=Completed() if self.now_s >= self.ends_s[one] else Running()) for one in ids}

    def done_of(self, batch: object, part: str, stage: object) -> tuple[Any, ...] | None:
        number = int(part.removeprefix("part-"))
        return ("a shot",) if len(self.ends_s) == 2 and self.now_s >= self.takes_s * number else None

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def shared(monkeypatch: pytest.MonkeyPatch, takes_s: float) -> Elsewhere:
    """Share two parts with other workers; nothing is done here."""
    there = Elsewhere(takes_s)
    clock = SimpleNamespace(monotonic=lambda: there.now_s, sleep=there.sleep)
    numbers = iter((1, 2))
    replaced = {
        "time": clock,
        "helpers": lambda: 2,
        "hand_out": there.hand_out,
        "runs_by_id": there.runs_by_id,
        "done_of": there.done_of,
        "part_name": lambda *_: f"part-{next(numbers)}",
        "store_work": lambda *_: None,
        "require_not_lost": lambda *_: None,
        "is_deserted": lambda *_: False,
    }
    for name, value in replaced.items():
        monkeypatch.setattr(sharing, name, value)
    results = share(Stage.EDIT, BATCH, [["A"], ["B"]], lambda *_: pytest.fail("done here"), lambda *_: None)
    assert results == ["a shot", "a shot"]
    return there


def test_an_hour_of_others_work_is_two_hundred_questions_and_not_two_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    there = shared(monkeypatch, takes_s=1800.0)
    assert there.questions <= 250
    assert there.now_s <= 3600.0 + LONGEST_POLL_S


def test_short_parts_are_followed_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    there = shared(monkeypatch, takes_s=10.0)
    assert there.now_s <= 20.0 + 2 * POLL_S
