"""Real results of the craft's slow functions: made in this very session, and given again for the very same input.

The tests of the floors above need the same few drawn photographs mastered, cut out and exported again and again; what
they are about is what happens to the results. `tests/tasks/test_remembered.py` holds that a remembered result is the
same as one made anew.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from packshot import pipeline
from packshot.pipeline import opening
from tasks.people import drafts
from tasks.processing.children import Answer, Child

SLOW = ((pipeline, "edit"), (pipeline, "adopt"), (pipeline, "export"), (drafts, "cut_out"), (drafts, "head_start"))
"""Pure functions, where the tasks find them."""
IN_CHILDREN = (opening.MASTER, opening.RETURNED)
"""The same, for functions that run in a confined child process."""


class _Told(pickle.Pickler):
    """Pickles what a result depends on. Of a network that is its name, file, engine and precision."""

    def persistent_id(self, told: Any) -> Any:
        if hasattr(told, "predict") and type(told).__module__.startswith("packshot."):
            return (type(told).__name__, told.model, told.fingerprint, told.engine, told.precision)
        return None


def _key(*told: Any) -> str:
    written = io.BytesIO()
    _Told(written, protocol=5).dump(told)
    return hashlib.sha256(written.getbuffer()).hexdigest()


def remembering(function: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """A pure function that keeps its results in a folder. Everybody gets a copy of their own; errors are not kept."""

    @wraps(function)
    def remembered(*arguments: Any, **options: Any) -> Any:
        file = folder / _key(function.__module__, function.__qualname__, arguments, sorted(options.items()))
        if file.exists():
            return pickle.loads(file.read_bytes())
        result = function(*arguments, **options)
        file.write_bytes(pickle.dumps(result, protocol=5))
        return result

    return remembered


def _remembering_call(folder: Path) -> Callable[..., Answer]:
    call = Child.call

    def remembered(self: Child, function: str, arguments: tuple[Any, ...], options: Any, within: Any) -> Answer:
        if function not in IN_CHILDREN:
            return call(self, function, arguments, options, within)
        file = folder / _key(function, arguments, sorted(dict(options).items()))
        if file.exists():
            self.calls += 1
            return Answer(*pickle.loads(file.read_bytes()))
        answer = call(self, function, arguments, options, within)
        file.write_bytes(pickle.dumps((answer.value, dict(answer.parts)), protocol=5))
        return answer

    return remembered


@contextmanager
def remembered_results(folder: Path) -> Iterator[None]:
    """For as long as the block lasts, what is slow is done once for each input."""
    with pytest.MonkeyPatch.context() as patched:
        for module, name in SLOW:
            patched.setattr(module, name, remembering(getattr(module, name), folder))
        patched.setattr(Child, "call", _remembering_call(folder))
        yield
