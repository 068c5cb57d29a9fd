"""Which shots were taken under one lighting set-up, and why one thinks so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from packshot.ingest.metadata import Metadata
from packshot.types import Value

UNKNOWN_GROUP = "light-unknown"


class ShotLight(Value):
    """What tells of a shot's light: small, kept in the shot's record.

    Attributes:
        shoot_group: as the manifest names it.
        camera: serial number where known, else make and model; hashed, as it may identify a person.
        settings: lens, exposure, aperture, ISO, flash, white balance, in words.
        taken_at: by the camera's clock.
        backdrop_lab: measured backdrop, CIE L*a*b* (D50); None before it was measured.
    """

    shot: str
    shoot_group: str = ""
    camera: str = ""
    settings: str = ""
    taken_at: datetime | None = None
    backdrop_lab: tuple[float, float, float] | None = None


class GroupDecision(Value):
    """The shoot group of a shot.

    Attributes:
        group: a name that can stand in keys and labels.
        why: in words.
        light_known: False for shots of which nothing is known; they must not be corrected together.
    """

    group: str
    why: str
    light_known: bool = True


def light_of(
    shot: str,
    *,
    metadata: Metadata,
    shoot_group: str = "",
    backdrop_lab: tuple[float, float, float] | None = None,
) -> ShotLight:
    """Return what a shot's metadata and manifest say of its light."""
    camera = metadata.camera_serial or f"{metadata.camera_make} {metadata.camera_model}".strip()
    return ShotLight(
        shot=shot,
        shoot_group=shoot_group,
        camera=_short_hash(camera) if camera else "",
        settings=_settings(metadata),
        taken_at=metadata.taken_at,
        backdrop_lab=backdrop_lab,
    )


def group_shots(lights: Iterable[ShotLight], *, gap_s: int) -> dict[str, GroupDecision]:
    """Return each shot's group. The same shots give the same groups in any order.

    The manifest's word counts. Otherwise shots belong together that were taken by one camera with the same lens,
    exposure, flash and white balance, without a pause longer than `gap_s`.
    """
    groups: dict[tuple[str, ...], list[ShotLight]] = {}
    for light in sorted(lights, key=lambda light: light.shot):
        groups.setdefault(_key(light), []).append(light)
    decisions: dict[str, GroupDecision] = {}
    for key, members in groups.items():
        for part in _without_pauses(members, gap_s) if key[0] == "camera" else (members,):
            decision = _decision(key, part, gap_s)
            decisions |= {light.shot: decision for light in part}
    return dict(sorted(decisions.items()))


def _key(light: ShotLight) -> tuple[str, ...]:
    if light.shoot_group:
        return ("manifest", light.shoot_group)
    if light.camera or light.settings:
        return ("camera", light.camera, light.settings)
    return ("unknown",)


def _without_pauses(members: Sequence[ShotLight], gap_s: int) -> list[list[ShotLight]]:
    """Part the shots where the camera rested; those without a time stay together, apart from the others."""
    timed = sorted((light.taken_at, light.shot, light) for light in members if light.taken_at)
    parts: list[list[ShotLight]] = []
    last: datetime | None = None
    for taken_at, _, light in timed:
        if last is None or taken_at - last > timedelta(seconds=gap_s):
            parts.append([])
        parts[-1].append(light)
        last = taken_at
    untimed = [light for light in members if not light.taken_at]
    return [*parts, untimed] if untimed else parts


def _decision(key: tuple[str, ...], members: Sequence[ShotLight], gap_s: int) -> GroupDecision:
    if key[0] == "manifest":
        safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in key[1])[:40]
        name = f"set-{safe}-{_short_hash(key[1])}"
        return GroupDecision(group=name, why=f"the manifest names its shoot group {key[1]!r}")
    if key[0] == "unknown":
        why = "nothing says how it was lit; such shots stand together but are never corrected together"
        return GroupDecision(group=UNKNOWN_GROUP, why=why, light_known=False)
    times = sorted(light.taken_at for light in members if light.taken_at)
    start = times[0].isoformat() if times else ""
    pause = (
        f"no pause over {gap_s / 60:g} minutes from {times[0]:%H:%M:%S} to {times[-1]:%H:%M:%S}"
        if times
        else "no time known"
    )
    camera = "one camera" if key[1] else "an unnamed camera"
    why = f"{len(members)} shot(s) by {camera}, {key[2] or 'settings unknown'}, {pause}"
    return GroupDecision(group=f"light-{_short_hash('|'.join((*key, start)))}", why=why)


def _settings(metadata: Metadata) -> str:
    exposure = metadata.exposure_s
    shutter = (f"1/{round(1 / exposure)} s" if exposure < 0.4 else f"{exposure:g} s") if exposure else ""
    flash = {True: "flash", False: "no flash"}.get(metadata.flash) if metadata.flash is not None else ""
    white = f"{metadata.white_balance} white balance" if metadata.white_balance else ""
    aperture = f"f/{metadata.f_number:g}" if metadata.f_number else ""
    iso = f"ISO {metadata.iso}" if metadata.iso else ""
    return ", ".join(word for word in (metadata.lens, shutter, aperture, iso, flash, white) if word)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
