"""What people see of shots and batches in Prefect, read back from its server."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from deployments.demo import environment
from packshot.escaping import cell
from packshot.keys import inbox_key, shot_key
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, Source, State
from packshot.types import Finding, Status
from tasks.records.bookkeeping import Life
from tasks.records.stored import create_record
from tasks.storage import shot_objects
from tasks.storage.bucket import Storage
from tasks.telling import displays
from tasks.telling.artifacts import artifact_key
from tests.tasks.in_runs import artifact, in_a_run

BATCH = batch_id("acme", f"displays-{uuid.uuid4().hex[:8]}")
HOSTILE = "a | [b](http://127.0.0.1/) <script>alert(1)</script> `c` **d**\n# e"
"""What a file name, a manifest or an editor may hold."""
FINDINGS = (
    Finding(code="gradient_alignment", status=Status.PASSED, message="All is well.", measured=0.02, limit=0.25),
    Finding(code="colour_not_verified", status=Status.SKIPPED, message="There is no reference."),
    Finding(code="fringe", status=Status.WARNING, message="A faint rim.", measured=0.61, limit=0.5, unit="px"),
    Finding(code="product_cut", status=Status.FAILED, message=HOSTILE, measured=0.123456, limit=0, gate=True),
)


def edit_report(**changes: Any) -> dict[str, Any]:
    return {
        "score": 87.25,
        "components": {"background": 25.0, "edge": 20.25, "fill": 18.0, "colour": 24.0},
        "verdict": "human_review",
        "method": "refined",
        "evidence": [{"code": "product_cut", "box": [1, 2, 30, 40], "message": HOSTILE}],
        **changes,
    }


def record_with(batch: BatchId, **changes: Any) -> ShotRecord:
    """A shot after stage 3A."""
    shot = batch.shot("A1_MAIN")
    create_record(ShotRecord(shot=shot, source=Source(key=inbox_key(batch, "A1_MAIN.jpg"), sha256="", size_bytes=1)))
    return Life(shot).reach(
        *(State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, State.IN_REVIEW),
        why="drawn",
        findings=FINDINGS,
        reports={"edit": edit_report(**changes), "routing": {"complexity": "medium", "reason": f"so says {HOSTILE}"}},
        objects=shot_objects.keep(shot, {"preview.webp": b"before and after", "evidence/1-product_cut.webp": b"place"}),
    )


def shown(batch: BatchId) -> str:
    return str(artifact(artifact_key("shot", batch.client, batch.batch, "A1_MAIN")).data)


def without_escapes(markdown: str) -> str:
    """What is left of a text that still means something in Markdown."""
    return re.sub(r"\\.", "", markdown)


@pytest.fixture(scope="module")
def edit_page(line_environment: dict[str, str]) -> str:
    """What is shown of a shot after stage 3A."""
    with environment(line_environment):
        in_a_run(lambda: displays.show_edit(record_with(BATCH)))
        return shown(BATCH)


def test_an_edit_is_shown_before_and_after(edit_page: str) -> None:
    assert "![A1\\_MAIN](data:image/webp;base64,YmVmb3JlIGFuZCBhZnRlcg==)" in edit_page


def test_an_edit_is_shown_with_its_score_by_component_route_method_and_state(edit_page: str) -> None:
    assert edit_page.startswith("# A1\\_MAIN: 87.2 of 100, a reviewer decides\n")
    assert "**Score** background 25.0 · edge 20.2 · fill 18.0 · colour 24.0" in edit_page
    assert "**Route** medium: so says a " in edit_page
    assert "**Method** refined" in edit_page
    assert "**State** in\\_review" in edit_page


def test_findings_stand_in_a_table_the_worst_first_with_figure_and_limit(edit_page: str) -> None:
    rows = [line for line in edit_page.splitlines() if re.match(r"\| \S+( not checked)?( \*\*gate\*\*)? \| `", line)]
    assert [re.findall(r"`(\w+)`", row)[0] for row in rows] == [
        *("product_cut", "fringe", "colour_not_verified"),
    ]
    assert rows[0].startswith("| ✗ **gate** | `product_cut` | 0.1235 | 0 |")
    assert rows[1].startswith("| ⚠ | `fringe` | 0.61 px | 0.5 px | A faint rim")
    assert rows[2].startswith("| – not checked | `colour_not_verified` |  |  |")


def test_sentences_about_what_matters_stand_above_the_table(edit_page: str) -> None:
    above = without_escapes(edit_page).split("## In figures")[0]
    said = [line for line in above.splitlines() if line.startswith("- ")]
    assert said[0].startswith("- **Stops approval.** ")
    assert said[1].startswith("- A faint rim")
    assert len(said) == 3, "what passed stands last"


def test_one_plain_sentence_and_the_way_to_the_desk_stand_first_and_what_passed_last(edit_page: str) -> None:
    sentence, link = edit_page.index("**a \\|"), edit_page.index(f"/shots/{BATCH.shot('A1_MAIN')})")
    assert sentence < link < edit_page.index("![A1") < edit_page.index("**Score**")
    assert edit_page.index("## In figures") < edit_page.index("## Passed (1)\n\n`gradient_alignment` 0.02")


def test_every_row_of_the_table_has_as_many_cells_as_its_head(edit_page: str) -> None:
    rows = [line for line in without_escapes(edit_page).splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(FINDINGS) - 1
    assert {row.count("|") for row in rows} == {6}


def test_the_places_worth_a_look_are_shown_with_their_pictures(edit_page: str) -> None:
    assert "**product\\_cut** at 1, 2 (29 x 38 px): a " in edit_page
    (link,) = re.findall(r"!\[product\\_cut\]\((\S+)\)", edit_page)
    assert shot_key(BATCH.shot("A1_MAIN"), "evidence/1-product_cut.webp") in link


def test_nothing_from_outside_becomes_markup(edit_page: str, line: Storage, batch: BatchId) -> None:
    in_a_run(lambda: displays.show_refusal(batch.shot("A1_MAIN"), HOSTILE))
    for page in (edit_page, shown(batch)):
        left = without_escapes(page)
        for markup in ("<script", "](http://127.0.0.1/)", "`c`", "**d**", "\n# e"):
            assert markup not in left
        assert "alert" in page


def test_an_edit_that_could_not_be_scored_is_shown_too(line: Storage, batch: BatchId) -> None:
    record = record_with(batch, score=0.0, components={}, verdict="reject_and_redo", evidence=[])
    in_a_run(lambda: displays.show_edit(record))
    assert "# A1\\_MAIN: 0.0 of 100, not good enough" in shown(batch)
    assert "**Score** none" in shown(batch)


def test_a_batch_is_shown_as_a_table(line: Storage, batch: BatchId) -> None:
    rows: list[dict[str, object]] = [{"shot": "A1", "became": "refused", "why": HOSTILE, "score": None}]
    in_a_run(lambda: displays.show_table(batch, rows, "1 photograph: 1 refused"))
    table = artifact(artifact_key("batch", batch.client, batch.batch))
    assert (table.type, table.description) == ("table", "1 photograph: 1 refused")
    assert json.loads(str(table.data)) == [{**rows[0], "why": cell(HOSTILE)}]
