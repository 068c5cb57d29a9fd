"""Tiles of the shots that people open next are there before they do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from anyio import to_thread

from desk.pictures.previews import Found, Pictures, tiles_name
from desk.pictures.tile_cache import TileShelf
from desk.state import Desk
from packshot.naming import ShotId
from packshot.record import EDIT
from tasks.records.stored import load_record
from tests.desk.records import record_in
from tests.flows.line import poll


@pytest.fixture
def desk_with_own_shelf(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Other tests make tiles of the same pictures."""
    monkeypatch.setattr("desk.state.SHORTEST_ROUND_S", 0.05)
    desk.pictures = Pictures(TileShelf(tmp_path / "tiles", max_bytes=100_000_000))
    return desk


def has_tiles(desk: Desk, shot: ShotId) -> list[bool]:
    """Whether there are tiles of the edit and of the master."""
    record = load_record(shot)
    return [desk.pictures.shelf.has(tiles_name(Found(record, n, record.objects[n]))) for n in (EDIT, "master.tif")]


def while_at_work(desk: Desk, wanted: list[ShotId]) -> None:
    """Let the desk work until it has all tiles of these shots."""

    async def a_while() -> None:
        async with desk.at_work():
            there = lambda: all(all(has_tiles(desk, one)) for one in wanted) or None  # noqa: E731
            await to_thread.run_sync(lambda: poll(there, until="the tiles are there"))

    asyncio.run(a_while())


def test_the_first_of_a_list_have_tiles_before_anybody_opens_them_and_the_next_when_one_is_decided(
    desk_with_own_shelf: Desk, for_review: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind of test that was missing: one that looks at a shot which nobody has opened, nor the one before it."""
    desk, (first, second, third) = desk_with_own_shelf, for_review
    monkeypatch.setattr("desk.state.MADE_AHEAD", 2)
    while_at_work(desk, [first, second])
    assert has_tiles(desk, third) == [False, False]
    monkeypatch.setattr(type(desk.outbox), "shots", frozenset({str(first)}))
    while_at_work(desk, [third])


def test_a_picture_that_is_gone_stops_no_other(
    desk_with_own_shelf: Desk, for_review: list[ShotId], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, (first, *others) = desk_with_own_shelf, for_review
    lost = load_record(first)
    lost = lost.model_copy(update={"objects": {**lost.objects, EDIT: record_in(lost.state, first).objects[EDIT]}})
    monkeypatch.setattr("desk.state.record_of", lambda shot: lost if shot == first else load_record(shot))
    while_at_work(desk, others)
    assert has_tiles(desk, first) == [False, False]
