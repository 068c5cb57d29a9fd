from __future__ import annotations

import re
from pathlib import Path

import pytest

from packshot.colour.spaces import working_profile
from packshot.errors import ConfigError
from packshot.specs.load import default_folder, find_problems, load_configs, load_for_the_line
from packshot.specs.models import Authority, Background, Configs, Format, Plan, Profile
from packshot.specs.resolve import resolve
from tests.drawn_press import press_profile


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_configs_that_come_with_packshot_have_no_problem() -> None:
    assert find_problems(default_folder()) == ()


def test_the_five_platforms_of_the_brief_carry_its_figures(configs: Configs) -> None:
    said = {
        name: (p.encoding.format, p.encoding.quality, p.background, p.canvas.min_px, p.canvas.recommended_px)
        for name, p in configs.platforms.items()
    }
    assert said["amazon_main"] == (Format.JPEG, 95, Background.PURE_WHITE, 1000, 2000)
    assert said["amazon_secondary"] == (Format.JPEG, 90, Background.ANY, 1000, 2000)
    assert said["google_shopping"] == (Format.WEBP, 85, Background.WHITE_OR_LIGHT_GREY, 100, 800)
    shopify, printed = configs.platforms["shopify"], configs.platforms["print_catalog"]
    assert (shopify.encoding.format, shopify.encoding.quality) == (Format.WEBP, 85)
    assert (shopify.canvas.recommended_px, shopify.canvas.aspect) == (2048, "1:1")
    assert shopify.background is Background.WHITE_RECOMMENDED
    assert (printed.encoding.format, printed.encoding.bit_depth) == (Format.TIFF, 16)
    assert (printed.profile, printed.canvas.dpi) == (Profile.ADOBE_RGB, 300)
    assert printed.canvas.recommended_px is None
    assert configs.platforms["amazon_main"].fill.least_ratio == 0.85
    assert all(configs.platforms[name].max_bytes == 10_000_000 for name in ("amazon_main", "amazon_secondary"))


def test_every_platform_but_print_is_delivered_in_srgb(configs: Configs) -> None:
    assert [name for name, p in configs.platforms.items() if p.profile is not Profile.SRGB] == ["print_catalog"]


def test_amazon_names_have_full_stops_only(configs: Configs) -> None:
    for name in ("amazon_main", "amazon_secondary"):
        assert not re.search(r"[ _-]", configs.platforms[name].naming.replace("product_id", ""))


def test_amazon_main_takes_the_main_view_and_amazon_secondary_the_others(configs: Configs) -> None:
    main, secondary = configs.platforms["amazon_main"], configs.platforms["amazon_secondary"]
    views = ["MAIN", "PT01", "PT08", "SWCH", "BACK", "IN01"]
    assert [view for view in views if main.takes(view)] == ["MAIN"]
    assert [view for view in views if secondary.takes(view)] == views[1:]
    assert not secondary.takes("PT09")
    assert main.takes("main")


def test_a_platform_whose_figures_nobody_stated_is_disabled(configs: Configs) -> None:
    unverified = {name for name, p in configs.platforms.items() if p.authority is Authority.UNVERIFIED}
    assert unverified == {"target", "wayfair", "otto"}
    assert not any(configs.platforms[name].enabled for name in unverified)


def test_the_rules_of_the_brief_stand_in_the_categories(configs: Configs) -> None:
    ruled = {name: str(c.complexity) for name, c in configs.categories.items() if c.complexity}
    for name in ("jewelry", "fur", "lingerie", "transparent"):
        assert ruled[name] == "complex"
    assert ruled["electronics"] == ruled["books"] == "simple"
    assert ruled["cosmetics_tube"] == "medium"


def test_only_free_models_that_keep_pictures_at_home_are_listed(configs: Configs) -> None:
    assert set(configs.models) == {"isnet-general-use", "u2netp"}
    assert all("Apache-2.0" in model.licence for model in configs.models.values())
    assert [name for name, model in configs.models.items() if model.fallback] == ["u2netp"]


