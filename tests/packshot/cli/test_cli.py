"""Every command in this process, on drawn photographs and a network that is a few lines of arithmetic."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image

from packshot.cli import build
from packshot.cli.ending import EXIT_STATUSES, Exit, run
from packshot.errors import ModelError, StorageUnavailableError
from packshot.figures import measured_in
from packshot.routing.model import shipped_model
from packshot.specs.load import default_folder
from packshot.types import Finding, Status
from tests import drawn_products
from tests.configs import shipped_configs
from tests.drawn_products import ContrastNetwork

TODAY = datetime.date(2026, 11, 23)
FALLBACK = Finding(code="fallback_model", status=Status.WARNING, message="Another network than the one asked for.")
FILE_NAME = "[ruby] B1_MAIN.jpg"
"""Brackets mean something to the library that prints; in a file's name they must not."""


class Said(NamedTuple):
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must hold strict JSON and nothing else."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    @property
    def words(self) -> str:
        """Everything that was printed, its line breaks taken out."""
        return " ".join(f"{self.out} {self.err}".split())


def drawn_network(engine: str) -> tuple[ContrastNetwork, tuple[Finding, ...]]:
    return ContrastNetwork(engine=engine), (FALLBACK,)


def packshot(*words: object, network: Callable[[str], Any] = drawn_network) -> Said:
    """Run one command."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["packshot", *map(str, words)])
        patch.setenv("COLUMNS", "220")
        status = run(build(network, today=lambda: TODAY))
    return Said(int(status), out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What clients send: a good photograph, one with a strange name, one that is too small, a text, half a file."""
    folder = tmp_path_factory.mktemp("photographs")
    good = drawn_products.photograph()
    (folder / "A1_MAIN.jpg").write_bytes(good)
    (folder / FILE_NAME).write_bytes(drawn_products.photograph(1000, 800, seed=6))
    (folder / "small.jpg").write_bytes(drawn_products.photograph(640, 480))
    (folder / "notes.jpg").write_text("the photographs are on the other disk")
    (folder / "half.jpg").write_bytes(good[: len(good) // 2])
    return folder


@pytest.fixture(autouse=True)
def originals_stay(folder: Path) -> Iterator[None]:
    """No command may touch a photograph, nor put anything beside it that was not asked for."""

    def seen() -> Mapping[str, str]:
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}

    before = seen()
    yield
    assert seen() == before


# --- the style guides ---


@pytest.mark.parametrize("command", ["inspect", "route", "edit"])
def test_one_client_s_wrong_style_guide_stops_commands_for_that_client_only(
    folder: Path, tmp_path: Path, command: str
) -> None:
    """Kind of test that was missing: the commands for local files with one file of the configs wrong."""
    configs = Path(shutil.copytree(default_folder(), tmp_path / "configs"))
    (configs / "clients" / "slipped.yaml").write_text("title: Slipped\nplatfroms: [shopify]\n", encoding="utf-8")
    more = ("--out", tmp_path / "out", "--platform", "shopify") if command == "edit" else ()
    words = (command, folder / "A1_MAIN.jpg", "--configs", configs, *more)
    wrong = packshot(*words, "--client", "slipped")
    assert wrong.status == Exit.CONFIG
    for part in ("this client's style guide is wrong", "slipped.yaml", "platfroms"):
        assert part in wrong.words
    unknown = packshot(*words, "--client", "exampel")
    assert unknown.status == Exit.CONFIG
    assert "no such client" in unknown.words
    assert "example" in unknown.words
    assert "slipped" not in packshot(*words, "--client", "demo").words


def test_a_file_that_all_clients_share_stops_every_command(folder: Path, tmp_path: Path) -> None:
    configs = Path(shutil.copytree(default_folder(), tmp_path / "configs"))
    (configs / "clients" / "default.yaml").write_text("platfroms: [shopify]\n", encoding="utf-8")
    said = packshot("inspect", folder / "A1_MAIN.jpg", "--configs", configs)
    assert said.status == Exit.CONFIG
    assert "default.yaml" in said.words


# --- inspect ---


def test_inspect_says_what_a_file_is_and_that_it_is_accepted(folder: Path) -> None:
    said = packshot("inspect", folder / "A1_MAIN.jpg")
    assert said.status == Exit.OK
    for part in ("A1_MAIN.jpg accepted", "JPEG", "1000 x 1000 px", "8 bit", "sRGB"):
        assert part in said.words


def test_inspect_prints_one_json_object_per_file(folder: Path) -> None:
    said = packshot("inspect", folder / "A1_MAIN.jpg", folder / "small.jpg", "--json")
    assert said.status == Exit.NOT_ALL_WELL
    good, small = said.json
    assert (good["name"], good["accepted"], good["kind"], good["size"]) == ("A1_MAIN.jpg", True, "JPEG", [1000, 1000])
    assert good["findings"] == []
    assert (small["accepted"], small["refusal_code"]) == (False, "too_small")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("small.jpg", ("found 640 x 480", "allowed at least 1000")),
        ("notes.jpg", ("found text", "allowed AVIF, BMP, GIF, HEIC, JPEG", "Send the photograph itself.")),
        ("half.jpg", ("found a JPEG that ends after", "upload it again")),
    ],
)
def test_a_refused_file_is_named_with_what_was_found_allowed_and_the_next_step(
    folder: Path, name: str, parts: tuple[str, ...]
) -> None:
    said = packshot("inspect", folder / name)
    assert said.status == Exit.NOT_ALL_WELL
    for part in (f"{name} refused: {name}: ", *parts):
        assert part in said.words


