"""Read the files in some folders of the test data, and compare each result with an independent program's reading.

    python -m benchmarks.formats ../shared/data [--folders icc raw ...] [--markdown docs/formats.md]

Files are opened in a separate process. If a file crashes it or makes it hang, only this file is lost, and the table
says so.

The table's columns are: the detected kind; the result (accepted with these findings, or refused with the reason); and
the mean / 95th percentile of delta E 2000 between our master and another program's reading. The other program is
libvips, ImageMagick or, for camera RAW, dcraw, also in Adobe RGB. If it cannot read the file, or reads another
picture from it, the column says so. `--markdown` writes the table into a document; it replaces the document's sections
on these folders. Debian packages: libvips-tools imagemagick dcraw.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from packshot.colour.difference import delta_e_2000, lab_of
from packshot.colour.spaces import SRGB_NAME, srgb_profile, working_profile
from packshot.errors import RefusedInputError
from packshot.figures import counted
from packshot.formats.sniff import detect
from packshot.ingest.decode import open_photo
from packshot.ingest.master import develop
from packshot.specs.models import IngestConfig

FOLDERS = (
    "icc/pictures",
    "raw",
    "colour_targets/photos",
    "hostile/oddities",
    "hostile/formats-modern",
    "hostile/exif-orientation",
)
_TOPS = tuple(sorted({folder.split("/")[0] + "/" for folder in FOLDERS}))
_HEADS = (
    "| file | recognised as | done | findings or reason | libvips | ImageMagick, dcraw |\n|---|---|---|---|---|---|"
)
TIMEOUT_S = 60.0
MOST_COMPARED = 1_000_000
Reading = NDArray[np.uint16]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one file that was read.

    Attributes:
        path: the file.
        recognised: kind, size, depth, colour model and profile in words; of a refused file only its kind; empty if the
            file crashed the process or hung.
        done: ``accepted``; ``refused``; ``crashed`` (an unexpected error, or the process that opened the file ended);
            or ``hung`` (no answer within 60 s).
        detail: of an accepted file the codes of the findings, with commas; of a refused file the reason; after an
            unexpected error the error. It is empty if the process ended or hung.
        seconds: how long it took, by the clock; 60 if the process ended or hung.
        kind: the detected kind of file; empty if the process ended or hung.
        profile: name of the colour profile in the file; this and the next three fields are set only if the file was
            accepted.
        model: its colour model, such as ``grey`` or ``lab``.
        assumed: True if the file has no profile, so that one was assumed.
        deep: True if it has more than 8 bits for each value.
    """

    path: Path
    recognised: str = ""
    done: str = ""
    detail: str = ""
    seconds: float = 0.0
    kind: str = ""
    profile: str = ""
    model: str = ""
    assumed: bool = False
    deep: bool = False


