"""Sort shots into shoot groups by lighting set-up, with the reason, and mark the shots that differ from their group.

A shoot group normally is one lighting set-up. In a group named by the manifest, the settings or the measured light may
change. Such a group has several parts, and each part is one set-up.

    how the group is known   shots of one part
    the manifest names it    same named group, same camera settings, similar measured backdrop
    from the metadata        same camera and settings, no long pause, similar measured backdrop
    not at all               all shots about whose light nothing is known; they are never corrected together
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from packshot.colour.backdrop_light import BackdropReading
from packshot.colour.target import TargetReading
from packshot.figures import counted
from packshot.ingest.light_outliers import changed_light, clusters, outlier, usual_light
from packshot.ingest.metadata import Metadata
from packshot.specs.models import GroupCorrection, GroupLimits
from packshot.types import Finding, Value

UNKNOWN_GROUP = "light-unknown"


class ShotLight(Value):
    """The known facts about the light of one shot, by which it is grouped. They are kept in the shot's record.

    Attributes:
        shot: the shot's name.
        shoot_group: the group's name in the manifest; empty if there is none.
        camera: hash of the serial number, or of make and model; empty if none is known. It is hashed because it may
            identify a person.
        settings: lens, exposure time, aperture, ISO, flash and white balance as one text, such as ``1/125 s, f/8, ISO
            100``; empty if none is known.
        taken_at: time of the photograph by the camera's clock; None if it is not known.
        backdrop: measured along the border of the frame, or beside a product that fills it; None if no backdrop is seen
            clearly.
        target: the colour target (chart of known colours) in the picture; None without one.
        reference: the colour reference that the manifest names: a file of the batch, or a colour such as ``#B3202A``;
            empty without one.
        allowed: the strongest correction that the shot's plan allows for its group.
    """

    shot: str
    shoot_group: str = ""
    camera: str = ""
    settings: str = ""
    taken_at: datetime | None = None
    backdrop: BackdropReading | None = None
    target: TargetReading | None = None
    reference: str = ""
    allowed: GroupCorrection = GroupCorrection.EVEN


class GroupPlace(Value):
    """The shoot group of one shot, and its lighting set-up inside the group. `group_shots` makes it.

    Attributes:
        group: the group's name, which is safe in storage keys and labels, such as ``light-1a2b3c4d``.
        part: the name of the set-up inside the group. It equals `group` if there is only one.
        series: a name for set-ups that should look alike: those of one group in the manifest, else those with the same
            camera and settings. It is empty if nothing says how the shot was lit.
        why: the reason for the group and the set-up, in words.
        light_known: False if nothing says how the shot was lit. Such shots must not be corrected together.
        findings: warnings and failures because this shot's light differs from that of its group.
    """

    group: str
    part: str
    series: str
    why: str
    light_known: bool = True
    findings: tuple[Finding, ...] = ()


def light_of(
    shot: str,
    *,
    metadata: Metadata,
    shoot_group: str = "",
    backdrop: BackdropReading | None = None,
    target: TargetReading | None = None,
    reference: str = "",
    allowed: GroupCorrection = GroupCorrection.EVEN,
) -> ShotLight:
    """Return the facts about a shot's light: camera, settings and time from its metadata, the others as they are given.

    Args:
        shot: the shot's name.
        metadata: the file's metadata.
        shoot_group: the group's name in the manifest; empty if there is none.
        backdrop: the backdrop as measured; None if it is not seen clearly.
        target: the colour target (chart of known colours) in the picture; None without one.
        reference: the colour reference that the manifest names: a file of the batch, or a colour such as ``#B3202A``;
            empty without one.
        allowed: the strongest correction that the shot's plan allows for its group.
    """
    camera = metadata.camera_serial or f"{metadata.camera_make} {metadata.camera_model}".strip()
    return ShotLight(
        shot=shot,
        shoot_group=shoot_group,
        camera=short_hash(camera) if camera else "",
        settings=_settings(metadata),
        taken_at=metadata.taken_at,
        backdrop=backdrop,
        target=target,
        reference=reference,
        allowed=allowed,
    )


def group_shots(
    lights: Iterable[ShotLight],
    *,
    gap_s: int,
    limits: GroupLimits | None = None,
    before: Mapping[str, tuple[str, str]] | None = None,
) -> dict[str, GroupPlace]:
    """Return the shoot group of each shot: name of the shot -> its place, sorted by name.

    A shot whose light differs from that of its group gets a finding in its place.

    Args:
        lights: the light of all shots of a batch, in any order.
        gap_s: if more seconds pass between two shots with the same camera and settings, a new group begins. Groups that
            the manifest names are not split by time.
        limits: how much the light of one set-up may differ; None: the defaults.
        before: name of a shot -> (group, part) from an earlier run. A set-up keeps the name that most of its shots had,
            when more shots arrive. None: there was no earlier run.
    """
    limits = limits or GroupLimits()
    families: dict[tuple[str, ...], list[ShotLight]] = {}
    for light in sorted(lights, key=lambda light: light.shot):
        families.setdefault(_key(light), []).append(light)
    places: dict[str, GroupPlace] = {}
    for key, members in sorted(families.items()):
        places |= _places(key, members, gap_s=gap_s, limits=limits)
    return dict(sorted(_with_earlier_names(places, before or {}).items()))


def _key(light: ShotLight) -> tuple[str, ...]:
    if light.shoot_group:
        return ("manifest", light.shoot_group)
    if light.camera or light.settings:
        return ("camera", light.camera, light.settings)
    return ("unknown",)


def _places(
    key: tuple[str, ...], members: Sequence[ShotLight], *, gap_s: int, limits: GroupLimits
) -> dict[str, GroupPlace]:
    if key[0] == "unknown":
        why = "nothing says how it was lit; such shots stand together but are never corrected together"
        lost = GroupPlace(group=UNKNOWN_GROUP, part=UNKNOWN_GROUP, series="", why=why, light_known=False)
        return {light.shot: lost for light in members}
    if key[0] == "manifest":
        return _manifest_places(key[1], members, limits)
    found: dict[str, GroupPlace] = {}
    series = f"series-{short_hash('|'.join(key))}"
    for stretch in _without_pauses(members, gap_s):
        for number, part in enumerate(clusters(stretch, limits)):
            name = f"light-{short_hash('|'.join((*key, _start_of(part if number else stretch), str(number))))}"
            why = _camera_words(key, part, gap_s) + _measured_words(part, number)
            found |= _members(part, GroupPlace(group=name, part=name, series=series, why=why), limits, number, stretch)
    return found


def _manifest_places(named: str, members: Sequence[ShotLight], limits: GroupLimits) -> dict[str, GroupPlace]:
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in named)[:40]
    group = f"set-{safe}-{short_hash(named)}"
    found: dict[str, GroupPlace] = {}
    by_settings: dict[tuple[str, str], list[ShotLight]] = {}
    for light in members:
        by_settings.setdefault((light.camera, light.settings), []).append(light)
    for (camera, settings), alike in sorted(by_settings.items()):
        for number, part in enumerate(clusters(alike, limits)):
            single = len(by_settings) == 1 and number == 0
            suffix = "" if single else f"-{short_hash('|'.join((camera, settings, str(number))))[:4]}"
            why = f"the manifest names its shoot group {named!r}"
            why += (
                f"; {len(part)} of its {counted(len(members), 'shot')}: {settings or 'settings unknown'}"
                if suffix
                else ""
            )
            place = GroupPlace(group=group, part=group + suffix, series=group, why=why + _measured_words(part, number))
            found |= _members(part, place, limits, number, alike)
    return found


def _members(
    part: Sequence[ShotLight],
    place: GroupPlace,
    limits: GroupLimits,
    number: int,
    family: Sequence[ShotLight],
) -> dict[str, GroupPlace]:
    """Return the place of each shot of a part, with findings on how the shot differs.

    Args:
        number: index of the part among those with the same settings. 0 is the largest.
    """
    found: dict[str, GroupPlace] = {}
    moved = changed_light(part, family) if number else ()
    usual = usual_light(part, limits)
    for light in part:
        findings = (*moved, *outlier(light, usual))
        found[light.shot] = place.model_copy(update={"findings": findings}) if findings else place
    return found


def _with_earlier_names(
    places: Mapping[str, GroupPlace], before: Mapping[str, tuple[str, str]]
) -> dict[str, GroupPlace]:
    """Return the places with earlier names kept: each part takes the name that most of its shots had.

    Larger parts choose first.
    """
    members: dict[tuple[str, str], list[str]] = {}
    for shot, place in places.items():
        members.setdefault((place.group, place.part), []).append(shot)
    names: dict[tuple[str, str], tuple[str, str]] = {}
    given: set[tuple[str, str]] = set()
    for now, shots in sorted(members.items(), key=lambda item: (-len(item[1]), item[0])):
        earlier = Counter(before[shot] for shot in shots if shot in before)
        same_kind = [
            name for name, _ in sorted(earlier.items(), key=lambda one: (-one[1], one[0])) if name[0][:4] == now[0][:4]
        ]
        free = [name for name in same_kind if name not in given and name[0] != UNKNOWN_GROUP]
        names[now] = free[0] if free and now[0] != UNKNOWN_GROUP else now
        given.add(names[now])
    return {
        shot: place.model_copy(update=dict(zip(("group", "part"), names[place.group, place.part], strict=True)))
        for shot, place in places.items()
    }


def _without_pauses(members: Sequence[ShotLight], gap_s: int) -> list[list[ShotLight]]:
    """Return the shots split at long pauses. Shots without a time form one separate list."""
    timed = sorted(
        ((light.taken_at, light.shot, light) for light in members if light.taken_at), key=lambda one: one[:2]
    )
    parts: list[list[ShotLight]] = []
    last: datetime | None = None
    for taken_at, _, light in timed:
        if last is None or taken_at - last > timedelta(seconds=gap_s):
            parts.append([])
        parts[-1].append(light)
        last = taken_at
    untimed = [light for light in members if not light.taken_at]
    return [*parts, untimed] if untimed else parts


def _start_of(members: Sequence[ShotLight]) -> str:
    times = sorted(light.taken_at for light in members if light.taken_at)
    return times[0].isoformat() if times else ""


def _camera_words(key: tuple[str, ...], members: Sequence[ShotLight], gap_s: int) -> str:
    times = sorted(light.taken_at for light in members if light.taken_at)
    pause = (
        f"no pause over {gap_s / 60:g} minutes from {times[0]:%H:%M:%S} to {times[-1]:%H:%M:%S}"
        if times
        else "no time known"
    )
    camera = "one camera" if key[1] else "an unnamed camera"
    return f"{counted(len(members), 'shot')} by {camera}, {key[2] or 'settings unknown'}, {pause}"


def _measured_words(part: Sequence[ShotLight], number: int) -> str:
    known = sorted(light.backdrop.lab[0] for light in part if light.backdrop)
    if not known:
        return ", backdrop not measured"
    level = f"{known[0]:.0f}" if known[-1] - known[0] < 1 else f"{known[0]:.0f} to {known[-1]:.0f}"
    return f", backdrop at L* {level}" + (", unlike the others with these settings" if number else "")


def _settings(metadata: Metadata) -> str:
    exposure = metadata.exposure_s
    shutter = (f"1/{round(1 / exposure)} s" if exposure < 0.4 else f"{exposure:g} s") if exposure else ""
    flash = {True: "flash", False: "no flash"}.get(metadata.flash) if metadata.flash is not None else ""
    white = f"{metadata.white_balance} white balance" if metadata.white_balance else ""
    aperture = f"f/{metadata.f_number:g}" if metadata.f_number else ""
    iso = f"ISO {metadata.iso}" if metadata.iso else ""
    return ", ".join(word for word in (metadata.lens, shutter, aperture, iso, flash, white) if word)


def short_hash(text: str) -> str:
    """Return the first eight hex digits of the text's SHA-256, for names that must be the same each time.

    Args:
        text: any text.
    """
    return hashlib.sha256(text.encode()).hexdigest()[:8]
