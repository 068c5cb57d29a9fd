"""The life of a shot: a pure state machine, and the record it is written in.

    received -> refused
    received -> mastered -> routed
    routed -> editing_auto -> scored -> approved | in_review | redo
    routed -> awaiting_editor -> returned -> scored -> awaiting_signoff -> approved | awaiting_editor
    routed -> on_hold -> routed
    in_review -> approved | awaiting_editor | redo        redo -> editing_auto | awaiting_editor
    in_review -> refused
    awaiting_editor -> refused
    on_hold -> refused
    approved -> exported -> verified -> delivered -> live
    any -> failed -> the state it failed in

The record's state is the single truth about a picture; a workflow run's state says only what is executing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from packshot.decision import Decision
from packshot.errors import IllegalTransitionError
from packshot.naming import ShotId
from packshot.stored import Stored
from packshot.types import Finding, Sourced, Value


class State(StrEnum):
    """Where a shot stands."""

    RECEIVED = "received"
    REFUSED = "refused"
    MASTERED = "mastered"
    ROUTED = "routed"
    ON_HOLD = "on_hold"
    EDITING_AUTO = "editing_auto"
    AWAITING_EDITOR = "awaiting_editor"
    RETURNED = "returned"
    SCORED = "scored"
    IN_REVIEW = "in_review"
    REDO = "redo"
    AWAITING_SIGNOFF = "awaiting_signoff"
    APPROVED = "approved"
    EXPORTED = "exported"
    VERIFIED = "verified"
    DELIVERED = "delivered"
    LIVE = "live"
    FAILED = "failed"


_S = State
FOLLOWS: Mapping[State, frozenset[State]] = {
    _S.RECEIVED: frozenset({_S.REFUSED, _S.MASTERED}),
    _S.REFUSED: frozenset(),
    _S.MASTERED: frozenset({_S.ROUTED}),
    _S.ROUTED: frozenset({_S.EDITING_AUTO, _S.AWAITING_EDITOR, _S.ON_HOLD}),
    _S.ON_HOLD: frozenset({_S.ROUTED, _S.REFUSED}),
    _S.EDITING_AUTO: frozenset({_S.SCORED, _S.AWAITING_EDITOR}),
    _S.AWAITING_EDITOR: frozenset({_S.RETURNED, _S.REFUSED}),
    _S.RETURNED: frozenset({_S.SCORED, _S.AWAITING_EDITOR}),
    _S.SCORED: frozenset({_S.APPROVED, _S.IN_REVIEW, _S.REDO, _S.AWAITING_SIGNOFF, _S.AWAITING_EDITOR}),
    _S.IN_REVIEW: frozenset({_S.APPROVED, _S.AWAITING_EDITOR, _S.REDO, _S.REFUSED}),
    _S.REDO: frozenset({_S.EDITING_AUTO, _S.AWAITING_EDITOR}),
    _S.AWAITING_SIGNOFF: frozenset({_S.APPROVED, _S.AWAITING_EDITOR}),
    _S.APPROVED: frozenset({_S.EXPORTED}),
    _S.EXPORTED: frozenset({_S.VERIFIED}),
    _S.VERIFIED: frozenset({_S.DELIVERED}),
    _S.DELIVERED: frozenset({_S.LIVE}),
    _S.LIVE: frozenset(),
    _S.FAILED: frozenset(),
}
"""Which states may follow which. FAILED may follow any state that is not an end, and leads back to it."""

WAITING = frozenset({_S.AWAITING_EDITOR, _S.IN_REVIEW, _S.AWAITING_SIGNOFF, _S.ON_HOLD})
"""States in which the line waits for a person."""

DONE = frozenset({_S.DELIVERED, _S.LIVE})

MACHINE = "machine"
"""The report that holds each stage's time on a worker: stage -> ``seconds`` (wall-clock) and ``at``, when it ended."""

EDIT = "edit.tif"
"""The name of a shot's edit, a machine's or an editor's, among its objects."""