def test_a_model_that_is_not_on_the_allow_list_is_refused(folder: Path) -> None:
    edit(folder / "models.yaml", "session: u2netp", "session: bria-rmbg")
    with pytest.raises(ConfigError, match="bria-rmbg"):
        load_configs(folder)


def test_problems_of_several_files_are_told_at_once(folder: Path) -> None:
    edit(folder / "ingest.yaml", "max_frames: 32", "max_frames: none")
    edit(folder / "platforms" / "shopify.yaml", "webp", "gif")
    with pytest.raises(ConfigError) as caught:
        load_configs(folder)
    assert "ingest.yaml:7: max_frames" in str(caught.value)
    assert "shopify.yaml:3: encoding.format" in str(caught.value)


def test_a_single_problem_names_file_line_field_found_and_allowed(folder: Path) -> None:
    edit(folder / "ingest.yaml", "min_px: 1000", "min_px: 0")
    with pytest.raises(ConfigError) as caught:
        load_configs(folder)
    assert caught.value.subject.endswith("ingest.yaml:3")
    assert "min_px" in caught.value.what
    assert (caught.value.found, caught.value.allowed) == ("0", "greater than 0")


@pytest.mark.parametrize("name", ["qc.yaml", "routing.yaml", "clients/default.yaml"])
def test_a_missing_file_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert any("missing" in problem.what for problem in find_problems(folder))


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no \.yaml file"):
        load_configs(tmp_path / "nowhere")


def test_a_file_that_is_not_utf8_is_told(folder: Path) -> None:
    (folder / "ingest.yaml").write_bytes(b"min_px: \xff")
    assert "cannot be read" in find_problems(folder)[0].what


def test_a_file_whose_name_cannot_stand_in_a_key_is_told(folder: Path) -> None:
    (folder / "clients" / "two words.yaml").write_text("title: x\nplatforms: [shopify]\n")
    assert [problem.found for problem in find_problems(folder)] == ["two words"]


CLIENT = "title: Acme\nplatforms: [amazon_main, shopify]\n"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("title: Acme\nplatforms: [shopify, shopyfi]\n", 2, "no such platform"),
        ("title: Acme\nplatforms: [otto]\n", 2, "this platform is disabled"),
        (CLIENT + "naming: {ebay: '{sku}'}\n", 3, "not one of the client's platforms"),
        (CLIENT + "platform_rules:\n  ebay: {fill_ratio: 0.9}\n", 4, "not one of the client's platforms"),
        (CLIENT + "default_category: jewels\n", 3, "no such category"),
        (CLIENT + "rules:\n  fill_ratio: 0.5\n", 3, "the client's fill_ratio is outside what the platform accepts"),
        (CLIENT + "rules: {shadow: keep}\n", 3, "the client keeps a shadow where the platform asks for pure white"),
    ],
)
def test_a_style_guide_that_cannot_be_met_is_told_when_it_is_read(
    folder: Path, text: str, line: int, what: str
) -> None:
    (folder / "clients" / "acme.yaml").write_text(text)
    (problem,) = find_problems(folder)
    assert (Path(problem.file).name, problem.line, problem.what) == ("acme.yaml", line, what)


def test_a_word_that_means_two_categories_is_refused(folder: Path) -> None:
    edit(folder / "categories.yaml", "[book, ", "[book, Schmuck, ")
    (problem,) = find_problems(folder)
    assert problem.what == "means two categories"
    assert "'Schmuck' in jewelry too" in problem.found


def test_without_a_style_guide_for_all_the_configs_are_refused(folder: Path) -> None:
    (folder / "clients" / "default.yaml").unlink()
    assert find_problems(folder) != ()


def test_configs_are_found_in_a_checkout_and_in_an_installed_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packshot.specs.load.__file__", str(tmp_path / "packshot" / "specs" / "load.py"))
    assert default_folder() == tmp_path / "packshot" / "_configs"
    (tmp_path / "configs" / "platforms").mkdir(parents=True)
    assert default_folder() == tmp_path / "configs"


