"""From a measured figure to points, from points and gates to a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from packshot.errors import ConfigError
from packshot.specs.models import QcConfig, RuleLimits
from packshot.types import Finding, Status, Verdict

_STRICTNESS = (Verdict.AUTO_APPROVE, Verdict.HUMAN_REVIEW, Verdict.REJECT_AND_REDO)
_BY_STATUS = (Status.PASSED, Status.SKIPPED, Status.WARNING, Status.FAILED)


def badness(measured: float, limits: RuleLimits) -> float:
    """Return how bad a figure is: 0 on the good side of `good`, 1 at `bad` and beyond, linear between.

    `good` may lie below `bad` (less is better) or above it (more is better); where they are equal, the figure is bad
    as soon as it leaves `good`.
    """
    if limits.good == limits.bad:
        return float(measured > limits.good)
    share = (measured - limits.good) / (limits.bad - limits.good)
    return float(min(max(share, 0.0), 1.0))


def status_of(measured: float, limits: RuleLimits) -> Status:
    """Return passed, warning (some points lost) or failed (all points of the rule lost)."""
    share = badness(measured, limits)
    if share >= 1:
        return Status.FAILED
    return Status.WARNING if share > 0 else Status.PASSED


def component_points(findings: Sequence[Finding], config: QcConfig, *, points: int) -> float:
    """Return what is left of a component's points; each rule takes its weight's share, and never below zero."""
    taken = sum(
        limits.weight * badness(finding.measured, limits)
        for finding in findings
        if finding.measured is not None
        and finding.status is not Status.SKIPPED
        and (limits := config.rules.get(finding.code)) is not None
    )
    return points * max(0.0, 1.0 - taken)


def decide_verdict(score: float, findings: Sequence[Finding], config: QcConfig) -> Verdict:
    """Return the verdict; a failed gate turns an approval into a review and never makes a verdict milder.

    A figure beyond its rule's `redo` asks for another try whatever the score.
    """
    if score < config.review_at or any(_must_be_redone(finding, config) for finding in findings):
        return Verdict.REJECT_AND_REDO
    if score < config.approve_at or any(finding.stops_approval for finding in findings):
        return Verdict.HUMAN_REVIEW
    return Verdict.AUTO_APPROVE


def stricter(*verdicts: Verdict) -> Verdict:
    """Return the strictest of verdicts."""
    return max(verdicts, key=_STRICTNESS.index)


def severity(finding: Finding, limits: RuleLimits) -> tuple[bool, int, float, float]:
    """Return how bad a finding of a rule is, for comparison with others of the same rule; greater is worse."""
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
    limits = config.rules.get(finding.code)
    if limits is None or limits.redo is None or finding.measured is None or finding.status is Status.SKIPPED:
        return False
    return finding.measured > limits.redo


def limits_of(code: str, config: QcConfig) -> RuleLimits:
    """Return a rule's limits.

    Raises:
        ConfigError: the config doesn't name the rule; a rule without limits would be a check silently left out.
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
