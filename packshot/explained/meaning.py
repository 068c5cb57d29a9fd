"""Meanings of the codes of findings, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a finding says, and what to do about it.

    Attributes:
        text: the meaning in sentences; empty if `measured` and the advice of the finding's group say enough.
        measured, limit: what the two numbers of the finding mean; empty if the finding has no numbers.
        unit: unit of both.
        status: the statuses that the finding can have, in words; empty if these are the statuses of every rule.
        gate: True if a failed finding forbids approval by the machine; None if the finding has nothing to do with
            approval.
    """

    text: str = ""
    measured: str = ""
    limit: str = ""
    unit: str = ""
    status: str = ""
    gate: bool | None = None


class Group(NamedTuple):
    """The codes of the findings that one stage makes.

    Attributes:
        title: the heading of the group in ``docs/errors.md``.
        codes: code -> what it means there; another group may have the same code.
        advice: what to do, whichever of these codes a finding has.
    """

    title: str
    codes: Mapping[str, Meaning]
    advice: str = ""
