"""What a delivery says of itself: each file with its figures, each shot with its history, each upload with its fate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from packshot.colour.profile import profile_name
from packshot.decision import Choice, Decision
from packshot.export.left_out import LeftOut, left_out_of
from packshot.export.measure import ColourFigures
from packshot.export.render import Rendered
from packshot.naming import BatchId
from packshot.qc.white import QuickCheck
from packshot.record import ShotRecord, State
from packshot.types import Box, Finding, Size, Sourced, Status, Value

Kind = Literal["delivered", "waiting", "refused", "failed"]
KINDS: tuple[Kind, ...] = ("delivered", "waiting", "refused", "failed")
_COMPONENTS = ("background", "edge", "fill", "colour")


class BackgroundFigures(Value):
    """The white of a delivered file, from its decoded bytes.

    Attributes:
        checked_px: pixels farther from the product than `ring_distance_px`: every one of them was looked at.
        off_white_px: how many of them are not exactly white.
        worst_levels: the greatest distance from white among them, in 8-bit levels.
        ring_floor: least channel value inside the ringing distance, of pixels that were white before encoding.
        white_from_px: distance from the product from which on everything is exactly white.
        quick: the check of points along the border.
    """

    checked_px: int
    off_white_px: int
    worst_levels: float
    worst_box: Box | None
    ring_distance_px: int
    ring_floor: int
    white_from_px: int
    quick: QuickCheck


class DeliveredFile(Value):
    """One file of a delivery.

    Attributes:
        path: below the delivery's folder: ``<platform>/<name>``.
        quality: the encoder's; None for lossless files.
        profile: name of the embedded ICC profile.
        findings: one for each check of its decoded bytes.
    """

    path: str
    platform: str
    format: str
    size: Size
    bit_depth: int
    profile: str
    quality: int | None
    chroma: str = ""
    size_bytes: int
    sha256: str
    passed: bool
    fill_ratio: float
    scale: float
    background: BackgroundFigures | None
    colour: ColourFigures | None
    findings: tuple[Finding, ...]

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The findings that have something to say: not those that passed."""
        return tuple(finding for finding in self.findings if finding.status is not Status.PASSED)


class ShotSummary(Value):
    """One photograph of a batch and what became of it.

    Attributes:
        file: path of the upload in its batch.
        kind: every upload is exactly one of these.
        why: the reason of its fate, in words.
        evidence: the places worth a look, worst first: code, box and message, as `qc.evidence.Evidence` says them.
        verdict: the score's; `approved_by` says who had the last word.
        decisions: what people decided, in order, each with name, time, reason code and the picture it was about.
        shoot_group: the set-up it was taken under.
        correction: what that set-up's pixels were changed by (`colour.normalise.Correction`); empty: nothing was.
        colour_reference: how it compares with a reference, or ``colour not verified`` where there was none.
        files: what this delivery holds of it.
        left_out: platform -> why it gets nothing; a file's path, where the platform gets another file of the shot.
    """

    shot: str
    file: str
    kind: Kind
    state: State
    why: str
    source_sha256: str = ""
    facts: Mapping[str, Sourced] = Field(default_factory=dict)
    category: str = ""
    complexity: str = ""
    route: str = ""
    route_reason: str = ""
    routed_by: str = ""
    method: str = ""
    model: str = ""
    engine: str = ""
    score: float | None = None
    components: Mapping[str, float] = Field(default_factory=dict)
    evidence: tuple[Mapping[str, Any], ...] = ()
    verdict: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    approved_why: str = ""
    decisions: tuple[Mapping[str, str], ...] = ()
    shoot_group: str = ""
    correction: Mapping[str, Any] = Field(default_factory=dict)
    colour_reference: str = "colour not verified"
    plan_fingerprint: str = ""
    pipeline_version: str = ""
    findings: tuple[Finding, ...] = ()
    files: tuple[DeliveredFile, ...] = ()
    left_out: Mapping[str, str] = Field(default_factory=dict)

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The findings of the edit that have something to say: failed, warnings, skipped."""
        order = (Status.FAILED, Status.WARNING, Status.SKIPPED)
        found = [finding for finding in self.findings if finding.status is not Status.PASSED]
        return tuple(sorted(found, key=lambda finding: (not finding.stops_approval, order.index(finding.status))))

    def fact(self, name: str) -> str:
        """Return a fact's value, or an empty text where it is unknown."""
        return self.facts[name].value if name in self.facts else ""


