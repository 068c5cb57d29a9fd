"""Define the commands ``edit`` and ``cutout``, which cut products out of local photographs by a network."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from packshot.cli.ending import exit_unless
from packshot.cli.options import (
    NOT_THIS_FILE,
    CategoryOption,
    ClientOption,
    ConfigFolder,
    Engine,
    Json,
    Out,
    Photos,
    SegmenterSource,
    alone,
    bytes_of,
    configs_in,
    mastered,
    platform_of,
    require_enabled,
    require_known,
    require_places,
    route_of,
    watch_of,
)
from packshot.cli.showing import (
    bar,
    bold_name,
    print_json,
    said_of_several,
    show_common,
    show_refused,
    terminal_console,
)
from packshot.errors import RefusedInputError
from packshot.specs.load import Configs
from packshot.types import Finding, Status, Verdict

REJECTED = "rejected"
"""Subfolder of the results for files that failed their verification. They must not be delivered."""


def add(app: typer.Typer, segmenter: SegmenterSource, today: Callable[[], datetime.date]) -> None:
    """Add the commands ``edit`` and ``cutout`` to the command line.

    Args:
        app: the command line. It is changed.
        segmenter: called with the name of an engine (the library that runs the network), such as ``onnxruntime``;
            returns (the segmentation network, findings about it).
        today: called without arguments; returns today's date. Platforms' rules can change on a date. The rules of this
            day apply.
    """

    @app.command()
    def edit(
        photos: Photos,
        out: Out,
        platform: Annotated[list[str], typer.Option(help="Platforms to export for; may be given several times.")],
        client: ClientOption = "default",
        category: CategoryOption = "",
        engine: Engine = "auto",
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Edit photographs and export them as <stem>.<platform>.<extension>; the strictest platform decides the score.

        A file that fails its verification is written into the folder `rejected` in OUT, with the reason. Exit status 1
        says that a photograph was refused or needs a person, or that a platform gets nothing of it.
        """
        known = configs_in(configs).on(today())
        require_known(known, client=client, category=category)
        for name in platform:
            require_enabled(platform_of(known, name))
        for folder in (out, out / REJECTED):
            require_places(photos, folder, kinds=platform)
        network, about = segmenter(engine)
        out.mkdir(parents=True, exist_ok=True)
        rows = []
        with bar("editing", quiet=json) as move:
            for done, path in enumerate(photos):
                move(done, len(photos))
                work = partial(_edited, path, known, network, about, out, client, category, platform)
                row = alone(path, work)
                none = dict.fromkeys(dict.fromkeys(platform), f"The photograph was refused: {row.get('refused')}")
                rows.append({"left_out": none, **row})
        if json:
            print_json(rows)
        else:
            common = said_of_several(rows)
            for row in rows:
                _show_edit(row, common)
            show_common(common)
        exit_unless(all(row.get("verdict") == Verdict.AUTO_APPROVE.value and not row["left_out"] for row in rows))

    @app.command()
    def cutout(
        photos: Photos, out: Out, engine: Engine = "auto", configs: ConfigFolder = None, json: Json = False
    ) -> None:
        """Cut out photographs: <stem>.matte.png (8 bit) and <stem>.composite.png (on white, sRGB), full size."""
        known = configs_in(configs)
        require_places(photos, out, kinds=("matte", "composite"))
        network, about = segmenter(engine)
        out.mkdir(parents=True, exist_ok=True)
        rows = []
        with bar("cutting out", quiet=json) as move:
            for done, path in enumerate(photos):
                move(done, len(photos))
                rows.append(alone(path, partial(_cut_out, path, known, network, about, out)))
        if json:
            print_json(rows)
        else:
            for row in rows:
                said = f"{row['file']}: {row.get('refused') or row['method']}"
                terminal_console().print(said, markup=False, highlight=False)
        exit_unless(not any("refused" in row for row in rows))


