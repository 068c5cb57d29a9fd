"""Define the values that describe a delivery: each file with its measurements, each photograph with its outcome."""

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
from packshot.export.sets import ProductSet
from packshot.naming import BatchId
from packshot.qc.white import QuickCheck
from packshot.record import ShotRecord, State, deliveries_of
from packshot.types import Box, Finding, Size, Sourced, Status, Value

Kind = Literal["delivered", "waiting", "refused", "failed"]
KINDS: tuple[Kind, ...] = ("delivered", "waiting", "refused", "failed")
_COMPONENTS = ("background", "edge", "fill", "colour")


class BackgroundFigures(Value):
    """How white the background of a delivered file is, measured on its decoded pixels.

    Attributes:
        checked_px: number of pixels farther from the product than `ring_distance_px`; all of them were checked.
        off_white_px: number of checked pixels that are not exactly white.
        worst_levels: greatest distance from white among the checked pixels, in 8-bit levels.
        worst_box: box around the largest patch of checked pixels that are not white, in pixels of the file; None if all
            are white.
        ring_distance_px: distance from the product within which the codec may leave faint ripples (ringing).
        ring_floor: darkest channel value (of 255) within this distance, outside product and shadow; 255 if all is white
            there.
        white_from_px: every pixel at least this far from the product is exactly white; 0 if all are.
        quick: result of checking a few points along the picture's border for exact white, as marketplaces may do.
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
    """One file of a delivery, with what was measured on it. `delivered_file` makes it.

    Attributes:
        path: path of the file, below the delivery's folder: ``<platform>/<name>``.
        platform: the platform's name.
        format: name of the file format, such as ``jpeg``.
        size: size of the picture, in pixels.
        bit_depth: bits per channel.
        profile: name of the embedded ICC profile.
        quality: the encoder's quality setting; None for lossless files.
        chroma: chroma subsampling of a JPEG; empty for other formats.
        size_bytes, sha256: length of the file, and hash of its bytes in hexadecimal.
        passed: True if no check failed.
        fill_ratio: the product's share of the canvas's width or height, whichever is greater, measured on the decoded
            pixels.
        scale: canvas pixels per pixel of the photograph.
        background: how white the background is; None if the file could not be decoded at the right size and colour
            model.
        colour: how much the colours differ from the picture before encoding; None if there was no product to compare.
        findings: one for each check of the decoded file, and the findings of two earlier steps: placing the product on
            the canvas, and encoding the file again.
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
        """The findings on the file that did not pass: warnings, failures and skipped checks."""
        return tuple(finding for finding in self.findings if finding.status is not Status.PASSED)


class ShotSummary(Value):
    """One photograph of a batch and its outcome, for the client's report. What is not known is empty or None.

    `summarise_shot` makes it from the shot's record.

    Attributes:
        shot: the shot's name.
        file: path of the upload in its batch.
        kind: its outcome: delivered, waiting, refused or failed. Every upload has exactly one.
        state: the shot's state.
        why: the reason for the outcome, in words.
        source_sha256: hash of the original's bytes, in hexadecimal.
        facts: what is known of the product: name of the fact, such as ``sku`` -> value and source.
        category: name of the category.
        complexity: how hard the shot is to edit: ``simple``, ``medium`` or ``complex``.
        route: who edits the shot: ``automated`` (the machine) or ``human``.
        route_reason: why the shot has this route, in words.
        routed_by: name and version of the routing model that was asked, or ``rules only``.
        method: how the product was cut out, a value of `cutout.values.Method`.
        model, engine: name of the segmentation network, which finds the product, and of the library that ran it; empty
            for a person's work.
        score: the edit's score, 0..100; None if it has none.
        components: the parts of the score: "background", "edge", "fill" or "colour" -> its points. A part without
            points is left out.
        evidence: places that are worth a look, the worst first, each with the keys "code", "box" and "message" of
            `qc.evidence.Evidence`.
        verdict: what follows from the score, a value of `Verdict` such as ``human_review``. `approved_by` says who
            approved in the end.
        approved_by: who approved the picture: a person's name, or the id of the flow run if the machine did.
        approved_at: when it was approved (UTC); None if it was not.
        approved_why: why it was approved, in words.
        decisions: people's decisions, oldest first: name of a field, such as "at", "by", "choice", "reason" or
            "picture" -> its text. Empty fields are left out.
        shoot_group: name of the photograph's lighting set-up. All shots of a set-up get the same colour correction.
        correction: the colour correction of that set-up, the fields of `colour.normalise.Correction` as JSON; empty if
            nothing was corrected.
        colour_reference: result of the comparison with a colour reference, such as ``verified: delta E 1.2 on
            average``; ``colour not verified`` without one.
        plan_fingerprint: hash of the plan: all settings with which the shot was edited.
        pipeline_version: version of the pipeline that worked on the shot last.
        findings: the findings on the photograph and on its present edit.
        files: its files in this delivery.
        left_out: name of a platform -> why it gets nothing, in words. If the platform gets another file of the shot,
            the key is the path of the missing file, below the delivery's folder.
        corrects: number of the last earlier delivery that has files of this shot, which these files replace; None if
            there is none, or if the shot is not in this delivery.
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
    corrects: int | None = None

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The findings on the photograph and its edit that did not pass, the most serious first.

        Those that stop approval come first, then failures, warnings and skipped checks.
        """
        order = (Status.FAILED, Status.WARNING, Status.SKIPPED)
        found = [finding for finding in self.findings if finding.status is not Status.PASSED]
        return tuple(sorted(found, key=lambda finding: (not finding.stops_approval, order.index(finding.status))))

    def fact(self, name: str) -> str:
        """Return a fact's value as text; "" if the fact is unknown.

        Args:
            name: name of the fact, for example "sku".
        """
        return self.facts[name].value if name in self.facts else ""


