"""Say which states of a shot each role of the desk may see and decide. No other module has these tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from packshot.decision import Choice
from packshot.record import State
from packshot.types import Value


class Role(StrEnum):
    """A role at the desk. One person can have several roles.

    Values:
        EDITOR: takes jobs and hands in finished pictures.
        REVIEWER: decides about the machine's edits.
        SENIOR: decides about edits and editors' work, and about shots on hold.
        MANAGER: decides about shots on hold, shares deliveries, and looks at all other waiting shots.
    """

    EDITOR = "editor"
    REVIEWER = "reviewer"
    SENIOR = "senior"
    MANAGER = "manager"


class Person(Value):
    """Somebody who is signed in at the desk.

    Attributes:
        name: the name in the account and in the records of decisions.
        roles: the roles of the account; they decide what the person may see and do.
    """

    name: str
    roles: frozenset[Role]

    def sees(self, state: State) -> bool:
        """Return whether the person may open shots in this state.

        False if shots in this state do not wait for people. An editor opens jobs, a reviewer edits in review and shots
        on hold, a senior or manager all waiting shots.
        """
        return bool(self.roles & SEES.get(state, frozenset()))

    def glances(self, state: State) -> bool:
        """Return whether the person may see a small picture of a shot in this state, such as beside another view.

        For a waiting shot, True if the person may open it. For any other shot, True if the person has a role.
        """
        return bool(self.roles & SEES.get(state, INSIDE))

    def decides(self, state: State) -> bool:
        """Return whether the person may make decisions about shots in this state.

        False if shots in this state do not wait for a decision, or if none of the person's roles may make it.
        """
        return bool(self.roles & DECIDES.get(state, frozenset()))

    def may(self, state: State, choice: Choice) -> bool:
        """Return whether the person may make one kind of decision about shots in this state.

        Args:
            state: the shot's state.
            choice: the decision. Only seniors and managers may answer a client that a picture has no fault; for this
                decision the state does not count.
        """
        if choice is Choice.NO_FAULT:
            return bool(self.roles & ANSWERS_CLIENTS)
        return self.decides(state)

    @property
    def reads_numbers(self) -> bool:
        """Whether the person may see production numbers and the pages of batches: True for seniors and managers."""
        return bool(self.roles & NUMBERS)


ANSWERS_CLIENTS = frozenset({Role.SENIOR, Role.MANAGER})
"""Roles that may tell a client that a picture sent back has no fault of ours."""

NUMBERS = frozenset({Role.SENIOR, Role.MANAGER})
"""Roles that may see the line in numbers, and whole batches."""

INSIDE = frozenset(Role)
"""Roles of the people of the line."""

SEES: Mapping[State, frozenset[Role]] = {
    State.IN_REVIEW: frozenset({Role.REVIEWER, Role.SENIOR, Role.MANAGER}),
    State.AWAITING_SIGNOFF: frozenset({Role.SENIOR, Role.MANAGER}),
    State.AWAITING_EDITOR: frozenset({Role.EDITOR, Role.SENIOR, Role.MANAGER}),
    State.ON_HOLD: frozenset({Role.REVIEWER, Role.SENIOR, Role.MANAGER}),
}
"""State of a waiting shot -> roles that may look at it."""

DECIDES: Mapping[State, frozenset[Role]] = {
    State.IN_REVIEW: frozenset({Role.REVIEWER, Role.SENIOR}),
    State.AWAITING_SIGNOFF: frozenset({Role.SENIOR}),
    State.ON_HOLD: frozenset({Role.SENIOR, Role.MANAGER}),
    State.AWAITING_EDITOR: frozenset({Role.EDITOR}),
}
"""State of a waiting shot -> roles that may decide about it at the desk."""
