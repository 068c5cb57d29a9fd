"""Records of shots that wait, without a photograph: for what only reads records."""

from __future__ import annotations

from datetime import UTC, datetime

from packshot.naming import ShotId
from packshot.record import Event, ShotRecord, Source, State
from packshot.types import Box, Finding, Sourced, Status

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
EDIT_SHA, MASTER_SHA, PREVIEW_SHA = "e" * 64, "a" * 64, "b" * 64
LEFT_OVER = Finding(
    code="leftover_suspected",
    status=Status.FAILED,
    message="An area near the base may still be backdrop.",
    measured=35.1,
    limit=1.1,
    unit="permille",
    gate=True,
    box=Box(10, 20, 40, 60),
)
SMALL = Finding(
    code="below_recommended", status=Status.WARNING, message="The picture is small.", measured=1000.0, unit="px"
)
FINE = Finding(code="background_white", status=Status.PASSED, message="The background is exact white.")


def record_in(
    state: State,
    shot: ShotId,
    *,
    since: datetime = MORNING,
    findings: tuple[Finding, ...] = (FINE, SMALL, LEFT_OVER),
    category: str = "boxes",
    sku: str = "A1",
    audit: bool = False,
) -> ShotRecord:
    """A record that is in a state since a moment."""
    objects = {"edit.tif": EDIT_SHA, "master.tif": MASTER_SHA, "preview.webp": PREVIEW_SHA}
    return ShotRecord(
        shot=shot,
        source=Source(key=f"inbox/{shot.client}/{shot.batch}/{shot.shot}.jpg", sha256="c" * 64, size_bytes=1),
        state=state,
        facts={
            "category": Sourced(value=category, source="manifest"),
            "sku": Sourced(value=sku, source="manifest"),
            "view": Sourced(value="MAIN", source="manifest"),
        },
        findings=findings,
        reports={"edit": {"score": 81.5}, **({"audit": {"chosen": True}} if audit else {})},
        objects=objects,
        events=(Event(at=since, actor="a run", from_state=State.SCORED, to_state=state, why="score 81.5"),),
    )
