from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from packshot.specs.models import Configs, ModelSource

SHA = "0" * 64


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "url", "ref": "http://host/file.onnx"},
        {"kind": "url", "ref": "https://user:secret@host/file.onnx"},
        {"kind": "url", "ref": "https://host/file.onnx", "member": "inside"},
        {"kind": "pypi", "ref": "name>=1", "member": "a.onnx"},
        {"kind": "pypi", "ref": "name==1.0"},
        {"kind": "npm", "ref": "@scope/name", "member": "/models/m"},
        {"kind": "ftp", "ref": "ftp://host/file"},
        {"kind": "pypi", "ref": "name==1.0", "member": "a.onnx", "sha256": "abc"},
        {"kind": "pypi", "ref": "name==1.0", "member": "a.onnx", "size_bytes": 0},
    ],
)
def test_a_source_that_is_open_to_change_or_eavesdropping_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelSource(**{"sha256": SHA, "size_bytes": 1, **source})


def test_each_model_comes_from_its_makers_release_first(configs: Configs) -> None:
    for model in configs.models.values():
        assert model.sources[0].kind == "url"
        assert model.sources[0].ref.startswith("https://github.com/danielgatis/rembg/releases/download/")


def test_the_two_sources_of_the_small_model_give_the_same_bytes(configs: Configs) -> None:
    assert len({(source.sha256, source.size_bytes) for source in configs.models["u2netp"].sources}) == 1
