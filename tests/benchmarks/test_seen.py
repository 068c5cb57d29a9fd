"""The set that was looked at: its split, its verdicts, what counts as changed, its figures, its sheets."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.seen import verdicts
from benchmarks.seen.__main__ import asked_for
from benchmarks.seen.editing import Result, matte_hash
from benchmarks.seen.outline_tiles import KNOWN_PX, TILE_PX, walk
from benchmarks.seen.photographs import Half, Photograph, half_of, product_of, split_rows
from benchmarks.seen.sheets import MOST_PIXELS, MOST_PX, on_dark, sheets
from benchmarks.seen.table import Counts, pairs_of, table
from benchmarks.seen.verdicts import Kind, Seen, VerdictError, keep, load, still_to_see, take
from packshot.colour.spaces import encode_working
from packshot.colour.transform import working_to_srgb8
from tests.drawn_products import coverage

EDIT = Result("a/b.jpg", "a" * 64, "a/b", Half.CHOSEN_ON.value, "line", "5", "refined", "c" * 64, (400, 300), 95.0)
SHOWN = "aaaaaaaaaaaa-line-cccccccc"
DEFECT = {"kind": "halo", "place": {"x": 390, "y": 0, "width": 10, "height": 300}, "says": "A grey line on the right."}


def line(**said: object) -> str:
    return json.dumps({"edit": SHOWN, "signed": False, "defects": [DEFECT], **said})


def test_all_photographs_of_a_product_are_in_the_half_that_its_name_gives() -> None:
    halves = defaultdict(set)
    for row in split_rows():
        assert row["product"] == product_of(row["file"])
        halves[row["product"]].add(row["half"])
    assert {name: {half_of(name).value} for name in halves} == halves
    assert len(split_rows()) == 286


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("magento-garments/mj02-green_main.jpg", "magento-garments/mj02-green_back.jpg"),
        ("magento-gear/mb02-blue-0.jpg", "magento-gear/mb02-gray-0.jpg"),
        ("smartstore/ladies_jacket_red.jpg", "smartstore/ladies_jacket_navy.jpg"),
        ("broadleaf-sauces/Cool-Cayenne-Bottle.jpg", "broadleaf-sauces/Cool-Cayenne-Close.jpg"),
    ],
)
def test_views_and_colours_of_one_thing_are_one_product(one: str, other: str) -> None:
    assert product_of(one) == product_of(other) != product_of("trashnet/metal24.jpg")


def test_the_verdicts_that_are_kept_agree_with_the_split() -> None:
    rows = {row["file"]: row for row in split_rows()}
    for one in load():
        row = rows[one.file]
        assert (one.sha256, one.product, one.half.value) == (row["sha256"], row["product"], row["half"])


def test_only_the_half_and_the_files_that_are_asked_for_are_made() -> None:
    photos = [
        Photograph(file, file * 8, file, half, "bags")
        for file, half in (("a/1.jpg", Half.CHOSEN_ON), ("a/2.jpg", Half.ONLY_REPORTED), ("b/1.jpg", Half.CHOSEN_ON))
    ]
    assert asked_for(photos, half=None, only=None) == photos
    assert asked_for(photos, half="chosen on", only=None) == [photos[0], photos[2]]
    assert asked_for(photos, half="chosen on", only=["b/"]) == [photos[2]]
    assert asked_for(photos, half="only reported", only=["b/"]) == []


def test_a_verdict_is_taken_with_all_that_tells_its_edit() -> None:
    seen = take([line(), ""], [EDIT], looker="looker 1")
    assert [(one.matte_sha256, one.half, one.defects[0].kind) for one in seen] == [
        ("c" * 64, Half.CHOSEN_ON, Kind.HALO)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        line(signed=True),
        line(defects=[]),
        line(edit="bbbbbbbbbbbb-line-cccccccc"),
        line(edit="aaaaaaaaaaaa-line-dddddddd"),
        line(defects=[{**DEFECT, "kind": "ugly"}]),
        line(defects=[{**DEFECT, "place": {**DEFECT["place"], "width": 11}}]),  # type: ignore[dict-item]
        line(defects=[{**DEFECT, "says": ""}]),
        line(score=95),
    ],
)
def test_what_is_no_verdict_is_refused_with_its_line(wrong: str) -> None:
    with pytest.raises(VerdictError, match="line 2"):
        take([line(), wrong], [EDIT], looker="looker 1")


def test_a_later_verdict_on_the_same_matte_takes_the_earlier_ones_place(tmp_path: Path) -> None:
    keep(take([line()], [EDIT], looker="looker 1"), tmp_path)
    keep(take([line(signed=True, defects=[])], [EDIT], looker="looker 1"), tmp_path)
    keep(take([line()], [EDIT], looker="looker 2"), tmp_path)
    assert [(one.looker, one.signed) for one in load(tmp_path)] == [("looker 1", True), ("looker 2", False)]


def test_only_a_matte_that_nobody_saw_is_still_to_see_and_doubtful_ones_come_first() -> None:
    seen = take([line()], [EDIT], looker="looker 1")
    plain = dataclasses.replace(EDIT, way="network")
    changed = dataclasses.replace(EDIT, matte_sha256="d" * 64, score=20.0)
    near = dataclasses.replace(EDIT, sha256="f" * 64, score=80.0)
    assert still_to_see([EDIT, plain], seen) == []
    assert still_to_see([changed, EDIT, near], seen) == [near, changed]


def test_a_mattes_hash_tells_a_level_and_a_shape_apart() -> None:
    matte = np.zeros((4, 6), np.uint8)
    other = matte.copy()
    other[1, 2] = 1
    assert len({matte_hash(matte), matte_hash(other), matte_hash(matte.reshape(6, 4))}) == 3
    assert matte_hash(matte) == matte_hash(matte.copy())


def seen_of(result: Result, looker: str, *kinds: str) -> Seen:
    said = line(edit=verdicts.shown_name(result), signed=not kinds, defects=[{**DEFECT, "kind": one} for one in kinds])
    return take([said], [result], looker=looker)[0]


def test_the_table_counts_what_machine_and_eye_disagree_about_in_each_half() -> None:
    gate = {"code": "loose_outline", "status": "failed", "gate": True}
    made = [
        dataclasses.replace(EDIT, sha256=f"{number:x}" * 64, matte_sha256=f"{number:x}" * 64, **facts)
        for number, facts in enumerate(
            (
                {"verdict": "auto_approve", "night": {"approves": True}},
                {"verdict": "auto_approve", "night": {"approves": False}},
                {"verdict": "human_review", "findings": (gate,)},
                {"verdict": "human_review", "findings": (gate,)},
                {"verdict": "auto_approve", "half": Half.ONLY_REPORTED.value},
                {"verdict": "auto_approve"},
            )
        )
    ]
    seen = [seen_of(made[0], "looker 1"), seen_of(made[0], "looker 2", "shadow_kept"), seen_of(made[1], "looker 1")]
    seen += [seen_of(made[2], "looker 1"), seen_of(made[3], "looker 1", "halo"), seen_of(made[4], "looker 1")]
    pairs = pairs_of([*made[:4], dataclasses.replace(made[4], matte_sha256="e" * 64), made[5]], seen)
    assert Counts.of(pairs) == Counts(4, approved=2, approved_refused=1, held=2, held_fine=1, night=1, night_refused=1)
    text = table(pairs_of(made, seen))
    assert "| chosen on | 4 | 2 | 1 (50%) | 2 | 1 (50%) | 1 | 1 (100%) |" in text
    assert "| only reported | 1 | 1 | 0 (0%) | 0 | - | 0 | - |" in text
    assert "| shadow_kept | 1 | 1 | 0 | 0 |" in text
    assert "| loose_outline | 1 | 1 | 1 | 0 | 0 | 0 |" in text


def test_what_is_wrong_on_dark_alone_is_counted_apart() -> None:
    night = {"verdict": "auto_approve", "night": {"approves": True}}
    made = [dataclasses.replace(EDIT, sha256=f"{n}" * 64, matte_sha256=f"{n}" * 64, **night) for n in range(4)]
    names = [verdicts.shown_name(one) for one in made]
    said = [
        line(edit=names[0], signed=False, defects=[DEFECT], on_white=True),
        line(edit=names[1], signed=False, defects=[DEFECT], on_white=False),
        line(edit=names[2], signed=True, defects=[], on_white=True),
        line(edit=names[3], signed=True, defects=[]),
    ]
    pairs = pairs_of(made, take(said, made, looker="looker 1"))
    assert [one.on_white for one in pairs] == [True, False, True, None]
    assert "| chosen on | 3 | 1 (33%) |" in table(pairs)
    with pytest.raises(VerdictError, match="right on white too"):
        take([line(edit=names[0], signed=True, defects=[], on_white=False)], made, looker="looker 1")


def test_tiles_show_every_point_of_an_outline_with_room_around_it() -> None:
    matte = coverage(700, 900, radius_ratio=0.4) * (1 - coverage(700, 900, radius_ratio=0.1))
    matte[30:40, 30:40] = 0.3  # haze far from any outline
    covered = np.zeros(matte.shape, np.bool_)
    tiles = walk(matte.astype(np.float32))
    for tile in tiles:
        top, left = max(0, tile.top + KNOWN_PX - 2), max(0, tile.left + KNOWN_PX - 2)
        covered[top : tile.top + TILE_PX - KNOWN_PX + 2, left : tile.left + TILE_PX - KNOWN_PX + 2] = True
    whole = (matte >= 0.5).astype(np.uint8)
    edge = (whole != cv2.erode(whole, np.ones((3, 3), np.uint8))) | (matte == np.float32(0.3))
    assert edge.any()
    assert covered[edge].all()
    assert len(tiles) < 30


def test_on_dark_a_pixel_is_its_own_colour_over_dark() -> None:
    alpha = np.array([[0, 0.5, 1]], np.float32)
    own = np.array([0.2, 0.1, 0.05], np.float32)
    white, dark = (
        working_to_srgb8(encode_working((alpha[..., None] * own + (1 - alpha[..., None]) * behind).astype(np.float32)))
        for behind in (1.0, 0.0)
    )
    assert np.abs(on_dark(white, alpha, level=0).astype(int) - dark).max() <= 4


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (900, 700), (1003, 1003), (2400, 1800)])
def test_sheets_are_small_enough_to_be_shown_as_they_are(size: tuple[int, int]) -> None:
    matte = coverage(*size, radius_ratio=0.45).astype(np.float32)
    picture = np.full((*matte.shape, 3), 255, np.uint8)
    made = sheets(matte, picture, picture)
    assert all(max(one.shape[:2]) <= MOST_PX and one.shape[0] * one.shape[1] <= MOST_PIXELS for one in made)
    assert len(made) <= 6
