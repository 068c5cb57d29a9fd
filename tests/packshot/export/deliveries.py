"""A delivery as the line would describe it, for the certificate, the package and the report."""

from __future__ import annotations

from datetime import UTC, datetime

from packshot.export.delivery import DeliveredFile, DeliverySummary, Kind, ShotSummary, summarise_shot
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord, Source, State
from packshot.types import Box, Finding, Sourced, Status

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
BATCH = BatchId(client="acme", batch="spring-26")

FINDINGS = (
    Finding(
        code="gradient_alignment",
        status=Status.PASSED,
        message="The outline follows the picture's edges.",
        measured=0.91,
    ),
    Finding(
        code="fringe",
        status=Status.WARNING,
        message="A faint fringe in the backdrop's colour along 1.2 % of the outline.",
        measured=1.2,
        limit=1.0,
        unit="%",
        box=Box(400, 300, 520, 420),
    ),
    Finding(code="colour_not_verified", status=Status.SKIPPED, message="There is no colour reference."),
)


def record(shot: str, *, file: DeliveredFile | None = None, sku: str = "KTL301") -> ShotRecord:
    """A shot that went all the way."""
    start = ShotRecord(
        shot=ShotId(client="acme", batch="spring-26", shot=shot),
        source=Source(key=f"inbox/acme/spring-26/{shot}.jpg", sha256="ab" * 32, size_bytes=1),
        facts={
            "sku": Sourced(value=sku, source="manifest"),
            "asin": Sourced(value="B0PACK0301", source="manifest"),
            "view": Sourced(value="MAIN", source="file_name"),
        },
        plan_fingerprint="0123456789abcdef",
        pipeline_version="1",
    )
    steps = (State.MASTERED, State.ROUTED, State.EDITING_AUTO, State.SCORED, State.APPROVED)
    for state in steps:
        start = start.advance(state, at=AT, actor="run 7f3c", why=f"became {state}")
    return start.model_copy(
        update={
            "findings": FINDINGS,
            "reports": {
                "routing": {
                    "complexity": "simple",
                    "route": "automated",
                    "category": "home",
                    "reason": "home products are simple; nothing measured speaks against it",
                    "model": "rules only",
                },
                "edit": {
                    "score": 96.4,
                    "components": {"background": 25.0, "edge": 22.1, "fill": 25.0, "colour": 24.3},
                    "verdict": "auto_approve",
                    "method": "auto",
                    "model": "isnet-general-use",
                    "engine": "onnxruntime",
                    "precision": "f32",
                },
                "export": {
                    "files": [file.model_dump(mode="json")] if file else [],
                    "left_out": {"walmart": "KTL301 for walmart: the name needs 'gtin14', which is not known."},
                },
            },
        }
    )


def waiting(shot: str, kind: Kind, state: State, why: str) -> ShotSummary:
    return ShotSummary(shot=shot, file=f"{shot}.jpg", kind=kind, state=state, why=why)


def delivery(file: DeliveredFile) -> DeliverySummary:
    shot = summarise_shot(
        record("KTL301_MAIN", file=file),
        file="KTL301_MAIN.jpg",
        kind="delivered",
        why="score 96.4",
        in_this_delivery=True,
    )
    return DeliverySummary(
        batch=BATCH,
        number=1,
        at=AT,
        shots=(
            shot,
            waiting("RNG401_MAIN", "waiting", State.AWAITING_EDITOR, "complex: jewellery goes to an editor"),
            waiting("TINY", "refused", State.REFUSED, "640 x 480 is below 1000 px"),
            waiting("BROKEN", "failed", State.FAILED, "the storage did not answer <five times>"),
        ),
        ignored={"manifest.csv": "the manifest", "READY": "closes the batch"},
        findings=(
            Finding(
                code="row_without_file", status=Status.WARNING, message="The manifest names LMP701.jpg, not uploaded."
            ),
        ),
        code_version="0.1.0",
        pipeline_version="1",
    )
