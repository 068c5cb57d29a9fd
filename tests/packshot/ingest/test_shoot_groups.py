import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packshot.colour.normalise import Correction, Kind, correct
from packshot.colour.spaces import decode_working, encode_working
from packshot.colour.target import find_target
from packshot.colour.target_values import reference_linear
from packshot.ingest.shoot_groups import ReferencePhoto, state_groups
from packshot.specs.models import GroupCorrection, IngestConfig
from tests.drawn_targets import CAMERA, photograph_of_chart
from tests.packshot.ingest.lights import backdrop, shot, shots

CONFIG = IngestConfig()


def decided(lights, **said):
    return state_groups(lights, config=CONFIG, **said)[0]


def target(**said):
    reading = find_target(photograph_of_chart(**said))
    assert reading is not None
    return reading


def two_lights(second=-0.3, **said):
    return [*shots("a", 5), *(shot(f"b{n}", minute=90 + n, backdrop=backdrop(second), **said) for n in range(4))]


def test_nothing_is_changed_where_nothing_is_known():
    lights = [shot(f"a{n}", camera="", settings="") for n in range(4)]
    decisions = decided(lights)
    assert all(one.correction.is_identity and not one.light_known for one in decisions.values())


def test_nothing_is_changed_where_nothing_differs():
    assert all(one.correction.is_identity for one in decided(two_lights(second=0.01)).values())


def test_the_smaller_set_up_of_a_series_is_brought_to_the_larger():
    decisions = decided(two_lights())
    assert decisions["a00"].correction.is_identity
    correction = decisions["b0"].correction
    assert correction.kind is Kind.EVENED
    assert correction.gains == pytest.approx([2**0.3] * 3, rel=1e-3)
    assert decisions["a00"].part in correction.why


def test_every_shot_of_a_set_up_gets_the_same_transform_or_none():
    lights = [*two_lights(), shot("b9", minute=93, backdrop=backdrop(-0.36), allowed=GroupCorrection.NONE)]
    decisions = decided(lights)
    stated = {decisions[f"b{n}"].correction for n in range(4)}
    assert len({one.model_dump_json() for one in stated}) == 1
    assert decisions["b9"].correction.is_identity
    assert decisions["b9"].part == decisions["b0"].part


def test_a_category_can_forbid_it():
    lights = [light.model_copy(update={"allowed": GroupCorrection.NONE}) for light in two_lights()]
    assert all(one.correction.is_identity for one in decided(lights).values())


def test_a_lone_shot_is_never_brought_to_others():
    lights = [*shots("a", 5), shot("b0", minute=90, backdrop=backdrop(-0.3))]
    assert decided(lights)["b0"].correction.is_identity


def test_another_backdrop_is_no_other_light():
    decisions = decided(two_lights(second=-1.5))
    assert decisions["b0"].correction.is_identity
    assert [one.code for one in decisions["b0"].findings] == ["group_not_evened"]


def test_a_blown_backdrop_says_nothing_of_the_light():
    lights = [*shots("a", 5, backdrop=backdrop(1, clipped=1.0)), *(shot(f"b{n}", minute=90 + n) for n in range(4))]
    assert all(one.correction.is_identity for one in decided(lights).values())


def test_a_backdrop_that_the_client_calls_grey_is_brought_to_grey():
    lights = shots("a", 4, backdrop=backdrop(tint=(1.05, 1, 0.95)), allowed=GroupCorrection.NEUTRAL)
    correction = decided(lights)["a00"].correction
    assert correction.kind is Kind.NEUTRAL
    balanced = np.array(lights[0].backdrop.linear) * correction.gains
    assert np.ptp(balanced) < 1e-4
    plain = [light.model_copy(update={"allowed": GroupCorrection.EVEN}) for light in lights]
    assert decided(plain)["a00"].correction.is_identity


def test_coloured_paper_is_not_brought_to_grey():
    lights = shots("a", 4, backdrop=backdrop(tint=(1.4, 1, 0.6)), allowed=GroupCorrection.NEUTRAL)
    assert decided(lights)["a00"].correction.is_identity


def test_a_target_corrects_its_whole_set_up_and_only_that():
    lights = [
        *shots("a", 3, settings="one"),
        shot("chart", minute=3, settings="one", target=target(camera=CAMERA)),
        *shots("b", 3, settings="other"),
    ]
    decisions = decided(lights)
    corrections = {decisions[name].correction.model_dump_json() for name in ("a00", "a01", "a02", "chart")}
    assert len(corrections) == 1
    assert decisions["a00"].correction.kind is Kind.TARGET
    assert decisions["a00"].verified.mean < 1
    assert decisions["a00"].target_in == "chart"
    assert decisions["b00"].correction.is_identity
    assert decisions["b00"].verified is None


def test_a_target_brings_the_patches_to_their_published_values():
    seen = photograph_of_chart(camera=CAMERA)
    lights = [*shots("a", 3), shot("chart", minute=3, target=find_target(seen))]
    corrected = correct(seen, decided(lights)["a00"].correction)
    reading = find_target(corrected)
    assert reading is not None
    assert np.abs(np.array(reading.patches) - np.clip(reference_linear(), 0, 1)).max() < 0.012


