"""What would be approved if suspicions had to agree: each product is judged by the limits of the others."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.agreement import Case, case_of, held_table, in_pairs, limits_alone, newest, of_scene, pairs_table
from benchmarks.escape import Judged
from benchmarks.seen.editing import Result
from benchmarks.seen.photographs import Half
from benchmarks.seen.verdicts import Defect, Kind, Place, Seen
from tests.configs import shipped_configs

CONFIG = shipped_configs().qc
HOLE, PATCH = "filled_hole_suspected", "backdrop_patch_suspected"


def case(name: str, *, right: bool, facts: tuple[str, ...] = (), points: float = 100.0, **over: float) -> Case:
    return Case(name, name, right, approved=False, over=over, facts=facts, points=points)


def freed(*cases: Case) -> list[str]:
    return [one.name for one in in_pairs(cases, at=90)]


def test_one_suspicion_alone_frees_and_two_do_not() -> None:
    one, two = case("one", right=True, **{HOLE: 7.0}), case("two", right=True, **{HOLE: 1.0, PATCH: 1.0})
    assert freed(one, two) == ["one"]


def test_a_wrong_edit_of_another_product_sets_the_limit_from_which_one_suspicion_is_enough() -> None:
    wrong = case("wrong", right=False, **{HOLE: 5.0})
    assert limits_alone([wrong, case("more", right=False, **{HOLE: 6.0})], at=90) == {HOLE: 5.0}
    less, more = case("less", right=True, **{HOLE: 4.9}), case("more", right=True, **{HOLE: 5.0})
    assert freed(wrong, less, more) == ["less", "wrong"]  # its own product doesn't speak for the wrong one


def test_a_wrong_edit_that_something_else_stops_sets_no_limit() -> None:
    elsewhere = [
        case("framed", right=False, facts=("product_touches_frame",), **{HOLE: 2.0}),
        case("both", right=False, **{HOLE: 2.0, PATCH: 2.0}),
        case("poor", right=False, points=89.0, **{HOLE: 2.0}),
    ]
    assert limits_alone(elsewhere, at=90) == {}
    assert freed(*elsewhere) == []


def test_facts_and_too_few_points_stop_an_edit_as_before() -> None:
    assert freed(
        case("cut", right=True, facts=("product_touches_frame",), **{HOLE: 1.0}),
        case("poor", right=True, points=89.9, **{HOLE: 1.0}),
        dataclasses.replace(case("known", right=True), approved=True),
    ) == []  # fmt: skip


def test_a_suspicion_takes_no_points_and_what_else_was_measured_does() -> None:
    measured = {HOLE: 2 * CONFIG.rules[HOLE].bad, "jagged_edge": CONFIG.rules["jagged_edge"].bad}
    found = case_of("a", "a", "human_review", measured, [HOLE, "product_cut"], CONFIG, right=True)
    assert (dict(found.over), found.facts) == ({HOLE: pytest.approx(2)}, ("product_cut",))
    lost = CONFIG.edge_points * CONFIG.rules["jagged_edge"].weight
    assert found.points == pytest.approx(100 - lost)


def test_of_a_scene_only_failed_gates_stop_it() -> None:
    limits = CONFIG.rules[HOLE]
    measured: dict[str, float | None] = {HOLE: limits.bad, PATCH: CONFIG.rules[PATCH].good + 1, "jagged_edge": 9.0}
    judged = Judged("s", "p", "hard", True, "human_review", 80, {}, (), (HOLE, PATCH, "jagged_edge"), measured)
    found = of_scene(judged, CONFIG)
    assert found.right
    assert (dict(found.over), found.facts) == ({HOLE: 1.0}, ())
    assert not of_scene(dataclasses.replace(judged, faults=("IoU < 0.97",)), CONFIG).right


def test_the_tables_name_what_holds_a_right_edit_and_what_would_be_freed() -> None:
    cases = [case("fine", right=True, **{HOLE: 7.06}), case("bad", right=False, **{PATCH: 2.0})]
    assert "| fine | filled_hole_suspected 7.1 | - |" in held_table(cases)
    assert "bad" not in held_table(cases)
    rows = pairs_table(cases, at=90).splitlines()
    assert rows[2] == "| right | 1 | 0 | 1 | fine (filled_hole_suspected) |"
    assert rows[3] == "| wrong | 1 | 0 | 1 | bad (backdrop_patch_suspected) |"


def test_a_changed_matte_is_judged_by_the_newest_version_that_anybody_saw() -> None:
    result = Result("a/b.jpg", "a" * 64, "a/b", Half.CHOSEN_ON.value, "line", "13", "refined", "c" * 64)
    defect = Defect(kind=Kind.HALO, place=Place(x=0, y=0, width=1, height=1), says="A grey line on the right.")
    old = Seen(
        file="a/b.jpg", sha256="a" * 64, product="a/b", half=Half.CHOSEN_ON, way="line", used="refined",
        matte_sha256="d" * 64, pipeline_version="9", looker="looker 1", signed=False, defects=(defect,),
    )  # fmt: skip
    new = old.model_copy(update={"pipeline_version": "12", "signed": True, "defects": ()})
    (pair,) = newest([result], [new, old])
    assert pair.signed
    (pair,) = newest([result], [old])
    assert (pair.signed, pair.kinds) == (False, {Kind.HALO})
    assert newest([result], [old.model_copy(update={"way": "network"})]) == []
