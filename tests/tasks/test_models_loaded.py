"""Loading for real: needs the small model's file, which ``packshot models fetch`` brings."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from packshot.errors import ModelError
from packshot.specs.load import load_configs
from packshot.specs.models import Configs, ModelSource
from packshot.types import Status
from tasks.environment.settings import get_settings
from tasks.processing import networks
from tasks.processing.networks import cached_model, load_model

NOWHERE = ModelSource(kind="url", ref="https://127.0.0.1:9/m.onnx", sha256="0" * 64, size_bytes=1)


@pytest.fixture
def only_the_small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configs:
    """A machine that has u2netp and cannot get anything else."""
    settings = get_settings()
    configs = load_configs(settings.configs)
    small = cached_model(configs.models["u2netp"], folder=settings.models_dir)
    if small is None:
        pytest.skip("u2netp is not on this machine: run 'packshot models fetch'")
    (tmp_path / "models").mkdir()
    shutil.copy(small.path, tmp_path / "models")
    big = configs.models["isnet-general-use"].model_copy(update={"sources": (NOWHERE,)})
    changed = configs.model_copy(update={"models": {**configs.models, "isnet-general-use": big}})
    monkeypatch.setattr(networks, "load_for_the_line", lambda folder: changed)
    monkeypatch.setattr(networks, "_loaded", {})
    monkeypatch.setenv("PACKSHOT_MODELS_DIR", str(tmp_path / "models"))
    return changed


def test_the_fallback_is_used_and_said_where_the_model_cannot_be_had(only_the_small_model: Configs) -> None:
    loaded = load_model()
    assert loaded.name == "u2netp"
    (finding,) = loaded.findings
    assert (finding.code, finding.status) == ("fallback_model", Status.WARNING)
    assert only_the_small_model.models["isnet-general-use"].title in finding.message


def test_the_model_asked_for_carries_no_finding(only_the_small_model: Configs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_SEGMENTER", "u2netp")
    assert load_model().findings == ()


def test_a_process_loads_a_model_once(only_the_small_model: Configs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKSHOT_SEGMENTER", "u2netp")
    with ThreadPoolExecutor(4) as pool:
        segmenters = {id(loaded.segmenter) for loaded in pool.map(lambda _: load_model(), range(4))}
    assert len(segmenters) == 1


def test_nothing_is_loaded_where_neither_can_be_had(
    only_the_small_model: Configs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "models")
    small = only_the_small_model.models["u2netp"].model_copy(update={"sources": (NOWHERE,)})
    neither = only_the_small_model.model_copy(update={"models": {**only_the_small_model.models, "u2netp": small}})
    monkeypatch.setattr(networks, "load_for_the_line", lambda folder: neither)
    with pytest.raises(ModelError, match="could not be fetched from any source"):
        load_model()


def test_a_model_that_is_not_listed_is_not_replaced_by_the_fallback(
    only_the_small_model: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKSHOT_SEGMENTER", "bria-rmbg")
    with pytest.raises(ModelError, match="not on the list"):
        load_model()
