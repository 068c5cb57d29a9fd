"""Define the commands on clipping paths: list a file's paths, or draft a path for an editor.

A clipping path is a vector outline of the product, stored in the picture's file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from packshot.cli.ending import exit_unless
from packshot.cli.options import ConfigFolder, Engine, Json, SegmenterSource, configs_in
from packshot.cli.showing import bold_name, in_markup, new_table, print_json, terminal_console
from packshot.errors import NamingError
from packshot.figures import counted

_TOLERANCE_PX = 0.5

Photo = Annotated[Path, typer.Argument(help="A photograph.", exists=True, dir_okay=False, readable=True)]
Work = Annotated[
    Path, typer.Argument(help="A TIFF, PSD, PSB, JPEG or PNG file.", exists=True, dir_okay=False, readable=True)
]


def add(app: typer.Typer, segmenter: SegmenterSource) -> None:
    """Add the commands ``paths`` and ``path draft`` to the command line.

    Args:
        app: the command line. It is changed.
        segmenter: called with the name of an engine (the library that runs the network), such as ``onnxruntime``;
            returns (the segmentation network, findings about it). Only ``path draft`` uses it.
    """

    @app.command("paths")
    def list_paths(
        file: Work,
        matte: Annotated[
            Path | None, typer.Option(help="Fill the path and write its matte here, as an 8-bit PNG.", dir_okay=False)
        ] = None,
        path: Annotated[str, typer.Option(help="Fill the path of this name instead of the clipping path.")] = "",
        json: Json = False,
    ) -> None:
        """List the paths saved in a file and say which is the clipping path; fill it."""
        row = _listed(file, prefer=path)
        chosen = row.pop("path")
        if matte is not None and chosen is not None:
            _write_matte(matte, chosen, row["size"], photo=file)
            row["matte"] = str(matte)
        if json:
            print_json(row)
        else:
            _show(row)
        exit_unless(matte is None or chosen is not None)

    drafts = typer.Typer(no_args_is_help=True)
    app.add_typer(drafts, name="path", help="Draw clipping paths.")

    @drafts.callback()
    def _path() -> None:
        """Draw clipping paths."""

    @drafts.command("draft")
    def draft(
        photo: Photo,
        out: Annotated[Path, typer.Option("--out", help="The TIFF to write.", dir_okay=False)],
        tolerance: Annotated[
            float, typer.Option(help="How far the path may be from the matte's outline, in pixels.", min=0.1, max=20)
        ] = _TOLERANCE_PX,
        engine: Engine = "auto",
        configs: ConfigFolder = None,
        json: Json = False,
    ) -> None:
        """Cut out a photograph and write what an editor starts from: a 16-bit TIFF with matte and clipping path."""
        _require_other(out, photo)
        known = configs_in(configs)
        network, about = segmenter(engine)
        row = _drafted(photo, out, known, network, tolerance_px=tolerance)
        row["findings"] = (*about, *row["findings"])
        if json:
            print_json(row)
        else:
            drawn = f"{counted(row['subpaths'], 'sub-path')}, {counted(row['knots'], 'knot')}"
            terminal_console().print(
                f"{out}: {drawn} within {tolerance:g} px of the matte",
                markup=False,
                highlight=False,
            )


def _listed(file: Path, *, prefer: str) -> dict[str, Any]:
    from packshot.formats.names import is_named
    from packshot.paths.read import choose_path, read_paths

    found = read_paths(file.read_bytes(), name=file.name)
    if prefer and not any(is_named(one.raw_name, prefer) for one in found.paths):
        names = ", ".join(one.name for one in found.paths)
        raise NamingError(
            f"the file has no path called {prefer}",
            file.name,
            found=names or "no path",
            next_step="Give one of the file's paths with --path.",
        )
    chosen = choose_path(found, prefer=prefer)
    return {
        "file": str(file),
        "kind": found.kind,
        "size": list(found.size),
        "clipping_path": found.clipping_name,
        "used": chosen.path.name if chosen.path else None,
        "why": chosen.why,
        "paths": [
            {
                "name": one.name,
                "record_id": one.record_id,
                "subpaths": len(one.subpaths),
                "knots": one.knots,
                "is_clipping": one.is_clipping,
                "operations": [part.operation.name.lower() for part in one.subpaths],
                "rule": one.clip_rule.value,
            }
            for one in found.paths
        ],
        "findings": found.findings,
        "path": chosen.path,
    }


def _write_matte(out: Path, path: Any, size: list[int], *, photo: Path) -> None:
    import cv2
    import numpy as np

    from packshot.paths.rasterise import rasterise

    _require_other(out, photo)
    levels = np.rint(rasterise(path, size[0], size[1]) * 255).astype(np.uint8)
    out.write_bytes(cv2.imencode(".png", levels)[1].tobytes())


def _drafted(photo: Path, out: Path, known: Any, network: Any, *, tolerance_px: float) -> dict[str, Any]:
    from packshot.cutout import cut_out
    from packshot.ingest.decode import open_photo
    from packshot.ingest.master import develop
    from packshot.paths.draft import draft_path
    from packshot.paths.draft_file import write_draft

    limits = known.ingest.model_copy(update={"min_px": 1})
    master = develop(open_photo(photo.read_bytes(), name=photo.name, limits=limits))
    cutout = cut_out(master.pixels16, network)
    path = draft_path(cutout.matte, tolerance_px=tolerance_px)
    out.write_bytes(write_draft(master.pixels16, cutout.matte, path))
    return {
        "file": str(photo),
        "draft": str(out),
        "path": path.name,
        "subpaths": len(path.subpaths),
        "knots": path.knots,
        "tolerance_px": tolerance_px,
        "method": str(cutout.method),
        "findings": (*master.findings, *cutout.findings),
    }


def _require_other(out: Path, photo: Path) -> None:
    if out.resolve() == photo.resolve():
        raise NamingError(
            "the result would be written over the photograph", str(photo), next_step="Choose another file to write."
        )


def _show(row: dict[str, Any]) -> None:
    console = terminal_console()
    console.print(f"{bold_name(row)}  {row['kind']}, {row['size'][0]} x {row['size'][1]} px", highlight=False)
    if row["paths"]:
        table = new_table("path", "record", "sub-paths", "knots", "", ids=("path",))
        for one in row["paths"]:
            mark = "clipping path" if one["is_clipping"] else ""
            cells = (one["name"], one["record_id"], one["subpaths"], one["knots"], mark)
            table.add_row(*(in_markup(str(cell)) for cell in cells))
        console.print(table)
    console.print(f"  used: {row['used'] or 'none'} ({row['why']})", markup=False, highlight=False)
    for finding in row["findings"]:
        console.print(f"  {finding.status}: {finding.code}: {finding.message}", markup=False, highlight=False)
    if "matte" in row:
        console.print(f"  {row['matte']}", markup=False, highlight=False)
