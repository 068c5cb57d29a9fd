"""Which cases of a test run often: the first few with `make test`, all of them with `make test-all`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import pytest
from _pytest.mark import ParameterSet


def few_often(cases: Iterable[object], often: int = 2) -> list[ParameterSet]:
    """Return all cases for `parametrize`; those after the first `often` are marked as slow.

    A case is a tuple of values, or one value.
    """
    rest = iter(cases)
    return [_case(case) for case in islice(rest, often)] + [_case(case, slow=True) for case in rest]


def _case(case: object, *, slow: bool = False) -> ParameterSet:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=[pytest.mark.slow] if slow else [])
