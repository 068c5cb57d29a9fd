"""Decide which colour correction the shots of each lighting set-up get.

Set-ups that should look alike form a series: those of one group in the manifest, else those with the same camera and
settings.

    the set-up has a colour target       the target's correction, if it is good enough
    another set-up of the series has     the set-up is matched to that one by its backdrop, then gets its correction
    none has, and the set-ups differ     each is matched by its backdrop to the set-up with the most measured backdrops
    otherwise                            no correction

The plan of a shot may allow less, or more: to make the backdrop grey. No shot is ever corrected alone: a correction
applies to every shot of the set-up whose plan allows it. Once an edited shot has used a correction, it stays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from packshot.colour.backdrop_light import BackdropReading
from packshot.colour.difference import lab_of
from packshot.colour.normalise import (
    Correction,
    Kind,
    chroma,
    correct,
    difference,
    gains_between,
    middle,
    neutral_light,
)
from packshot.colour.reference import parse_reference
from packshot.colour.spaces import encode_working, working_profile
from packshot.colour.target import Colour, TargetReading
from packshot.colour.target_fit import DeltaE, TargetFit
from packshot.figures import counted
from packshot.ingest.group_targets import by_target, fitted, proof
from packshot.ingest.grouping import GroupPlace, ShotLight, group_shots
from packshot.specs.models import GroupCorrection, IngestConfig
from packshot.types import Finding, Status, Value


class ReferencePhoto(Value):
    """A photograph of the batch that the manifest names as the colour reference of other photographs.

    Attributes:
        target: the colour target (chart of known colours) in it; None without one.
        swatch: red, green and blue of its centre in linear Adobe RGB, 0..1; None if the centre has several colours, or
            if there is a target.
        replaced: True if the client has replaced or deleted the file since the batch was listed; then nothing was
            measured.
        kept: file name of the copy that the batch keeps of the measured photograph, such as ``9f86...0a08.jpg``
            (`packshot.keys.reference_key`); empty without a copy.
        is_shot: True if the photograph is a shot of its own, because the manifest has a row for it; then nothing was
            measured.
        several: paths of the files if the name in the manifest fits more than one, such as ``day1/ref.jpg`` and
            ``day2/ref.jpg`` for ``ref.jpg``; then nothing was measured. Otherwise empty.
    """

    target: TargetReading | None = None
    swatch: tuple[float, float, float] | None = None
    replaced: bool = False
    kept: str = ""
    is_shot: bool = False
    several: tuple[str, ...] = ()


class Statement(Value):
    """The decision about colour for one lighting set-up of a batch. `state_groups` makes it.

    Attributes:
        part, group, series: names of the set-up, of its shoot group and of its series. Set-ups of a series should look
            alike.
        why: the reason why its shots belong together, in words.
        shots: names of its shots.
        backdrop: the median of the backdrops of its shots; None if none was measured.
        corrections: `GroupCorrection` level that a shot's plan allows at most -> the correction that such a shot gets.
            A level on which nothing is corrected is missing.
        fit: the correction fitted to its colour target, even if it was not good enough; None without a usable target.
        target_in: names of the files that show the target, separated by commas; empty without a target.
        verified: colour error that is left after the correction, in delta E 2000, on target patches that it was not
            fitted to; None if no target gives a good enough correction.
        findings: findings that concern all its shots.
    """

    part: str
    group: str
    series: str
    why: str
    shots: tuple[str, ...]
    backdrop: BackdropReading | None = None
    corrections: Mapping[GroupCorrection, Correction] = {}
    fit: TargetFit | None = None
    target_in: str = ""
    verified: DeltaE | None = None
    findings: tuple[Finding, ...] = ()


class GroupDecision(Value):
    """What was decided about colour for one shot: its shoot group, and the correction of its colours.

    `state_groups` makes it.

    Attributes:
        group, part: names of the shoot group, and of the lighting set-up in it.
        why: the reason why the shot belongs to them, in words.
        light_known: False if nothing says how the shot was lit.
        correction: the correction of the shot's pixels. It may change nothing.
        verified: colour error that is left after the correction, in delta E 2000, on patches of the colour target that
            it was not fitted to. None if no target gives a good enough correction, or if it gives one and the shot's
            plan forbids to use it.
        target_in: names of the files that show the set-up's colour target, separated by commas; empty without a target.
        reference: the colour reference that the manifest names: a file of the batch, or a colour such as ``#B3202A``;
            empty without one.
        reference_lab: CIE L*a*b* (D50) of the reference: the stated colour, or the photographed one after the
            correction. None without a reference, and if it shows a colour target or no single colour.
        reference_file: file name of the copy of the reference photograph, as `ReferencePhoto.kept`; empty if the
            reference is no file, or was replaced before it was read.
        findings: those about the light of the shot and about the colours of its group.
    """

    group: str
    part: str
    why: str
    light_known: bool = True
    correction: Correction = Correction()
    verified: DeltaE | None = None
    target_in: str = ""
    reference: str = ""
    reference_lab: Colour | None = None
    reference_file: str = ""
    findings: tuple[Finding, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Part:
    """A set-up with its measurements."""

    name: str
    place: GroupPlace
    lights: tuple[ShotLight, ...]
    backdrop: BackdropReading | None
    measured: int
    fit: TargetFit | None
    good: bool
    target_in: str
    findings: tuple[Finding, ...]


def state_groups(
    lights: Iterable[ShotLight],
    *,
    config: IngestConfig,
    references: Mapping[str, ReferencePhoto] | None = None,
    before: Mapping[str, tuple[str, str]] | None = None,
    stated: Mapping[str, Statement] | None = None,
) -> tuple[dict[str, GroupDecision], dict[str, Statement]]:
    """Return a batch's colour corrections: (name of the shot -> its decision, name of the set-up -> its statement).

    A set-up is a lighting set-up: shots in the same light, which are corrected alike.

    Args:
        lights: the light of all shots of a batch, in any order.
        config: length of the pause between groups, and the limits of light and colour.
        references: what the manifest names as a colour reference -> the photograph. None: there are no such
            photographs.
        before: name of a shot -> (group, set-up) from an earlier run, so that names are kept. None: there was none.
        stated: name of a set-up -> its earlier statement, for set-ups of which a shot has been edited. Their correction
            is kept. None: there are none.
    """
    known = {light.shot: light for light in lights}
    places = group_shots(known.values(), gap_s=config.group_gap_s, limits=config.groups, before=before)
    members: dict[str, list[str]] = {}
    for shot, place in places.items():
        members.setdefault(place.part, []).append(shot)
    parts = [
        _measured(name, places[shots[0]], [known[shot] for shot in shots], config, references or {})
        for name, shots in sorted(members.items())
    ]
    series: dict[str, list[_Part]] = {}
    for part in parts:
        series.setdefault(part.place.series or part.name, []).append(part)
    anchors = {name: _anchor(ones) for name, ones in series.items()}
    statements = {part.name: _statement(part, anchors[part.place.series or part.name], config) for part in parts}
    for name, earlier in (stated or {}).items():
        if name in statements:
            kept = {"corrections": earlier.corrections, "verified": earlier.verified, "fit": earlier.fit}
            statements[name] = statements[name].model_copy(update={**kept, "target_in": earlier.target_in})
    decisions = {
        shot: _decision(known[shot], place, statements[place.part], references or {}) for shot, place in places.items()
    }
    return decisions, statements


def _decision(
    light: ShotLight, place: GroupPlace, statement: Statement, references: Mapping[str, ReferencePhoto]
) -> GroupDecision:
    correction = statement.corrections.get(light.allowed, Correction())
    lab, doubts = _reference_lab(light.reference, references, correction)
    photo = references.get(light.reference)
    return GroupDecision(
        group=place.group,
        part=place.part,
        why=place.why,
        light_known=place.light_known,
        correction=correction,
        verified=statement.verified if light.allowed is not GroupCorrection.NONE or _unchanged(statement) else None,
        target_in=statement.target_in,
        reference=light.reference,
        reference_lab=lab,
        reference_file=photo.kept if photo is not None else "",
        findings=(*place.findings, *statement.findings, *_target_in_picture(light), *doubts),
    )


def _reference_lab(
    named: str, references: Mapping[str, ReferencePhoto], correction: Correction
) -> tuple[Colour | None, tuple[Finding, ...]]:
    """Return the L*a*b* colour of a reference, with a finding where the reference is unusable."""
    stated = parse_reference(named)
    photo = references.get(named)
    if stated is not None:
        return stated.lab, ()
    if not named or (photo is not None and photo.target is not None):
        return None, ()
    if photo is not None and photo.swatch is not None:
        pixel = encode_working(np.array([[photo.swatch]], np.float32))
        lightness, a, b = (float(value) for value in lab_of(correct(pixel, correction), icc=working_profile())[0, 0])
        return (round(lightness, 3), round(a, 3), round(b, 3)), ()
    if photo is not None and photo.replaced:
        return None, (_replaced(named),)
    if photo is not None and photo.is_shot:
        return None, (_is_shot(named),)
    if photo is not None and photo.several:
        return None, (_fits_several(named, photo.several),)
    what = "shows neither a colour target nor one colour" if photo is not None else "is neither a file nor a colour"
    message = f"The reference {named!r} {what}; it was not used. A colour is written #B3202A or Lab 41.2 58 33."
    return None, (Finding(code="reference_unusable", status=Status.WARNING, message=message),)


def _is_shot(named: str) -> Finding:
    message = (
        f"The reference {named!r} is a shot of its own, because the manifest has a row for it; it was not measured. "
        "Take that row out of the manifest, or send the reference as a file of its own."
    )
    return Finding(code="reference_unusable", status=Status.WARNING, message=message)


def _fits_several(named: str, paths: tuple[str, ...]) -> Finding:
    which = ", ".join([*paths[:3], *(["..."] if len(paths) > 3 else [])])
    message = (
        f"The reference {named!r} fits {counted(len(paths), 'file')} ({which}); none was used. Write the path of one "
        f"in the manifest, such as {paths[0]}."
    )
    return Finding(code="reference_unusable", status=Status.WARNING, message=message)


def _replaced(named: str) -> Finding:
    message = (
        f"The reference {named!r} was replaced or deleted while its batch was being processed, so no colour was "
        "compared with it. Start the batch again, so that it lists the new file."
    )
    return Finding(code="reference_replaced", status=Status.FAILED, message=message, gate=True)


def _unchanged(statement: Statement) -> bool:
    return statement.corrections.get(GroupCorrection.TARGET, Correction()).is_identity


def _target_in_picture(light: ShotLight) -> tuple[Finding, ...]:
    if light.target is None:
        return ()
    message = "A colour target stands in the picture; it serves its group, and is no picture of a product alone."
    x, y = zip(*light.target.corners, strict=True)
    box = (int(min(x)), int(min(y)), int(max(x)) + 1, int(max(y)) + 1)
    return (Finding(code="target_in_picture", status=Status.FAILED, message=message, gate=True, box=box),)


def _measured(
    name: str,
    place: GroupPlace,
    lights: Sequence[ShotLight],
    config: IngestConfig,
    references: Mapping[str, ReferencePhoto],
) -> _Part:
    backdrops = [light.backdrop for light in lights if light.backdrop is not None]
    targets = {light.shot: light.target for light in lights if light.target is not None}
    photos = {light.reference: references[light.reference] for light in lights if light.reference in references}
    targets |= {name: photo.target for name, photo in photos.items() if photo.target is not None}
    fit, good, findings = fitted(targets, config) if place.light_known else (None, False, ())
    return _Part(
        name=name,
        place=place,
        lights=tuple(lights),
        backdrop=middle(backdrops) if backdrops else None,
        measured=len(backdrops),
        fit=fit,
        good=good,
        target_in=", ".join(sorted(targets)),
        findings=findings,
    )


def _statement(part: _Part, anchor: _Part, config: IngestConfig) -> Statement:
    corrections, findings = _corrections(part, anchor, config)
    verified = (proof(part.fit) if part.good and part.fit else None) if part.place.light_known else None
    return Statement(
        part=part.name,
        group=part.place.group,
        series=part.place.series,
        why=part.place.why,
        shots=tuple(light.shot for light in part.lights),
        backdrop=part.backdrop,
        corrections=corrections,
        fit=part.fit,
        target_in=part.target_in,
        verified=verified,
        findings=(*part.findings, *findings),
    )


def _anchor(series: Sequence[_Part]) -> _Part:
    """Return the set-up to which the others of its series are matched.

    A set-up with a good colour target is preferred, then the one with the most measured backdrops.
    """
    return min(series, key=lambda one: (not one.good, -one.measured, one.name))


def _corrections(
    part: _Part, anchor: _Part, config: IngestConfig
) -> tuple[dict[GroupCorrection, Correction], tuple[Finding, ...]]:
    """Return the correction for each level that a plan may allow, with findings. Identities are left out."""
    if not part.place.light_known:
        return {}, ()
    corrected = by_target(part.fit, part.target_in) if part.good and part.fit else Correction()
    evened, findings = _evened(part, anchor, config)
    if part.good:
        evened = corrected
    settled = part.good or evened.kind is Kind.TARGET
    neutral = evened if settled else _neutral(part, anchor, evened, config)
    found = {
        GroupCorrection.TARGET: corrected,
        GroupCorrection.EVEN: evened,
        GroupCorrection.NEUTRAL: neutral,
    }
    return {allowed: one for allowed, one in found.items() if not one.is_identity}, findings


def _evened(part: _Part, anchor: _Part, config: IngestConfig) -> tuple[Correction, tuple[Finding, ...]]:
    """Return the correction that matches a set-up to its series' anchor, with findings.

    The backdrops give the gains. The correction of the anchor's target, if any, comes after them.
    """
    if part is anchor:
        return Correction(), ()
    target = by_target(anchor.fit, anchor.target_in) if anchor.good and anchor.fit else Correction()
    here, there = part.backdrop, anchor.backdrop
    enough = min(part.measured, anchor.measured) >= config.groups.least_shots
    if here is None or there is None or not enough:
        return Correction(), ()
    away = difference(here, there)
    if not (here.tells_light and there.tells_light):
        return Correction(), ()
    if away > config.groups.even_up_to_delta_e:
        message = f"Its backdrop differs from that of {anchor.name} by delta E {away:.1f}: taken for another backdrop."
        return Correction(), (_not_evened(message, away, config.groups.even_up_to_delta_e),)
    alike = away < config.groups.even_from_delta_e
    if alike:
        return target, ()
    gains = gains_between(here, np.array(there.linear))
    why = f"brought to the light of {anchor.name}, whose backdrop differs by delta E {away:.1f}"
    if target.is_identity:
        return Correction(kind=Kind.EVENED, gains=gains, why=why), ()
    red, green, blue = (mine * its for mine, its in zip(gains, target.gains, strict=True))
    joined = Correction(
        kind=Kind.TARGET, gains=(red, green, blue), coefficients=target.coefficients, why=f"{why}; {target.why}"
    )
    return joined, ()


def _not_evened(message: str, away: float, limit: float) -> Finding:
    return Finding(
        code="group_not_evened",
        status=Status.SKIPPED,
        message=message,
        measured=round(away, 2),
        limit=limit,
        unit="delta E 2000",
    )


def _neutral(part: _Part, anchor: _Part, evened: Correction, config: IngestConfig) -> Correction:
    """Return the correction that makes the backdrop neutral grey.

    The lightness is that of the anchor where the set-up was matched to it, else the backdrop's own.
    """
    aim = anchor if evened.kind is Kind.EVENED else part
    if part.backdrop is None or aim.backdrop is None or part.measured < config.groups.least_shots:
        return evened
    tint = chroma(aim.backdrop)
    usable = part.backdrop.tells_light and aim.backdrop.tells_light
    if not usable or tint > config.groups.neutral_up_to_chroma or tint < config.groups.even_from_delta_e:
        return evened
    gains = gains_between(part.backdrop, neutral_light(aim.backdrop))
    why = f"its backdrop, which the client says is grey, was off by {tint:.1f} in a*b*"
    return Correction(kind=Kind.NEUTRAL, gains=gains, why=f"{evened.why}; {why}" if evened.why else why)