class DeliverySummary(Value):
    """One delivery of a batch to its client: a numbered folder, and what became of each photograph of the batch.

    Attributes:
        batch: client and name of the batch.
        number: counts from 1; later deliveries supplement earlier ones.
        at: time of the delivery.
        shots: every photograph of the batch, delivered now or not.
        ignored: path of an upload that is not a photograph, below the batch's inbox folder -> why, in words.
        findings: the findings about the batch as a whole.
        products: the products that must have certain views, each with those that it lacks after this delivery; empty if
            the client asks for no views.
        title: the client's name for people; empty in summaries of earlier versions.
        logo: the client's logo as a data URI; empty if its style guide names none.
        code_version: version of the program.
        pipeline_version: version of everything that changes pixels, measurements or decisions.
    """

    batch: BatchId
    number: int
    at: datetime
    shots: tuple[ShotSummary, ...]
    ignored: Mapping[str, str] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    products: tuple[ProductSet, ...] = ()
    title: str = ""
    logo: str = ""
    code_version: str
    pipeline_version: str

    @property
    def files(self) -> tuple[tuple[ShotSummary, DeliveredFile], ...]:
        """Every file of this delivery with its shot: pairs of (shot, file), sorted by the file's path."""
        pairs = [(shot, file) for shot in self.shots for file in shot.files]
        return tuple(sorted(pairs, key=lambda pair: pair[1].path))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Platforms that get no file, or not all files, of a shot that is delivered here or that failed.

        They are in the order of `shots`.
        """
        concerned = [one for one in self.shots if one.files or one.kind == "failed"]
        return tuple(
            LeftOut(shot=one.shot, name=name, why=why) for one in concerned for name, why in one.left_out.items()
        )

    @property
    def counts(self) -> dict[Kind, int]:
        """Number of photographs per outcome (delivered, waiting, refused, failed); the sum is the number received."""
        found = Counter(shot.kind for shot in self.shots)
        return {kind: found[kind] for kind in KINDS}

    def of(self, kind: Kind) -> tuple[ShotSummary, ...]:
        """Return the photographs of the batch that have a given outcome, in the order of `shots`.

        Args:
            kind: the outcome: delivered, waiting, refused or failed.
        """
        return tuple(shot for shot in self.shots if shot.kind == kind)


def delivered_file(rendered: Rendered, *, path: str, platform: str) -> DeliveredFile:
    """Return the description of a rendition's file: path, format, hash, measurements and findings.

    The shot's record and the certificate keep it in this form.

    Args:
        rendered: the encoded and verified rendition.
        path: its path below the delivery's folder, for example ``amazon_main/B08N5WRWNW.MAIN.jpg``.
        platform: the platform's name.
    """
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


def summarise_shot(
    record: ShotRecord, *, file: str, kind: Kind, why: str, in_this_delivery: bool, number: int = 1
) -> ShotSummary:
    """Return a shot's summary for the client's report, from the shot's record.

    Files that failed a check are left out of the summary. What the record does not say stays empty or None.

    Args:
        record: the shot's record.
        file: path of the upload in its batch.
        kind: the shot's outcome.
        why: the reason for the outcome, in words.
        in_this_delivery: True if the shot's files are part of this delivery. If not, the summary has no files.
        number: number of this delivery, from 1. The summary's `corrects` names an earlier delivery of the shot.
    """
    routing, edit, export = (record.reports.get(name, {}) for name in ("routing", "edit", "export"))
    approved = next((event for event in reversed(record.events) if event.to_state is State.APPROVED), None)
    files = [DeliveredFile.model_validate(one) for one in export.get("files", ())] if in_this_delivery else []
    earlier = [one for one in deliveries_of(record) if one < number and in_this_delivery]
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
        corrects=max(earlier, default=None),
    )


def _decision(decision: Decision) -> dict[str, str]:
    """Return a person's decision as the client sees it; empty fields are left out."""
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
    """Return the points of the components that have any."""
    return {name: float(components[name]) for name in _COMPONENTS if components.get(name) is not None}


def _correction(stated: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the colour correction of the shot's set-up; empty for the identity."""
    return {} if stated.get("kind", "identity") == "identity" else stated


def _colour_reference(findings: tuple[Finding, ...]) -> str:
    """Return the result of the comparison with a colour reference, in words. A missing reference never passes."""
    held = [one for one in findings if one.code == "colour_not_verified" and one.measured is not None]
    if not held:
        return "colour not verified"
    word = "verified" if held[-1].status is Status.PASSED else "differs from its reference"
    return f"{word}: delta E {held[-1].measured:.1f} on average"
