"""Provide the published colours of a ColorChecker's patches, and convert between L*a*b* and linear Adobe RGB.

X-Rite, "Colorimetric values for ColorChecker family of targets" (L*a*b*, D50, 2 degrees). It has one table for targets
made before November 2014 and one for those made since, because the formulation changed.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from packshot.colour.spaces import D50_XYZ, working_to_pcs

COLUMNS, ROWS = 6, 4
PATCHES = COLUMNS * ROWS

_EPSILON = 6 / 29


class TargetEdition(StrEnum):
    """When a ColorChecker Classic was made: its published colours changed in November 2014.

    SINCE_2014 is a target made since then, BEFORE_2014 an older one.
    """

    SINCE_2014 = "colorchecker_classic_since_2014"
    BEFORE_2014 = "colorchecker_classic_before_2014"


_SINCE_2014 = (
    (37.54, 14.37, 14.92), (64.66, 19.27, 17.50), (49.32, -3.82, -22.54),
    (43.46, -12.74, 22.72), (54.94, 9.61, -24.79), (70.48, -32.26, -0.37),
    (62.73, 35.83, 56.50), (39.43, 10.75, -45.17), (50.57, 48.64, 16.67),
    (30.10, 22.54, -20.87), (71.77, -24.13, 58.19), (71.51, 18.24, 67.37),
    (28.37, 15.42, -49.80), (54.38, -39.72, 32.27), (42.43, 51.05, 28.62),
    (81.80, 2.67, 80.41), (50.63, 51.28, -14.12), (49.57, -29.71, -28.32),
    (95.19, -1.03, 2.93), (81.29, -0.57, 0.44), (66.89, -0.75, -0.06),
    (50.76, -0.13, 0.14), (35.63, -0.46, -0.48), (20.64, 0.07, -0.46),
)  # fmt: skip
_BEFORE_2014 = (
    (37.986, 13.555, 14.059), (65.711, 18.130, 17.810), (49.927, -4.880, -21.925),
    (43.139, -13.095, 21.905), (55.112, 8.844, -25.399), (70.719, -33.397, -0.199),
    (62.661, 36.067, 57.096), (40.020, 10.410, -45.964), (51.124, 48.239, 16.248),
    (30.325, 22.976, -21.587), (72.532, -23.709, 57.255), (71.941, 19.363, 67.857),
    (28.778, 14.179, -50.297), (55.261, -38.342, 31.370), (42.101, 53.378, 28.190),
    (81.733, 4.039, 79.819), (51.935, 49.986, -14.574), (51.038, -28.631, -28.638),
    (96.539, -0.425, 1.186), (81.257, -0.638, -0.335), (66.766, -0.734, -0.504),
    (50.867, -0.153, -0.270), (35.656, -0.421, -1.231), (20.461, -0.079, -0.973),
)  # fmt: skip
_TABLES = {TargetEdition.SINCE_2014: _SINCE_2014, TargetEdition.BEFORE_2014: _BEFORE_2014}


def reference_lab(edition: TargetEdition = TargetEdition.SINCE_2014) -> NDArray[np.float64]:
    """Return the 24 patches' published CIE L*a*b* (D50), (24, 3) float64, row by row from dark skin to black.

    Args:
        edition: when the target was made.
    """
    return np.array(_TABLES[edition])


def reference_linear(edition: TargetEdition = TargetEdition.SINCE_2014) -> NDArray[np.float64]:
    """Return the 24 patches' published colours in linear Adobe RGB, (24, 3) float64.

    They are in order, row by row from dark skin to black. Values may lie outside 0..1: in some editions cyan lies
    slightly outside the gamut.

    Args:
        edition: when the target was made.
    """
    return linear_of_lab(reference_lab(edition))


def linear_of_lab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIE L*a*b* (D50) as linear Adobe RGB, (..., 3) float64 (CIE 15:2004, 8.2.1.1).

    Values lie outside 0..1 for colours that Adobe RGB cannot hold.

    Args:
        lab: (..., 3) float64, L* in 0..100.
    """
    middle = (lab[..., 0] + 16) / 116
    f = np.stack([middle + lab[..., 1] / 500, middle, middle - lab[..., 2] / 200], axis=-1)
    relative = np.where(f > _EPSILON, f**3, 3 * _EPSILON**2 * (f - 4 / 29))
    return np.asarray((relative * np.array(D50_XYZ)) @ np.linalg.inv(working_to_pcs()).T, np.float64)


def lab_of_linear(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return linear Adobe RGB as CIE L*a*b* (D50), (..., 3) float64.

    Args:
        linear: (..., 3) float64; 1 is white. Values outside 0..1 are allowed.
    """
    relative = (linear @ working_to_pcs().T) / np.array(D50_XYZ)
    f = np.where(relative > _EPSILON**3, np.cbrt(relative), relative / (3 * _EPSILON**2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)
