from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from packshot.specs.models import ColourMatch, Configs, QcConfig, RoutingConfig


def spoilt(qc: QcConfig, **change: Any) -> None:
    QcConfig(**{**qc.model_dump(), **change})


def test_the_components_of_the_score_make_a_hundred(configs: Configs) -> None:
    qc = configs.qc
    assert qc.background_points + qc.edge_points + qc.fill_points + qc.colour_points == 100
    with pytest.raises(ValidationError, match="100 points, found 105"):
        spoilt(qc, edge_points=30)


def test_the_brief_decides_at_ninety_and_seventy(configs: Configs) -> None:
    assert (configs.qc.approve_at, configs.qc.review_at) == (90, 70)
    with pytest.raises(ValidationError, match="above approve_at"):
        spoilt(configs.qc, review_at=95)


def test_every_codec_that_has_a_ring_has_a_floor_in_it(configs: Configs) -> None:
    assert set(configs.qc.ring_floor) == set(configs.qc.ring_distance_px)
    with pytest.raises(ValidationError, match="same codecs"):
        spoilt(configs.qc, ring_floor={"webp": 220})


def test_limits_of_a_feature_are_accepted_in_their_order_only() -> None:
    risk = ColourMatch(medium=0.3, high=0.7)
    with pytest.raises(ValidationError, match="edge_density"):
        RoutingConfig(medium={"edge_density": 0.5}, complex={"edge_density": 0.4}, colour_match=risk)  # type: ignore[dict-item]
    with pytest.raises(ValidationError, match="medium not above high"):
        ColourMatch(medium=0.8, high=0.7)


def test_a_limit_on_something_that_is_not_measured_is_refused() -> None:
    with pytest.raises(ValidationError, match="edge_density"):
        RoutingConfig(medium={"edges": 0.5}, complex={}, colour_match=ColourMatch(medium=0, high=1))  # type: ignore[dict-item]
