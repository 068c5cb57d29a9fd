"""Store and read people's verdicts: an edit is signed or not, and each defect has its kind, its place and one sentence.

There is one file of JSON lines for each person who looks, so that two people can work at the same time. A later verdict
by the same person on the same matte replaces the earlier one. The files contain no pixels of a photograph.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from benchmarks.seen.editing import Result
from benchmarks.seen.photographs import Half
from packshot.types import Value

FOLDER = Path(__file__).with_name("verdicts")


class Kind(StrEnum):
    """Kinds of defects that a person can see in an edit. More on each is in benchmarks/seen/README.md.

    Values:
        SHADOW_KEPT: a shadow is kept as product.
        PALE_PART_LOST: a part nearly as light as the backdrop is gone.
        BACKDROP_LEFT: backdrop is kept, in a gap or beside the product.
        PART_LOST: another part of the product is missing at the outline.
        PART_PUNCHED: a hole or a half-transparent place inside the product.
        SEE_THROUGH: the backdrop shows through glass, lace or mesh.
        HALO: a line of the backdrop's colour along an edge.
        RAGGED_EDGE: the outline is frayed, stepped or wavy where the product's is smooth.
        SOFT_EDGE_WRONG: a soft edge is cut hard, or a hard one soft.
        THIN_PARTS_LOST: laces, straps, spokes or wires are broken or gone.
        OTHER: anything else, such as a prop that was left in.
    """

    SHADOW_KEPT = "shadow_kept"
    PALE_PART_LOST = "pale_part_lost"
    BACKDROP_LEFT = "backdrop_left"
    PART_LOST = "part_lost"
    PART_PUNCHED = "part_punched"
    SEE_THROUGH = "see_through"
    HALO = "halo"
    RAGGED_EDGE = "ragged_edge"
    SOFT_EDGE_WRONG = "soft_edge_wrong"
    THIN_PARTS_LOST = "thin_parts_lost"
    OTHER = "other"


class Place(Value):
    """A rectangle in pixels of the photograph, which are also those of the matte and the edit.

    Attributes:
        x, y: its upper left corner, from the picture's upper left.
        width, height: its size.
    """

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class Defect(Value):
    """One defect that a person saw in an edit.

    Attributes:
        kind: what is wrong.
        place: a rectangle around the whole defect, in pixels of the photograph, which are also those of the matte.
        says: one sentence that describes it.
    """

    kind: Kind
    place: Place
    says: str = Field(min_length=8, max_length=300)


class Said(Value):
    """One person's verdict on an edit, as the person writes it.

    Attributes:
        edit: the edit's name on its sheets: ``<12 digits>-<method>-<8 digits of the matte's hash>``.
        signed: whether a senior editor would send it to a client as it is.
        on_white: whether the editor would send it to a page that shows it on white only; None if that was not asked.
        defects: empty if it is signed; else at least one.
    """

    edit: str = Field(pattern=r"^[0-9a-f]{12}-[a-z]+-[0-9a-f]{8}$")
    signed: bool
    on_white: bool | None = None
    defects: tuple[Defect, ...] = ()

    @model_validator(mode="after")
    def _refused_for_something(self) -> Self:
        if self.signed == bool(self.defects):
            raise ValueError("a signed edit has no defect, and one that is not signed has at least one")
        if self.signed and self.on_white is False:
            raise ValueError("a signed edit is right on white too")
        return self


class Seen(Value):
    """A person's verdict on an edit as it is stored, with all data that identify the edit.

    Attributes:
        file, sha256: path of the photograph below the folder of products, and the hash of the file.
        product: the product that it shows.
        half: the half of the photographs to which the product belongs: limits may be chosen on it, or it only reports.
        way, used: the method that was asked for, and the method that made the matte.
        matte_sha256: hash of the matte in 8 bits.
        pipeline_version: of the code that made the edit.
        looker: a role, not a person: ``looker 1``.
        signed: whether a senior editor would send the edit to a client as it is.
        on_white: whether the editor would send it to a page that shows it on white only; None if that was not asked.
        defects: empty if it is signed; else at least one.
    """

    file: str
    sha256: str
    product: str
    half: Half
    way: str
    used: str
    matte_sha256: str
    pipeline_version: str
    looker: str = Field(pattern=r"^[a-z]+ [0-9]+$")
    signed: bool
    on_white: bool | None = None
    defects: tuple[Defect, ...] = ()


class VerdictError(Exception):
    """A verdict cannot be accepted. The message gives the verdict, the reason, and what is allowed."""


def take(lines: Iterable[str], made: Iterable[Result], *, looker: str) -> list[Seen]:
    """Return one person's verdicts, checked against the edits that they are about, in the order of the lines.

    Empty lines are left out.

    Args:
        lines: one JSON object per line, with the fields of `Said`.
        made: the edits that were shown.
        looker: the person's role, such as ``looker 1``.

    Raises:
        VerdictError: a line is not a verdict, is about an edit that was not shown, or marks a place outside the edit.
    """
    by_name = {shown_name(one): one for one in made if one.matte_sha256}
    taken = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = Said.model_validate_json(line)
        except ValidationError as error:
            raise VerdictError(f"line {number}: {error}") from error
        if said.edit not in by_name:
            raise VerdictError(f"line {number}: no such edit was shown: {said.edit}; look at its sheets again")
        result = by_name[said.edit]
        for defect in said.defects:
            _require_inside(defect, result, number)
        taken.append(_seen(said, result, looker))
    return taken


def shown_name(result: Result) -> str:
    """Return an edit's name on its contact sheets: ``<12 digits>-<method>-<8 digits of the matte's hash>``."""
    return f"{result.name}-{result.matte_sha256[:8]}"


def _require_inside(defect: Defect, result: Result, number: int) -> None:
    place, (width, height) = defect.place, result.size
    if place.x + place.width > width or place.y + place.height > height:
        raise VerdictError(f"line {number}: {defect.kind} at {place} lies outside the edit of {width} x {height} px")


def _seen(said: Said, result: Result, looker: str) -> Seen:
    return Seen(
        file=result.file,
        sha256=result.sha256,
        product=result.product,
        half=Half(result.half),
        way=result.way,
        used=result.used,
        matte_sha256=result.matte_sha256,
        pipeline_version=result.pipeline_version,
        looker=looker,
        signed=said.signed,
        on_white=said.on_white,
        defects=said.defects,
    )


def load(folder: Path = FOLDER) -> list[Seen]:
    """Return all stored verdicts of all persons: those of ``looker 1``, then those of ``looker 2``, and so on.

    Args:
        folder: where the files of all persons are, such as ``looker-1.jsonl``.
    """
    return [
        Seen.model_validate_json(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def keep(taken: Sequence[Seen], folder: Path = FOLDER) -> None:
    """Write verdicts into the file of the person who gave them.

    A new verdict replaces the earlier verdict of the same person on the same matte of the same photograph. Other stored
    verdicts stay.

    Args:
        taken: the verdicts.
        folder: where the files of all persons are, such as ``looker-1.jsonl``; made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for looker in {one.looker for one in taken}:
        path = folder / f"{looker.replace(' ', '-')}.jsonl"
        known = (
            [Seen.model_validate_json(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        )
        together = {(one.file, one.matte_sha256): one for one in (*known, *taken) if one.looker == looker}
        rows = sorted(together.values(), key=lambda one: (one.file, one.way, one.matte_sha256))
        text = "".join(json.dumps(one.model_dump(mode="json"), ensure_ascii=False) + "\n" for one in rows)
        path.write_text(text, encoding="utf-8")


def still_to_see(made: Iterable[Result], seen: Iterable[Seen]) -> list[Result]:
    """Return the edits that a person should look at: those whose matte nobody has looked at, each matte once.

    Approved and nearly approved ones come first. Within each of these two groups they are sorted by the photograph's
    hash, so that the order reveals nothing.

    Args:
        made: the edits as they are now.
        seen: the stored verdicts.
    """
    known = {(one.sha256, one.matte_sha256) for one in seen}
    waiting: dict[tuple[str, str], Result] = {}
    for one in made:
        key = (one.sha256, one.matte_sha256)
        if one.matte_sha256 and key not in known:
            waiting.setdefault(key, one)
    return sorted(waiting.values(), key=lambda one: (not one.near, one.sha256, one.way))
