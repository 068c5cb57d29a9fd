"""Every reason why a platform gets nothing of a shot, at every place that must say so."""

from __future__ import annotations

import ast
import dataclasses
import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeGuard

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from deployments.summaries import show_summary
from packshot import pipeline
from packshot.batch import ShotRef
from packshot.colour.transform import srgb8_to_working
from packshot.errors import PackshotError
from packshot.export.certificate import certificate_json
from packshot.export.delivery import DeliverySummary, summarise_shot
from packshot.export.labels import Labels
from packshot.export.package import manifest_csv
from packshot.export.report_page import ShotPictures, report_html
from packshot.outcomes.daily import figures_of, report_of
from packshot.outcomes.daily_page import daily_page
from packshot.outcomes.daily_record import brief
from packshot.pipeline import Edit, Export, exporting, without_held
from packshot.qc.report import QcReport, RenditionReport
from packshot.qc.score import stricter
from packshot.record import ShotRecord, State
from packshot.specs.daily import DailyConfig
from packshot.specs.models import Client, Plan, RenditionPlan
from packshot.specs.resolve import resolve
from packshot.types import Finding, Status, Verdict
from tasks.batches.fates import Summary
from tasks.batches.summing_up import fate_of
from tasks.reports.daily_artifact import daily_markdown
from tasks.stages.stored_edits import export_report
from tests import drawn_products
from tests.configs import shipped_configs
from tests.docs.test_errors import code_expressions
from tests.packshot.outcomes.lives import BATCH, DAY, RECEIVED, Shot

SIZE_PX = 240
GOOD = "shopify"


def small(rendition: RenditionPlan, **changes: Any) -> RenditionPlan:
    """A rendition on a canvas that is quick to draw, with changes of its platform."""
    canvas = rendition.platform.canvas.model_copy(
        update={"min_px": 100, "recommended_px": SIZE_PX, "max_px": None, **changes.pop("canvas", {})}
    )
    naming = changes.pop("naming", "{shot}")
    platform = rendition.platform.model_copy(update={"canvas": canvas, **changes})
    return rendition.model_copy(update={"platform": platform, "naming": naming})


REASONS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "walmart": ({"naming": "{gtin14}"}, "gtin14"),
    "etsy": ({"max_bytes": 900}, "byte"),
    "amazon_main": ({"canvas": {"min_px": 4000, "recommended_px": 4000}}, "px"),
    "ebay": ({"min_bytes": 50_000_000}, "byte"),
}
"""Platform -> what is wrong with it, and a word of the reason: no name, a file too large, too few pixels, too small."""
UNTAKEN = "google_shopping"


@pytest.fixture(scope="module")
def plan() -> Plan:
    configs = shipped_configs()
    asked = (GOOD, *REASONS)
    plan = resolve(configs, client="default", platforms=asked)
    changes = {name: change for name, (change, _) in REASONS.items()}
    renditions = tuple(small(one, **dict(changes.get(one.platform.name, {}))) for one in plan.renditions)
    return plan.model_copy(update={"renditions": renditions, "left_out": {UNTAKEN: "It takes MAIN; this is PT01."}})


def exported(plan: Plan) -> Export:
    share = drawn_products.coverage(SIZE_PX, SIZE_PX)
    picture = np.rint(255 - share[..., None] * (255 - np.array(drawn_products.PAINT))).astype(np.uint8)
    composite = srgb8_to_working(picture)
    return pipeline.export(composite, share.astype(np.float32), plan, known={"shot": "A1"}, labels=Labels())


@pytest.fixture(scope="module")
def export(plan: Plan) -> Export:
    return exported(plan)


def of_export(export: Export) -> ShotRecord:
    """A shot's record after its export: delivered, or failed where nothing may be."""
    shot = Shot("A1").edited(State.APPROVED).reports(export=export_report(export))
    ends = (State.EXPORTED, State.VERIFIED, State.DELIVERED) if export.verified else (State.FAILED,)
    return shot.goes(*ends).record


def summary_of(record: ShotRecord) -> Summary:
    ref = ShotRef(shot=record.shot, path="A1.jpg", key="k", etag="e", size_bytes=1)
    return Summary(batch=BATCH, fates=(fate_of(ref, record),))


def delivery_of(record: ShotRecord) -> DeliverySummary:
    kind: Any = "delivered" if record.state is State.DELIVERED else "failed"
    shot = summarise_shot(record, file="A1.jpg", kind=kind, why="", in_this_delivery=kind == "delivered")
    return DeliverySummary(batch=BATCH, number=1, at=DAY.begins, shots=(shot,), code_version="0", pipeline_version="0")


def status_of(record: ShotRecord) -> str:
    console = Console(file=io.StringIO(), width=80)
    show_summary(console, summary_of(record))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return " ".join(text.split())


