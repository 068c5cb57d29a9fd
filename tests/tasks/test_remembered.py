"""What tests remember is what the craft would make again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from packshot import pipeline
from packshot.ingest.master import read_master
from packshot.pipeline import opening
from packshot.specs.models import Plan
from packshot.types import Pixels16
from tasks.environment.configs import configs_in_force
from tasks.processing.children import Child, Children
from tests.drawn_products import ContrastNetwork
from tests.remembered import remembered_results, remembering
from tests.tasks.shots import photograph

ROW = {"sku": "A1", "asin": "B0PACK0000", "category": "boxes", "view": "MAIN", "platforms": "shopify"}


@pytest.fixture(autouse=True)
def remembered() -> None:
    """These tests begin without a memory."""


def same(one: Any, other: Any) -> bool:
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        names = [field.name for field in dataclasses.fields(one)]
        return type(one) is type(other) and all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


@pytest.fixture(scope="module")
def mastered() -> tuple[Pixels16, Plan]:
    made = pipeline.master(
        photograph(), path="A1.jpg", shot="A1", row=ROW, client="default", configs=configs_in_force()
    )
    return made.master.pixels16, made.plan


def test_an_edit_that_is_remembered_is_the_same_as_one_made_anew(
    mastered: tuple[Pixels16, Plan], tmp_path: Path
) -> None:
    pixels, plan = mastered
    made = pipeline.edit(pixels, ContrastNetwork(), plan)
    calls: list[None] = []
    remember = remembering(counted(pipeline.edit, calls), tmp_path)
    for _ in range(2):
        assert same(remember(pixels.copy(), ContrastNetwork(), plan.model_copy()), made)
    assert len(calls) == 1


def test_a_master_that_is_remembered_is_the_same_as_one_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs, calls = configs_in_force(), []
    monkeypatch.setattr(Child, "call", counted(Child.call, calls))
    with remembered_results(tmp_path):
        pool = Children()
        options = {"path": "A1.jpg", "shot": "A1", "row": ROW, "client": "default", "configs": configs, "sidecar": b""}
        first, then = (
            pool.call(opening.MASTER, photograph(), about="A1.jpg", within=configs.ingest.apart, **options)
            for _ in range(2)
        )
        pool.close()
    assert len(calls) == 1
    assert then.value == first.value
    assert first.parts.keys() == then.parts.keys()
    assert all(bytes(then.parts[name]) == bytes(part) for name, part in first.parts.items())
    read_master(then.parts["master.tif"])


def test_another_input_is_never_answered_from_memory(tmp_path: Path) -> None:
    mean = remembering(lambda picture, *, share: float(picture.mean() * share), tmp_path)
    picture = np.arange(12, dtype=np.uint16).reshape(3, 4)
    assert [mean(picture, share=share) for share in (1, 2, 1)] == [5.5, 11.0, 5.5]
    assert mean(picture + 1, share=1) == 6.5
    assert mean(picture.astype(np.float32), share=1) == 5.5


def test_whoever_paints_on_a_remembered_picture_changes_it_for_nobody_else(tmp_path: Path) -> None:
    doubled = remembering(lambda picture: picture * 2, tmp_path)
    for _ in range(3):
        painted = doubled(np.ones((2, 2)))
        assert painted.max() == 2
        painted[:] = 9


def test_a_result_about_another_batch_names_that_batch(tmp_path: Path) -> None:
    calls: list[None] = []
    said = remembering(counted(lambda key, *, batch: {batch: [f"{key} of {batch}", np.ones(3)]}, calls), tmp_path)
    for batch in ("batch-0123abcd", "batch-99887766"):
        (named, (sentence, _)), *others = said(f"acme/{batch}/A1.png", batch=batch).items()
        assert (named, sentence, others) == (batch, f"acme/{batch}/A1.png of {batch}", [])
    assert len(calls) == 1
    assert list(said("acme/batch-0123abcd/A2.png", batch="batch-0123abcd")) == ["batch-0123abcd"]
    assert len(calls) == 2
    two = remembering(counted(lambda one, other: one < other, calls), tmp_path)
    assert [two("batch-aaaaaaaa", "batch-aaaaaaaa"), two("batch-aaaaaaaa", "batch-bbbbbbbb")] == [False, True]


def counted(function: Callable[..., Any], calls: list[None]) -> Callable[..., Any]:
    def also_counted(*arguments: Any, **options: Any) -> Any:
        calls.append(None)
        return function(*arguments, **options)

    return also_counted
