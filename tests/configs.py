"""The configs that come with Packshot, read once for all tests, and folders of configs that differ from them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from packshot.specs.load import default_folder, load_configs
from packshot.specs.models import Configs


@cache
def shipped_configs() -> Configs:
    """Return the configs that come with Packshot."""
    return load_configs(default_folder())


def changed_configs(folder: Path, changes: Mapping[str, Mapping[str, Any]]) -> Path:
    """Copy the configs that come with Packshot into a new folder, change some values, and return the folder.

    Args:
        folder: it must not exist yet.
        changes: file name -> key -> value. A mapping replaces only the keys that it names, for example
            ``{"routing.yaml": {"audit": {"ratio": 1.0}}}``.
    """
    shutil.copytree(default_folder(), folder)
    for name, values in changes.items():
        config = yaml.safe_load((folder / name).read_text())
        for key, value in values.items():
            config[key] = {**config[key], **value} if isinstance(value, Mapping) else value
        (folder / name).write_text(yaml.safe_dump(config))
    return folder
