"""Whatever is misspelt is found in one pass, with what was probably meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from packshot.qc.report import ALL_CODES
from packshot.specs.load import default_folder, find_problems
from packshot.specs.models import Configs
from packshot.specs.rule_names import RING_CODECS, RULE_NAMES
from tasks.environment.settings import environment_problems, get_settings

MISSPELT = (
    ("qc.yaml", "  fringe_width:", "  fringe_widht:", "did you mean fringe_width?"),
    ("qc.yaml", "\napprove_at:", "\naprove_at:", "did you mean approve_at?"),
    ("qc.yaml", "ring_floor: {jpeg-444:", "ring_floor: {jpg-444:", "did you mean jpeg-444?"),
    ("routing.yaml", "hole_density:", "hole_densty:", "did you mean hole_density?"),
    ("categories.yaml", "services: [hair_masking]", "services: [hair_maskng]", "did you mean hair_masking?"),
    ("categories.yaml", "\n  complexity: medium", "\n  complexity: medum", "did you mean medium?"),
    ("handoff.yaml", "super_complex:", "supercomplex:", "did you mean super_complex?"),
    ("handoff.yaml", "\nsettle_s:", "\nsetle_s:", "did you mean settle_s?"),
    ("ingest.yaml", "\nmin_px:", "\nmin_pix:", "did you mean min_px?"),
    ("models.yaml", "session: u2netp", "session: u2netpp", "did you mean u2netp?"),
    ("platforms/shopify.yaml", "quality: 85,", "qualty: 85,", "did you mean quality?"),
    ("platforms/walmart.yaml", "format: jpeg", "format: jpg", "did you mean jpeg?"),
    ("platforms/etsy.yaml", "\nnaming:", "\nnamings:", "did you mean naming?"),
    ("clients/example.yaml", "zalando, shopify,", "zalando, shopfy,", "did you mean shopify?"),
    ("clients/example.yaml", '  print_catalog: "{client}', '  print_katalog: "{client}', "did you mean print_catalog?"),
    (
        "clients/example.yaml",
        "platform_rules:\n  print_catalog:",
        "platform_rules:\n  print_catlog:",
        "did you mean print_catalog?",
    ),
    ("clients/example.yaml", "default_category: clothing", "default_category: cloting", "did you mean clothing?"),
    ("clients/example.yaml", "(?P<sku>EX", "(?P<skuu>EX", "did you mean sku?"),
    ("clients/example.yaml", "  shoot_group: [", "  shoot_grup: [", "did you mean shoot_group?"),
    ("clients/example.yaml", "\ncopyright:", "\ncopyrigth:", "did you mean copyright?"),
    ("clients/example.yaml", "  fill_ratio: 0.9", "  fil_ratio: 0.9", "did you mean fill_ratio?"),
    ("clients/demo.yaml", "\ncopyright:", '\nnaming: {shopify: "{skuu}_{view}"}\ncopyright:', "did you mean sku?"),
    (
        "clients/default.yaml",
        "\nplatforms:",
        '\nnaming: {shopify: "{sku}#{view}"}\nplatforms:',
        "no platform takes '#'",
    ),
)
"""File, what stands there, what somebody wrote, and what `config check` must say."""
AUDIT = "\naudit:\n  by_category: {jewlry: 0.1}\n  by_client: {exampel: 0.1}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_folder(), tmp_path / "configs"))


def write(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text, (name, old)
    path.write_text(text.replace(old, new, 1))


def test_all_that_is_misspelt_is_found_in_one_pass_with_what_was_meant(folder: Path) -> None:
    for name, old, new, _ in MISSPELT:
        write(folder, name, old, new)
    (folder / "routing.yaml").write_text(audited((folder / "routing.yaml").read_text()))
    said = [str(problem) for problem in find_problems(folder)]
    wanted = [*((name, meant) for name, _, _, meant in MISSPELT)]
    wanted += [("routing.yaml", "did you mean jewelry?"), ("routing.yaml", "did you mean example?")]
    assert len(wanted) > 20
    for name, meant in wanted:
        assert [one for one in said if name in one and meant in one], (name, meant, said)


def audited(text: str) -> str:
    head, _, tail = text.partition("\naudit:")
    assert tail
    rest = tail.splitlines(keepends=True)[1:]
    while rest and rest[0].startswith((" ", "#")):
        rest.pop(0)
    return head + AUDIT + "".join(rest)


@pytest.mark.parametrize(("name", "old", "new", "meant"), MISSPELT)
def test_each_alone_is_found_with_its_line(folder: Path, name: str, old: str, new: str, meant: str) -> None:
    write(folder, name, old, new)
    found = [problem for problem in find_problems(folder) if meant in str(problem)]
    assert [problem for problem in found if problem.file.endswith(name) and problem.line > 0]


def test_a_wish_that_cannot_be_met_is_found_beside_a_misspelt_key_and_names_its_platforms_once(folder: Path) -> None:
    text = "title: Acme\nplatfroms: [x]\nplatforms: [amazon_main, walmart, shopify]\nrules: {shadow: keep}\n"
    (folder / "clients" / "acme.yaml").write_text(text)
    unknown, shadow = find_problems(folder)
    assert (unknown.line, unknown.field, shadow.line) == (2, "platfroms", 4)
    assert "keeps a shadow" in shadow.what
    assert shadow.found == "shadow: keep, for amazon_main, walmart"


def test_a_source_that_cannot_be_used_is_one_problem(folder: Path) -> None:
    write(folder, "models.yaml", "ref: https://", "ref: http://")
    (problem,) = find_problems(folder)
    assert "https://" in problem.allowed


def test_the_rules_that_the_configs_know_are_those_that_there_are(configs: Configs) -> None:
    assert set(ALL_CODES) == RULE_NAMES
    assert set(configs.qc.rules) == RULE_NAMES
    assert set(configs.qc.ring_floor) == RING_CODECS


def test_an_unknown_variable_is_told_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment_problems() == ()
    monkeypatch.setenv("PACKSHOT_S3_BUKET", "pictures")
    monkeypatch.setenv("PACKSHOT_ENGINE", "onnx")
    one, other = environment_problems()
    assert one == "PACKSHOT_S3_BUKET is no setting (did you mean PACKSHOT_S3_BUCKET?)"
    assert "onnxruntime" in other
    with pytest.raises(Exception, match="did you mean PACKSHOT_S3_BUCKET"):
        get_settings()


def test_a_model_that_is_not_on_the_list_is_told_by_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_SEGMENTER", "isnet-general-us")
    (one,) = environment_problems()
    assert "did you mean isnet-general-use?" in one
