"""Take every photograph through the machine's stages: master, route, cut out, frame, score. Keep the results on disk.

<work>/network/     the network's prediction for each photograph; a second run needs no network
<work>/edits/       one JSON file per photograph, method and pipeline version
<work>/pictures/    matte and composite, named after the matte's hash: an older one that was looked at stays
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

from benchmarks.cutout_quality import KeptSegmenter
from benchmarks.seen.photographs import Photograph
from packshot import PIPELINE_VERSION
from packshot.colour.transform import working_to_srgb8
from packshot.cutout import Method, Segmenter
from packshot.errors import PackshotError
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.pipeline import METHODS, Edit, Mastered, edit, master, route
from packshot.routing.approve import Watch, ruled_out
from packshot.routing.model import shipped_model
from packshot.routing.proof import kinds_of
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import Configs, Plan
from packshot.types import Matte, Pixels8, Route, Status, Verdict

WORK = Path.home() / ".cache" / "packshot" / "seen"
MODEL = "isnet-general-use"
WAYS: Mapping[str, tuple[Method, ...]] = {"line": METHODS, "network": (Method.NETWORK_ONLY,)}
"""The line as it is, with its second try; and the plain network."""
NEAR_SCORE = 80.0
_PLATFORM = "amazon_main"
_LEAST_CANVAS_PX = 300


@dataclasses.dataclass(frozen=True)
class Result:
    """The machine's edit of one photograph, with its measurements and verdict.

    Attributes:
        file: path of the photograph below the folder of products.
        sha256: hash of the photograph's file.
        product: the product that the photograph shows.
        half: to which half of the photographs the product belongs, a value of `Half`: ``chosen on`` (limits may be
            chosen on them) or ``only reported``.
        way: the methods that were tried: ``line`` (those of production) or ``network`` (only the network's own matte).
        pipeline_version: of the code that made the edit.
        used: the method that made the matte in the end.
        matte_sha256: hash of the matte in 8 bits; empty if the photograph was refused.
        size: width and height of the edit, in pixels.
        score: in 0..100.
        verdict: ``auto_approve``, ``human_review`` or ``reject_and_redo``; empty if the photograph was refused.
        night: further decisions that the nightly run would make; empty if the photograph was refused. The keys:
            ``route`` and ``reason`` (who edits the photograph, by the routing model), ``route_by_limits`` (the same
            without the model), ``refusal_probability`` (0 to 1; None if the model gives none), ``category`` (empty if
            not known), ``kinds`` (list), ``real_proof_missing`` (True if too few real photographs of these kinds were
            judged) and ``approves`` (True if the night would approve the edit).
        figures: name -> the edit's measurement, for the routing model.
        findings: all findings of quality control, each with its fields as plain JSON. Their places are in pixels of
            the picture that each rule looked at.
        refused: why the photograph was refused, as a sentence; empty if it was not.
    """

    file: str
    sha256: str
    product: str
    half: str
    way: str
    pipeline_version: str
    used: str = ""
    matte_sha256: str = ""
    size: tuple[int, int] = (0, 0)
    score: float = 0.0
    verdict: str = ""
    night: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    findings: tuple[Mapping[str, Any], ...] = ()
    refused: str = ""

    @property
    def name(self) -> str:
        """The edit's name wherever it is shown: ``<12 digits of the photograph's hash>-<way>``.

        It does not reveal the machine's verdict.
        """
        return f"{self.sha256[:12]}-{self.way}"

    @property
    def approved(self) -> bool:
        """Whether quality control approved the edit."""
        return self.verdict == Verdict.AUTO_APPROVE.value

    @property
    def near(self) -> bool:
        """Whether the edit was approved, or its score is at least 80 of 100, which counts as nearly approved."""
        return self.approved or self.score >= NEAR_SCORE

    @property
    def stops(self) -> tuple[str, ...]:
        """The codes of the findings that prevent an approval by the machine, each once."""
        failed = (one["code"] for one in self.findings if one["gate"] and one["status"] == Status.FAILED.value)
        return tuple(dict.fromkeys(failed))


def matte_hash(matte8: Pixels8) -> str:
    """Return the SHA-256 of a matte and of its shape, in hexadecimal.

    Two edits with different hashes have different mattes.

    Args:
        matte8: (rows, columns) uint8.
    """
    shape = f"{matte8.shape[1]}x{matte8.shape[0]}:".encode()
    return hashlib.sha256(shape + np.ascontiguousarray(matte8).tobytes()).hexdigest()


def result_file(work: Path, photo_sha256: str, way: str, version: str = PIPELINE_VERSION) -> Path:
    """Return the path of the JSON file in which an edit's result is kept.

    It is ``<work>/edits/<12 digits>-<way>-v<version>.json``.

    Args:
        work: folder of all results.
        photo_sha256: hash of the photograph's file; its first 12 digits are in the name.
        way: ``line`` (the methods of production) or ``network`` (only the network's own matte).
        version: pipeline version.
    """
    return work / "edits" / f"{photo_sha256[:12]}-{way}-v{version}.json"


def picture_files(work: Path, matte_sha256: str) -> tuple[Path, Path]:
    """Return the paths of (an edit's matte, its composite on white); both are PNG, and need not exist.

    They are ``<work>/pictures/<16 digits>.matte.png`` and ``<16 digits>.composite.png``, by the matte's hash.

    Args:
        work: folder of all results.
        matte_sha256: hash of the matte in 8 bits.
    """
    stem = work / "pictures" / matte_sha256[:16]
    return stem.with_suffix(".matte.png"), stem.with_suffix(".composite.png")


def results(work: Path, *, ways: Iterable[str] = tuple(WAYS), version: str = PIPELINE_VERSION) -> list[Result]:
    """Return the edits of one pipeline version that are kept on disk, sorted by file and way.

    Args:
        work: folder of all results.
        ways: only edits that were made in these ways: ``line`` (the methods of production), ``network`` (only the
            network's own matte).
        version: pipeline version.
    """
    found = [load_result(path) for way in ways for path in sorted((work / "edits").glob(f"*-{way}-v{version}.json"))]
    return sorted(found, key=lambda one: (one.file, one.way))


def load_result(path: Path) -> Result:
    """Return one edit with the machine's measurements and verdict, read from its JSON file.

    Args:
        path: the file. `result_file` returns the path for a photograph.
    """
    said = json.loads(path.read_text(encoding="utf-8"))
    said["size"] = tuple(said["size"])
    said["findings"] = tuple(said["findings"])
    return Result(**said)


def make(photo: Photograph, way: str, work: Path) -> Result:
    """Take one photograph through the machine's stages; store its pictures and its result, and return the result.

    The edit is always made again; files of an earlier edit with the same name are replaced. If a stage refuses the
    photograph, `Result.refused` gives the reason, and no PackshotError is raised.

    Args:
        photo: the photograph.
        way: ``line`` (the methods of production) or ``network`` (only the network's own matte).
        work: folder of all results; made if it is missing.
    """
    configs = _configs()
    nothing = Result(photo.file, photo.sha256, photo.product, photo.half.value, way, PIPELINE_VERSION)
    try:
        mastered = _mastered(photo, configs)
        made = edit(mastered.master.pixels16, _segmenter(work), _plan(mastered), methods=WAYS[way])
    except PackshotError as error:
        result = dataclasses.replace(nothing, refused=str(error))
    else:
        result = _result(nothing, made, _night(mastered, made, configs), work)
    target = result_file(work, photo.sha256, way)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(dataclasses.asdict(result)), encoding="utf-8")
    return result


def _configs() -> Configs:
    """The configs that come with Packshot; a small photograph is taken, too."""
    configs = load_configs(default_folder())
    return configs.model_copy(update={"ingest": configs.ingest.model_copy(update={"min_px": 1})})


def _mastered(photo: Photograph, configs: Configs) -> Mastered:
    return master(
        photo.path.read_bytes(),
        path=photo.path.name,
        shot=photo.path.stem,
        row={"category": photo.category, "platforms": _PLATFORM},
        client="default",
        configs=configs,
    )


def _plan(mastered: Mastered) -> Plan:
    """The shot's plan on a canvas that its photograph can fill: how large it is must not decide here."""
    rendition = mastered.plan.renditions[0]
    rows, columns = mastered.master.pixels16.shape[:2]
    canvas = rendition.platform.canvas
    aimed_at = min(canvas.recommended_px or 2000, max(1000, rows, columns))
    canvas = canvas.model_copy(update={"min_px": _LEAST_CANVAS_PX, "recommended_px": aimed_at})
    platform = rendition.platform.model_copy(update={"canvas": canvas})
    return mastered.plan.model_copy(update={"renditions": (rendition.model_copy(update={"platform": platform}),)})


def _segmenter(work: Path) -> Segmenter:
    return KeptSegmenter(MODEL, folder=work / "network")


def _night(mastered: Mastered, made: Edit, configs: Configs) -> dict[str, Any]:
    """What the night would say besides, by the model that comes with Packshot."""
    plan, model = mastered.plan, shipped_model()
    without = ruled_out(plan.category, configs.categories.values())
    known: dict[str, Any] = {"category_source": mastered.category_source, "looks": mastered.looks}
    by_model = route(mastered.features, plan, model=model, ruled_out=without, **known)
    by_limits = route(mastered.features, plan, **known)
    category, routing = plan.category.name if plan.category else "", plan.routing
    watch = Watch(model, mastered.features, routing.approve, without, category, routing.real_only)
    told, proof = watch.judge(made.figures), watch.proof(made.figures)
    return {
        "route": by_model.route.value,
        "reason": by_model.reason,
        "route_by_limits": by_limits.route.value,
        "refusal_probability": told.measured,
        "category": category,
        "kinds": kinds_of({**mastered.features.model_dump(), **made.figures}, category),
        "real_proof_missing": proof.stops_approval,
        "approves": by_model.route is Route.AUTOMATED
        and made.verdict is Verdict.AUTO_APPROVE
        and not told.stops_approval
        and not proof.stops_approval,
    }


def _result(nothing: Result, made: Edit, night: Mapping[str, Any], work: Path) -> Result:
    matte8 = np.rint(made.matte * 255).astype(np.uint8)
    digest = matte_hash(matte8)
    files = picture_files(work, digest)
    files[0].parent.mkdir(parents=True, exist_ok=True)
    for file, picture in zip(files, (matte8, working_to_srgb8(made.composite)), strict=True):
        file.write_bytes(imagecodecs.png_encode(picture, level=1))
    return dataclasses.replace(
        nothing,
        used=made.method,
        matte_sha256=digest,
        size=(matte8.shape[1], matte8.shape[0]),
        score=made.score,
        verdict=made.verdict.value,
        night=night,
        figures=made.figures,
        findings=tuple(one.model_dump(mode="json") for one in made.findings),
    )


def load_pictures(result: Result, work: Path) -> tuple[Matte, Pixels8]:
    """Return (an edit's matte, its composite), from disk.

    The matte is (rows, columns) float32 in 0..1; the composite is (rows, columns, 3) uint8, sRGB.

    Args:
        result: the edit.
        work: folder of all results.
    """
    matte, composite = (imagecodecs.png_decode(file.read_bytes()) for file in picture_files(work, result.matte_sha256))
    return matte.astype(np.float32) / np.float32(255), composite


def load_photograph(photo: Photograph) -> Pixels8:
    """Return a photograph of the set, upright: (rows, columns, 3) uint8, sRGB, as large as the matte of its edit.

    Args:
        photo: the photograph, as `photographs` lists it.
    """
    opened = open_photo(photo.path.read_bytes(), name=photo.file, limits=_configs().ingest)
    return working_to_srgb8(develop(opened).pixels16)
