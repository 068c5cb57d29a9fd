"""Count a day's photographs from their records: outcomes, routes, verdicts, causes of rework, and waiting shots."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from packshot.blind import AUDIT
from packshot.decision import BY_CLIENT, Choice, standing
from packshot.export.left_out import left_out_of
from packshot.naming import ShotId
from packshot.outcomes.daily_record import changes, kind_of
from packshot.outcomes.daily_values import (
    AGES_H,
    Cause,
    Day,
    Fates,
    LeftOutCount,
    RouteCount,
    SentBack,
    VerdictCount,
    WaitCount,
)
from packshot.outcomes.first_time import By, Rate, first_time_approval, judgements_of
from packshot.record import Event, ShotRecord, State
from packshot.types import Verdict

ROLES = (State.AWAITING_EDITOR, State.IN_REVIEW, State.AWAITING_SIGNOFF, State.ON_HOLD)
MOST_FAILURES = 20
BY_MACHINE, BY_LINE = "done again or given to an editor, by the machine's verdict", "refused by the line"

_SENT_BACK = (
    *(Choice.REDO, Choice.SEND_TO_EDITOR, Choice.REJECT_WORK, Choice.CHANGE_REQUEST, Choice.REJECT),
    *sorted(BY_CLIENT),
)
_AFTER_SCORE = {
    State.APPROVED: Verdict.AUTO_APPROVE,
    State.IN_REVIEW: Verdict.HUMAN_REVIEW,
    State.REDO: Verdict.REJECT_AND_REDO,
}


def fates_of(records: Iterable[ShotRecord], *, name: str) -> Fates:
    """Return how many shots are delivered, ready, waiting, refused or failed, by the state of their records.

    Ready means approved and not yet delivered. Waiting means that people have to act.

    Args:
        records: the shots, as they were at the end of the day.
        name: name for the counts: the client that the shots are from, or ``all``.
    """
    states = Counter(one.state for one in records)
    kinds: Counter[str] = Counter()
    for state, shots in states.items():
        kinds[kind_of(state)] += shots
    return Fates(
        name=name,
        delivered=kinds["delivered"],
        waiting=kinds["waiting"],
        ready=kinds["ready"],
        refused=kinds["refused"],
        failed=kinds["failed"],
        stopped=kinds["failed"] - states[State.FAILED],
    )


def fates_by_client(records: Sequence[ShotRecord]) -> tuple[Fates, ...]:
    """Return how many shots of each client are delivered, ready, waiting, refused or failed, sorted by client.

    Ready means approved and not yet delivered. Waiting means that people have to act.

    Args:
        records: the shots, as they were at the end of the day.
    """
    clients: dict[str, list[ShotRecord]] = {}
    for one in records:
        clients.setdefault(one.shot.client, []).append(one)
    return tuple(fates_of(shots, name=client) for client, shots in sorted(clients.items()))


def routes_of(records: Iterable[ShotRecord], day: Day) -> tuple[RouteCount, ...]:
    """Return how many shots got each route on the day, for each reason, the most frequent first.

    A route says how hard a shot is, and so whether the machine or a person edits it. If a shot was routed several
    times, only the last route counts.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    whys = []
    for record in records:
        routed = [one for one in changes(record, day) if _is(one, State.MASTERED, State.ROUTED)]
        whys += [one.why for one in routed[-1:]]
    counted = Counter((complexity, in_brief(reason)) for complexity, _, reason in (why.partition(": ") for why in whys))
    return tuple(
        RouteCount(complexity=complexity, reason=reason, shots=shots)
        for (complexity, reason), shots in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    )


def in_brief(reason: str) -> str:
    """Return the first clause of a route's reason, without numbers, so that equal reasons can be counted.

    Example: ``"thin structure 0.31 at or above 0.20; texture ..."`` becomes ``"thin structure at or above its limit"``.

    Args:
        reason: the reason of a route, in words.
    """
    clause = re.split(r"[;(]", reason)[0]
    clause = re.sub(r"(at or above|below|within) \d[\d.]*", r"\1 its limit", clause)
    brief = re.sub(r"(?<!\s)\s++\d[\d.]*", "", clause).strip()
    return "refusal probability above its limit" if brief == "refusal probability" else brief


