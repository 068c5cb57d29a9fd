"""Run the commands for the edits that people have looked at: make them, show them, take verdicts, compare.

See `benchmarks.seen`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import imagecodecs

import packshot.routing
from benchmarks.seen import editing, verdicts
from benchmarks.seen.evidence import evidence_of, with_evidence
from benchmarks.seen.photographs import Half, Photograph, photographs
from benchmarks.seen.sheets import sheets as drawn_sheets
from benchmarks.seen.table import named, pairs_of
from benchmarks.seen.table import table as as_table
from packshot import PIPELINE_VERSION
from packshot.routing.model import shipped_model

_FIRST = {"studio-light": 0, "white-already": 1, "studio-grey": 2}
"""Plain backdrops before scenes, for those the machine may approve."""


def run(args: argparse.Namespace) -> None:
    """Make the edits of the photographs that are not made yet, and keep them on disk.

    Nothing is printed about their quality, because the person who looks must not know.

    Args:
        args: the options of the command line: `work` (folder of the edits), `methods`, `half`, `only` (parts of file
            names), `again` (also make what is made already) and `threads`.
    """
    cv2.setNumThreads(args.threads)
    order = sorted(photographs(), key=lambda one: (_FIRST.get(one.backdrop, 3), one.sha256))
    wanted = [(one, way) for way in args.methods for one in asked_for(order, half=args.half, only=args.only)]
    for number, (photo, way) in enumerate(wanted, 1):
        if not args.again and editing.result_file(args.work, photo.sha256, way).exists():
            continue
        editing.make(photo, way, args.work)
        print(f"{number} of {len(wanted)}: {photo.file}, {way}", flush=True)


def sheets(args: argparse.Namespace) -> None:
    """Draw contact sheets of edits for a person to look at, and print the path of each PNG.

    They show edits that nobody has looked at, or those that `only` names.

    Args:
        args: the options of the command line: `work` (folder of the edits), `methods` and `version` (of the edits),
            `only` (parts of names) and `most` (number of edits, if none are named).
    """
    photos = {photo.file: photo for photo in photographs()}
    made = editing.results(args.work, ways=args.methods, version=args.version)
    shown = made if args.only else verdicts.still_to_see(made, verdicts.load())[: args.most]
    folder = args.work / "sheets"
    folder.mkdir(parents=True, exist_ok=True)
    for result in shown:
        if not result.matte_sha256 or not _asked_for(f"{result.file} {verdicts.shown_name(result)}", args.only):
            continue
        matte, composite = editing.load_pictures(result, args.work)
        pages = drawn_sheets(matte, composite, editing.load_photograph(photos[result.file]))
        for number, page in enumerate(pages, 1):
            target = folder / f"{verdicts.shown_name(result)}.{number}of{len(pages)}.png"
            target.write_bytes(imagecodecs.png_encode(page, level=4))
            print(target, flush=True)


def take(args: argparse.Namespace) -> None:
    """Read a person's verdicts from a file of JSON lines, store them in the repository, and print how many they are.

    Args:
        args: the options of the command line: `file` (the verdicts), `looker` (the person's role, such as
            ``looker 1``), `work` (folder of the edits that were shown) and `version` (pipeline version of the edits).
    """
    taken = verdicts.take(
        args.file.read_text(encoding="utf-8").splitlines(),
        editing.results(args.work, version=args.version),
        looker=args.looker,
    )
    verdicts.keep(taken)
    print(f"{len(taken)} verdicts kept, {sum(one.signed for one in taken)} of them signed")


def todo(args: argparse.Namespace) -> None:
    """Print the edits that people still have to look at, one line for each.

    They are the edits with a matte that nobody has judged. A line has the edit's name, "never seen" or "changed since"
    (a person judged an earlier matte), and the photograph's file. Edits that the machine approved or nearly approved
    come first.

    Args:
        args: the options of the command line: `work` (the folder with the edits), `methods` and `version` (only edits
            by these methods and this pipeline version are listed).
    """
    seen = verdicts.load()
    before = {(one.sha256, one.way) for one in seen}
    for result in verdicts.still_to_see(editing.results(args.work, ways=args.methods, version=args.version), seen):
        state = "changed since" if (result.sha256, result.way) in before else "never seen"
        print(f"{verdicts.shown_name(result)}  {state}  {result.file}")


def table(args: argparse.Namespace) -> None:
    """Print the machine's verdicts against people's, for each half of the photographs (`Half`).

    Args:
        args: the options of the command line: `work` (folder of the edits), `methods` and `version` (of the edits), and
            `names` (also name the edits about which machine and people disagree).
    """
    pairs = pairs_of(editing.results(args.work, ways=args.methods, version=args.version), verdicts.load())
    print(as_table(pairs))
    if args.names:
        print("\n" + named(pairs))


def ship(args: argparse.Namespace) -> None:
    """Put people's verdicts into the routing model that comes with Packshot, as proof of its promise (the greatest
    share of wrong approvals). The model predicts whether a person would refuse an edit.

    Only verdicts on the half of the photographs on which limits may be chosen (`Half.CHOSEN_ON`) are used.

    Args:
        args: the options of the command line: `work` (folder of the edits), `methods` and `version` (of the edits).
    """
    pairs = pairs_of(editing.results(args.work, ways=args.methods, version=args.version), verdicts.load())
    model = with_evidence(shipped_model(), evidence_of(pairs))
    Path(packshot.routing.__path__[0], "shipped_model.json").write_text(model.model_dump_json(), encoding="utf-8")
    print(f"{model.version}: {model.card['real']}")


def asked_for(photos: Iterable[Photograph], *, half: str | None, only: Sequence[str] | None) -> list[Photograph]:
    """Return the photographs that the options of the command line ask for, in the given order.

    Args:
        photos: all photographs.
        half: a value of `Half`, such as ``chosen on``; None means both halves.
        only: texts, one of which must be a part of the photograph's path below the folder of products (upper and lower
            case differ); None means all photographs.
    """
    return [one for one in photos if half in (None, one.half) and _asked_for(one.file, only)]


def _asked_for(text: str, parts: Sequence[str] | None) -> bool:
    return parts is None or any(part in text for part in parts)


def main() -> None:
    """Run one command, as the arguments say: ``run``, ``sheets``, ``verdicts``, ``todo``, ``table`` or ``ship``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seen", description=__doc__)
    parser.add_argument("--work", type=Path, default=editing.WORK, help="folder for pictures and results")
    commands = parser.add_subparsers(required=True)
    for do, name in (
        (run, "run"),
        (sheets, "sheets"),
        (take, "verdicts"),
        (todo, "todo"),
        (table, "table"),
        (ship, "ship"),
    ):
        one = commands.add_parser(name, help=do.__doc__)
        one.set_defaults(do=do)
        if do is not run:
            one.add_argument("--version", default=PIPELINE_VERSION, help="of the pipeline that made the edits")
        if do is take:
            one.add_argument("file", type=Path, help="JSON lines; see README.md")
            one.add_argument("--looker", required=True, help="a role, such as 'looker 1'")
            continue
        one.add_argument("--methods", nargs="+", choices=list(editing.WAYS), default=["line"])
        if do in (run, sheets):
            one.add_argument("--only", nargs="*", default=None, help="parts of files' or edits' names")
        if do is run:
            one.add_argument("--half", choices=[half.value for half in Half], help="one half of the split alone")
            one.add_argument("--again", action="store_true", help="also what is made already")
            one.add_argument("--threads", type=int, default=2)
        if do is sheets:
            one.add_argument("--most", type=int, default=20, help="how many edits, if none are named")
        if do is table:
            one.add_argument("--names", action="store_true", help="also name what machine and eye disagree about")
    args = parser.parse_args()
    args.do(args)


if __name__ == "__main__":
    main()
