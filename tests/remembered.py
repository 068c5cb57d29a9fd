"""Real results of the craft's slow functions: made in this very run of tests, and given again for the very same input.

The tests of the floors above need the same few drawn photographs mastered, cut out and exported again and again; what
they are about is what happens to the results. `tests/tasks/test_remembered.py` holds that a remembered result is the
same as one made anew.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from packshot import pipeline
from packshot.pipeline import opening
from tasks.people import drafts, returned_work
from tasks.processing.children import Answer, Child
from tasks.stages import stored_edits

SLOW = (
    *((pipeline, "edit"), (pipeline, "adopt"), (pipeline, "export"), (drafts, "cut_out"), (drafts, "head_start")),
    *((returned_work, "check_returned"), (stored_edits, "edit_files")),
)
"""Pure functions, where the tasks find them."""
IN_CHILDREN = (opening.MASTER, opening.RETURNED)
"""The same, for functions that run in a confined child process."""

DRAWN_NAME = re.compile(rb"batch-[0-9a-f]{8}")
"""What the fixture `batch` draws. In pickled data another name of the same length may take its place."""
PLACES = tuple(b"batch-%08d" % (10**7 + number) for number in range(8))


class _Told(pickle.Pickler):
    """Pickles what a result depends on. Of a network that is its name, file, engine and precision."""

    def persistent_id(self, told: Any) -> Any:
        if hasattr(told, "predict") and type(told).__module__.startswith("packshot."):
            return (type(told).__name__, told.model, told.fingerprint, told.engine, told.precision)
        return None


class _Place:
    """Where the result of a call is kept: one file for all inputs that differ only in the drawn names of batches."""

    def __init__(self, folder: Path, *told: Any) -> None:
        written = io.BytesIO()
        _Told(written, protocol=5).dump(told)
        data = written.getvalue()
        self._names = tuple(dict.fromkeys(DRAWN_NAME.findall(data)))
        self._file = folder / hashlib.sha256(self._with_places(data)).hexdigest()

    def read(self) -> Any:
        """The result, about the batches of this call.

        Raises:
            FileNotFoundError: there is none yet.
        """
        data = self._file.read_bytes()
        for place, name in zip(PLACES, self._names, strict=False):
            data = data.replace(place, name)
        return pickle.loads(data)

    def write(self, result: Any) -> None:
        """Keep a result, in one step: other test processes look into the same folder."""
        own = self._file.with_name(f"{self._file.name}.{os.getpid()}-{threading.get_ident()}")
        own.write_bytes(self._with_places(pickle.dumps(result, protocol=5)))
        own.replace(self._file)

    def _with_places(self, data: bytes) -> bytes:
        for place, name in zip(PLACES, self._names, strict=False):
            data = data.replace(name, place)
        return data


def remembering(function: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """A pure function that keeps its results in a folder. Everybody gets a copy of their own; errors are not kept.

    Whoever asks first gets a copy, too: what comes of equal copies is pickled to equal bytes, and so is found again.
    """

    @wraps(function)
    def remembered(*arguments: Any, **options: Any) -> Any:
        place = _Place(folder, function.__module__, function.__qualname__, arguments, sorted(options.items()))
        with suppress(FileNotFoundError):
            return place.read()
        place.write(function(*arguments, **options))
        return place.read()

    return remembered


def _remembering_call(folder: Path) -> Callable[..., Answer]:
    call = Child.call

    def remembered(self: Child, function: str, arguments: tuple[Any, ...], options: Any, within: Any) -> Answer:
        if function not in IN_CHILDREN:
            return call(self, function, arguments, options, within)
        place = _Place(folder, function, arguments, sorted(dict(options).items()))
        with suppress(FileNotFoundError):
            known = Answer(*place.read())
            self.calls += 1
            return known
        answer = call(self, function, arguments, options, within)
        place.write((answer.value, dict(answer.parts)))
        return Answer(*place.read())

    return remembered


@contextmanager
def remembered_results(folder: Path) -> Iterator[None]:
    """For as long as the block lasts, what is slow is done once for each input."""
    with pytest.MonkeyPatch.context() as patched:
        for module, name in SLOW:
            patched.setattr(module, name, remembering(getattr(module, name), folder))
        patched.setattr(Child, "call", _remembering_call(folder))
        yield