def message_of(record: ShotRecord) -> str:
    summary = summary_of(record)
    return summary.failure_sentence if summary.failed else summary.sentence


def manifest_of(record: ShotRecord) -> str:
    table = pd.read_csv(io.BytesIO(manifest_csv(delivery_of(record))), dtype=str, keep_default_na=False)
    rows = table[table["file"] == ""]
    return " ".join(f"{row.platform} {row.remarks}" for row in rows.itertuples())


def daily_of(record: ShotRecord) -> Any:
    figures = figures_of([brief(record)], DAY, received=RECEIVED)
    return report_of([figures], last=DAY.date, length=1, config=DailyConfig(), zone="UTC")


PLACES: Mapping[str, Callable[[ShotRecord], str]] = {
    "status": status_of,
    "status --json": lambda record: json.dumps(summary_of(record).model_dump(mode="json")),
    "the run's message": message_of,
    "the batch's table": lambda record: str(summary_of(record).rows),
    "manifest.csv": manifest_of,
    "certificate": lambda record: certificate_json(delivery_of(record)).decode(),
    "report": lambda record: report_html(delivery_of(record), pictures=lambda shot: ShotPictures()).decode(),
    "daily figures": lambda record: daily_of(record).figures.model_dump_json(),
    "daily page": lambda record: daily_page(daily_of(record)).decode(),
    "daily artifact": lambda record: daily_markdown(daily_of(record), link="", key="").replace("\\", ""),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_reason_stands_at_every_place(export: Export, place: str) -> None:
    said = PLACES[place](of_export(export))
    assert {one.platform for one in export.verified} == {GOOD}
    for platform, word in [*((name, word) for name, (_, word) in REASONS.items()), (UNTAKEN, "PT01")]:
        assert platform in said, platform
        assert word in export.left_out[platform], platform
        assert word in said, platform


def test_no_place_says_twice_whose_reason_it_is(export: Export) -> None:
    said = message_of(of_export(export))
    for platform in (*REASONS, UNTAKEN):
        assert said.count(f"A1 for {platform}") == 1, platform


@pytest.mark.parametrize("place", [place for place in PLACES if place != "report"])
def test_every_error_of_ours_reaches_every_place(place: str) -> None:
    """The client's report shows the pictures of what is delivered; of a shot of which nothing is, it shows why."""
    kinds, found = [PackshotError], []
    while kinds:
        found.append(kind := kinds.pop())
        kinds += kind.__subclasses__()
    failures = {f"platform{n}": kind("cannot be made", f"subject{n}") for n, kind in enumerate(found)}
    export = Export((), (), failures, {name: str(error) for name, error in failures.items()})
    said = PLACES[place](of_export(export))
    named = [name for name in failures if f"{name} " in said or f"{name}:" in said or f'"{name}"' in said]
    if place == "the run's message":
        assert "1 of 1 shot failed" in said
    else:
        assert len(named) >= 5


@cache
def verification_codes() -> list[str]:
    """Every code of a finding about a file that is to be delivered, read from the code that gives them."""
    rooms = {"export", "framing"}
    found = {code for file, _, code in code_expressions() if file.parent.name in rooms}
    return sorted(str(literal.value) for code in found for literal in ast.walk(code) if _is_text(literal))


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.fixture(scope="module")
def refused_by_every_code(plan: Plan, export: Export) -> ShotRecord:
    """A shot with one platform for each code that verification can give, whose file fails by that code alone."""
    like, made = plan.renditions[0], export.rejected[0]
    platforms = {f"shop-{n}": code for n, code in enumerate(verification_codes())}
    renditions, rejected = [like], []
    for name, code in platforms.items():
        renditions.append(like.model_copy(update={"platform": like.platform.model_copy(update={"name": name})}))
        told = Finding(code=code, status=Status.FAILED, message=f"It fails by {code} here.", gate=True)
        file = dataclasses.replace(made.rendered, findings=(told,))
        rejected.append(dataclasses.replace(made, platform=name, path=f"{name}/A1.jpg", rendered=file))
    asked = plan.model_copy(update={"renditions": tuple(renditions), "left_out": {}})
    left_out = exporting._left_out(asked, export.verified, rejected, {})
    return of_export(Export(export.verified, tuple(rejected), {}, left_out))


def test_the_codes_are_those_that_verification_gives(export: Export) -> None:
    given = {one.code for file in (*export.verified, *export.rejected) for one in file.rendered.findings}
    codes = set(verification_codes())
    assert given <= codes
    assert {"non_white_background", "file_bytes", "colour_shift", "clipping_path", "file_unreadable"} <= codes


CUT = {"the run's message": (0, "left out"), "daily artifact": (12, "more on the page")}
"""Places that name the first few and count the others -> (how many are not in the count, the words after it)."""


@pytest.mark.parametrize("place", PLACES)
def test_every_code_of_verification_stands_at_every_place(refused_by_every_code: ShotRecord, place: str) -> None:
    said = PLACES[place](refused_by_every_code)
    codes = verification_codes()
    if place in CUT:
        less, words = CUT[place]
        assert f"{len(codes) - less} {words}" in said
        return
    assert [code for code in codes if f"fails by {code} here" not in said] == []


def test_every_platform_that_was_asked_for_is_delivered_or_left_out(plan: Plan, export: Export) -> None:
    asked = {*(one.platform.name for one in plan.renditions), *plan.left_out}
    assert asked == {one.platform for one in export.verified} | export.left_out.keys()
    assert set(export.failures) < export.left_out.keys()
    assert export.rejected, "one of the reasons is a failed verification"


def test_a_client_who_takes_all_or_nothing_gets_nothing_and_every_platform_is_named(plan: Plan, export: Export) -> None:
    strict = exported(plan.model_copy(update={"all_or_nothing": True}))
    assert strict.verified == ()
    assert {name.split("/")[0] for name in strict.left_out} == export.left_out.keys() | {GOOD}
    assert "all or nothing" in strict.left_out[GOOD]


def test_a_client_who_takes_all_or_nothing_gets_all_where_nothing_is_missing(plan: Plan) -> None:
    good = plan.model_copy(update={"renditions": plan.renditions[:1], "left_out": {}, "all_or_nothing": True})
    assert exported(good).verified


def test_a_long_list_is_cut_in_the_message_with_the_number_of_the_rest() -> None:
    failures = {f"platform{n}": f"reason {n}" for n in range(8)}
    said = message_of(of_export(Export((), (), {}, failures)).model_copy(update={"state": State.DELIVERED}))
    assert "8 left out" in said
    assert "and 3 more" in said


def judged(**verdicts: Verdict) -> Edit:
    """An edit whose renditions came to these verdicts."""
    told = Finding(code="low_resolution", status=Status.FAILED, message="Few pixels.", gate=True)
    renditions = tuple(
        RenditionReport(
            **{"score": 80, "background": 20, "edge": 20, "fill": 20, "colour": 20},
            platform=name,
            verdict=verdict,
            findings=() if verdict is Verdict.AUTO_APPROVE else (told,),
        )
        for name, verdict in verdicts.items()
    )
    report = QcReport.model_construct(score=80.0, verdict=stricter(*verdicts.values()), renditions=renditions)
    nothing: Any = np.zeros((1, 1))
    return Edit(nothing, nothing, "refined", report, ())


FINE, LOOK, AGAIN = Verdict.AUTO_APPROVE, Verdict.HUMAN_REVIEW, Verdict.REJECT_AND_REDO


@pytest.mark.parametrize(
    ("verdicts", "held"),
    [
        ((FINE, FINE), set()),
        ((FINE, LOOK), {"walmart"}),
        ((LOOK, FINE), {"shopify"}),
        ((LOOK, LOOK), set()),
        ((FINE, AGAIN), set()),
        ((AGAIN, LOOK), set()),
    ],
)
def test_passing_renditions_go_ahead_only_where_the_client_has_it_so(
    plan: Plan, verdicts: tuple[Verdict, Verdict], held: set[str]
) -> None:
    """Where nothing may go ahead, or the edit is made again, all of the shot takes the way of its strictest one."""
    edit = judged(shopify=verdicts[0], walmart=verdicts[1])
    assert edit.held_back(plan) == {}
    assert set(edit.held_back(plan.model_copy(update={"partial": "ship"}))) == held


@pytest.mark.parametrize("place", PLACES)
def test_what_is_held_back_is_named_at_every_place_while_the_others_are_delivered(plan: Plan, place: str) -> None:
    held = judged(shopify=FINE, walmart=LOOK).held_back(plan.model_copy(update={"partial": "ship"}))
    ahead = without_held(plan, held)
    assert "walmart" not in {one.platform.name for one in ahead.renditions}
    said = PLACES[place](of_export(exported_ahead(ahead)))
    assert "walmart" in said
    assert "Few pixels" in said


@cache
def _ahead(plan: str) -> Export:
    return exported(Plan.model_validate_json(plan))


def exported_ahead(plan: Plan) -> Export:
    first = tuple(one for one in plan.renditions if one.platform.name == GOOD)
    return _ahead(plan.model_copy(update={"renditions": first}).model_dump_json())


def test_a_client_cannot_ask_for_parts_and_for_all_or_nothing() -> None:
    with pytest.raises(ValueError, match="partial: wait where all_or_nothing is true"):
        Client(name="acme", title="Acme", platforms=("shopify",), partial="ship", all_or_nothing=True)
