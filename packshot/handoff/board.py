"""List the shots that wait for people, each with the responsible person, the start of the wait and the due time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from packshot.blind import as_listed
from packshot.handoff.deciding import editors_of, taken_by
from packshot.handoff.sla import Urgency, due_of, urgency
from packshot.record import WAITING, ShotRecord, State
from packshot.specs.handoff import HandoffConfig
from packshot.types import Value

_ROLES = {
    State.AWAITING_EDITOR: "an editor",
    State.IN_REVIEW: "a reviewer",
    State.AWAITING_SIGNOFF: "a senior editor",
    State.ON_HOLD: "the client",
}


class Wait(Value):
    """One shot that waits for a person: who has to act, since when and until when.

    Attributes:
        client, batch, shot: names of client, batch and shot.
        state: the state in which it waits.
        with_whom: who has to act: a role such as ``a reviewer``, or the name of the person who took the job.
        since: when it entered the state (UTC).
        due: when the person should have acted (UTC).
        urgency: whether the due time is far, near or past.
        tier: how much handwork the shot needs, from ``basic`` to ``super_complex``; empty if no job for an editor was
            made.
        services: names of the services (kinds of handwork) that the shot needs; empty if no job was made.
        editors: names of everyone who edited it so far.
        why: why the shot is in its state, in words.
    """

    client: str
    batch: str
    shot: str
    state: State
    with_whom: str
    since: datetime
    due: datetime
    urgency: Urgency
    tier: str = ""
    services: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    why: str = ""


def wait_of(record: ShotRecord, *, at: datetime, promise: HandoffConfig) -> Wait | None:
    """Return who has to act on a shot, since when and until when; None if the shot waits for nobody.

    Args:
        record: the shot's record.
        at: the present time.
        promise: the client's rules of people's work. They say after how many hours the work in each state is due.
    """
    due = due_of(record, promise=promise)
    if record.state not in WAITING or record.since is None or due is None:
        return None
    job = record.reports.get("job", {})
    return Wait(
        client=record.shot.client,
        batch=record.shot.batch,
        shot=record.shot.shot,
        state=record.state,
        with_whom=taken_by(record) or _ROLES[record.state],
        since=record.since,
        due=due,
        urgency=urgency(due, at=at, soon_hours=promise.soon_hours),
        tier=str(job.get("tier", "")),
        services=tuple(job.get("services", ())),
        editors=tuple(dict.fromkeys(editors_of(record))),
        why=next((one.why for one in reversed(as_listed(record).events) if one.from_state is not one.to_state), ""),
    )


def in_order(waits: Iterable[Wait]) -> list[Wait]:
    """Return the shots that wait for people, sorted by due time, earliest first, then by client, batch and name."""
    return sorted(waits, key=lambda one: (one.due, one.client, one.batch, one.shot))
