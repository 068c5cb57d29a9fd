"""Read every editor's file in a folder as Packshot reads returned work: vector paths, knots, mattes.

    python -m benchmarks.editor_returns ../shared/data/editor_returns [--markdown table.md]

An editor can return the outline of a product as a vector path (as Photoshop saves it) or as a matte: in a channel, a
layer or a mask. The table has a row for each file: the saved paths, the clipping path, and the matte that Packshot
takes. If a file cannot be read, its row gives the reason, and the others go on. `docs/paths.md` says how well a filled
path agrees with an independent filling of the same path.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from packshot.errors import PackshotError
from packshot.paths.read import read_paths
from packshot.returned.read import read_returned
from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import IngestConfig

SUFFIXES = (".psd", ".psb", ".tif", ".jpg")


@dataclasses.dataclass(frozen=True)
class Row:
    """What Packshot reads from one file that an editor returned.

    Attributes:
        file: the file's path below the folder that is read.
        kind: format of the file, such as ``PSD``; empty if the file cannot be read.
        size: width and height in pixels, as text; empty if the file cannot be read.
        paths: the vector paths in the file as one text, separated by ``; ``. Each has its name and the numbers of its
            subpaths and knots: ``*Path 1 (2, 48)``. The star marks the clipping path. It is empty if there are none.
        taken: the matte that Packshot takes: its kind, its name in the file if it has one, and the share of the picture
            that it covers. ``nothing`` if the file has no matte; empty if the picture or the paths cannot be read.
        trouble: if the picture or the paths cannot be read, the reason as a sentence. Otherwise the codes of the
            findings, each once, sorted, with commas; empty if there are none.
    """

    file: str
    kind: str
    size: str
    paths: str
    taken: str
    trouble: str


def rows(folder: Path, limits: IngestConfig) -> Iterator[Row]:
    """Yield what is read from each PSD, PSB, TIFF and JPEG file below a folder, in the order of their paths.

    Files with another ending than ``.psd``, ``.psb``, ``.tif`` and ``.jpg`` are left out.

    Args:
        folder: the folder; files in folders below it are read, too.
        limits: which pictures are accepted.
    """
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        yield row_of(path, path.relative_to(folder).as_posix(), limits)


def row_of(path: Path, name: str, limits: IngestConfig) -> Row:
    """Return what Packshot reads from one file: its vector paths and the matte that it takes.

    If the file cannot be read, `Row.trouble` has the reason; no PackshotError is raised.

    Args:
        path: the file.
        name: the file's name in the row and in messages.
        limits: which pictures are accepted.
    """
    data = path.read_bytes()
    try:
        found = read_paths(data, name=name)
    except PackshotError as error:
        return Row(name, "", "", "", "", str(error))
    listed = "; ".join(
        f"{'*' if one.is_clipping else ''}{one.name or one.record_id} ({len(one.subpaths)}, {one.knots})"
        for one in found.paths
    )
    facts = (name, found.kind, str(found.size), listed)
    try:
        work = read_returned(data, name=name, limits=limits)
    except PackshotError as error:
        return Row(*facts, "", str(error))
    share = "" if work.matte is None else f" {float((work.matte >= 0.5).mean()):.1%}"
    taken = f"{work.source or 'nothing'}{f' {work.source_name!r}' if work.source_name else ''}{share}"
    codes = sorted({one.code for one in (*found.findings, *work.findings)})
    return Row(*facts, taken, ", ".join(codes))


def table(found: list[Row]) -> str:
    """Return what was read from editors' files as a Markdown table, one line for each file."""
    head = "| file | kind | size | paths (sub-paths, knots) | matte taken, share of the picture | findings |"
    lines = [head, "|---|---|---|---|---|---|"]
    for row in found:
        cells = [str(value).replace("|", "\\|").replace("\n", " ") for value in dataclasses.astuple(row)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print what Packshot reads from each editor's file in a folder: its vector paths and the matte that it takes.

    The command line names the folder, and with ``--markdown`` a file into which the table is also written. A line below
    the table says how many files there are, how many could be read, and how many have vector paths.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    limits = load_configs(default_folder()).ingest.model_copy(update={"min_px": 1})
    found = list(rows(given.folder, limits))
    print(table(found))
    read, with_paths = sum(bool(row.taken) for row in found), sum(bool(row.paths) for row in found)
    print(f"{len(found)} files; {read} read, {with_paths} with paths")
    if given.markdown:
        given.markdown.write_text(table(found) + "\n")


if __name__ == "__main__":
    main()
