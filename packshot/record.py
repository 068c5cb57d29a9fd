"""Define the life of a shot (one photograph) as a state machine, and the record in which each step is written.

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
    delivered -> awaiting_editor
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
from packshot.types import Finding, Sourced, Status, Value, in_order_of_weight


class State(StrEnum):
    """The state of a shot: what has been done with the photograph, and what it waits for.

    Attributes:
        RECEIVED: the file is uploaded, and not opened yet.
        REFUSED: the photograph cannot be used, or a person rejected it. This is an end.
        MASTERED: the photograph is decoded into its master (16-bit TIFF).
        ROUTED: Packshot has decided whether the machine or a person edits the photograph.
        ON_HOLD: something is missing that the client must send or answer.
        EDITING_AUTO: the machine edits the photograph.
        AWAITING_EDITOR: a person must edit the photograph.
        RETURNED: an editor's file has come back, and is not checked yet.
        SCORED: an edit is checked and has a score.
        IN_REVIEW: a reviewer must judge the machine's edit.
        REDO: the machine shall edit the photograph again, by another method.
        AWAITING_SIGNOFF: a second person must judge the editor's picture.
        APPROVED: the edit may be delivered.
        EXPORTED: the files for the platforms are made.
        VERIFIED: the files have been decoded again and keep the platforms' rules.
        DELIVERED: the files lie in a delivery to the client.
        LIVE: reserved for later; nothing sets it.
        FAILED: an error stopped the work. The shot can go on from the state in which it failed.
    """

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
    _S.DELIVERED: frozenset({_S.LIVE, _S.AWAITING_EDITOR}),
    _S.LIVE: frozenset(),
    _S.FAILED: frozenset(),
}
"""The states that may follow each state. FAILED may follow every state that isn't final, and leads back to it.

Beside these, a shot that its client sent back goes from AWAITING_EDITOR to DELIVERED again if it has no fault.
"""

WAITING = frozenset({_S.AWAITING_EDITOR, _S.IN_REVIEW, _S.AWAITING_SIGNOFF, _S.ON_HOLD})
"""States in which a shot waits for a person."""

DONE = frozenset({_S.DELIVERED, _S.LIVE})

MACHINE = "machine"
"""Name of the report on times: stage -> ``seconds`` (wall-clock time) and ``at`` (when it ended)."""

EDIT = "edit.tif"
"""Name of a shot's edited picture among its objects, whether a machine or an editor made it."""

MACHINE_EDIT = "machine_edit.tif"
"""Name of the machine's edit among a shot's objects, kept when an editor's picture takes its place.

The report of the same stage, ``machine_edit``, has its score, verdict and method.
"""


def delivery_reason(number: int) -> str:
    """Return the words with which a shot's record says in which delivery the shot went out, such as ``delivery 2``."""
    return f"{_DELIVERY}{number}"


def deliveries_of(record: ShotRecord) -> tuple[int, ...]:
    """Return the numbers of the deliveries in which a shot went out, oldest first; empty if it was never delivered.

    Args:
        record: the shot's record: all that is stored about the shot.
    """
    whys = (one.why for one in record.events if one.to_state is State.DELIVERED and one.from_state is State.VERIFIED)
    return tuple(int(why.removeprefix(_DELIVERY)) for why in whys if why.removeprefix(_DELIVERY).isdecimal())


_DELIVERY = "delivery "