class DeliverySummary(Value):
    """One delivery of a batch.

    Attributes:
        number: counts from 1; later ones supplement the earlier.
        shots: every photograph of the batch, delivered now or not.
        ignored: uploads that are not photographs, with the reason.
        findings: about the batch as a whole.
        code_version: of the program.
    """

    batch: BatchId
    number: int
    at: datetime
    shots: tuple[ShotSummary, ...]
    ignored: Mapping[str, str] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    code_version: str
    pipeline_version: str

    @property
    def files(self) -> tuple[tuple[ShotSummary, DeliveredFile], ...]:
        """Every file of this delivery with its shot, in the order of their paths."""
        pairs = [(shot, file) for shot in self.shots for file in shot.files]
        return tuple(sorted(pairs, key=lambda pair: pair[1].path))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Who gets nothing of the shots in this delivery, and of those of which nothing may be delivered."""
        concerned = [one for one in self.shots if one.files or one.kind == "failed"]
        return tuple(
            LeftOut(shot=one.shot, name=name, why=why) for one in concerned for name, why in one.left_out.items()
        )

    @property
    def counts(self) -> dict[Kind, int]:
        """Number of photographs by fate; they add up to all that came in."""
        found = Counter(shot.kind for shot in self.shots)
        return {kind: found[kind] for kind in KINDS}

    def of(self, kind: Kind) -> tuple[ShotSummary, ...]:
        """Return the photographs of one fate."""
        return tuple(shot for shot in self.shots if shot.kind == kind)


def delivered_file(rendered: Rendered, *, path: str, platform: str) -> DeliveredFile:
    """Return what the record and the certificate say of a rendition."""
    encoded, proof = rendered.encoded, rendered.verification
    settings, white = encoded.settings, proof.white
    background = white and BackgroundFigures(
        checked_px=white.beyond.background,
        off_white_px=white.beyond.count,
        worst_levels=white.beyond.worst_levels,
        worst_box=white.beyond.largest_box,
        ring_distance_px=white.ring_distance_px,
        ring_floor=white.ring_floor,
        white_from_px=white.white_from_px,
        quick=white.quick,
    )
    return DeliveredFile(
        path=path,
        platform=platform,
        format=settings.format.value,
        size=encoded.size,
        bit_depth=settings.bit_depth,
        profile=profile_name(encoded.icc),
        quality=settings.quality,
        chroma=settings.chroma if settings.codec.startswith("jpeg") else "",
        size_bytes=len(encoded.data),
        sha256=encoded.sha256,
        passed=rendered.passed,
        fill_ratio=round(proof.fill_ratio, 5),
        scale=round(rendered.scale, 5),
        background=background,
        colour=proof.colour,
        findings=rendered.findings,
    )


def summarise_shot(record: ShotRecord, *, file: str, kind: Kind, why: str, in_this_delivery: bool) -> ShotSummary:
    """Return what a delivery says of a shot, from its record.

    The record's reports are read by stage: ``routing``, ``edit``, ``export`` (whose ``files`` are `DeliveredFile`s).

    Args:
        file: path of the upload in its batch.
        in_this_delivery: whether its files are in the package.
    """
    routing, edit, export = (record.reports.get(name, {}) for name in ("routing", "edit", "export"))
    approved = next((event for event in reversed(record.events) if event.to_state is State.APPROVED), None)
    files = [DeliveredFile.model_validate(one) for one in export.get("files", ())] if in_this_delivery else []
    return ShotSummary(
        shot=record.shot.shot,
        file=file,
        kind=kind,
        state=record.state,
        why=why,
        source_sha256=record.source.sha256,
        facts=record.facts,
        category=routing.get("category") or record.fact("category"),
        complexity=routing.get("complexity", ""),
        route=routing.get("route", ""),
        route_reason=routing.get("reason", ""),
        routed_by=routing.get("model", ""),
        method=edit.get("method", ""),
        model=edit.get("model", ""),
        engine=" ".join(word for word in (edit.get("engine"), edit.get("precision")) if word),
        score=edit.get("score"),
        components=_points(edit.get("components", {})),
        evidence=tuple(edit.get("evidence", ())),
        verdict=edit.get("verdict", ""),
        approved_by=approved.actor if approved else "",
        approved_at=approved.at if approved else None,
        approved_why=approved.why if approved else "",
        decisions=tuple(_decision(one) for one in record.decisions),
        shoot_group=record.reports.get("group", {}).get("part", ""),
        correction=_correction(record.reports.get("group", {}).get("correction", {})),
        colour_reference=_colour_reference(record.present_findings),
        plan_fingerprint=record.plan_fingerprint,
        pipeline_version=record.pipeline_version,
        findings=record.present_findings,
        files=tuple(one for one in files if one.passed),
        left_out=left_out_of(record),
    )


def _decision(decision: Decision) -> dict[str, str]:
    """A person's decision as the client sees it; what is empty is left out."""
    said = {
        "at": decision.at.isoformat(),
        "by": decision.by,
        "name": "verified" if decision.verified else "typed, not verified",
        "choice": decision.choice.value,
        "reason": decision.reason.value,
        "picture": decision.picture,
        "note": decision.note,
        "override": decision.override,
        "edited_by": decision.edited_by,
        "colour": decision.colour.value if decision.choice is Choice.SIGN else "",
    }
    return {name: value for name, value in said.items() if value}


def _points(components: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(components[name]) for name in _COMPONENTS if components.get(name) is not None}


def _correction(stated: Mapping[str, Any]) -> Mapping[str, Any]:
    """What changed the shot's pixels as it changed those of its whole set-up."""
    return {} if stated.get("kind", "identity") == "identity" else stated


def _colour_reference(findings: tuple[Finding, ...]) -> str:
    """What the comparison with a colour target or swatch gave; a missing reference is never a pass."""
    held = [one for one in findings if one.code == "colour_not_verified" and one.measured is not None]
    if not held:
        return "colour not verified"
    word = "verified" if held[-1].status is Status.PASSED else "differs from its reference"
    return f"{word}: delta E {held[-1].measured:.1f} on average"