def in_inks(folder: Path, client_says: str) -> None:
    edit(folder / "platforms" / "print_catalog.yaml", "profile: adobe_rgb", "profile: cmyk")
    edit(folder / "clients" / "demo.yaml", "copyright:", f"{client_says}\ncopyright:")


def test_a_client_printed_in_inks_must_give_the_profile_of_its_press(folder: Path) -> None:
    in_inks(folder, "")
    (problem,) = [one for one in find_problems(folder) if "demo.yaml" in one.file]
    assert "without the profile of the press" in problem.what
    assert "cmyk_profile" in problem.allowed


@pytest.mark.parametrize("content", [None, b"no profile", working_profile()])
def test_a_press_profile_that_is_missing_or_none_is_told(folder: Path, content: bytes | None) -> None:
    in_inks(folder, "cmyk_profile: press.icc")
    (folder / "profiles").mkdir()
    if content is not None:
        (folder / "profiles" / "press.icc").write_bytes(content)
    problems = [one for one in find_problems(folder) if one.field == "cmyk_profile"]
    assert ["demo.yaml" in one.file and one.line > 0 for one in problems] == [True]


def test_a_press_profile_stands_in_the_plan_whole(folder: Path) -> None:
    in_inks(folder, "cmyk_profile: press.icc")
    edit(folder / "clients" / "example.yaml", "# cmyk_profile:", "cmyk_profile:")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "press.icc").write_bytes(press_profile())
    plan = resolve(load_configs(folder), client="demo", platforms=("print_catalog",))
    again = Plan.model_validate_json(plan.model_dump_json())
    assert again.renditions[0].press is not None
    assert again.renditions[0].press.icc == press_profile()
    assert again.fingerprint == plan.fingerprint


def test_a_mistake_in_one_client_s_file_concerns_that_client_alone(folder: Path) -> None:
    guide = "title: Acme\nplatforms: [shopify]\n"
    (folder / "clients" / "acme.yaml").write_text(guide.replace("shopify", "shopfy"))
    (folder / "clients" / "zeta.yaml").write_text(guide)
    (folder / "clients" / "typo.yaml").write_text("titel: Typo\n")
    configs = load_for_the_line(folder)
    assert resolve(configs, client="zeta").client == "zeta"
    assert resolve(configs, client="somebody").style_guide == "default"
    for name, wrong in (("acme", "no such platform"), ("typo", "titel")):
        with pytest.raises(ConfigError, match=f"(?s)^{name}: this client's style guide is wrong.*{wrong}"):
            resolve(configs, client=name)
    assert {problem.file.rsplit("/", 1)[-1] for problem in find_problems(folder)} == {"acme.yaml", "typo.yaml"}
    with pytest.raises(ConfigError):
        load_configs(folder)


@pytest.mark.parametrize("path", ["qc.yaml", "clients/default.yaml", "platforms/shopify.yaml"])
def test_a_mistake_that_all_depend_on_concerns_all(folder: Path, path: str) -> None:
    with (folder / path).open("a") as file:
        file.write("\nnot_a_field: 1\n")
    with pytest.raises(ConfigError, match="not_a_field"):
        load_for_the_line(folder)


@pytest.mark.parametrize(("size", "found"), [(0, "which is not there"), (100_001, "100,001 bytes")])
def test_a_logo_that_cannot_be_used_is_a_problem_of_its_client(folder: Path, size: int, found: str) -> None:
    edit(folder / "clients" / "example.yaml", "# logo: example.png", "logo: example.png")
    (folder / "logos").mkdir()
    if size:
        (folder / "logos" / "example.png").write_bytes(bytes(size))
    (problem,) = find_problems(folder)
    assert problem.field == "logo"
    assert found in problem.found
    (folder / "logos" / "example.png").write_bytes(b"\x89PNG")
    assert find_problems(folder) == ()
