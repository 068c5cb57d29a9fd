"""Returned files find their shots by generous reading of their names, and never by guessing."""

from __future__ import annotations

import pytest

from packshot.handoff.filenames import is_litter, is_picture, is_unfinished, shot_of, version_of

SHOTS = {
    "GLS501_MAIN": ("GLS501_MAIN", "B0GLASS001_MAIN"),
    "GLS501_BACK": (),
    "RNG401": (),
    "RNG401-2": (),
    "Schnürschuh-7_MAIN": (),
}


@pytest.mark.parametrize(
    ("name", "shot"),
    [
        ("GLS501_MAIN.tif", "GLS501_MAIN"),
        ("gls501-main.PSD", "GLS501_MAIN"),
        ("GLS501 MAIN final v2.tif", "GLS501_MAIN"),
        ("GLS501_MAIN_edited copy.png", "GLS501_MAIN"),
        ("GLS501_MAIN (1).jpg", "GLS501_MAIN"),
        ("GLS501_MAIN - Kopie (2).tif", "GLS501_MAIN"),
        ("GLS501MAIN.tiff", "GLS501_MAIN"),
        ("B0GLASS001_MAIN_retouched.tif", "GLS501_MAIN"),
        ("GLS501_MAIN_ada_20261124.tif", "GLS501_MAIN"),
        ("GLS501_BACK_v3.psb", "GLS501_BACK"),
        ("RNG401-2_final.tif", "RNG401-2"),
        ("RNG401_final.tif", "RNG401"),
        ("schnurschuh 7 main.png", "Schnürschuh-7_MAIN"),
        ("Ada Editor/RNG401.tif", "RNG401"),
    ],
)
def test_a_name_finds_its_shot(name: str, shot: str) -> None:
    assert shot_of(name, shots=SHOTS).shot == shot


@pytest.mark.parametrize(
    "name",
    [
        "holiday.jpg",
        "RNG401_3.tif",
        "RNG401_BACK.tif",
        "GLS501.tif",
        "RNG40.tif",
        "final.tif",
        "RNG401_02 final.tif",
        ".tif",
    ],
)
def test_a_name_that_means_another_shot_or_none_finds_none(name: str) -> None:
    found = shot_of(name, shots=SHOTS)
    assert not found.shot
    assert found.why


def test_a_name_that_fits_two_shots_finds_none_and_names_both() -> None:
    found = shot_of("a1 main.tif", shots={"A1_MAIN": (), "A1-MAIN": ()})
    assert (found.shot, "A1-MAIN, A1_MAIN" in found.why) == ("", True)


@pytest.mark.parametrize("name", ["a.tif.part", "a.crdownload", "~a.tif", "a.filepart"])
def test_a_name_can_say_that_the_upload_goes_on(name: str) -> None:
    assert is_unfinished(name)


@pytest.mark.parametrize("name", [".DS_Store", "x/Thumbs.db", "._A1.tif", "~$A1.psd"])
def test_litter_is_known(name: str) -> None:
    assert is_litter(name)


def test_pictures_and_versions_are_read_from_names() -> None:
    assert is_picture("A.PSB")
    assert not is_picture("notes.txt")
    assert [version_of(name) for name in ("a_v2.tif", "a V10 final.tif", "a.tif")] == [2, 10, 0]
