import re

import pytest

from packshot.colour.backdrop_light import measure_backdrop
from packshot.ingest.decode import open_photo
from packshot.ingest.grouping import group_shots, light_of
from packshot.ingest.light_outliers import clusters, outlier, usual_light
from packshot.ingest.master import develop
from packshot.specs.models import GroupLimits, IngestConfig
from tests.packshot.ingest.lights import backdrop, shot, shots
from tests.shared_data import shared_data

LIMITS = GroupLimits()
WARM = (1.12, 1.0, 0.8)


def told(odd, others=None):
    members = [*(others or shots("a", 6)), odd]
    return outlier(odd, usual_light(members, LIMITS))


def test_a_shot_like_the_others_is_no_outlier():
    assert told(shot("x", backdrop=backdrop(0.1))) == ()


def test_a_lamp_that_failed_is_told_as_such():
    (finding,) = told(shot("x", backdrop=backdrop(-0.8)))
    assert finding.code == "light_outlier"
    assert finding.stops_approval
    assert "0.8 stops darker, a lamp may have failed" in finding.message
    assert finding.measured > finding.limit


def test_a_moved_white_balance_is_told_as_such():
    (finding,) = told(shot("x", backdrop=backdrop(tint=WARM)))
    assert "warmer" in finding.message
    assert "white balance" in finding.message
    assert "darker" not in finding.message


def test_light_from_one_side_only_is_told_although_the_level_is_right():
    (finding,) = told(shot("x", backdrop=backdrop(left_right=-1.2)))
    assert "right side is 1.3 stops darker" in finding.message
    assert (finding.measured, finding.limit, finding.unit) == (1.3, LIMITS.uneven_stops, "stops")


def test_of_uneven_light_the_limit_that_applied_is_told():
    sides = [backdrop(left_right=0.1 * n) for n in range(-4, 5)]
    odd = shot("x", backdrop=backdrop(left_right=-2.0))
    members = [*(shot(f"a{n}", backdrop=one) for n, one in enumerate(sides)), odd]
    usual = usual_light(members, LIMITS)
    (finding,) = outlier(odd, usual)
    median, most = usual.sides["left_right"]
    assert most > LIMITS.uneven_stops
    assert finding.measured == pytest.approx(abs(-2.0 - median), abs=0.005)
    assert finding.limit == pytest.approx(most, abs=0.005)


def test_the_odd_one_out_is_not_looked_for_among_a_few():
    assert told(shot("x", backdrop=backdrop(-2)), others=shots("a", 2)) == ()


def test_a_shot_without_a_backdrop_is_no_outlier():
    assert told(shot("x", backdrop=None)) == ()


def test_a_light_that_drifts_slowly_stays_one():
    drifting = [shot(f"a{n:02}", backdrop=backdrop(-0.04 * n)) for n in range(20)]
    assert len(clusters(drifting, LIMITS)) == 1


def test_a_run_of_shots_in_another_light_is_a_set_up_of_its_own():
    light = [*shots("a", 8), *(shot(f"b{n}", minute=9 + n, backdrop=backdrop(-1)) for n in range(4))]
    places = group_shots(light, gap_s=1800)
    assert len({place.part for place in places.values()}) == 2
    (finding,) = places["b0"].findings
    assert finding.code == "light_changed"
    assert not finding.stops_approval
    assert "1.0 stops darker" in finding.message
    assert places["a00"].findings == ()
    assert "unlike the others" in places["b0"].why


def test_a_few_odd_shots_part_nothing_off_and_stand_out():
    places = group_shots([*shots("a", 8), shot("x", minute=3.5, backdrop=backdrop(-1))], gap_s=1800)
    assert len({place.part for place in places.values()}) == 1
    assert [finding.code for finding in places["x"].findings] == ["light_outlier"]


# --- real sessions: the studio that took them names them in the files' names ---


@pytest.fixture(scope="module")
def sessions():
    limits = IngestConfig(min_px=100)
    found = []
    for path in sorted(shared_data("products", "shopify-fashion").glob("*.jpeg")):
        photo = open_photo(path.read_bytes(), name=path.name, limits=limits)
        session = re.split(r"_(?=\d{2,})|Look10", path.name.replace("2014_10_18", "2014-10-18"))[0]
        pixels = develop(photo).pixels16
        found.append(
            (
                light_of(path.name, metadata=photo.metadata, shoot_group=session, backdrop=measure_backdrop(pixels)),
                pixels,
            )
        )
    return found


def test_real_sessions_have_one_light_each_and_nothing_stands_out(sessions):
    places = group_shots([light for light, _ in sessions], gap_s=1800)
    assert len(places) == 23
    assert len({place.group for place in places.values()}) == 10
    assert all(place.part == place.group for place in places.values())
    assert [name for name, place in places.items() if place.findings] == []


def test_a_lamp_that_fails_in_a_real_session_stands_out(sessions):
    session = [(light, pixels) for light, pixels in sessions if light.shoot_group == "2015-03-13_Product"]
    assert len(session) == 5
    victim, pixels = session[2]
    darker = victim.model_copy(update={"backdrop": measure_backdrop((pixels * 0.72).astype(pixels.dtype))})
    lights = [darker if light is victim else light for light, _ in session]
    places = group_shots(lights, gap_s=1800)
    assert [name for name, place in places.items() if place.findings] == [victim.shot]


def test_a_real_exposure_bracket_is_three_lights():
    limits = IngestConfig(min_px=100)
    lights = []
    for path in sorted(shared_data("colour_targets", "photos").glob("frobisher*.jpg")):
        photo = open_photo(path.read_bytes(), name=path.name, limits=limits)
        lights.append(light_of(path.name, metadata=photo.metadata))
    places = group_shots(lights, gap_s=1800)
    assert len({place.group for place in places.values()}) == 3
    assert "8 s, f/8, ISO 100" in places["frobisher_IMG_2602.jpg"].why


def test_a_real_camera_that_chose_its_own_sensitivity_gives_a_group_to_each_shot():
    limits = IngestConfig(min_px=100)
    lights = []
    for path in sorted(shared_data("products", "gcp-boutique").glob("*.jpg")):
        photo = open_photo(path.read_bytes(), name=path.name, limits=limits)
        lights.append(light_of(path.name, metadata=photo.metadata))
    assert len({place.group for place in group_shots(lights, gap_s=1800).values()}) == 5
