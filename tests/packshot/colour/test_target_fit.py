import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.colour.difference import delta_e_2000
from packshot.colour.spaces import srgb_encode, srgb_to_pcs, working_to_pcs
from packshot.colour.target_fit import Model, apply_coefficients, fit_target
from packshot.colour.target_values import (
    TargetEdition,
    lab_of_linear,
    linear_of_lab,
    reference_lab,
    reference_linear,
)
from tests.drawn_targets import CAMERA
from tests.shared_data import shared_data


def test_the_published_values_are_those_of_x_rite():
    path = shared_data("colour_targets", "reference", "real_lab_xrite.csv")
    assert np.array_equal(reference_lab(TargetEdition.BEFORE_2014), np.loadtxt(path, delimiter=","))


@pytest.mark.parametrize("edition", TargetEdition)
def test_the_published_values_agree_with_published_srgb(edition):
    """The sRGB tables are rounded and clipped; cyan lies outside sRGB."""
    name = {"SINCE_2014": "macduff_xrite_post-2014.csv", "BEFORE_2014": "macduff_ColorChecker_2005.csv"}[edition.name]
    table = np.loadtxt(shared_data("colour_targets", "reference", name), delimiter=",")
    linear = reference_linear(edition) @ working_to_pcs().T @ np.linalg.inv(srgb_to_pcs()).T
    srgb = srgb_encode(np.clip(linear, 0, 1)) * 255
    inside = (linear > 0).all(axis=1) & (linear < 1).all(axis=1)
    assert inside.sum() >= 22
    assert np.abs(srgb - table)[inside].mean() < 4


@given(st.lists(st.floats(-90, 90), min_size=2, max_size=2), st.floats(2, 99))
def test_lab_and_linear_light_are_each_others_inverse(ab, lightness):
    lab = np.array([lightness, *ab])
    assert lab_of_linear(linear_of_lab(lab)) == pytest.approx(lab, abs=1e-6)


def test_a_camera_that_mixes_channels_is_undone_by_a_matrix():
    fit = fit_target(reference_linear() @ CAMERA.T)
    assert fit is not None
    assert fit.model is Model.LINEAR
    assert fit.before.mean > 7
    assert fit.held_out.mean < 0.1
    corrected = apply_coefficients((reference_linear() @ CAMERA.T)[None].astype(np.float32), fit.coefficients)
    assert delta_e_2000(lab_of_linear(corrected[0].astype(np.float64)), reference_lab()).max() < 0.2


def test_the_simplest_model_that_does_is_taken():
    dark = fit_target(reference_linear() * 0.4)
    warm = fit_target(reference_linear() * (1.1, 0.9, 0.7))
    assert dark is not None
    assert dark.model is Model.EXPOSURE
    assert warm is not None
    assert warm.model is Model.BALANCE


def test_held_out_patches_are_harder_than_those_that_were_fitted():
    noisy = np.clip(reference_linear() + np.random.default_rng(1).normal(0, 0.02, (24, 3)), 0.002, None)
    fit = fit_target(noisy)
    assert fit is not None
    assert fit.held_out.mean > fit.after.mean
    assert set(fit.others) == {str(model) for model in Model}


def test_clipped_patches_are_left_out():
    measured = reference_linear() * 0.9
    measured[18] = 0.2
    fit = fit_target(measured, clipped=(19,))
    assert fit is not None
    assert (fit.patches, fit.model) == (23, Model.EXPOSURE)
    assert fit.after.max < 0.1


def test_too_few_patches_give_no_fit():
    assert fit_target(reference_linear(), clipped=tuple(range(1, 8))) is None


def test_a_root_polynomial_keeps_its_hues_when_the_exposure_changes():
    rng = np.random.default_rng(2)
    coefficients = tuple(tuple(row) for row in rng.uniform(0, 0.5, (3, 6)))
    light = rng.uniform(0.05, 0.5, (4, 5, 3)).astype(np.float32)
    assert apply_coefficients(light * 2, coefficients) == pytest.approx(
        apply_coefficients(light, coefficients) * 2, rel=1e-5
    )