def _edited(
    path: Path,
    known: Configs,
    network: Any,
    about: Sequence[Finding],
    out: Path,
    client: str,
    category: str,
    platforms: Sequence[str],
) -> dict[str, Any]:
    """Edit one file, write its renditions and say what became of it."""
    from packshot import pipeline
    from packshot.export.labels import labels_of

    try:
        done = mastered(path, known, client=client, category=category, platforms=platforms)
    except NOT_THIS_FILE as error:
        return {"file": str(path), "refused": str(error)}
    watch = watch_of(done, known)
    decision = route_of(done, watch)
    result = pipeline.edit(done.master.pixels16, network, done.plan, noted=done.findings, watch=watch)
    labels = labels_of(done.plan, done.master.metadata)
    plain = done.plan.model_copy(
        update={"renditions": tuple(one.model_copy(update={"naming": "{shot}"}) for one in done.plan.renditions)}
    )
    named = {"shot": _safe(path.stem)}
    export = pipeline.export(result.composite, result.matte, plain, known=named, labels=labels, framed=result.framed)
    files = _write(path.stem, export, done.plan.renditions, out)
    return {
        "file": str(path),
        "route": decision.route.value,
        "reason": decision.reason,
        "score": result.score,
        "verdict": result.verdict.value,
        "method": result.method,
        "components": result.report.model_dump(include={"background", "edge", "fill", "colour"})
        if result.report
        else {},
        "engine": {"model": network.model, "engine": network.engine, "precision": network.precision},
        "findings": (*about, *done.findings, *result.findings),
        "platforms": _verdicts(result.report, done.plan.renditions),
        "files": files,
        "left_out": export.left_out,
    }


def _verdicts(report: Any, plans: Sequence[Any]) -> list[dict[str, Any]]:
    """Return quality control's verdict on each platform's rendition, in the order in which they were asked for."""
    if report is None:
        return [
            {"platform": one.platform.name, "score": 0.0, "verdict": Verdict.REJECT_AND_REDO.value} for one in plans
        ]
    return [{"platform": one.platform, "score": one.score, "verdict": one.verdict.value} for one in report.renditions]


def _write(stem: str, export: Any, renditions: Sequence[Any], out: Path) -> list[dict[str, Any]]:
    """Write the verified files, and the rejected ones into their own folder.

    Files of an earlier run are removed first.
    """
    for rendition in renditions:
        encodings = (rendition.platform.encoding, rendition.platform.fallback)
        names = [f"{stem}.{rendition.platform.name}.{one.format.extension}" for one in encodings if one]
        for old in (folder / name for folder in (out, out / REJECTED) for name in names):
            old.unlink(missing_ok=True)
    rows = []
    for one in (*export.verified, *export.rejected):
        folder = out if one.rendered.passed else out / REJECTED
        folder.mkdir(exist_ok=True)
        target = folder / f"{stem}.{one.platform}{Path(one.path).suffix}"
        target.write_bytes(one.rendered.encoded.data)
        said = {"platform": one.platform, "passed": one.rendered.passed, "findings": one.rendered.findings}
        rows.append({"file": str(target), **said})
    return rows


def _safe(stem: str) -> str:
    """Return the stem with only allowed characters; it is used only to pass the check of names."""
    return (
        "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "-" for letter in stem).strip(
            "-"
        )
        or "shot"
    )


def _show_edit(row: dict[str, Any], common: Collection[Finding]) -> None:
    console = terminal_console()
    if "refused" in row:
        show_refused(row)
        return
    colour = "green" if row["verdict"] == Verdict.AUTO_APPROVE.value else "yellow"
    console.print(f"{bold_name(row)}  score {row['score']:.1f}  [{colour}]{row['verdict']}[/]", highlight=False)
    for one in row["platforms"] if len(row["platforms"]) > 1 else ():
        said = f"  {one['platform']}: score {one['score']:.1f}, {one['verdict']}"
        console.print(said, markup=False, highlight=False)
    for finding in row["findings"]:
        if finding.status is not Status.PASSED and finding not in common:
            console.print(f"  {finding.status}: {finding.code}: {finding.message}", markup=False, highlight=False)
    for one in row["files"]:
        console.print(
            f"  {one['file']}  {'verified' if one['passed'] else 'REJECTED: not verified, do not ship'}",
            markup=False,
            highlight=False,
        )
        for finding in one["findings"]:
            if finding.status in (Status.FAILED, Status.WARNING):
                console.print(f"    {finding.status}: {finding.code}: {finding.message}", markup=False, highlight=False)
    for name, why in row["left_out"].items():
        console.print(f"  {name}: nothing to ship. {why}", style="red", markup=False, highlight=False)


def _cut_out(path: Path, known: Configs, network: Any, about: Sequence[Finding], out: Path) -> dict[str, Any]:
    """Cut out one file of any size and write its matte and its composite."""
    from packshot import pipeline

    try:
        done = pipeline.cut_out_photo(
            bytes_of(path), network, name=path.name, limits=known.ingest.model_copy(update={"min_px": 1})
        )
    except RefusedInputError as error:
        return {"file": str(path), "refused": str(error)}
    for name, data in (("matte", done.matte_png), ("composite", done.composite_png)):
        (out / f"{path.stem}.{name}.png").write_bytes(data)
    return {
        "file": str(path),
        "method": done.method,
        "engine": {"model": network.model, "engine": network.engine, "precision": network.precision},
        "findings": (*about, *done.findings),
    }