def found_in(edit_sha256: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings as those of one edit: they are true no longer when another one takes its place."""
    return tuple(one.model_copy(update={"picture": edit_sha256}) for one in findings)


class Event(Value):
    """One change in a shot's life.

    Attributes:
        actor: the flow run's id or a person's name.
        to_state: the state it led to; equal to `from_state` for a note that changes nothing.
    """

    at: datetime
    actor: str
    from_state: State
    to_state: State
    why: str


class Source(Value):
    """The client's original."""

    key: str
    sha256: str
    size_bytes: int


class ShotRecord(Stored):
    """All that is known of a shot. Append-only: a change gives a new record with one more event.

    Attributes:
        facts: sku, asin, gtin, category, view, ... each with its source.
        reports: what each stage found, by stage name, as plain JSON.
        objects: the shot's own objects in storage: name -> SHA-256 of the bytes.
        plan_fingerprint: fingerprint of the plan the last stage followed.
        decisions: what people decided, in order; a restart keeps them.
    """

    shot: ShotId
    source: Source
    state: State = State.RECEIVED
    facts: Mapping[str, Sourced] = Field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    reports: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    objects: Mapping[str, str] = Field(default_factory=dict)
    plan_fingerprint: str = ""
    pipeline_version: str = ""
    events: tuple[Event, ...] = ()
    decisions: tuple[Decision, ...] = ()

    def fact(self, name: str) -> str:
        """Return a fact's value, or an empty text where it is unknown."""
        sourced = self.facts.get(name)
        return sourced.value if sourced else ""

    @property
    def present_findings(self) -> tuple[Finding, ...]:
        """What is true now: of the photograph, and of the edit that there is; not of edits that were replaced."""
        edit = self.objects.get(EDIT, "")
        return tuple(one for one in self.findings if one.picture in ("", edit))

    @property
    def failed_from(self) -> State | None:
        """The state a failed shot failed in; None if it has not failed."""
        if self.state is not State.FAILED:
            return None
        return next(one.from_state for one in reversed(self.events) if one.from_state is not State.FAILED)

    def advance(
        self,
        to: State,
        *,
        at: datetime,
        actor: str,
        why: str,
        findings: tuple[Finding, ...] = (),
        reports: Mapping[str, Mapping[str, Any]] | None = None,
        objects: Mapping[str, str] | None = None,
    ) -> ShotRecord:
        """Return the record in its next state, with the event that led there.

        A failed shot first goes back to the state it failed in; only then can it advance.

        Raises:
            IllegalTransitionError: `to` does not follow the present state.
        """
        if not self._may_become(to):
            allowed = sorted(FOLLOWS[self.state]) if self.state is not State.FAILED else [self.failed_from]
            raise IllegalTransitionError(
                f"cannot go from '{self.state}' to '{to}'",
                str(self.shot),
                found=self.state,
                allowed=", ".join(str(state) for state in allowed) or "nothing: this is an end",
                next_step="Look at the record's last events to see what happened.",
            )
        event = Event(at=at, actor=actor, from_state=self.state, to_state=to, why=why)
        return self.model_copy(
            update={
                "state": to,
                "events": (*self.events, event),
                "findings": self.findings + findings,
                "reports": {**self.reports, **(reports or {})},
                "objects": {**self.objects, **(objects or {})},
            }
        )

    def note(self, *, at: datetime, actor: str, why: str) -> ShotRecord:
        """Return the record with an event that changes nothing, such as an answer that could not be followed."""
        event = Event(at=at, actor=actor, from_state=self.state, to_state=self.state, why=why)
        return self.model_copy(update={"events": (*self.events, event)})

    @property
    def since(self) -> datetime | None:
        """When it came into its present state; None before the first event."""
        changes = [event.at for event in self.events if event.from_state is not event.to_state]
        return changes[-1] if changes else None

    def _may_become(self, to: State) -> bool:
        if self.state is State.FAILED:
            return to is self.failed_from
        if to is State.FAILED:
            return bool(FOLLOWS[self.state])
        return to in FOLLOWS[self.state]

    def restart(self, *, at: datetime, actor: str, why: str) -> ShotRecord:
        """Return the record back at the start, on a person's wish; its history stays."""
        event = Event(at=at, actor=actor, from_state=self.state, to_state=State.RECEIVED, why=why)
        cleared: dict[str, Any] = {"findings": (), "reports": {}, "objects": {}}
        return self.model_copy(update={"state": State.RECEIVED, "events": (*self.events, event), **cleared})
