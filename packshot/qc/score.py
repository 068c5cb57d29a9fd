"""Turn an edit's measured values into points, and points and failed gates into a verdict: approve, review or redo."""

from __future__ import annotations

from collections.abc import Sequence

from packshot.errors import ConfigError
from packshot.specs.models import QcConfig, RuleLimits
from packshot.types import Finding, Status, Verdict

_STRICTNESS = (Verdict.AUTO_APPROVE, Verdict.HUMAN_REVIEW, Verdict.REJECT_AND_REDO)
_BY_STATUS = (Status.PASSED, Status.SKIPPED, Status.WARNING, Status.FAILED)


def badness(measured: float, limits: RuleLimits) -> float:
    """Return how bad a value is: 0 on the good side of `good`, 1 at `bad` and beyond, linear between them.

    `good` may be less than `bad` (less is better) or greater (more is better). If they are equal, any value above them
    is 1.

    Example: with good 0.1 and bad 0.3, the value 0.2 gives 0.5.

    Args:
        measured: the rule's measured value.
        limits: `good`, up to which a value costs nothing, and `bad`, from which it costs all of the rule's points.
    """
    if limits.good == limits.bad:
        return float(measured > limits.good)
    share = (measured - limits.good) / (limits.bad - limits.good)
    return float(min(max(share, 0.0), 1.0))


def status_of(measured: float, limits: RuleLimits) -> Status:
    """Return a rule's status: passed (no points are lost), warning (some are) or failed (all of the rule's points are).

    Args:
        measured: the rule's measured value.
        limits: the values from which the rule costs points (`good`) and from which it costs all of them (`bad`).
    """
    share = badness(measured, limits)
    if share >= 1:
        return Status.FAILED
    return Status.WARNING if share > 0 else Status.PASSED


def component_points(findings: Sequence[Finding], config: QcConfig, *, points: int) -> float:
    """Return the points left in a component (background, edge, fill or colour), from 0 to `points`.

    A rule takes away its share of the points (its weight), times its badness (0..1). A rule takes nothing if it was
    skipped, has no value, or has no limits in the config.

    Args:
        findings: results of the component's rules.
        config: the limits and weights of the rules by code.
        points: the component's points if nothing is wrong.
    """
    taken = sum(
        limits.weight * badness(finding.measured, limits)
        for finding in findings
        if finding.measured is not None
        and finding.status is not Status.SKIPPED
        and (limits := config.rules.get(finding.code)) is not None
    )
    return points * max(0.0, 1.0 - taken)


def decide_verdict(score: float, findings: Sequence[Finding], config: QcConfig) -> Verdict:
    """Return the verdict that follows from the score and the findings: approve, review or redo.

    A gate is a rule that forbids automatic approval. A failed gate turns an approval into a review; it changes no other
    verdict. If a measured value is beyond its rule's `redo` limit, the verdict is to redo the edit, whatever the score.

    Args:
        score: 0..100.
        findings: of all rules and of the steps before them.
        config: the scores from which an edit is approved or reviewed, and the `redo` limits.
    """
    if score < config.review_at or any(_must_be_redone(finding, config) for finding in findings):
        return Verdict.REJECT_AND_REDO
    if score < config.approve_at or any(finding.stops_approval for finding in findings):
        return Verdict.HUMAN_REVIEW
    return Verdict.AUTO_APPROVE


def stricter(*verdicts: Verdict) -> Verdict:
    """Return the strictest of the verdicts: redo before review before approval.

    Args:
        verdicts: at least one.
    """
    return max(verdicts, key=_STRICTNESS.index)


def severity(finding: Finding, limits: RuleLimits) -> tuple[bool, int, float, float]:
    """Return a sort key for findings of one rule. A greater key is a worse finding.

    The key is (stops approval, rank of the status, badness 0..1, distance from `limits.good` towards the bad side).
    Statuses rank passed, skipped, warning, failed. The last two members are 0 if nothing was measured.

    Args:
        finding: the finding to rank.
        limits: the rule's limits.
    """
    if finding.measured is None:
        return finding.stops_approval, _BY_STATUS.index(finding.status), 0.0, 0.0
    away = finding.measured - limits.good
    return (
        finding.stops_approval,
        _BY_STATUS.index(finding.status),
        badness(finding.measured, limits),
        away if limits.bad >= limits.good else -away,
    )


def _must_be_redone(finding: Finding, config: QcConfig) -> bool:
    """Return whether a finding's value is beyond its rule's `redo`: above it, or below it where less is worse."""
    limits = config.rules.get(finding.code)
    if limits is None or limits.redo is None or finding.measured is None or finding.status is Status.SKIPPED:
        return False
    return finding.measured < limits.redo if limits.bad < limits.good else finding.measured > limits.redo


def limits_of(code: str, config: QcConfig) -> RuleLimits:
    """Return a rule's limits: its weight, its `good` and `bad` values, and whether it is a gate.

    Args:
        code: the rule's code, for example "fringe".
        config: quality control's config.
    Raises:
        ConfigError: the config does not name the rule. Without limits the check would be left out silently.
    """
    try:
        return config.rules[code]
    except KeyError:
        raise ConfigError(
            "a quality rule has no limits",
            f"qc.yaml, rules.{code}",
            found="nothing",
            allowed="weight, good, bad and gate",
            next_step="Add the rule; set its weight to 0 and gate to false to switch it off.",
        ) from None
