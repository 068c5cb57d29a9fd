import datetime

from hypothesis import given
from hypothesis import strategies as st

from packshot.ingest.grouping import UNKNOWN_GROUP, ShotLight, group_shots, light_of
from packshot.ingest.metadata import Metadata

START = datetime.datetime(2026, 3, 1, 9, 0, 0)


def shot(name, *, minutes=None, camera="c1", settings="1/160 s, f/11", shoot_group=""):
    taken = None if minutes is None else START + datetime.timedelta(minutes=minutes)
    return ShotLight(shot=name, camera=camera, settings=settings, taken_at=taken, shoot_group=shoot_group)


def grouped(*lights, gap_s=1800):
    return {name: place.group for name, place in group_shots(lights, gap_s=gap_s).items()}


def test_the_manifest_decides_over_everything_else():
    groups = grouped(
        shot("a", shoot_group="S 1"), shot("b", camera="c2", shoot_group="S 1"), shot("c", shoot_group="S2")
    )
    assert groups["a"] == groups["b"] != groups["c"]


def test_a_pause_begins_a_new_group():
    groups = grouped(shot("a", minutes=0), shot("b", minutes=29), shot("c", minutes=58), shot("d", minutes=89))
    assert groups["a"] == groups["b"] == groups["c"] != groups["d"]


def test_another_exposure_or_camera_is_another_light():
    groups = grouped(shot("a", minutes=0), shot("b", minutes=1, settings="1/60 s"), shot("c", minutes=2, camera="c2"))
    assert len(set(groups.values())) == 3


def test_shots_of_which_nothing_is_known_are_never_corrected_together():
    decisions = group_shots([shot("a", camera="", settings=""), shot("b", camera="", settings="")], gap_s=1800)
    assert {decision.group for decision in decisions.values()} == {UNKNOWN_GROUP}
    assert not any(decision.light_known for decision in decisions.values())


def test_every_decision_says_why():
    decisions = group_shots(
        [shot("a", minutes=0), shot("b", shoot_group="S1"), shot("c", camera="", settings="")], gap_s=60
    )
    assert "09:00:00" in decisions["a"].why
    assert "'S1'" in decisions["b"].why
    assert "nothing says" in decisions["c"].why


def test_the_serial_number_itself_is_not_kept():
    light = light_of(
        "a", metadata=Metadata(camera_serial="SER-42", exposure_s=1 / 160, f_number=11, iso=100, flash=True)
    )
    assert "SER-42" not in light.model_dump_json()
    assert light.settings == "1/160 s, f/11, ISO 100, flash"


lights = st.lists(
    st.builds(
        shot,
        st.text("abcdef", min_size=3, max_size=6),
        minutes=st.one_of(st.none(), st.integers(0, 300)),
        camera=st.sampled_from(["", "c1", "c2"]),
        settings=st.sampled_from(["", "s1"]),
        shoot_group=st.sampled_from(["", "", "S1"]),
    ),
    unique_by=lambda light: light.shot,
    max_size=12,
)


@given(lights, st.randoms())
def test_groups_do_not_depend_on_the_order(some, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert group_shots(some, gap_s=1800) == group_shots(shuffled, gap_s=1800)


@given(lights)
def test_every_shot_is_in_one_group(some):
    assert set(group_shots(some, gap_s=1800)) == {light.shot for light in some}
