"""The solver is pymatting's own, without the kernels that nobody calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # the whole of pymatting compiles its kernels first

IN_A_NEW_PROCESS = """
import sys
import numpy as np
{before}
from packshot.cutout.closed_form import closed_form_alpha

noise = np.random.default_rng(3)
light = np.where(np.arange(60) < 30, .2, .8)[None, :, None] + noise.normal(0, .01, (40, 60, 3))
trimap = np.full((40, 60), .5, np.float32)
trimap[:, :15], trimap[:, 45:] = 0, 1
ours = closed_form_alpha(light, trimap, shifts=(1e-3, 1e-2))
print("pymatting" in sys.modules)
print(sorted(name for name in sys.modules if name.startswith("pymatting.") and "lbdm" in name))

from functools import partial
from pymatting import estimate_alpha_cf, estimate_alpha_knn, ichol
theirs = estimate_alpha_cf(light, trimap.astype(float), preconditioner=partial(ichol, shifts=(1e-3, 1e-2)))
print(np.array_equal(ours, theirs.astype(np.float32)))
"""


def output_of(*, before: str) -> list[str]:
    script = IN_A_NEW_PROCESS.format(before=before)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split("\n")


def test_it_gives_the_bits_of_pymatting_and_imports_no_other_method() -> None:
    """And whoever imports pymatting afterwards gets the whole of it."""
    assert output_of(before="")[:3] == ["False", "[]", "True"]


def test_it_uses_the_pymatting_that_somebody_has_imported() -> None:
    whole, others, same = output_of(before="import pymatting")[:3]
    assert (whole, same) == ("True", "True")
    assert others != "[]"
