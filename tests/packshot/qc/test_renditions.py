"""One edit on many canvases: the strictest rendition decides, whatever the order in which they were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest

from packshot.qc.report import RENDITION_CODES, QcReport, judge_all
from packshot.qc.score import stricter
from packshot.specs.models import Configs, EditRules, RenditionPlan
from packshot.specs.resolve import merged_rules
from packshot.types import Finding, Status, Verdict
from tests.configs import shipped_configs

PLATFORMS = tuple(sorted(shipped_configs().platforms))
SMALLER = 0.4
"""Canvases are this much smaller than shipped."""
BORDERLINE = "walmart"
"""This platform asks for a colour reference, which the drawn edit lacks: its verdict differs from the others'."""
FEW = ("amazon_main", "bol", "tiktok_shop", BORDERLINE)
"""Each of these gives the drawn edit another score."""


def smaller(configs: Configs, name: str) -> RenditionPlan:
    platform = configs.platforms[name]
    stated = platform.canvas.model_dump(include={"min_px", "recommended_px", "max_px"}, exclude_none=True)
    sizes = {key: round(value * SMALLER) for key, value in stated.items()}
    canvas = platform.canvas.model_copy(update=sizes)
    rules = merged_rules(configs.defaults, category=None, platform=platform, client=EditRules())
    if name == BORDERLINE:
        rules = rules.model_copy(update={"colour_reference_required": True})
    return RenditionPlan(platform=platform.model_copy(update={"canvas": canvas}), rules=rules, naming="{sku}")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(FEW, marks=pytest.mark.unless_slow, id="few platforms"),
        pytest.param(PLATFORMS, marks=pytest.mark.slow, id="all platforms"),
    ],
)
def canvases(good: Any, configs: Configs, request: pytest.FixtureRequest) -> Mapping[str, Any]:
    return {name: good.change(rendition=smaller(configs, name)).edit() for name in request.param}


@pytest.fixture(scope="module")
def reports(canvases: Mapping[str, Any], configs: Configs) -> Mapping[tuple[str, ...], QcReport]:
    """The report for every platform alone, and for all ordered pairs."""
    known = by_code(judge_all([canvases[next(iter(canvases))]], configs.qc))
    alone = {(name,): judge_all([canvases[name]], configs.qc, known=known) for name in canvases}
    pairs = permutations(canvases, 2)
    return {
        **alone,
        **{names: judge_all((canvases[name] for name in names), configs.qc, known=known) for names in pairs},
    }


def pairs_of(reports: Mapping[tuple[str, ...], QcReport]) -> list[tuple[str, ...]]:
    return [names for names in reports if len(names) == 2]


def by_code(report: QcReport) -> Mapping[str, Finding]:
    return {finding.code: finding for finding in report.findings}


def test_shipped_platforms_come_to_different_verdicts_on_the_drawn_edit(reports: Any) -> None:
    """Else the tests below would compare like with like."""
    alone = [report for names, report in reports.items() if len(names) == 1]
    assert {report.verdict for report in alone} >= {Verdict.AUTO_APPROVE, Verdict.HUMAN_REVIEW}
    assert len({report.score for report in alone}) > 2
    assert len(pairs_of(reports)) >= 12


def test_order_of_two_platforms_changes_nothing(reports: Any) -> None:
    for one, other in pairs_of(reports):
        there, back = reports[(one, other)], reports[(other, one)]
        assert (there.score, there.verdict) == (back.score, back.verdict), (one, other)
        assert there.findings == back.findings, (one, other)
        assert set(there.renditions) == set(back.renditions), (one, other)


def test_a_further_platform_never_raises_the_score_nor_softens_the_verdict(reports: Any) -> None:
    for one, other in pairs_of(reports):
        alone, both = reports[(one,)], reports[(one, other)]
        assert both.score <= alone.score, (one, other)
        assert stricter(both.verdict, alone.verdict) is both.verdict, (one, other)


def test_each_rendition_is_judged_as_if_it_were_alone(reports: Any) -> None:
    for pair in pairs_of(reports):
        for place, name in enumerate(pair):
            assert reports[pair].renditions[place] == reports[(name,)].renditions[0], (pair, name)


def test_all_platforms_at_once_are_judged_as_the_strictest(reports: Any, canvases: Any, configs: Configs) -> None:
    report = judge_all(canvases.values(), configs.qc)
    backwards = judge_all(reversed(canvases.values()), configs.qc)
    assert report.score == min(reports[(name,)].score for name in canvases)
    assert report.verdict is stricter(*(reports[(name,)].verdict for name in canvases))
    assert report.findings == backwards.findings
    approved = {name for name in canvases if reports[(name,)].verdict is Verdict.AUTO_APPROVE}
    assert set(report.approved_platforms) == approved


def test_a_finding_names_the_platform_that_it_is_worst_on(reports: Any) -> None:
    named = 0
    for pair in pairs_of(reports):
        alone = [by_code(reports[(name,)]) for name in pair]
        for code in RENDITION_CODES:
            worst = by_code(reports[pair])[code]
            if alone[0][code] == alone[1][code] or worst.status is Status.PASSED:
                continue
            assert worst.message.startswith(tuple(f"{name}: " for name in pair)), (pair, code)
            named += 1
    assert named


def test_what_stops_the_whole_edit_stops_every_rendition(reports: Any) -> None:
    told = Finding(code="routing_model", status=Status.FAILED, message="may be refused", gate=True)
    stopped = reports[pairs_of(reports)[0]].stopped(told)
    assert stopped.verdict is not Verdict.AUTO_APPROVE
    assert stopped.approved_platforms == ()
