"""Find shots whose measured light differs from that of their group, for example after a lamp failed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from packshot.colour.backdrop_light import BackdropReading
from packshot.colour.difference import delta_e_2000
from packshot.colour.normalise import difference, middle
from packshot.figures import counted
from packshot.specs.models import GroupLimits
from packshot.types import Finding, Status

_STOPS = 0.15
_CHROMA = 2.0
_ROBUST = 5.0
_CELL = 0.5
_SIDES = {"left_right": ("left", "right"), "bottom_top": ("bottom", "top")}


class Lit(Protocol):
    """A shot with its measured backdrop: all that is needed to compare its light with that of other shots.

    Attributes:
        shot: the shot's name.
        backdrop: the backdrop's colour and light; None if no backdrop was measured.
    """

    @property
    def shot(self) -> str: ...
    @property
    def backdrop(self) -> BackdropReading | None: ...


L = TypeVar("L", bound=Lit)


def clusters(members: Sequence[L], limits: GroupLimits) -> list[list[L]]:
    """Return shots with the same settings, split into parts by their backdrops. The largest part comes first.

    Two shots belong together if a chain of shots connects them in steps of at most `same_light_delta_e` (delta E 2000).
    So slowly drifting light stays one part. A chain with fewer than `least_shots` shots makes no separate part: its
    shots go to the nearest part. Shots without a backdrop go to the largest part. There is one part if there is nothing
    to split.

    Args:
        members: the shots, with the same camera and settings.
        limits: `same_light_delta_e` and `least_shots`.
    """
    measured = [light for light in members if light.backdrop is not None]
    if len(measured) < 2 * limits.least_shots:
        return [list(members)]
    large = [chain for chain in _chains(measured, limits.same_light_delta_e) if len(chain) >= limits.least_shots]
    large.sort(key=lambda chain: (-len(chain), chain[0].shot))
    if len(large) < 2:
        return [list(members)]
    usual = [middle(_backdrops(chain)) for chain in large]
    parts = {id(light): number for number, chain in enumerate(large) for light in chain}
    split: list[list[L]] = [[] for _ in large]
    for light in members:
        number = parts[id(light)] if id(light) in parts else _nearest(light, usual)
        split[number].append(light)
    return split


def _chains(measured: Sequence[L], most: float) -> list[list[L]]:
    """Return shots that are connected by steps of at most `most`, delta E 2000, each chain in the order given.

    Backdrops in one cell of `_CELL` in L*, a* and b* are compared as one, by their mean. So the work grows with the
    number of different backdrops and not with the square of the number of shots.
    """
    cells: dict[tuple[int, ...], list[int]] = {}
    lab = np.array([light.backdrop.lab for light in measured if light.backdrop], np.float64)
    for index, key in enumerate(np.floor(lab / _CELL).astype(int).tolist()):
        cells.setdefault(tuple(key), []).append(index)
    found = _connected(np.array([lab[indices].mean(axis=0) for indices in cells.values()]), most)
    inside = list(cells.values())
    return [[measured[index] for index in sorted(i for cell in chain for i in inside[cell])] for chain in found]


def _connected(colours: np.ndarray[tuple[int, ...], np.dtype[np.float64]], most: float) -> list[list[int]]:
    """Return the rows of L*a*b* colours that chains of steps of at most `most` connect; a row is compared once."""
    left, chains = np.arange(len(colours)), []
    while left.size:
        chain, grown, left = [], [int(left[0])], left[1:]
        while grown:
            index = grown.pop()
            chain.append(index)
            near = delta_e_2000(colours[index][None], colours[left]) <= most
            grown += left[near].tolist()
            left = left[~near]
        chains.append(chain)
    return chains


def _nearest(light: Lit, usual: Sequence[BackdropReading]) -> int:
    """Return the index of the part whose median backdrop is nearest; 0, the largest, without a backdrop."""
    if light.backdrop is None:
        return 0
    return int(np.argmin([difference(light.backdrop, one) for one in usual]))


def _backdrops(part: Iterable[Lit]) -> list[BackdropReading]:
    return [light.backdrop for light in part if light.backdrop is not None]


class Usual(NamedTuple):
    """The usual light of a part: shots of one lighting set-up. `usual_light` makes it; each shot is compared with it.

    Attributes:
        backdrop: median of the part's backdrops.
        limit: smallest difference, delta E 2000, with which a shot counts as an outlier.
        sides: ``left_right`` and ``bottom_top`` -> median and limit of the light's fall-off, in stops; absent where too
            few were measured.
    """

    backdrop: BackdropReading
    limit: float
    sides: Mapping[str, tuple[float, float]]


def usual_light(part: Iterable[Lit], limits: GroupLimits) -> Usual | None:
    """Return the usual light of a set-up's shots: the median of their backdrops, with limits for outliers.

    It is None if not more than `least_shots` backdrops were measured. A limit is five robust standard deviations
    (1.4826 x median distance from the median), but at least `same_light_delta_e` for the backdrop's colour, and at
    least `uneven_stops` for the light's fall-off from side to side.

    Args:
        part: the shots of one lighting set-up.
        limits: `least_shots`, `same_light_delta_e` (delta E 2000) and `uneven_stops` (stops).
    """
    known = _backdrops(part)
    if len(known) <= limits.least_shots:
        return None
    usual = middle(known)
    spread = 1.4826 * float(np.median([difference(one, usual) for one in known]))
    sides = {}
    for name in _SIDES:
        values = [value for one in known if (value := getattr(one, name)) is not None]
        if len(values) > limits.least_shots:
            median = float(np.median(values))
            off = 1.4826 * float(np.median(np.abs(np.array(values) - median)))
            sides[name] = (median, max(limits.uneven_stops, _ROBUST * off))
    return Usual(usual, max(limits.same_light_delta_e, _ROBUST * spread), sides)


def outlier(light: Lit, usual: Usual | None) -> tuple[Finding, ...]:
    """Return the finding `light_outlier` on a shot whose light differs from the usual light of its set-up.

    The result is a tuple of this one finding, or empty. It is empty if the light does not differ, or if the shot's
    backdrop or the usual light is not known. The finding stops automatic approval. Its value is the difference between
    the shot's backdrop and the usual backdrop, in delta E 2000. If only the fall-off of the light from side to side
    differs, the value is the difference of the fall-offs, in stops. The finding has the limit that was exceeded.

    Args:
        light: the shot, with its measured backdrop.
        usual: the usual light of the shot's set-up, as `usual_light` returns it; None if it is not known.
    """
    if light.backdrop is None or usual is None:
        return ()
    away = difference(light.backdrop, usual.backdrop)
    sided = _sided(light.backdrop, usual)
    if away <= usual.limit and not sided:
        return ()
    causes = [*_causes(light.backdrop, usual.backdrop), *(one.words for one in sided)]
    message = f"The light is not that of its group: {'; '.join(causes) or 'the backdrop looks different'}."
    if away > usual.limit:
        figures = {"measured": round(away, 2), "limit": round(usual.limit, 2), "unit": "delta E 2000"}
    else:
        worst = max(sided, key=lambda one: one.stops - one.limit)
        figures = {"measured": round(worst.stops, 2), "limit": round(worst.limit, 2), "unit": "stops"}
    return (Finding(code="light_outlier", status=Status.FAILED, message=message, gate=True, **figures),)


def changed_light(part: Sequence[Lit], family: Sequence[Lit]) -> tuple[Finding, ...]:
    """Return the warning `light_changed`: a part of the shots has another light than others with the same settings.

    The result is a tuple of this one warning, or empty. It is empty if no backdrop was measured in the part, or none in
    the other shots. The warning's value is the difference between the median backdrops of the part and of the others,
    in delta E 2000. Its message names possible causes, such as a failed lamp. Whether the difference is large is not
    tested: call this function for a part that `clusters` split off.

    Args:
        part: the shots of the part, which is not the largest.
        family: all shots with the same camera settings, those of the part among them.
    """
    here = {light.shot for light in part}
    others = [light for light in family if light.shot not in here]
    if not _backdrops(part) or not _backdrops(others):
        return ()
    now, usual = middle(_backdrops(part)), middle(_backdrops(others))
    causes = "; ".join(_causes(now, usual)) or "the backdrop looks different"
    these = counted(len(part), "shot has", "shots have")
    message = f"{these} another light than {len(others)} with the same settings: {causes}."
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


class _Sided(NamedTuple):
    """Light that is darker on one side than in the rest of the group: by how many stops, beyond which limit."""

    words: str
    stops: float
    limit: float


def _sided(backdrop: BackdropReading, usual: Usual) -> list[_Sided]:
    """Return where light is darker on one side than in the rest of the group."""
    found = []
    for name, (median, most) in usual.sides.items():
        here = getattr(backdrop, name)
        if here is None or abs(here - median) <= most:
            continue
        off, (first, last) = here - median, _SIDES[name]
        side = first if off > 0 else last
        words = f"its {side} side is {abs(off):.1f} stops darker than usual, a lamp on that side may have failed"
        found.append(_Sided(words, abs(off), most))
    return found


def _light(backdrop: BackdropReading) -> float:
    return max(float(np.mean(backdrop.linear)), 1e-4)
