"""Compare the files of a batch with its manifest. Every file that is not a shot gets a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from unicodedata import normalize

from pydantic import Field

from packshot.ingest.manifest import Manifest, plain_path
from packshot.naming import MANIFEST, READY, path_trouble
from packshot.shot_names import plain_name
from packshot.types import Value

REFERENCE_FILE = "a colour reference of other shots"
"""The reason for a file that is not a shot but the colour reference of other shots."""

MISNAMED = "its name cannot be used"
"""Start of the reason for a file with an unsafe name, for example one that leads out of its folder."""

OTHER_TABLE = "a table that is not the manifest; the manifest is manifest.csv or manifest.xlsx at the top of the batch"
"""The reason for a table among the photographs that nobody reads."""

_MANIFESTS = (MANIFEST, "manifest.xlsx", "manifest.tsv", "manifest.txt")
_TABLES = frozenset({".csv", ".tsv", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"})
_SIDECARS = frozenset({".xmp", ".cos", ".cop", ".dop", ".pp3", ".on1", ".thm", ".aae"})
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
_SYSTEM_FOLDERS = frozenset({"__macosx", "@eadir", ".git"})


class StockedFile(Value):
    """A file of a batch as it was uploaded.

    Attributes:
        sha256: hash of its bytes, in hexadecimal.
        size_bytes: its length.
    """

    sha256: str
    size_bytes: int


class Stock(Value):
    """The contents of a batch: which files are photographs, and what the manifest says about them.

    Files are named by their paths in the batch; a shot is the file of a photograph. `take_stock` makes it.

    Attributes:
        shots: files that count as photographs, sorted.
        rows: shot -> its row in the manifest (column -> value), for shots that have one.
        ignored: file -> reason why it is not a shot.
        rows_without_file: paths in the manifest for which no file was uploaded.
        files_without_row: shots that the manifest does not name; empty without a manifest.
        duplicates: groups of shots with identical bytes.
        sidecars: shot -> the XMP file beside it.
        shots_as_references: shots that the manifest also names as colour references of shots, sorted. They are not
            measured as such.
        alike: a shot's name in storage -> shots whose different file names would all give this name. Example:
            ``Grosse-42`` -> ``("Große 42.jpg", "Grosse-42.jpg")``. Shots with a SKU in the manifest are not compared.
    """

    shots: tuple[str, ...] = ()
    rows: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    ignored: Mapping[str, str] = Field(default_factory=dict)
    rows_without_file: tuple[str, ...] = ()
    files_without_row: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, ...], ...] = ()
    sidecars: Mapping[str, str] = Field(default_factory=dict)
    alike: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    shots_as_references: tuple[str, ...] = ()


def take_stock(files: Mapping[str, StockedFile], manifest: Manifest | None) -> Stock:
    """Return the contents of a batch, compared with its manifest: photographs, their rows, and the other files.

    A row belongs to the file with the same path. If no path is equal, case is ignored. If that fails too, the file name
    without folders is compared, provided that only one file has this name.

    Args:
        files: path inside the batch -> file.
        manifest: what the client says about the files; None if the client sent no manifest.
    """
    owners = _match(manifest.rows if manifest else {}, files)
    named = _named_as_references(manifest, files)
    references, table = named - set(owners.values()), manifest_among(files)
    ignored = {path: why for path in sorted(files) if (why := _why_no_shot(path, files[path], references, table))}
    shots = tuple(path for path in sorted(files) if path not in ignored)
    rows = {path: dict(manifest.rows[row]) for row, path in owners.items() if manifest and path not in ignored}
    return Stock(
        shots=shots,
        rows=rows,
        ignored=ignored,
        rows_without_file=tuple(sorted(set(manifest.rows) - set(owners))) if manifest else (),
        files_without_row=tuple(path for path in shots if path not in rows) if manifest else (),
        duplicates=_duplicates(shots, files),
        sidecars=sidecars_of(shots, files),
        shots_as_references=tuple(sorted(named & set(shots))),
        alike=_alike(path for path in shots if not rows.get(path, {}).get("sku")),
    )


def _alike(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return plain name -> files that have it, if their own names differ in more than case or Unicode's composition."""
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        stem = PurePosixPath(path).stem
        found.setdefault(plain_name(stem), {}).setdefault(normalize("NFC", stem).casefold(), path)
    return {name: tuple(sorted(own.values())) for name, own in found.items() if len(own) > 1}


