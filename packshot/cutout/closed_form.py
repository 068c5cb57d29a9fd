"""Solve alpha (a pixel's share of product) by closed-form matting (Levin et al. 2008), with a part of pymatting.

``import pymatting`` compiles or loads numeric kernels for all its methods: about 45 s of processor time on a new
machine. Closed-form matting needs four of some thirty kernels, about 5 s. So this module imports only those modules of
pymatting, not its package.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from packshot.types import Matte

_PACKAGES = ("pymatting", *(f"pymatting.{name}" for name in ("alpha", "laplacian", "preconditioner", "solver", "util")))
_importing = Lock()
_WINDOW_PX = 3


class _Solver(NamedTuple):
    """pymatting's `estimate_alpha_cf` and `ichol`."""

    estimate: Any
    preconditioner: Any


def closed_form_alpha(light: Any, trimap: Matte, *, shifts: tuple[float, ...]) -> Matte:
    """Return alpha, each pixel's share of product, as closed-form matting solves it: (rows, columns) float32 in 0..1.

    A trimap without unknown pixels comes back as it is. A picture smaller than the solver's window of 3 px is padded
    for the solving.

    Args:
        light: the photograph, (rows, columns, 3) float, linear light, Adobe RGB, 0..1.
        trimap: what is known before, (rows, columns) float32: 1 is product, 0 is backdrop, any value between them means
            unknown.
        shifts: values to add to the diagonal for the incomplete Cholesky factorisation, tried in this order.
    Raises:
        ValueError: the trimap has no product, no backdrop, or the factorisation fails with every shift.
    """
    if not ((trimap > 0) & (trimap < 1)).any() and (trimap == 1).any() and (trimap == 0).any():
        return trimap
    solver = load_solver()
    preconditioner = partial(solver.preconditioner, shifts=shifts)
    rows, columns = trimap.shape
    missing = (0, max(0, _WINDOW_PX - rows)), (0, max(0, _WINDOW_PX - columns))
    picture = np.pad(light.astype(np.float64), (*missing, (0, 0)), mode="edge")
    known = np.pad(trimap.astype(np.float64), missing, mode="edge")
    return np.asarray(solver.estimate(picture, known, preconditioner=preconditioner)[:rows, :columns], np.float32)


def load_solver() -> _Solver:
    """Return the two functions of pymatting that closed-form matting needs.

    `estimate` is `estimate_alpha_cf`, which solves for alpha. `preconditioner` is `ichol`, the incomplete Cholesky
    factorisation. The first call on a machine compiles their numeric kernels and keeps them on disk.
    """
    with _importing:
        return _imported()


@cache
def _imported() -> _Solver:
    """Return the functions. pymatting's packages are empty while they are imported, and forgotten afterwards.

    A module that imports pymatting itself gets all of pymatting, before and after this call.
    """
    whole = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "pymatting"}
    if not whole:
        sys.modules.update({name: _without_contents(name) for name in _PACKAGES})
    try:
        estimate = import_module("pymatting.alpha.estimate_alpha_cf").estimate_alpha_cf
        return _Solver(estimate, import_module("pymatting.preconditioner.ichol").ichol)
    finally:
        if not whole:
            for name in [name for name in sys.modules if name.partition(".")[0] == "pymatting"]:
                del sys.modules[name]


def _without_contents(package: str) -> ModuleType:
    """Return a package whose modules can be imported, but whose own file was not run."""
    found = find_spec("pymatting")
    assert found is not None
    assert found.origin is not None
    module = ModuleType(package)
    module.__path__ = [str(Path(found.origin).parent.joinpath(*package.split(".")[1:]))]
    return module
