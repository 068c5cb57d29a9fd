"""Send objects of the storage as one zip, which is made while it is sent."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasks.environment.settings import get_settings
from tasks.storage.bucket import open_storage

CHUNK_BYTES = 1024 * 1024


def zipped(files: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    """Yield the bytes of a zip of objects in storage, in parts.

    The zip is made while it is sent, because it can be large.

    Each object is read whole to this machine's disk, and checked by its hash, before its first byte is sent. The
    files in the zip are not compressed.

    Args:
        files: pairs of (key in storage, path in the zip).

    Raises:
        ObjectMissingError: an object is missing; the zip breaks off.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    sink = _Sink()
    scratch = get_settings().scratch_dir
    scratch.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=scratch) as folder,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive,
    ):
        for number, (key, name) in enumerate(files):
            path = Path(folder) / str(number)
            open_storage().get_file(key, path)
            with path.open("rb") as file, archive.open(name, "w", force_zip64=True) as entry:
                while chunk := file.read(CHUNK_BYTES):
                    entry.write(chunk)
                    yield sink.taken()
            path.unlink()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that can only be written on; what was written is taken away part by part."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        """Return True: the program that makes the zip may write to this file. Python asks before it writes."""
        return True

    def write(self, data: Any) -> int:
        """Keep some bytes of the zip in memory until `taken` returns them; return their number.

        Args:
            data: the bytes.
        """
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """Return the bytes of the zip that were written since the last call, and forget them."""
        data = bytes(self._written)
        self._written.clear()
        return data
