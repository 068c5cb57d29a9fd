"""Photographs of sessions that are known from their cameras, mixed into one batch."""

from __future__ import annotations

import random

import pytest

from packshot.colour.backdrop_light import measure_backdrop
from packshot.colour.target import find_target
from packshot.ingest.decode import open_photo
from packshot.ingest.grouping import ShotLight, group_shots, light_of
from packshot.ingest.master import develop
from packshot.ingest.shoot_groups import state_groups
from packshot.specs.models import GroupCorrection, IngestConfig
from tests.shared_data import shared_data

CONFIG = IngestConfig(min_px=1)
WATCHES = [f"ground_truth/editor-path/image/PROD030_{n}.jpg" for n in range(1, 5)]
BRACKETED = [f"colour_targets/photos/frobisher_IMG_260{n}.jpg" for n in range(3)]
"""1/8 s, 1 s, 8 s: three lights, as far as pictures that are to agree are concerned."""
SAME_SETTINGS_LATER = ["products/gcp-boutique/candle-holder.jpg", "products/gcp-boutique/hairdryer.jpg"]
OTHER_SETTINGS = [f"products/gcp-boutique/{name}.jpg" for name in ("bamboo-glass-jar", "mug", "tank-top")]
SESSIONS = [WATCHES, *([one] for one in (*BRACKETED, *SAME_SETTINGS_LATER, *OTHER_SETTINGS))]


def light(path: str) -> ShotLight:
    photo = open_photo(shared_data(*path.split("/")).read_bytes(), name=path, limits=CONFIG)
    pixels = develop(photo).pixels16
    return light_of(
        path,
        metadata=photo.metadata,
        shoot_group="",
        backdrop=measure_backdrop(pixels),
        target=find_target(pixels),
        reference="",
        allowed=GroupCorrection.EVEN,
    )


@pytest.fixture(scope="module")
def lights() -> list[ShotLight]:
    return [light(path) for session in SESSIONS for path in session]


def test_cameras_and_settings_tell_the_sessions_apart_in_whatever_order_they_come(lights: list[ShotLight]) -> None:
    expected = {frozenset(session) for session in SESSIONS}
    for seed in range(5):
        mixed = random.Random(seed).sample(lights, len(lights))
        found: dict[str, set[str]] = {}
        for shot, place in group_shots(mixed, gap_s=CONFIG.group_gap_s).items():
            found.setdefault(place.part, set()).add(shot)
        assert {frozenset(group) for group in found.values()} == expected


def test_each_shot_is_told_why_it_is_in_its_group(lights: list[ShotLight]) -> None:
    for place in group_shots(lights, gap_s=CONFIG.group_gap_s).values():
        assert "camera" in place.why or "settings" in place.why


def test_a_session_with_one_light_is_left_as_it_was_photographed(lights: list[ShotLight]) -> None:
    decisions, _ = state_groups(lights, config=CONFIG)
    assert all(decisions[path].correction.is_identity for path in WATCHES)
