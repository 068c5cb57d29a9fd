"""Choose shots for blind review (audits), measure how often the machine errs, and react if a promise is broken.

An audit compares the machine's hidden verdict with a reviewer's. An escape is a shot that the machine would have
approved and the reviewer refused. A promise is a limit on the escape rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import task

from packshot.escaping import markdown
from packshot.handoff.deciding import since_restart
from packshot.learning.audits import EscapeRate, EscapeReport, Standing, audit_of, is_chosen, report_on
from packshot.learning.service import ModelInService
from packshot.pipeline import Edit
from packshot.record import ShotRecord
from packshot.routing.promise import least_shots
from packshot.specs.models import Plan
from packshot.types import Value, Verdict
from tasks.environment.configs import configs_in_force
from tasks.learning.routing_model import change_service, service
from tasks.queries.asking import judged_records, repair
from tasks.records.bookkeeping import ALWAYS, actor, now
from tasks.telling.artifacts import page_artifact
from tasks.telling.notices import raise_alarm

ARTIFACT = "escape-rate"


class Audited(Value):
    """What `measure_escapes` has measured: how often the machine was wrong, and what follows.

    Attributes:
        report: the escape rate over all audits, and by month, category and client. The escape rate is the share of
            audited shots that the machine would have approved and the reviewer refused.
        strictness: factor for the promised error ratios from now on; 1 means as configured, less means stricter.
        alarm: True if the promise was just found broken, so that the factor went down.
    """

    report: EscapeReport
    strictness: float
    alarm: bool

    @property
    def sentence(self) -> str:
        """The escape rate and the promise in words, and what follows for the machine's approvals.

        Example: ``Promise of at most 2.0% kept: 1 of 400 audited shots refused in 90 days (0.0% to 1.4%)``.
        """
        taken = f"; promises now count as {self.strictness:.0%} of what they state" if self.strictness < 1 else ""
        return self.report.sentence + taken


def audit_report(record: ShotRecord, plan: Plan, edit: Edit) -> Mapping[str, Any]:
    """Return what a shot's record keeps if the shot is drawn for an audit; empty if it is not.

    In an audit a reviewer judges the shot without the machine's opinion (blind review). The entries are ``approved``
    (whether the machine would have approved the shot), ``score`` (0 to 100), and ``ratio`` (the probability with which
    this shot was drawn, 0 to 1).

    A hash of the client's original decides, so at the same rate the same file always gets the same answer. The rate is
    high as long as few audits have been answered. Shots that go to a reviewer anyway are drawn at the same rate;
    otherwise a hidden score would reveal an audit. Shots that the machine edits again are not drawn. If the only thing
    that stops a shot's approval is the missing proof on real photographs, the shot is always audited: the verdict adds
    to that proof.

    Args:
        record: the shot's record.
        plan: the shot's plan, which has the client's rate of audits.
        edit: the machine's edit.
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
    """Measure from all answered audits how often the machine's approvals were wrong; return the rate and what follows.

    The rate is shown in Prefect's UI. If the promise is broken, the promised error ratios (greatest shares of wrong
    edits) are halved, down to an eighth of the configured ones, so that the machine may do and approve less; and people
    are told. If the promise is kept, the ratios are as configured again. If there are too few audits to tell, nothing
    changes.

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    routing = configs_in_force().routing
    repair()
    found = (audit_of(record, since_restart(record)) for record in judged_records())
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


def _followed(present: ModelInService, report: EscapeReport) -> ModelInService:
    """Return the service state after a report: twice as strict if the promise is broken, as configured if it is kept,
    else unchanged.
    """
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
