"""Drawn lives of shots, as the line writes them into records: for figures of a day whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from packshot.decision import REASONS, Choice, Decision, Reason
from packshot.naming import BatchId, batch_id
from packshot.outcomes.daily_values import Day, day_of
from packshot.record import ShotRecord, Source, State
from packshot.types import Finding, Status

S = State
DAY = day_of(date(2026, 3, 2), zone=UTC, begins_hour=6)
BATCH = batch_id("acme", "spring")
NIGHT = datetime(2026, 3, 3, 2, tzinfo=UTC)
"""In the night that belongs to the day."""


class Shot:
    """A shot's record that is written event by event."""

    def __init__(self, name: str, *, batch: BatchId = BATCH, at: datetime = NIGHT) -> None:
        self.at = at
        source = Source(key=name, sha256="0" * 64, size_bytes=1)
        self.record = ShotRecord(shot=batch.shot(name), source=source)

    def goes(self, *states: State, why: str = "so", after: timedelta = timedelta(minutes=1)) -> Shot:
        """Take it through states, one some time after the other."""
        for state in states:
            self.at += after
            self.record = self.record.advance(state, at=self.at, actor="the line", why=why)
        return self

    def routed(self, why: str = "simple: every measured figure is below its limit (nearest: objects 0.20)") -> Shot:
        """Master and route it."""
        return self.goes(S.MASTERED).goes(S.ROUTED, why=why)

    def edited(self, *after: State) -> Shot:
        """Let the machine edit it, and take it where the verdict leads."""
        return self.routed().goes(S.EDITING_AUTO, S.SCORED, *after)

    def delivered(self) -> Shot:
        """Approve it unseen, and deliver it."""
        return self.edited(S.APPROVED, S.EXPORTED, S.VERIFIED, S.DELIVERED)

    def handed(self) -> Shot:
        """Give it to an editor."""
        return self.routed("complex: rings is always complex (client's rule)").goes(S.AWAITING_EDITOR)

    def decided(
        self, choice: Choice, *states: State, by: str = "Ada", reason: Reason | None = None, after: timedelta
    ) -> Shot:
        """Let a person decide, some time later, and take it where that leads."""
        self.at += after
        said = Decision(choice=choice, by=by, at=self.at, reason=reason or REASONS[choice][0], picture="a" * 16)
        self.record = self.record.model_copy(update={"decisions": (*self.record.decisions, said)})
        for state in states:
            self.record = self.record.advance(state, at=self.at, actor=by, why=said.sentence)
        return self

    def reports(self, **reports: Mapping[str, Any]) -> Shot:
        """Write reports into its record."""
        self.record = self.record.model_copy(update={"reports": {**self.record.reports, **reports}})
        return self

    def took(self, **seconds: float) -> Shot:
        """Write how long stages took that have just ended."""
        return self.reports(
            machine={stage: {"seconds": taken, "at": self.at.isoformat()} for stage, taken in seconds.items()}
        )

    def found(self, *codes: str) -> Shot:
        """Write failed findings into its record."""
        findings = tuple(Finding(code=code, status=Status.FAILED, message=code) for code in codes)
        self.record = self.record.model_copy(update={"findings": findings})
        return self


RECEIVED = {BATCH: NIGHT}


def day_before(day: Day = DAY) -> Day:
    """The day before."""
    return day_of(day.date - timedelta(days=1), zone=UTC, begins_hour=6)