def test_a_series_is_brought_to_the_set_up_that_has_a_target_then_corrected_by_it():
    early = [*shots("a", 3), shot("chart", minute=3, target=target(camera=CAMERA))]
    late = [shot(f"b{n}", minute=90 + n, backdrop=backdrop(-0.3)) for n in range(6)]
    decisions = decided([*early, *late])
    correction = decisions["b0"].correction
    assert correction.kind is Kind.TARGET
    assert correction.gains == pytest.approx([2**0.3] * 3, rel=1e-3)
    assert correction.coefficients == decisions["a00"].correction.coefficients
    assert decisions["b0"].verified is None


def test_the_shot_with_the_target_is_never_approved_by_the_machine():
    decisions = decided([*shots("a", 3), shot("chart", minute=3, target=target())])
    assert [one.code for one in decisions["chart"].findings if one.stops_approval] == ["target_in_picture"]
    assert not any(one.stops_approval for one in decisions["a00"].findings)


def test_a_target_that_is_right_already_verifies_and_changes_nothing():
    decisions = decided([*shots("a", 3), shot("chart", minute=3, target=target())])
    assert decisions["a00"].verified.mean < 1
    assert decisions["a00"].correction.is_identity or decisions["a00"].correction.kind is Kind.TARGET


def test_a_bad_fit_is_refused_with_a_finding_and_changes_nothing():
    reading = target(camera=CAMERA)
    bent = np.array(reading.patches)[:, ::1] ** np.array([0.5, 1.4, 0.8])
    spoilt = reading.model_copy(update={"patches": tuple(tuple(map(float, row)) for row in bent)})
    decisions = decided([*shots("a", 3), shot("chart", minute=3, target=spoilt)])
    (finding,) = [one for one in decisions["a00"].findings if one.code == "target_fit"]
    assert finding.status == "warning"
    assert finding.measured > finding.limit
    assert decisions["a00"].correction.is_identity
    assert decisions["a00"].verified is None


def test_targets_that_contradict_each_other_are_not_used():
    lights = [
        *shots("a", 3),
        shot("chart1", minute=3, target=target(camera=CAMERA)),
        shot("chart2", minute=4, target=target(camera=CAMERA * 0.6)),
    ]
    decisions = decided(lights)
    assert decisions["a00"].correction.is_identity
    assert "different light" in decisions["a00"].findings[0].message


def test_a_reference_file_serves_the_set_ups_of_the_shots_that_name_it():
    lights = [*shots("a", 3, reference="chart.tif"), *shots("b", 3, settings="other")]
    decisions = decided(lights, references={"chart.tif": ReferencePhoto(target=target(camera=CAMERA))})
    assert decisions["a00"].correction.kind is Kind.TARGET
    assert decisions["b00"].correction.is_identity


def test_a_stated_colour_is_passed_on():
    decisions = decided([shot("a", reference="Lab 41,2 58 33"), shot("b", reference="the red one")])
    assert decisions["a"].reference_lab == (41.2, 58.0, 33.0)
    assert [one.code for one in decisions["b"].findings] == ["reference_unusable"]


def test_a_set_up_keeps_its_name_and_its_statement_when_shots_join_it():
    lights = two_lights()
    first, statements = state_groups(lights[1:], config=CONFIG)
    before = {name: (one.group, one.part) for one in statements.values() for name in one.shots}
    second, _ = state_groups(lights, config=CONFIG, before=before, stated=statements)
    assert {second[name].part for name in first} == {one.part for one in first.values()}
    assert all(second[name].correction == first[name].correction for name in first)
    assert second[lights[0].shot].part == second[lights[1].shot].part


@settings(max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(0, 5), st.floats(-0.5, 0.5))
def test_the_order_of_the_shots_changes_nothing(random, odd, second):
    lights = [*two_lights(second=second), *(shot(f"x{n}", minute=20 + n, backdrop=backdrop(-1)) for n in range(odd))]
    mixed = list(lights)
    random.shuffle(mixed)
    assert state_groups(mixed, config=CONFIG) == state_groups(lights, config=CONFIG)


@given(st.floats(0.7, 1.4), st.floats(0.7, 1.4), st.floats(0.7, 1.4))
def test_a_transform_changes_equal_colours_equally_and_identity_changes_nothing(red, green, blue):
    rng = np.random.default_rng(4)
    pixels = np.repeat(rng.integers(0, 65536, (200, 1, 3), dtype=np.uint16), 3, axis=1)
    assert correct(pixels, Correction()) is pixels
    changed = correct(pixels, Correction(kind=Kind.EVENED, gains=(red, green, blue)))
    assert (changed == changed[:, :1]).all()
    wanted = encode_working(decode_working(pixels) * np.array([red, green, blue], np.float32))
    assert np.abs(changed.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        (ReferencePhoto(is_shot=True), "is a shot of its own"),
        (ReferencePhoto(several=("day1/b.jpg", "day2/b.jpg")), "fits 2 files (day1/b.jpg, day2/b.jpg); none was used"),
        (ReferencePhoto(), "shows neither a colour target nor one colour"),
        (None, "is neither a file nor a colour"),
    ],
)
def test_why_a_reference_is_not_used_is_said_truthfully(photo, said):
    references = {} if photo is None else {"b.jpg": photo}
    decision = decided([shot("a", reference="b.jpg")], references=references)["a"]
    (finding,) = [one for one in decision.findings if one.code == "reference_unusable"]
    assert said in finding.message
    assert decision.reference_lab is None
