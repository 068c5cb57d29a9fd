"""Photographs to learn left backdrop from: who is trained on stays apart from who only gives the last figure."""

from __future__ import annotations

import numpy as np

from benchmarks import left_backdrop, routing_scenes, varied_products
from benchmarks.drawn_products import drawn_kind
from tests.shared_data import shared_data


def numbers(names: list[str]) -> set[int]:
    return {int(name.split("/")[1].split("#")[0]) for name in names if name.startswith("drawn/")}


def test_no_drawn_product_is_both_learnt_from_and_kept_for_the_last_figure() -> None:
    shared_data("ground_truth")
    learnt, kept = numbers(varied_products.learnt_names()), numbers(varied_products.never_tuned_on_names())
    assert len(learnt) == varied_products.LEARNT_COUNT
    assert len(kept) == varied_products.NEVER_TUNED_ON_COUNT
    others = set(left_backdrop.DRAWN) | set(range(routing_scenes.DRAWN))
    assert not learnt & kept
    assert not (learnt | kept) & others
    assert {drawn_kind(number) for number in learnt} == set(varied_products.KINDS)


def test_only_products_that_are_free_to_learn_from_are_varied() -> None:
    shared_data("ground_truth")
    assert all(routing_scenes.is_free(name) for name in varied_products.learnt_names())


def test_a_label_changes_the_product_s_colours_and_not_what_is_product() -> None:
    matte = np.zeros((120, 90), np.float32)
    matte[20:100, 15:75] = 1
    own = np.full((120, 90, 3), 0.4, np.float32)
    rng = np.random.default_rng(4)
    labelled = varied_products.with_labels(own, matte, (0.9, 0.9, 0.9), rng)
    assert labelled.shape == own.shape
    assert (np.abs(labelled - own)[matte > 0].max(axis=1) > 0.05).any()
    assert 0 <= labelled.min() <= labelled.max() <= 1
