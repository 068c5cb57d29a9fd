"""Meanings of the codes of findings, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a finding says, and what to do about it.

    Attributes:
        text: in sentences; empty if `measured` and the advice of its group say enough.
        measured, limit: what the two numbers of the finding are; empty: it has none.
        unit: unit of both.
        status: statuses that it can have, as words; empty: those of every rule.
        gate: whether it forbids approval by the machine when it fails; None: it concerns no approval.
    """

    text: str = ""
    measured: str = ""
    limit: str = ""
    unit: str = ""
    status: str = ""
    gate: bool | None = None


class Group(NamedTuple):
    """Codes that one stage makes.

    Attributes:
        title: the heading of the group in ``docs/errors.md``.
        codes: code -> what it means there; another group may have the same code.
        advice: what to do about any of them.
    """

    title: str
    codes: Mapping[str, Meaning]
    advice: str = ""
