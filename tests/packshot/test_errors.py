from __future__ import annotations

import copy
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot import errors
from packshot.errors import PackshotError, TerminalError, TransientError

CLASSES = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PackshotError)),
    key=lambda kind: kind.__name__,
)
LEAVES = [kind for kind in CLASSES if not kind.__subclasses__()]

words = st.text("abc :/'é\n", max_size=10)


@pytest.mark.parametrize("kind", CLASSES)
@given(arguments=st.tuples(words, words, words, words, words))
def test_an_error_survives_pickling_and_copying(kind: type[PackshotError], arguments: tuple[str, ...]) -> None:
    error = kind(*arguments)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert (again.what, again.subject, again.found, again.allowed, again.next_step) == arguments


@pytest.mark.parametrize("kind", LEAVES)
def test_every_leaf_is_either_transient_or_terminal(kind: type[PackshotError]) -> None:
    assert issubclass(kind, TransientError) != issubclass(kind, TerminalError)


def test_codes_are_stable_names_and_no_two_are_the_same() -> None:
    codes = [kind.code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


def test_the_tree_drawn_in_the_module_is_the_tree_of_classes() -> None:
    drawn: list[tuple[str, str]] = []
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^(.*?)([A-Z]\w+Error)\b", line)
        if match is None or line[:1] not in " ":
            continue
        depth, name = len(match.group(1)), match.group(2)
        above = [entry for entry in above if entry[0] < depth]
        drawn += [(above[-1][1], name)] if above else []
        above.append((depth, name))
    real = {(kind.__bases__[0].__name__, kind.__name__) for kind in CLASSES if kind is not PackshotError}
    assert set(drawn) == real


def test_a_message_says_what_to_which_object_found_allowed_and_what_next() -> None:
    error = errors.TooSmallError("too few pixels", "A1.jpg", "640 x 480", "at least 1000", "Ask for a larger one.")
    assert str(error) == "A1.jpg: too few pixels; found 640 x 480; allowed at least 1000. Ask for a larger one."
    assert str(errors.ModelError("no model")) == "no model."
