"""Hold decisions that people have made at the desk until a run has followed them.

A decision is checked at once. Then it is held for a minute (`desk_undo_s`), or until the same person decides about the
next shot. While it is held, it can be taken back. After that it is sent to its run. The desk watches until the run has
followed or refused it.

Held decisions are only in memory. If the desk is killed, they are lost, and those shots still wait. A desk that is
stopped in the normal way sends them first.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from packshot.errors import DecisionRefusedError, PackshotError
from packshot.naming import ShotId
from tasks.environment.troubles import AWAY
from tasks.people.followed_answers import followed
from tasks.people.sent_answers import CheckedAnswer, check_again, send, with_run
from tasks.runs.resuming import waiting_run_of

TRIED_AGAIN_S = 10.0
"""When Prefect or the storage can't be reached."""
MOST_TRIES = 60
LOOKED_AT = 10
"""Sent decisions that are looked at in one round."""
MOST_TOLD = 200
_LOG = logging.getLogger("packshot.desk")


class Outgoing(StrEnum):
    """The steps that a decision goes through before it is in its shot's record.

    Values:
        HELD: the decision is not sent yet, or is sent again later. Its person can take it back, unless it was sent
            once.
        SENDING: the decision is being sent to the shot's run.
        SENT: the run has the decision, and has neither followed nor refused it yet.
    """

    HELD = "held"
    SENDING = "sending"
    SENT = "sent"


@dataclasses.dataclass
class Answered:
    """One decision made at the desk that is not yet in its shot's record.

    Attributes:
        answer: the decision, checked. The run that it is for is found when it is sent for the first time.
        person: name of the person who decided.
        send_at: when the decision is sent, in seconds of the outbox's clock.
        together: all shots that were decided in the same step. They are taken back together.
        stage: how far the decision has come.
        tries: how often sending failed or brought no reply. After the first of them the decision can't be taken back,
            because its run may have it.
    """

    answer: CheckedAnswer
    person: str
    send_at: float
    together: tuple[ShotId, ...]
    stage: Outgoing = Outgoing.HELD
    tries: int = 0

    @property
    def shot(self) -> ShotId:
        """The shot that the decision is about."""
        return self.answer.shot

    @property
    def may_be_taken_back(self) -> bool:
        """Whether nothing of the decision has been sent, so that its run can't have it."""
        return self.stage is Outgoing.HELD and not self.tries


@dataclasses.dataclass(frozen=True)
class Held:
    """A decision that a person can still take back, because it is not sent yet.

    Attributes:
        answer: the decision, or one of several that were made in one step.
        shots: all shots for which it can be taken back.
        left_s: for how many more seconds it can be taken back.
    """

    answer: CheckedAnswer
    shots: tuple[ShotId, ...]
    left_s: float


@dataclasses.dataclass(frozen=True)
class Told:
    """A message to a person that an earlier decision of theirs did not count.

    Attributes:
        shot: the shot that the decision was about.
        sentence: the reason.
    """

    shot: ShotId
    sentence: str


