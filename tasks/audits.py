"""Audits on the line: which shots people see unknowingly, what came of it, and what follows from a broken promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import task

from packshot.escaping import markdown
from packshot.handoff.deciding import since_restart
from packshot.learning.audits import EscapeRate, EscapeReport, Standing, audit_of, is_chosen, report_on
from packshot.learning.service import Service
from packshot.pipeline import Edit
from packshot.record import ShotRecord
from packshot.routing.promise import least_shots
from packshot.specs.models import Plan
from packshot.types import Value, Verdict
from tasks.artifacts import page_artifact
from tasks.configs import configs_in_force
from tasks.desk import every_record
from tasks.lives import ALWAYS, actor, now
from tasks.notices import raise_alarm
from tasks.routing_model import change_service, service

ARTIFACT = "escape-rate"


class Audited(Value):
    """What the audits came to.

    Attributes:
        strictness: factor on the promised ratios from now on.
    """

    report: EscapeReport
    strictness: float
    alarm: bool

    @property
    def sentence(self) -> str:
        taken = f"; promises are taken at {self.strictness:.0%} of what they state" if self.strictness < 1 else ""
        return self.report.sentence + taken


def audit_report(record: ShotRecord, plan: Plan, edit: Edit) -> Mapping[str, Any]:
    """Return what the record says where a reviewer shall not see what the machine thinks; empty for all other shots.

    Shots that people review anyway are shown blindly with the same share: a form without a score says nothing. While
    audits are few the share is high. A shot that only lacks the proof of real photographs is always looked at, and its
    verdict is such a proof.
    """
    if edit.unproven:
        return {"approved": True, "ratio": 1.0, "score": edit.score}
    routing = record.reports.get("routing", {})
    heard = service().heard / least_shots(plan.routing.approve)
    ratio = plan.routing.audit.ratio_for(client=record.shot.client, category=routing.get("category", ""), heard=heard)
    if edit.verdict is Verdict.REJECT_AND_REDO or not is_chosen(record.source.sha256, ratio=ratio):
        return {}
    return {"approved": edit.verdict is Verdict.AUTO_APPROVE, "ratio": ratio, "score": edit.score}


@task(name="measure escapes", task_run_name="measure escapes", **ALWAYS)
def measure_escapes() -> Audited:
    """Count the audits, show the escape rate, and take promises more strictly where one is broken."""
    routing = configs_in_force().routing
    found = (audit_of(record, since_restart(record)) for record in every_record())
    report = report_on(
        [one for one in found if one is not None],
        promise=routing.approve,
        window_days=routing.audit.window_days,
        at=now(),
    )
    before, after = service(), change_service(lambda one: _followed(one, report))
    alarm = after.strictness < before.strictness
    if alarm:
        raise_alarm("promise_broken", report.sentence, about="routing")
    audited = Audited(report=report, strictness=after.strictness, alarm=alarm)
    page_artifact(_page(audited), key=ARTIFACT, description=report.sentence)
    return audited


def _followed(present: Service, report: EscapeReport) -> Service:
    """Twice as strict where the promise is broken; as stated where it is kept; as before while nobody knows."""
    known = present.counted(report.overall.audited)
    changes = {Standing.BROKEN: known.tighten, Standing.KEPT: known.relax}
    if report.standing not in changes:
        return known
    return changes[report.standing](audited=report.overall.audited, at=now(), by=actor(), why=report.sentence)


def _page(audited: Audited) -> str:
    report = audited.report
    parts = [f"# Escape rate\n\n{markdown(audited.sentence)}."]
    for title, rates in (
        ("All", (report.overall,)),
        ("By month", report.by_month),
        ("By category", report.by_category),
        ("By client", report.by_client),
    ):
        rows = [_row(one) for one in rates]
        parts.append(
            "\n".join(
                [f"## {title}", "", "| | audited | refused | share | interval |", "|---|---:|---:|---:|---:|", *rows]
            )
        )
    return "\n\n".join(parts)


def _row(rate: EscapeRate) -> str:
    interval = f"{rate.low:.1%} to {rate.high:.1%}"
    return f"| {markdown(rate.name)} | {rate.audited} | {rate.refused} | {rate.ratio:.1%} | {interval} |"
