"""Find shots whose measured light differs from that of their group, for example after a lamp failed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from packshot.colour.backdrop_light import BackdropReading
from packshot.colour.difference import delta_e_2000
from packshot.colour.normalise import difference, middle
from packshot.specs.models import GroupLimits
from packshot.types import Finding, Status

_STOPS = 0.15
_CHROMA = 2.0
_ROBUST = 5.0


class Lit(Protocol):
    """A shot with its measured backdrop."""

    @property
    def shot(self) -> str: ...
    @property
    def backdrop(self) -> BackdropReading | None: ...


L = TypeVar("L", bound=Lit)


def clusters(members: Sequence[L], limits: GroupLimits) -> list[list[L]]:
    """Return shots with the same settings, split by their backdrops. The largest part comes first.

    Two shots belong together if a chain of shots connects them in steps of at most `same_light_delta_e` (delta E 2000).
    So slowly drifting light stays one part. A chain with fewer than `least_shots` shots makes no part of its own: its
    shots go to the nearest part. Shots without a backdrop go to the largest part.
    """
    measured = [light for light in members if light.backdrop is not None]
    if len(measured) < 2 * limits.least_shots:
        return [list(members)]
    lab = np.array([light.backdrop.lab for light in measured if light.backdrop])
    near = delta_e_2000(lab[:, None], lab[None]) <= limits.same_light_delta_e
    found = [[measured[index] for index in chain] for chain in _chains(near)]
    large = [chain for chain in found if len(chain) >= limits.least_shots]
    large.sort(key=lambda chain: (-len(chain), chain[0].shot))
    if len(large) < 2:
        return [list(members)]
    parts = {id(light): number for number, chain in enumerate(large) for light in chain}
    for light in members:
        parts.setdefault(id(light), _nearest(light, large))
    return [[light for light in members if parts[id(light)] == number] for number in range(len(large))]


def _chains(near: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[list[int]]:
    left, chains = set(range(len(near))), []
    while left:
        chain, grown = {min(left)}, {min(left)}
        while grown:
            grown = {int(other) for index in grown for other in np.flatnonzero(near[index])} - chain
            chain |= grown
        left -= chain
        chains.append(sorted(chain))
    return chains


def _nearest(light: Lit, parts: Sequence[Sequence[Lit]]) -> int:
    if light.backdrop is None:
        return 0
    away = [difference(light.backdrop, middle(_backdrops(part))) for part in parts]
    return int(np.argmin(away))


def _backdrops(part: Sequence[Lit]) -> list[BackdropReading]:
    return [light.backdrop for light in part if light.backdrop is not None]


def outlier(light: Lit, part: Sequence[Lit], limits: GroupLimits) -> tuple[Finding, ...]:
    """Return a finding if a shot's light differs from that of its part; nothing if too few backdrops were measured.

    The limit is the larger of `same_light_delta_e` and five robust standard deviations (1.4826 x median distance).
    """
    known = _backdrops(part)
    if light.backdrop is None or len(known) <= limits.least_shots:
        return ()
    usual = middle(known)
    away = difference(light.backdrop, usual)
    spread = 1.4826 * float(np.median([difference(one, usual) for one in known]))
    limit = max(limits.same_light_delta_e, _ROBUST * spread)
    sided = _sided(light.backdrop, known, limits)
    if away <= limit and not sided:
        return ()
    causes = [*_causes(light.backdrop, usual), *sided]
    message = f"The light is not that of its group: {'; '.join(causes) or 'the backdrop looks different'}."
    if away > limit:
        figures = {"measured": round(away, 2), "limit": round(limit, 2), "unit": "delta E 2000"}
    else:
        figures = {"limit": limits.uneven_stops, "unit": "stops"}
    return (Finding(code="light_outlier", status=Status.FAILED, message=message, gate=True, **figures),)


def changed_light(part: Sequence[Lit], family: Sequence[Lit]) -> tuple[Finding, ...]:
    """Return the finding for a part whose light differs from the other shots with the same camera settings."""
    others = [light for light in family if light not in part]
    if not _backdrops(part) or not _backdrops(others):
        return ()
    now, usual = middle(_backdrops(part)), middle(_backdrops(others))
    causes = "; ".join(_causes(now, usual)) or "the backdrop looks different"
    message = f"{len(part)} shots have another light than {len(others)} with the same settings: {causes}."
    away = round(difference(now, usual), 2)
    return (Finding(code="light_changed", status=Status.WARNING, message=message, measured=away, unit="delta E 2000"),)


def _causes(backdrop: BackdropReading, usual: BackdropReading) -> list[str]:
    """Return possible causes of the difference, in words."""
    causes = []
    stops = math.log2(_light(backdrop) / _light(usual))
    if abs(stops) >= _STOPS:
        cause = "a lamp may have failed" if stops < 0 else "the exposure or a lamp was turned up"
        causes.append(f"its backdrop is {abs(stops):.1f} stops {'darker' if stops < 0 else 'brighter'}, {cause}")
    redder, yellower = backdrop.lab[1] - usual.lab[1], backdrop.lab[2] - usual.lab[2]
    if math.hypot(redder, yellower) >= _CHROMA:
        hue = ("warmer" if yellower > 0 else "cooler") if abs(yellower) >= abs(redder) else _red_or_green(redder)
        shift = math.hypot(redder, yellower)
        causes.append(f"its backdrop is {hue} by {shift:.1f} in a*b*, the white balance or a lamp's colour moved")
    return causes


def _red_or_green(redder: float) -> str:
    return "redder" if redder > 0 else "greener"


def _sided(backdrop: BackdropReading, known: Sequence[BackdropReading], limits: GroupLimits) -> list[str]:
    """Return descriptions of light that is darker on one side than in the rest of the group."""
    found = []
    for name, (first, last) in {"left_right": ("left", "right"), "bottom_top": ("bottom", "top")}.items():
        here = getattr(backdrop, name)
        there = [value for one in known if (value := getattr(one, name)) is not None]
        if here is None or len(there) <= limits.least_shots:
            continue
        off = here - float(np.median(there))
        spread = 1.4826 * float(np.median(np.abs(np.array(there) - np.median(there))))
        if abs(off) > max(limits.uneven_stops, _ROBUST * spread):
            side = first if off > 0 else last
            found.append(
                f"its {side} side is {abs(off):.1f} stops darker than usual, a lamp on that side may have failed"
            )
    return found


def _light(backdrop: BackdropReading) -> float:
    return max(float(np.mean(backdrop.linear)), 1e-4)