def main(argv: list[str] | None = None) -> int:
    """Read the files of some folders of the test data (`FOLDERS`) as Packshot does; print a table of the results.

    Return how many of the files crashed the reading process or made it hang.

    Args:
        argv: arguments of the command line; None means those of this process.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--folders", nargs="*", default=FOLDERS)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.worker:
        _work()
        return 0
    lines = _HEADS.split("\n")
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for outcome in run(_files(options.data, options.folders), Path(folder)):
            counts[outcome.done] = counts.get(outcome.done, 0) + 1
            deltas = compare(outcome, Path(folder)) if outcome.done == "accepted" else ("", "")
            cells = [outcome.path.relative_to(options.data), outcome.recognised, outcome.done, outcome.detail, *deltas]
            lines.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
            print(lines[-1], flush=True)
    summary = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(f"\n{sum(counts.values())} files: {summary}")
    if options.markdown:
        options.markdown.write_text(in_document(options.markdown, lines[2:]), encoding="utf-8")
    return counts.get("crashed", 0) + counts.get("hung", 0)


def in_document(document: Path, rows: Iterable[str]) -> str:
    """Return a document's text in which new sections replace the old ones. There is a section for each folder of files.

    Nothing is written. The text before the first old section is kept, and all text after it is dropped.

    Args:
        document: the file; it need not exist.
        rows: lines of the table; each begins with the file's path below the data folder: ``| icc/pictures/a.jpg |``.
    """
    before = document.read_text(encoding="utf-8") if document.exists() else ""
    before = re.split(rf"^## (?={'|'.join(map(re.escape, _TOPS))})", before, maxsplit=1, flags=re.MULTILINE)[0]
    folders: dict[str, list[str]] = {}
    for row in rows:
        top, second, name = row.removeprefix("| ").split("/", 2)
        folders.setdefault(f"{top}/{second}", []).append(f"| {name}")
    parts = []
    for folder, found in folders.items():
        accepted = sum(" | accepted | " in row for row in found)
        parts.append(
            f"## {folder}\n\n{counted(len(found), 'file')}, {accepted} accepted.\n\n{_HEADS}\n"
            + "\n".join(found)
            + "\n"
        )
    return before + "\n".join(parts)


def _files(data: Path, folders: Iterable[str]) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((data / folder).rglob("*"))
        if path.is_file() and path.name not in ("SOURCES.md", "copyright")
    ]


def _work() -> None:
    """The process that opens files: a path and a place for the master on each line, a line of JSON back."""
    limits = IngestConfig(min_px=1)
    for line in sys.stdin:
        path, place = json.loads(line)
        data, started = Path(path).read_bytes(), time.monotonic()
        said: dict[str, Any] = {"kind": detect(data).value}
        try:
            photo = open_photo(data, name=Path(path).name, limits=limits)
            master = develop(photo)
            np.save(place, master.pixels16)
            if master.alpha is not None:
                np.save(place.replace(".npy", ".alpha.npy"), master.alpha)
            said |= {
                "done": "accepted",
                "recognised": f"{photo.kind.value}, {photo.size}, {photo.bit_depth} bit {photo.model}, "
                f"{master.transform.source}{' (assumed)' if photo.profile_assumed else ''}".replace(
                    f"{SRGB_NAME} (assumed)", "sRGB assumed"
                ),
                "detail": ", ".join(finding.code for finding in master.findings),
                "assumed": photo.profile_assumed,
                "profile": photo.profile_name,
                "model": str(photo.model),
                "deep": photo.bit_depth > 8,
            }
        except RefusedInputError as error:
            said |= {"done": "refused", "recognised": said["kind"], "detail": f"{error.what}; {error.found}"}
        except Exception as error:  # noqa: BLE001 - this is what the table is for
            said |= {"done": "crashed", "detail": f"{type(error).__name__}: {error}"}
        print(json.dumps({**said, "seconds": time.monotonic() - started}), flush=True)


def run(paths: Iterable[Path], folder: Path) -> Iterator[Outcome]:
    """Yield what became of each file, in the order of the paths. Another process opens the files.

    After an accepted file the folder has its master in ``master.npy``, (rows, columns, 3) uint16, Adobe RGB; and if the
    file has transparency, its alpha in ``master.alpha.npy``. The next step of the iteration removes both.

    Args:
        paths: the files.
        folder: an empty folder for masters; whatever is in it is removed.
    """
    worker = _start()
    for path in paths:
        for left in folder.iterdir():
            left.unlink()
        assert worker.stdin
        worker.stdin.write(json.dumps([str(path), str(folder / "master.npy")]) + "\n")
        worker.stdin.flush()
        answer = _answer(worker)
        if answer is None:
            hung = worker.poll() is None
            _end(worker)
            worker = _start()
            yield Outcome(path, done="hung" if hung else "crashed", seconds=TIMEOUT_S)
        else:
            yield Outcome(path, **answer)
    _end(worker)


def _start() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.formats", "--worker"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def _end(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    with worker:  # closes its pipes, and waits for it
        pass


def _answer(worker: subprocess.Popen[str]) -> dict[str, Any] | None:
    assert worker.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(worker.stdout, selectors.EVENT_READ)
        if not selector.select(TIMEOUT_S):
            return None
    line = worker.stdout.readline()
    return dict(json.loads(line)) if line else None


def compare(outcome: Outcome, folder: Path) -> tuple[str, str]:
    """Return (difference from libvips, difference from ImageMagick) between Packshot's reading of a file and theirs.

    Each is a text: mean / 95th percentile of delta E 2000, or why there is no result. For a camera RAW the first text
    is empty, and the second is the difference from dcraw.

    Args:
        outcome: what became of the file, which was accepted.
        folder: the folder in which `run` has left the file's master.
    """
    master: Reading = np.load(folder / "master.npy")
    alpha_file = folder / "master.alpha.npy"
    opaque = np.load(alpha_file) == 1 if alpha_file.exists() else np.ones(master.shape[:2], np.bool_)
    (folder / "working.icc").write_bytes(working_profile())
    (folder / "srgb.icc").write_bytes(srgb_profile())
    if outcome.kind == "camera RAW":
        return "", _difference(master, opaque, lambda: read_by_dcraw(outcome.path, folder))
    return (
        _difference(master, opaque, lambda: read_by_vips(outcome, folder)),
        _difference(master, opaque, lambda: read_by_magick(outcome, folder)),
    )


def _difference(master: Reading, opaque: NDArray[np.bool_], read: Callable[[], Reading]) -> str:
    try:
        other = read()
    except (subprocess.SubprocessError, OSError, ValueError, KeyError, tifffile.TiffFileError):
        return "cannot read"
    if other.shape != master.shape:
        return f"reads {other.shape[1]} x {other.shape[0]}"
    mine, theirs = master[opaque], other[opaque]
    if not len(mine):
        return "all transparent"
    step = max(1, len(mine) // MOST_COMPARED)
    labs = (lab_of(np.ascontiguousarray(one[None, ::step]), icc=working_profile()) for one in (mine, theirs))
    off = delta_e_2000(*labs)
    return f"{off.mean():.2f} / {np.percentile(off, 95):.2f}"


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=TIMEOUT_S)


def _loaded(path: Path) -> Reading:
    pixels = tifffile.imread(path)
    if pixels.dtype == np.uint8:
        pixels = pixels.astype(np.uint16) * 257
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return np.asarray(pixels[..., :3], np.uint16)


def read_by_vips(outcome: Outcome, folder: Path) -> Reading:
    """Return libvips's reading of a file, (rows, columns, 3) uint16, in Adobe RGB.

    Args:
        outcome: the file, and what Packshot recognised in it.
        folder: for temporary files; it must hold the profiles ``working.icc`` (Adobe RGB) and ``srgb.icc``.

    Raises:
        OSError, subprocess.SubprocessError: libvips is not installed, or can't read the file.
    """
    if not shutil.which("vips"):
        raise FileNotFoundError("vips")
    upright, wide, done = folder / "upright.v", folder / "wide.v", folder / "vips.tif"
    _run("vips", "autorot", f"{outcome.path}", upright)
    wanted = ["--intent", "relative", "--black-point-compensation", "--depth", "16"]
    if outcome.model == "lab":
        _run("vips", "icc_export", upright, done, "--output-profile", folder / "working.icc", *wanted[:2], *wanted[3:])
        return _loaded(done)
    try:
        _run("vips", "icc_transform", upright, done, folder / "working.icc", "--embedded", *wanted)
    except subprocess.CalledProcessError:  # nothing embedded, or nothing that can be used
        if outcome.model == "grey":
            _run("vips", "colourspace", upright, wide, "rgb16" if outcome.deep else "srgb")
        source = wide if outcome.model == "grey" else upright
        assumed: list[str | Path] = ["--input-profile", folder / "srgb.icc"]
        _run("vips", "icc_transform", source, done, folder / "working.icc", *assumed, *wanted)
    return _loaded(done)


def read_by_magick(outcome: Outcome, folder: Path) -> Reading:
    """Return ImageMagick's reading of a file, (rows, columns, 3) uint16, in Adobe RGB.

    Args:
        outcome: the file, and what Packshot recognised in it.
        folder: for temporary files; it must hold the profiles ``working.icc`` (Adobe RGB) and ``srgb.icc``.

    Raises:
        OSError, subprocess.SubprocessError: ImageMagick is not installed, or can't read the file.
    """
    program = shutil.which("convert-im6.q16") or shutil.which("magick")
    if not program:
        raise FileNotFoundError("convert")
    done, source = folder / "magick.tif", f"{outcome.path}[0]"
    assumed = outcome.assumed or "broken" in outcome.detail or outcome.profile.startswith("sRGB IEC61966-2.1 comp")
    forget = ["+profile", "icc", "-colorspace", "sRGB", "-type", "TrueColor"] if assumed else []
    first: list[str | Path] = ["-profile", folder / "srgb.icc"] if assumed else []
    colour = ["-intent", "relative", "-black-point-compensation", *first, "-profile", folder / "working.icc"]
    plain = ["-type", "TrueColor", "-depth", "16", "-compress", "none"]
    _run(program, source, "-auto-orient", "-alpha", "off", *forget, *colour, *plain, done)
    return _loaded(done)


def read_by_dcraw(path: Path, folder: Path) -> Reading:
    """Return dcraw's reading of a camera RAW, (rows, columns, 3) uint16, in Adobe RGB.

    It has the camera's white balance, and is not brightened.

    Args:
        path: the file.
        folder: for temporary files.

    Raises:
        OSError, subprocess.SubprocessError: dcraw is not installed, or can't read the file.
    """
    done = folder / "dcraw.tif"
    command = ["dcraw", "-c", "-w", "-W", "-6", "-o", "2", "-g", "2.19921875", "0", "-T", str(path)]
    done.write_bytes(subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S).stdout)
    return _loaded(done)


if __name__ == "__main__":
    sys.exit(main())
