"""Define the types in which the explanations of findings are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a finding's code means, for people.

    Attributes:
        text: the meaning in sentences; empty if `measured` and the advice of the finding's group say enough.
        measured, limit: meaning of the finding's two numbers; empty if it has no numbers.
        unit: unit of both numbers, such as ``px``; empty if they have none.
        status: the statuses that the finding can have, in words, such as ``failed; skipped``; empty for rules of
            quality control, all of which can have every status.
        gate: True if a failed finding forbids approval by the machine, False if it does not; None if the finding is
            made where nothing is approved.
    """

    text: str = ""
    measured: str = ""
    limit: str = ""
    unit: str = ""
    status: str = ""
    gate: bool | None = None


class Group(NamedTuple):
    """The codes of the findings that one stage of the work makes, with their meanings.

    Attributes:
        title: the heading of the group in ``docs/errors.md``.
        codes: code -> its meaning in this stage; another group may have the same code.
        advice: what to do about a finding with any of these codes; empty if each code's own text says so.
    """

    title: str
    codes: Mapping[str, Meaning]
    advice: str = ""