class Outbox:
    """All decisions made at the desk that are not yet in a shot's record.

    A decision is held for a while, in which its person can take it back. Then it is sent to the shot's run, and
    watched until the run has followed or refused it.
    """

    def __init__(
        self, *, undo_s: float, on_settled: Callable[[ShotId], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin empty.

        Args:
            undo_s: how long a decision can be taken back.
            on_settled: called with a shot once its record has the decision, or the reason why not.
            clock: seconds that only go forward.
        """
        self._undo_s, self._on_settled, self._clock = undo_s, on_settled, clock
        self._lock = threading.Lock()
        self._answers: dict[str, Answered] = {}
        self._told: defaultdict[str, deque[Told]] = defaultdict(lambda: deque(maxlen=MOST_TOLD))

    def hold(self, *answers: CheckedAnswer, person: str) -> tuple[ShotId, ...]:
        """Hold decisions that a person made in one step; return the shots that already had a decision here.

        For these shots the earlier decision stays as it is, and the new one is dropped. If the person has an older
        decision that is still held, the older one is sent next. Once sent, it can no longer be taken back.

        Args:
            answers: the decisions, one for each shot.
            person: name of the person who decided.
        """
        at = self._clock()
        with self._lock:
            new = [one for one in answers if str(one.shot) not in self._answers]
            late = tuple(one.shot for one in answers if str(one.shot) in self._answers)
            if new:
                for one in self._answers.values():
                    if one.person == person and one.stage is Outgoing.HELD:
                        one.send_at = min(one.send_at, at)
            together = tuple(one.shot for one in new)
            for answer in new:
                self._answers[str(answer.shot)] = Answered(answer, person, at + self._undo_s, together)
            return late

    def undo(self, person: str) -> tuple[ShotId, ...]:
        """Take back a person's last decision, and return its shots; empty if there is none that can be taken back.

        If the decision was made about several shots in one step, it is taken back for each of these shots for which it
        has not been sent. For the others it stays and counts. Later decisions of other people stay, too.

        Args:
            person: the person's name.
        """
        with self._lock:
            one = self._held_by(person)
            shots = self._held_with(one) if one else ()
            for shot in shots:
                del self._answers[str(shot)]
            return shots

    def held_by(self, person: str) -> Held | None:
        """Return the last decision that a person can still take back; None if there is none.

        Args:
            person: the person's name.
        """
        with self._lock:
            one = self._held_by(person)
            if one is None:
                return None
            return Held(one.answer, self._held_with(one), max(0.0, one.send_at - self._clock()))

    def has(self, shot: ShotId | str) -> bool:
        """Return whether somebody has decided about a shot, and the shot's record doesn't have the decision yet.

        Args:
            shot: the shot's id, or its text CLIENT/BATCH/SHOT.
        """
        return str(shot) in self._answers

    def repeats(self, shot: ShotId | str, fields: Mapping[str, Any], *, person: str) -> bool:
        """Return whether a form only repeats the decision that its person has just made about a shot.

        A browser that got no answer sends its form again. The decision counts once, and its person is told that it
        counts.

        Args:
            shot: the shot's id, or its text CLIENT/BATCH/SHOT.
            fields: the form's fields: field name -> value, as in `CheckedAnswer`.
            person: the name of the person who sent the form.
        """
        known = self._answers.get(str(shot))
        return known is not None and known.person == person and dict(known.answer.fields) == dict(fields)

    def tell(self, person: str, shot: ShotId, sentence: str) -> None:
        """Keep a message for a person: why a decision did not count. Their next page shows it.

        Args:
            person: the person's name.
            shot: the shot that the decision was about.
            sentence: the reason.
        """
        with self._lock:
            self._told[person].append(Told(shot, sentence))

    def told(self, person: str) -> list[Told]:
        """Return the messages that a person has not seen yet, oldest first.

        A message says why a decision did not count. Each is returned once.

        Args:
            person: the person's name.
        """
        with self._lock:
            return list(self._told.pop(person, ()))

    @property
    def shots(self) -> frozenset[str]:
        """The shots (CLIENT/BATCH/SHOT) with a decision that their record doesn't have yet."""
        return frozenset(self._answers)

    @property
    def is_empty(self) -> bool:
        """Whether no decision is held, being sent or watched."""
        return not self._answers

    def tick(self, *, at_once: bool = False) -> None:
        """Send the decisions that are due, and look whether those that were sent have been followed.

        The desk calls it every second. No error is raised: a decision that can't be sent is tried again, or its
        person is told.

        Args:
            at_once: True sends all decisions, because the desk is about to end.
        """
        at = self._clock()
        with self._lock:
            due = [
                one for one in self._answers.values() if one.stage is Outgoing.HELD and (at_once or one.send_at <= at)
            ]
            for one in due:
                one.stage = Outgoing.SENDING
        for one in due:
            self._send(one)
        with self._lock:
            sent = [one for one in self._answers.values() if one.stage is Outgoing.SENT][:LOOKED_AT]
        for one in sent:
            self._look_at(one)

    def _send(self, one: Answered) -> None:
        try:
            self._send_or_find(one)
        except AWAY as error:
            self._try_later(one, error)
        except Exception as error:  # noqa: BLE001  (one decision must not stop the others; its person is told)
            self._settle(one, _sentence(one, error))
        else:
            one.stage = Outgoing.SENT

    def _send_or_find(self, one: Answered) -> None:
        """Send a decision. If it is refused, perhaps an earlier try arrived: then what the record says counts."""
        one.answer = with_run(one.answer)
        try:
            one.answer = check_again(one.answer)
            send(one.answer)
        except DecisionRefusedError:
            if not one.tries or self._waits(one):
                raise

    def _try_later(self, one: Answered, error: Exception) -> None:
        one.tries += 1
        if one.tries >= MOST_TRIES:
            self._settle(one, f"It could not be sent ({type(error).__name__}). Look whether the shot still waits.")
            return
        one.send_at, one.stage = self._clock() + TRIED_AGAIN_S, Outgoing.HELD

    def _look_at(self, one: Answered) -> None:
        try:
            decision = followed(one.answer.record, _run_of(one))
        except AWAY:
            return
        except Exception as error:  # noqa: BLE001  (as above)
            self._settle(one, _sentence(one, error))
            return
        if decision is not None:
            given = one.answer.decision
            own = (decision.by, decision.choice) == (given.by, given.choice)
            self._settle(one, "" if own else f"somebody else answered first: {decision.sentence}")
            return
        with self._lock:  # the others come first the next time
            if self._answers.pop(str(one.shot), None) is not None:
                self._answers[str(one.shot)] = one

    def _waits(self, one: Answered) -> bool:
        """Return whether the run that was asked still waits for an answer."""
        run = waiting_run_of(one.shot)
        return run is not None and run.id == _run_of(one)

    def _settle(self, one: Answered, refused: str) -> None:
        try:
            self._on_settled(one.shot)
        except AWAY:
            pass  # the next round of the lists reads it
        except Exception:  # noqa: BLE001  (the person must be told all the same; the log has the traceback)
            _LOG.exception("%s could not be read again", one.shot)
        with self._lock:
            self._answers.pop(str(one.shot), None)
        if refused:
            self.tell(one.person, one.shot, refused)

    def _held_by(self, person: str) -> Answered | None:
        held = [one for one in self._answers.values() if one.person == person and one.may_be_taken_back]
        last = max(held, key=lambda one: one.send_at, default=None)
        return last if last is not None and last.send_at > self._clock() else None

    def _held_with(self, one: Answered) -> tuple[ShotId, ...]:
        """Return the shots of a decision's step for which it can still be taken back, in their order."""
        step = [self._answers.get(str(shot)) for shot in one.together]
        return tuple(
            other.shot
            for other in step
            if other is not None
            and other.may_be_taken_back
            and (other.person, other.together) == (one.person, one.together)
        )


def _run_of(one: Answered) -> UUID:
    """Return the id of the run that a decision was sent to."""
    assert one.answer.run is not None, "it is found before anything is sent"
    return one.answer.run.id


def _sentence(one: Answered, error: Exception) -> str:
    """Return what a person is told of an error. One that nobody foresaw goes into the log with its traceback."""
    if isinstance(error, PackshotError):
        return str(error)
    _LOG.error("the decision about %s", one.shot, exc_info=error)
    return "An error that nobody foresaw; the desk's log has it. Look whether the shot still waits."
