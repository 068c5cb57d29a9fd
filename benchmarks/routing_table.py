"""Read the table of examples for routing: every labelled photograph with its measurements, stored beside its label."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from benchmarks.routing_labels import Labelled, kept_labels, path_of
from benchmarks.routing_scenes import load_variation
from packshot.colour.transform import srgb8_to_working
from packshot.routing.approve import QC_PREFIX
from packshot.routing.features import measure
from packshot.routing.mask_figures import measure_masks
from packshot.routing.model import Example

CATEGORIES = {"glass": "transparent", "soft": "fur", "jewellery": "jewelry"}
"""By kind of product, the category that a client's rule sends to people; other kinds have none."""


def read_table(*, names: Sequence[str] | None = None) -> list[tuple[Labelled, Example]]:
    """Return (the result, the training example) of every photograph whose result is kept on disk, sorted by name.

    The example has the measurements before and after the cut-out, from which the routing model learns to predict
    whether a person would refuse the edit. Those before the cut-out are made at the first call and stored beside the
    result, because the photograph must be made again for them.

    Args:
        names: only these photographs, ``<product>#<turn>``; names without a result are ignored. None means all that
            have a result.
    """
    kept = [one for one in kept_labels() if names is None or one.name in names]
    return [(one, _example(one)) for one in kept]


def _example(labelled: Labelled) -> Example:
    return Example(
        figures={**_before(labelled.name), **_after(labelled.name), **_judged(labelled)},
        refused=labelled.is_refused,
        group=labelled.group,
        category=CATEGORIES.get(labelled.kind, labelled.kind),
        approved=labelled.verdict == "auto_approve",
    )


def _judged(labelled: Labelled) -> dict[str, float]:
    return {f"{QC_PREFIX}{code}": figure for code, figure in labelled.measured.items() if figure is not None}


def _before(name: str) -> dict[str, float]:
    path = path_of(name, "features")
    if not path.exists():
        path.write_text(measure(srgb8_to_working(load_variation(name).photo)).model_dump_json())
    return dict(json.loads(path.read_text()))


def _after(name: str) -> dict[str, float]:
    with np.load(path_of(name, "npz")) as kept:
        mattes = [kept[part].astype(np.float32) / np.float32(255) for part in ("network", "matte")]
    return dict(measure_masks(*mattes).model_dump())