def found_in(edit_sha256: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return copies of the findings, each with the edit's SHA-256 in its field `picture`.

    A finding with this mark counts only while the marked edit is the shot's present one
    (`ShotRecord.present_findings`).

    Args:
        edit_sha256: SHA-256 of the edit's bytes, in hexadecimal.
        findings: what was found in the edit.
    """
    return tuple(one.model_copy(update={"picture": edit_sha256}) for one in findings)


class Event(Value):
    """One event in a shot's life: a change of its state, or a note.

    Attributes:
        at: when it happened (UTC).
        actor: the flow run's id or a person's name.
        from_state: the state before the event.
        to_state: the state after the event. For a note, which changes nothing, it equals `from_state`.
        why: the reason in words.
        passing: True if the cause of a failure may pass by itself, such as a full disk.
    """

    at: datetime
    actor: str
    from_state: State
    to_state: State
    why: str
    passing: bool = False


class Source(Value):
    """The client's original file.

    Attributes:
        key: its key in storage.
        sha256: hash of its bytes, in hexadecimal.
        size_bytes: its length.
    """

    key: str
    sha256: str
    size_bytes: int


class ShotRecord(Stored):
    """Everything known about a shot, as it is stored.

    It is append-only: each change returns a new record with one more event.

    Attributes:
        shot: client, batch and name of the shot.
        source: the client's original file.
        state: the single truth about where the shot stands.
        facts: name, such as sku, category or view -> value and source.
        findings: what checks found, also those about edits that were replaced; see `present_findings`.
        reports: name of a stage -> what it found, as plain JSON.
        objects: the shot's own objects in storage: name, such as ``edit.tif`` -> SHA-256 of the bytes.
        plan_fingerprint: hash of the plan (all settings of the shot) that the last stage followed.
        pipeline_version: version of the pipeline in the last stage.
        events: oldest first.
        decisions: people's decisions, oldest first; kept when the shot starts again.
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
        """Return the value of a fact about the shot; an empty text if it is unknown.

        Args:
            name: the fact's name, such as ``sku``, ``view`` or ``category``.
        """
        sourced = self.facts.get(name)
        return sourced.value if sourced else ""

    @property
    def product(self) -> str:
        """The id of the photographed product: its SKU, else its ASIN, else its GTIN; empty if none is known."""
        return self.fact("sku") or self.fact("asin") or self.fact("gtin")

    @property
    def present_findings(self) -> tuple[Finding, ...]:
        """The findings that are true now: about the photograph and the present edit.

        Findings about an edit that was replaced are left out.
        """
        edit = self.objects.get(EDIT, "")
        return tuple(one for one in self.findings if one.picture in ("", edit))

    @property
    def failed_from(self) -> State | None:
        """The state in which the shot was when it failed, and to which it can return; None if it has not failed."""
        if self.state is not State.FAILED:
            return None
        return next(one.from_state for one in reversed(self.events) if one.from_state is not State.FAILED)

    @property
    def failed_in_passing(self) -> bool:
        """Whether the shot has failed for a reason that may pass by itself, such as a full disk."""
        failures = [event for event in self.events if event.to_state is State.FAILED]
        return self.state is State.FAILED and failures[-1].passing

    @property
    def worst_finding(self) -> Finding | None:
        """The most important finding about the photograph and its present edit.

        The order is: failed gate (a check that forbids the machine to approve), other failed check, warning, skipped
        check. None if every check passed.
        """
        told = in_order_of_weight(self.present_findings)
        return next((one for one in told if one.status is not Status.PASSED), None)

    def advance(
        self,
        to: State,
        *,
        at: datetime,
        actor: str,
        why: str,
        passing: bool = False,
        findings: tuple[Finding, ...] = (),
        reports: Mapping[str, Mapping[str, Any]] | None = None,
        objects: Mapping[str, str] | None = None,
    ) -> ShotRecord:
        """Return the record in its next state, with the event that led there.

        `FOLLOWS` says which states may follow which. There are two exceptions: FAILED may follow every state that is
        not final, and a shot that its client sent back may go from AWAITING_EDITOR to DELIVERED again. A failed shot
        can only return to the state in which it failed. From there it can advance further.

        Args:
            to: the next state.
            at: the present time.
            actor: the flow run's id or a person's name.
            why: the reason in words.
            passing: True if `to` is FAILED and the cause may pass by itself, such as a full disk.
            findings: findings to add to those of the record.
            reports: name of a stage -> what it found, to add to the record. A report of the same name is replaced.
            objects: name of an object of the shot -> SHA-256 of its bytes, to add. One of the same name is replaced.

        Raises:
            IllegalTransitionError: `to` may not follow the present state.
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
        event = Event(at=at, actor=actor, from_state=self.state, to_state=to, why=why, passing=passing)
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
        """Return the record with an event that doesn't change its state, such as an answer that was refused.

        Args:
            at: the present time.
            actor: the flow run's id or a person's name.
            why: what happened, in words.
        """
        event = Event(at=at, actor=actor, from_state=self.state, to_state=self.state, why=why)
        return self.model_copy(update={"events": (*self.events, event)})

    @property
    def since(self) -> datetime | None:
        """The time (UTC) when the shot entered its present state; None if it never changed its state."""
        changes = [event.at for event in self.events if event.from_state is not event.to_state]
        return changes[-1] if changes else None

    def _may_become(self, to: State) -> bool:
        if self.state is State.FAILED:
            return to is self.failed_from
        if to is State.FAILED:
            return bool(FOLLOWS[self.state])
        if (self.state, to) == (State.AWAITING_EDITOR, State.DELIVERED):
            return bool(deliveries_of(self))
        return to in FOLLOWS[self.state]

    def restart(self, *, at: datetime, actor: str, why: str) -> ShotRecord:
        """Return the record in the state RECEIVED, without findings, reports and objects: all work starts again.

        Facts, events and decisions are kept. The restart is one more event. It is possible from every state.

        Args:
            at: the present time.
            actor: the flow run's id or a person's name.
            why: the reason in words.
        """
        event = Event(at=at, actor=actor, from_state=self.state, to_state=State.RECEIVED, why=why)
        cleared: dict[str, Any] = {"findings": (), "reports": {}, "objects": {}}
        return self.model_copy(update={"state": State.RECEIVED, "events": (*self.events, event), **cleared})