def sidecars_of(paths: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Return photograph -> the XMP file beside it (its sidecar), for those that have one.

    For ``a.nef``, ``a.nef.xmp`` is preferred to ``a.xmp``. Upper and lower case are equal.

    Args:
        paths: paths of the photographs.
        files: paths of all files of the batch.
    """
    by_name = {name.casefold(): name for name in files}
    found: dict[str, str] = {}
    for path in paths:
        whole = path.casefold()
        names = (f"{whole}.xmp", str(PurePosixPath(whole).with_suffix(".xmp")))
        beside = next((by_name[name] for name in names if name in by_name and name != whole), "")
        if beside:
            found[path] = beside
    return found


def _match(wanted: Iterable[str], files: Mapping[str, StockedFile]) -> dict[str, str]:
    """Return row -> file. No file is given to two rows."""
    exact = {plain_path(path): path for path in files}
    folded = _unique((plain_path(path).casefold(), path) for path in files)
    bare = _unique((PurePosixPath(plain_path(path)).name.casefold(), path) for path in files)
    found: dict[str, str] = {}
    for finder in (exact.get, lambda row: folded.get(row.casefold()), lambda row: bare.get(row.casefold())):
        taken = set(found.values())
        for row in sorted(set(wanted) - set(found)):
            path = finder(row)
            if path is not None and path not in taken:
                found[row] = path
                taken.add(path)
    return found


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return name -> path for the names that only one path has."""
    paths: dict[str, list[str]] = {}
    for name, path in pairs:
        paths.setdefault(name, []).append(path)
    return {name: found[0] for name, found in paths.items() if len(found) == 1}


def _named_as_references(manifest: Manifest | None, files: Mapping[str, StockedFile]) -> frozenset[str]:
    """Return the files that manifest rows name as colour references, whether or not they have a row of their own."""
    rows = manifest.rows.values() if manifest else ()
    return frozenset(_match({plain_path(row["reference"]) for row in rows if row.get("reference")}, files).values())


def manifest_among(paths: Iterable[str]) -> str:
    """Return the path of the manifest among a batch's files; empty if there is none.

    The manifest is at the top of the batch and is called ``manifest.csv``, ``.xlsx``, ``.tsv`` or ``.txt``, in upper or
    lower case. If there are several, ``manifest.csv`` in lower case is used, else the first in this order.

    Args:
        paths: paths of all files of the batch.
    """
    found = [path for path in paths if path.casefold() in _MANIFESTS]
    return min(found, key=lambda path: (path != MANIFEST, _MANIFESTS.index(path.casefold()), path), default="")


def _why_no_shot(path: str, file: StockedFile, references: frozenset[str], manifest: str) -> str:
    trouble = path_trouble(path)
    if trouble:
        return f"{MISNAMED}: {trouble}"
    pure = PurePosixPath(path.replace("\\", "/"))
    name = pure.name.casefold()
    if path == READY:
        return "closes the batch"
    if path == manifest:
        return "the manifest"
    if pure.suffix.casefold() in _TABLES:
        return OTHER_TABLE
    if name.startswith(".") or name in _SYSTEM_FILES or _SYSTEM_FOLDERS.intersection(p.casefold() for p in pure.parts):
        return "left behind by an operating system"
    if pure.suffix.casefold() in _SIDECARS:
        return "a sidecar of another file"
    return REFERENCE_FILE if path in references else ""


def _duplicates(shots: Iterable[str], files: Mapping[str, StockedFile]) -> tuple[tuple[str, ...], ...]:
    same: dict[str, list[str]] = {}
    for path in shots:
        same.setdefault(files[path].sha256, []).append(path)
    return tuple(sorted(tuple(paths) for paths in same.values() if len(paths) > 1))
