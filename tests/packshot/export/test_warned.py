"""Each warning of a batch is said once, with the photographs that it concerns."""

from __future__ import annotations

from packshot.export.warned import warned_of
from packshot.record import ShotRecord
from packshot.types import Finding, Status
from tests.packshot.outcomes.lives import Shot


def warning(code: str, message: str, *, status: Status = Status.WARNING, picture: str = "") -> Finding:
    return Finding(code=code, status=status, message=message, picture=picture)


def record(name: str, *findings: Finding, of_file: tuple[Finding, ...] = ()) -> ShotRecord:
    files = [{"path": f"{name}.jpg", "findings": [one.model_dump(mode="json") for one in of_file]}]
    shot = Shot(name).reports(export={"files": files * 2}).record
    return shot.model_copy(update={"findings": findings})


def test_a_warning_of_many_photographs_is_one_with_all_of_them() -> None:
    said = warned_of(
        record(f"A{n}", warning("clips", f"It drives {n}.5 % off."), warning("clips", "It drives 9 % off."))
        for n in range(20)
    )
    (one,) = said
    assert one.shots == tuple(f"A{n}" for n in range(20))
    assert one.sentence == "clips at 20 (A0, A1, A2 and 17 more): It drives 0.5 % off."


def test_what_differs_in_words_is_said_apart_and_what_concerns_most_comes_first() -> None:
    said = warned_of(
        [
            record("A1", warning("category_unknown", "'jewlry' is none.")),
            record("A2", warning("category_unknown", "'kettels' is none.")),
            record("A3", warning("category_unknown", "'kettels' is none.")),
        ]
    )
    assert [(one.message, one.shots) for one in said] == [
        ("'kettels' is none.", ("A2", "A3")),
        ("'jewlry' is none.", ("A1",)),
    ]


def test_warnings_of_files_count_and_nothing_but_warnings_of_what_is_there() -> None:
    gone = warning("gone", "Of an edit that was replaced.", picture="an earlier one")
    passed = warning("white", "It is white.", status=Status.PASSED)
    failed = warning("white", "It is not.", status=Status.FAILED)
    (one,) = warned_of([record("A1", gone, passed, failed, of_file=(warning("quality_lowered", "To 80."), passed))])
    assert (one.code, one.shots) == ("quality_lowered", ("A1",))