def test_a_name_in_brackets_is_shown_as_it_is(folder: Path) -> None:
    assert FILE_NAME in packshot("inspect", folder / FILE_NAME).words
    assert FILE_NAME in packshot("route", folder / FILE_NAME).words


# --- check ---


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A faultless picture for Amazon, lossless: a disc that fills 0.9 of an exactly white square."""
    side = 1100
    share = drawn_products.coverage(side, side, radius_ratio=0.45)[..., None]
    picture = np.rint(255 - share * (255 - np.array(drawn_products.PAINT))).astype(np.uint8)
    file = tmp_path_factory.mktemp("finished") / "B0PACK0101.MAIN.png"
    file.write_bytes(drawn_products.encoded(picture))
    return file


def with_one_pixel(file: Path, folder: Path, *, row: int, column: int, colour: tuple[int, int, int]) -> Path:
    picture = np.asarray(Image.open(file)).copy()
    picture[row, column] = colour
    changed = folder / "one-pixel.png"
    changed.write_bytes(drawn_products.encoded(picture))
    return changed


def test_check_passes_a_faultless_picture(finished: Path) -> None:
    said = packshot("check", finished, "--platform", "amazon_main")
    assert said.status == Exit.OK
    assert said.out.rstrip().endswith(f"{finished.name}: pass")


def test_check_prints_each_finding_with_its_figure_and_limit(finished: Path) -> None:
    findings = packshot("check", finished, "--platform", "amazon_main", "--json").json[0]["findings"]
    said = packshot("check", finished, "--platform", "amazon_main").out
    assert len(findings) >= 8
    for finding in findings:
        (row,) = [line for line in said.splitlines() if re.search(rf"\W{finding['code']}\W", line)]
        if finding["measured"] is not None:
            assert measured_in(finding["measured"], finding["unit"]) in row
        if finding["limit"] is not None:
            assert measured_in(finding["limit"], finding["unit"]) in row


@pytest.mark.parametrize("colour", [(254, 255, 255), (255, 255, 254), (0, 0, 0)])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 700), (1099, 1099)])
def test_check_fails_a_picture_with_one_pixel_that_is_not_white(
    finished: Path, tmp_path: Path, colour: tuple[int, int, int], row: int, column: int
) -> None:
    file = with_one_pixel(finished, tmp_path, row=row, column=column, colour=colour)
    said = packshot("check", file, "--platform", "amazon_main", "--json")
    assert said.status == Exit.NOT_ALL_WELL
    assert said.json[0]["passed"] is False
    (failed,) = [one for one in said.json[0]["findings"] if one["code"] == "non_white_background"]
    assert (failed["status"], failed["measured"], failed["limit"]) == ("failed", 1, 0)
    assert failed["box"] == [column, row, column + 1, row + 1]


def test_check_fails_a_file_whose_extension_lies(finished: Path, tmp_path: Path) -> None:
    lying = tmp_path / "B0PACK0101.MAIN.jpg"
    shutil.copy(finished, lying)
    said = packshot("check", lying, "--platform", "amazon_main", "--json")
    assert said.status == Exit.NOT_ALL_WELL
    assert {one["code"] for one in said.json[0]["findings"] if one["status"] == "failed"} == {"file_extension"}


def test_check_goes_on_after_a_path_that_cannot_be_read(finished: Path, tmp_path: Path) -> None:
    said = packshot("check", tmp_path / "gone.png", tmp_path, finished, "--platform", "amazon_main", "--json")
    assert said.status == Exit.NOT_ALL_WELL
    assert ["refused" in row for row in said.json] == [True, True, False]
    assert said.json[2]["passed"]
    assert "gone.png" in packshot("check", tmp_path / "gone.png", finished, "--platform", "amazon_main").out


def test_check_says_whether_the_marketplace_itself_refuses(finished: Path, tmp_path: Path) -> None:
    file = tmp_path / "B0PACK0101.MAIN.webp"
    Image.open(finished).save(file, lossless=True)
    said = packshot("check", file, "--platform", "amazon_main", "--json").json[0]
    assert "file_format" in said["refused_by_marketplace"]
    assert (
        "Amazon, main image itself refuses for file_format" in packshot("check", file, "--platform", "amazon_main").out
    )


def test_check_takes_the_rules_of_the_day_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    pixels = np.full((400, 400, 3), 255, np.uint8)
    pixels[30:-30, 100:300] = 60
    file.write_bytes(drawn_products.encoded(pixels))

    def least(*words: str) -> float:
        (row,) = packshot("check", file, "--platform", "google_shopping", "--json", *words).json
        return float(next(one["limit"] for one in row["findings"] if one["code"] == "resolution_too_low"))

    assert [least(), least("--on", "2027-01-30"), least("--on", "2027-01-31")] == [100, 100, 500]


def test_check_fails_what_is_no_picture_in_one_finding(folder: Path) -> None:
    said = packshot("check", folder / "notes.jpg", "--platform", "shopify", "--json")
    assert said.status == Exit.NOT_ALL_WELL
    (finding,) = said.json[0]["findings"]
    assert finding["code"] == "file_unreadable"
    assert "notes.jpg" in finding["message"]


# --- route ---


def test_route_says_who_edits_and_why(folder: Path) -> None:
    said = packshot("route", folder / "A1_MAIN.jpg", "--category", "wine glass")
    assert said.status == Exit.OK
    assert "A1_MAIN.jpg complex -> human" in said.words
    (row,) = packshot("route", folder / "A1_MAIN.jpg", "--json").json
    assert (row["complexity"], row["route"]) == ("simple", "automated")
    assert row["reason"] in packshot("route", folder / "A1_MAIN.jpg").words
    assert all(0 <= value <= 1 for value in row["features"].values())


def test_route_and_edit_ask_the_model_that_a_night_without_another_asks(folder: Path, edited: Edited) -> None:
    (routed,) = packshot("route", folder / "A1_MAIN.jpg", "--json").json
    assert routed["model"] == f"routing model {shipped_model().version}"
    assert 0 <= routed["refusal_probability"] <= 1
    found = {one["code"]: one for one in edited.row("A1_MAIN.jpg")["findings"]}
    assert shipped_model().version in found["refusal_likely"]["message"]
    stopped = found["refusal_likely"]["status"] == "failed"
    assert (edited.row("A1_MAIN.jpg")["verdict"] == "auto_approve") is not stopped


def test_route_goes_on_after_bad_files(folder: Path) -> None:
    said = packshot("route", folder / "small.jpg", folder / "notes.jpg", folder / "A1_MAIN.jpg", "--json")
    assert said.status == Exit.NOT_ALL_WELL
    assert ["refused" in row for row in said.json] == [True, True, False]


# --- edit ---


class Edited(NamedTuple):
    said: Said
    out: Path

    def row(self, name: str) -> Any:
        (row,) = [row for row in self.said.json if Path(row["file"]).name == name]
        return row


@pytest.fixture(scope="module")
def edited(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """All photographs of the folder, edited at once."""
    out = tmp_path_factory.mktemp("edited") / "new" / "folder"
    names = ("small.jpg", "A1_MAIN.jpg", "notes.jpg", FILE_NAME, "half.jpg")
    ordered = ("--platform", "amazon_main", "--platform", "shopify", "--category", "boxes")
    said = packshot("edit", *(folder / name for name in names), "--out", out, *ordered, "--json")
    return Edited(said, out)


def test_bad_files_among_several_do_not_stop_the_others(edited: Edited) -> None:
    assert edited.said.status == Exit.NOT_ALL_WELL
    assert [Path(row["file"]).name for row in edited.said.json if "refused" not in row] == ["A1_MAIN.jpg", FILE_NAME]
    for name in ("small.jpg", "notes.jpg", "half.jpg"):
        assert edited.row(name)["refused"].startswith(f"{name}: ")


def test_edit_says_route_score_verdict_and_what_made_it(edited: Edited) -> None:
    row = edited.row("A1_MAIN.jpg")
    assert row["verdict"] == "auto_approve"
    assert row["route"] == "automated"
    assert row["reason"]
    assert set(row["components"]) == {"background", "edge", "fill", "colour"}
    assert row["score"] == pytest.approx(sum(row["components"].values()), abs=0.02)
    assert row["engine"] == {"model": "contrast", "engine": "auto", "precision": "float32"}
    assert row["left_out"] == {}


def test_what_is_known_of_the_network_stands_with_every_photograph(edited: Edited) -> None:
    for name in ("A1_MAIN.jpg", FILE_NAME):
        assert edited.row(name)["findings"][0] == FALLBACK.model_dump(mode="json")


def test_edit_writes_each_platform_s_files_and_nothing_else(edited: Edited) -> None:
    written = {Path(file["file"]) for row in edited.said.json for file in row.get("files", ())}
    assert written == {file for file in edited.out.rglob("*") if file.is_file()}
    expected = {
        f"{Path(name).stem}.{kind}"
        for name in ("A1_MAIN.jpg", FILE_NAME)
        for kind in ("amazon_main.jpg", "shopify.webp", "shopify.jpg")
    }
    assert {file.name for file in written} == expected


def test_what_is_not_verified_lies_apart_and_its_platform_is_named_with_the_reason(edited: Edited) -> None:
    for row in edited.said.json:
        for file in row.get("files", ()):
            assert Path(file["file"]).parent == (edited.out if file["passed"] else edited.out / "rejected")
            assert (file["platform"] in row["left_out"]) is not file["passed"]
    (why,) = edited.row(FILE_NAME)["left_out"].values()
    assert "px" in why


def test_each_platform_s_verdict_stands_beside_the_score_which_is_the_lowest(edited: Edited) -> None:
    for name in ("A1_MAIN.jpg", FILE_NAME):
        row = edited.row(name)
        assert [one["platform"] for one in row["platforms"]] == ["amazon_main", "shopify"]
        assert row["score"] == min(one["score"] for one in row["platforms"])
        assert row["verdict"] in {one["verdict"] for one in row["platforms"]}


@pytest.mark.parametrize("order", [("amazon_main", "shopify"), ("shopify", "amazon_main")])
def test_any_order_of_platforms_says_the_same_and_ends_with_the_same_status(
    folder: Path, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """The photograph is too small for one of the two: what an earlier run wrote for it does not stay."""
    stale = [tmp_path / "[ruby] B1_MAIN.amazon_main.jpg", tmp_path / "rejected" / "[ruby] B1_MAIN.shopify.webp"]
    stale[1].parent.mkdir()
    for file in stale:
        file.write_bytes(b"of an earlier run")
    asked = [word for name in order for word in ("--platform", name)]
    said = packshot("edit", folder / FILE_NAME, "--out", tmp_path, *asked)
    assert said.status == Exit.NOT_ALL_WELL
    assert "amazon_main: nothing to ship." in said.words
    assert "rejected" in said.words
    assert not any(file.exists() for file in stale)
    assert {file.name for file in tmp_path.glob("*.*")} == {f"[ruby] B1_MAIN.shopify.{end}" for end in ("webp", "jpg")}


def test_a_platform_that_was_asked_for_and_takes_no_such_view_is_named(folder: Path, tmp_path: Path) -> None:
    second = Path(shutil.copy(folder / "A1_MAIN.jpg", tmp_path / "AB1001_PT01.jpg"))
    asked = ("--client", "demo", "--platform", "amazon_main", "--platform", "shopify", "--json")
    said = packshot("edit", second, *asked, "--out", tmp_path / "out")
    assert said.status == Exit.NOT_ALL_WELL
    assert said.json[0]["left_out"] == {"amazon_main": "It takes the views MAIN; this is PT01."}


def test_every_platform_that_was_asked_for_is_made_or_named_with_the_reason(
    edited: Edited, folder: Path, tmp_path: Path
) -> None:
    second = Path(shutil.copy(folder / "A1_MAIN.jpg", tmp_path / "AB1001_PT01.jpg"))
    blank = tmp_path / "blank.png"
    blank.write_bytes(drawn_products.encoded(np.full((1000, 1000, 3), 255, np.uint8)))
    photos = (second, blank, folder / "notes.jpg", folder / "small.jpg", tmp_path / "gone.jpg", tmp_path)
    asked = ("amazon_main", "shopify", "print_catalog")
    words = [word for name in asked for word in ("--platform", name)]
    said = packshot("edit", *photos, *words, "--client", "demo", "--json", "--out", tmp_path / "out")
    assert len(said.json) == len(photos)
    for row in said.json:
        made = {file["platform"] for file in row.get("files", ()) if file["passed"]}
        named = {name.split("/")[0]: why for name, why in row["left_out"].items()}
        assert made | set(named) == set(asked), row["file"]
        assert all(len(why) > 10 for why in named.values())


def test_check_agrees_with_what_edit_says_of_each_file(edited: Edited) -> None:
    files = [file for row in edited.said.json for file in row.get("files", ())]
    assert {file["passed"] for file in files} == {True, False}  # the small one is not large enough for Amazon
    for file in files:
        status = packshot("check", file["file"], "--platform", file["platform"]).status
        assert status == (Exit.OK if file["passed"] else Exit.NOT_ALL_WELL), file["file"]


def test_edit_says_in_words_what_became_of_each_photograph(folder: Path, tmp_path: Path) -> None:
    busy = np.random.default_rng(2).integers(0, 255, (40, 40, 3), np.uint8)
    photo = tmp_path / "[busy].png"
    photo.write_bytes(drawn_products.encoded(cv2.resize(busy, (1000, 800), interpolation=cv2.INTER_CUBIC)))
    said = packshot("edit", photo, folder / "small.jpg", "--out", tmp_path / "out", "--platform", "google_shopping")
    assert said.status == Exit.NOT_ALL_WELL
    assert re.search(r"\[busy\]\.png score \d+\.\d (human_review|reject_and_redo)", said.words)
    assert "failed: backdrop_not_smooth: " in said.words
    assert "small.jpg refused: small.jpg: " in said.words


def test_a_view_that_no_platform_takes_stops_only_its_photograph(folder: Path, tmp_path: Path) -> None:
    second = Path(shutil.copy(folder / "A1_MAIN.jpg", tmp_path / "AB1001_PT01.jpg"))
    demo = ("--client", "demo", "--platform", "amazon_main", "--out", tmp_path / "out", "--json")
    said = packshot("edit", second, folder / "small.jpg", *demo)
    assert said.status == Exit.NOT_ALL_WELL
    view, small = said.json
    assert "no platform takes the view PT01" in view["refused"]
    assert small["refused"].startswith("small.jpg: ")


def test_two_photographs_of_one_name_are_not_written_over_each_other(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = shutil.copy(folder / "A1_MAIN.jpg", tmp_path / "other" / "a1_main.jpg")
    for command in (("edit", "--platform", "shopify"), ("cutout",)):
        said = packshot(*command, folder / "A1_MAIN.jpg", other, "--out", tmp_path / "out")
        assert said.status == Exit.ERROR
        assert "two photographs would be written under the same names" in said.words
        assert not (tmp_path / "out").exists()


def test_a_result_is_never_written_over_a_photograph(folder: Path, tmp_path: Path) -> None:
    for name, command in (("A1.shopify.jpg", ("edit", "--platform", "shopify")), ("A1.Matte.png", ("cutout",))):
        photos = [shutil.copy(folder / "A1_MAIN.jpg", tmp_path / one) for one in ("A1.jpg", name)]
        said = packshot(*command, *photos, "--out", tmp_path)
        assert said.status == Exit.ERROR
        assert "would be written over a photograph" in said.words
        assert "--out" in said.words
        photos[1].unlink()
    assert [file.name for file in tmp_path.iterdir()] == ["A1.jpg"]


# --- cutout ---


def test_cutout_writes_a_matte_and_a_composite_as_large_as_the_photograph(folder: Path, tmp_path: Path) -> None:
    said = packshot("cutout", folder / "small.jpg", folder / "notes.jpg", "--out", tmp_path, "--json")
    assert said.status == Exit.NOT_ALL_WELL
    done, refused = said.json
    assert (done["method"], done["engine"]["model"]) == ("refined", "contrast")
    assert refused["refused"].startswith("notes.jpg: ")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.composite.png", "small.matte.png"]
    matte = np.asarray(Image.open(tmp_path / "small.matte.png"))
    composite = np.asarray(Image.open(tmp_path / "small.composite.png"))
    assert matte.shape == composite.shape[:2] == (480, 640)
    assert (composite[matte == 0] == 255).all()
    truth = drawn_products.coverage(640, 480)
    assert np.abs(matte / 255 - truth).sum() / (2 * np.pi * 0.43 * 480) < 0.5  # px of error per px of outline


def test_cutout_names_the_method_of_each_file(folder: Path, tmp_path: Path) -> None:
    said = packshot("cutout", folder / "small.jpg", "--out", tmp_path)
    assert said.status == Exit.OK
    assert said.words == f"{folder / 'small.jpg'}: refined"


# --- config ---


def test_config_show_prints_the_plan_with_its_fingerprint() -> None:
    said = packshot("config", "show", "--client", "demo", "--category", "bottles", "--view", "PT01")
    assert said.status == Exit.OK
    plan = said.json
    assert re.fullmatch(r"[0-9a-f]{8,}", plan["fingerprint"])
    assert (plan["client"], plan["view"]) == ("demo", "PT01")
    assert "amazon_main" not in [one["platform"]["name"] for one in plan["renditions"]]  # which takes MAIN only
    assert packshot("config", "show", "--client", "demo").json["fingerprint"] != plan["fingerprint"]


def test_config_check_is_content_with_the_configs_as_they_are() -> None:
    said = packshot("config", "check")
    assert said.status == Exit.OK
    assert "every file is in order" in said.words


@pytest.fixture
def broken_configs(tmp_path: Path) -> Path:
    configs = tmp_path / "configs"
    shutil.copytree(default_folder(), configs)
    path = configs / "platforms" / "shopify.yaml"
    path.write_text(path.read_text().replace("quality: 85,", "quality: 850,").replace("max_bytes", "max_byte"))
    return configs


def test_config_check_names_file_field_found_and_allowed(broken_configs: Path) -> None:
    said = packshot("config", "check", "--configs", broken_configs)
    assert said.status == Exit.CONFIG
    for part in ("shopify.yaml", "encoding.quality", "850", "100", "max_byte"):
        assert part in said.words


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("config", "show", "--client", "exampel"), "did you mean example?"),
        (("config", "show", "--category", "bottels"), "did you mean bottles?"),
        (("route", "{photo}", "--category", "bottels"), "did you mean bottles?"),
        (("edit", "{photo}", "--out", "{out}", "--platform", "shopify", "--client", "dmeo"), "did you mean demo?"),
        (("edit", "{photo}", "--out", "{out}", "--platform", "shopfy"), "did you mean shopify?"),
        (("check", "{photo}", "--platform", "walmat"), "did you mean walmart?"),
    ],
)
def test_a_name_that_names_nothing_ends_the_command_with_what_was_meant(
    folder: Path, tmp_path: Path, words: tuple[str, ...], meant: str
) -> None:
    places = {"photo": folder / "A1_MAIN.jpg", "out": tmp_path / "out"}
    said = packshot(*(word.format(**places) for word in words))
    assert said.status == Exit.CONFIG
    assert meant in said.words
    assert not (tmp_path / "out").exists()


def test_config_schema_prints_one_kind_or_all_of_them() -> None:
    every = packshot("config", "schema").json
    assert "platform" in every
    assert packshot("config", "schema", "platform").json == every["platform"]


# --- exit statuses ---


def test_every_exit_status_is_explained_in_the_help() -> None:
    said = packshot("--help")
    assert said.status == Exit.OK
    words = " ".join(said.words.replace("│", " ").split())
    for code, meaning in EXIT_STATUSES.items():
        assert f"{code.value} {meaning}" in words
    assert set(EXIT_STATUSES) == set(Exit)


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("inspect",),
        ("inspect", "--nonsense"),
        ("paint", "A1.jpg"),
        ("config", "show", "--colour", "red"),
        (),
    ],
)
def test_a_command_line_that_is_not_understood_has_its_own_status(words: tuple[str, ...]) -> None:
    said = packshot(*words)
    assert said.status == Exit.USAGE
    assert "Usage" in said.words


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("check", "{photo}", "--platform", "ebuy"), ("ebuy", "no such platform", "ebay")),
        (("edit", "{photo}", "--out", "{out}", "--platform", "otto"), ("otto", "disabled")),
        (("route", "{photo}", "--configs", "{broken}"), ("shopify.yaml", "quality", "850")),
        (("config", "schema", "colours"), ("colours", "allowed", "platform")),
        (("config", "show", "--platform", "ebuy"), ("ebuy", "allowed", "ebay")),
    ],
)
def test_what_the_configs_do_not_allow_has_its_own_status(
    folder: Path, broken_configs: Path, tmp_path: Path, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    places = {"photo": folder / "A1_MAIN.jpg", "out": tmp_path / "out", "broken": broken_configs}
    said = packshot(*(word.format(**places) for word in words))
    assert said.status == Exit.CONFIG
    assert said.out == ""
    for part in ("packshot: ", *parts):
        assert part in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StorageUnavailableError("the storage did not answer", "models", next_step="Try again."), Exit.TRANSIENT),
        (ModelError("the model file is missing", "u2netp", next_step="Fetch it."), Exit.ERROR),
    ],
)
def test_an_error_of_the_network_s_source_ends_in_one_sentence(
    folder: Path, tmp_path: Path, error: Exception, status: Exit
) -> None:
    def failing(engine: str) -> Any:
        raise error

    for command in (("edit", "--platform", "shopify"), ("cutout",)):
        said = packshot(*command, folder / "A1_MAIN.jpg", "--out", tmp_path / "out", network=failing)
        assert said.status == status
        assert " ".join(said.err.split()) == f"packshot: {error}"
        assert not (tmp_path / "out").exists()


def test_what_only_looks_never_asks_for_the_network(folder: Path, finished: Path) -> None:
    def forbidden(engine: str) -> Any:
        pytest.fail("the network was asked for")

    for words in (
        ("inspect", folder / "A1_MAIN.jpg"),
        ("route", folder / "A1_MAIN.jpg"),
        ("check", finished, "--platform", "amazon_main"),
        ("config", "check"),
    ):
        assert packshot(*words, network=forbidden).status == Exit.OK


# --- a real network ---


def test_a_real_network_cuts_out_a_real_photograph(tmp_path: Path) -> None:
    from packshot.cutout import load_segmenter
    from tasks.environment.settings import get_settings
    from tasks.processing.networks import cached_model

    model = shipped_configs().models["u2netp"]
    file = cached_model(model, folder=get_settings().models_dir)
    if file is None:
        pytest.skip("u2netp is not on this machine: run `packshot models fetch`")
    photo = Path(__file__).resolve().parents[3] / "samples" / "demo-batch" / "BOX103_MAIN.jpg"
    said = packshot(
        *("cutout", photo, "--out", tmp_path, "--json"),
        network=lambda engine: (load_segmenter("u2netp", file.path, sha256=file.sha256), ()),
    )
    assert said.status == Exit.OK
    (row,) = said.json
    assert row["engine"]["model"] == "u2netp"
    matte = np.asarray(Image.open(tmp_path / "BOX103_MAIN.matte.png")) / 255
    assert 0.1 < matte.mean() < 0.9
    assert np.concatenate([matte[0], matte[-1], matte[:, 0], matte[:, -1]]).max() == 0


def test_one_bad_path_or_unforeseen_error_ends_no_command_for_the_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, missing = folder / "A1_MAIN.jpg", folder / "missing.jpg"
    said = packshot("inspect", missing, folder, good, "--json")
    assert said.status == Exit.NOT_ALL_WELL
    assert [one["accepted"] for one in json.loads(said.out)] == [False, False, True]
    assert "this file cannot be read" in json.loads(said.out)[0]["refusal"]
    said = packshot("edit", missing, "--out", tmp_path, "--platform", "shopify", "--json")
    assert said.status == Exit.NOT_ALL_WELL
    assert "this file cannot be read" in json.loads(said.out)[0]["refused"]

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by a degenerate outline")

    monkeypatch.setattr("packshot.ingest.inspect_file.open_photo", broken)
    monkeypatch.setattr("packshot.pipeline.master", broken)
    (row,) = json.loads(packshot("inspect", good, "--json").out)
    assert row["refusal_code"] == "unforeseen"
    for command in (("edit", good, "--out", tmp_path, "--platform", "shopify"), ("route", good)):
        said = packshot(*command, "--json")
        (row,) = json.loads(said.out)
        assert said.status == Exit.NOT_ALL_WELL
        assert "ZeroDivisionError: by a degenerate outline" in row["refused"]
        assert "in broken" in said.err, "the traceback says where it happened"