def held_of(records: Iterable[ShotRecord], day: Day) -> int:
    """Return how many shots were put on hold on the day, to wait for something from the client.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    return sum(any(one.to_state is State.ON_HOLD for one in changes(record, day)) for record in records)


def verdicts_of(records: Sequence[ShotRecord], day: Day) -> tuple[VerdictCount, ...]:
    """Return for every verdict how many of the machine's edits got it on the day, and how reviewers judged them.

    A verdict that no edit got is listed too, with the number 0. In an audit a person judges an edit that the machine
    would approve. Such an edit counts on the day on which the person answered. Until then the numbers must not reveal
    the machine's verdict.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    edits: Counter[Verdict] = Counter()
    looked, refused = edits.copy(), edits.copy()
    for record in records:
        drawn = record.reports.get(AUDIT, {})
        of_redone = _on_redone_edits(record)
        for one in changes(record, day):
            audit = {} if one in of_redone else drawn
            seen = Verdict.AUTO_APPROVE if audit.get("approved") else Verdict.HUMAN_REVIEW
            if one.from_state is State.SCORED and one.to_state in _AFTER_SCORE:
                edits[_AFTER_SCORE[one.to_state]] += not (audit and one.to_state is State.IN_REVIEW)
            elif one.from_state is State.IN_REVIEW and one.to_state is not State.FAILED:
                edits[seen] += bool(audit)
                looked[seen] += 1
                refused[seen] += one.to_state is not State.APPROVED
    return tuple(
        VerdictCount(verdict=one, edits=edits[one], looked_at=looked[one], refused=refused[one]) for one in Verdict
    )


def _on_redone_edits(record: ShotRecord) -> tuple[Event, ...]:
    """Return the events on edits that a reviewer had made again. Only a first edit is drawn for an audit."""
    found, redone = [], False
    for one in record.events:
        found += [one] if redone else []
        redone = _is(one, State.IN_REVIEW, State.REDO) or (redone and not _is(one, State.ROUTED, State.EDITING_AUTO))
    return tuple(found)


def first_time_of(records: Iterable[ShotRecord], day: Day) -> tuple[Rate, ...]:
    """Return, for each editor, how much of the editor's work was approved at the first look, sorted by name.

    Only shots whose work by an editor was judged for the first time on the day are counted.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    judged = []
    for record in records:
        at = [one.at for one in judgements_of(record)]
        if at and day.holds(min(at)):
            judged.append(record)
    return first_time_approval(judged, by=By.EDITOR)


def causes_of(records: Iterable[ShotRecord], day: Day) -> tuple[Cause, ...]:
    """Return why work was redone, sent back or refused on the day: one `Cause` per reason, the most frequent first.

    A cause says who decided (a person, the machine, or Packshot's rules), why, and how often. If a person sent work
    back, the reason is that of the decision. If the machine had to edit a shot again, each code of a finding in the
    shot's record is a reason. If a file was refused, the reason is the error's code.

    Args:
        records: shots as they were at the end of the day. Their findings must be only those that failed, as
            `packshot.outcomes.daily_record.brief` returns them.
        day: the day.
    """
    counted: Counter[tuple[str, str]] = Counter()
    for record in records:
        counted.update(
            (one.choice.value, one.reason.value)
            for one in standing(record.decisions)
            if one.choice in _SENT_BACK and day.holds(one.at)
        )
        events = list(changes(record, day))
        if any(_is(one, State.SCORED, State.REDO) for one in events):
            counted.update((BY_MACHINE, code) for code in {one.code for one in record.findings} or {"score"})
        if any(_is(one, State.RECEIVED, State.REFUSED) for one in events):
            counted[(BY_LINE, str(record.reports.get("refusal", {}).get("code", "not stated")))] += 1
    return tuple(
        Cause(what=what, by_people=what not in (BY_MACHINE, BY_LINE), reason=reason, shots=shots)
        for (what, reason), shots in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    )


def sent_back_of(records: Iterable[ShotRecord], day: Day) -> SentBack:
    """Return how many delivered pictures clients sent back on the day, counted by who made the mistake.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    whose: Counter[str] = Counter()
    named = []
    for record in records:
        for one in standing(record.decisions):
            if one.choice not in BY_CLIENT or not day.holds(one.at):
                continue
            whose["wish" if one.choice is Choice.CLIENT_WISH else _approved_by(record, before=one.at)] += 1
            named.append(f"{record.shot}: {one.sentence}")
    return SentBack(
        by_machine=whose["machine"],
        by_people=whose["people"],
        wishes=whose["wish"],
        named=tuple(sorted(named)[:MOST_FAILURES]),
    )


def _approved_by(record: ShotRecord, *, before: datetime) -> str:
    """Return whether a machine or people last approved a shot before a time."""
    approved = [one for one in record.events if one.to_state is State.APPROVED and one.at <= before]
    own = [one for one in approved if one.from_state is not State.FAILED]
    return "machine" if own and own[-1].from_state is State.SCORED else "people"


def failures_of(records: Iterable[ShotRecord], day: Day) -> tuple[str, ...]:
    """Return the shots that failed on the day and are still failed, each as text: "acme/spring/SKU1: the reason".

    They are sorted by name. There are at most 20.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    failed = []
    for record in records:
        whys = [one.why for one in changes(record, day) if one.to_state is State.FAILED]
        if whys and record.state is State.FAILED:
            failed.append(f"{record.shot}: {whys[-1]}")
    return tuple(sorted(failed)[:MOST_FAILURES])


def left_out_by_platform(records: Iterable[ShotRecord], day: Day) -> tuple[LeftOutCount, ...]:
    """Return the platforms that received nothing, or not everything, of shots exported on the day, with the reasons.

    The platform with the most such shots comes first. Each names at most 20 shots.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    named: dict[str, dict[ShotId, str]] = {}
    for record in records:
        if not any(one.from_state in (State.APPROVED, State.EXPORTED) for one in changes(record, day)):
            continue
        for name, why in left_out_of(record).items():
            named.setdefault(name.split("/")[0], {})[record.shot] = f"{record.shot} for {name}: {why}"
    return tuple(
        LeftOutCount(platform=platform, shots=len(shots), named=tuple(sorted(shots.values())[:MOST_FAILURES]))
        for platform, shots in sorted(named.items(), key=lambda one: (-len(one[1]), one[0]))
    )


def waiting_of(records: Sequence[ShotRecord], day: Day) -> tuple[WaitCount, ...]:
    """Return how many shots wait for each role at the end of the day, by age: one entry for each role.

    The roles are, in this order: editors, reviewers, senior editors, clients. The age groups are those of
    `WaitCount.by_age`, from up to 4 hours to more than 7 days. An entry also has the number of shots that the role
    answered on the day, and their median waiting time.

    Args:
        records: shots as they were at the end of the day.
        day: the day.
    """
    return tuple(_waiting(state, records, day) for state in ROLES)


def _waiting(state: State, records: Iterable[ShotRecord], day: Day) -> WaitCount:
    ages: list[float] = []
    answered: list[float] = []
    for record in records:
        since: datetime | None = None
        for one in record.events:
            if one.from_state is one.to_state:
                continue
            if since is not None and since < one.at and one.to_state is not State.FAILED and day.holds(one.at):
                answered.append((one.at - since) / timedelta(hours=1))
            since = one.at if one.to_state is state else None
        if since is not None:
            ages.append((day.ends - since) / timedelta(hours=1))
    places = Counter(sum(age >= limit for limit in AGES_H) for age in ages)
    return WaitCount(
        state=state,
        by_age=tuple(places[place] for place in range(len(AGES_H) + 1)),
        oldest_h=max(ages, default=None),
        answered=len(answered),
        answered_after_h=median(answered) if answered else None,
    )


def _is(event: Event, before: State, after: State) -> bool:
    return event.from_state is before and event.to_state is after
