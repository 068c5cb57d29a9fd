"""Read the configs that this process works with, and tell by a fingerprint when a client's configs have changed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from packshot.specs.load import load_for_the_line
from packshot.specs.models import Configs
from packshot.specs.resolve import FALLBACK_CLIENT
from tasks.environment.settings import get_settings


def configs_in_force() -> Configs:
    """Return all configs: the YAML files of the folder that ``PACKSHOT_CONFIGS`` names, checked and as one object.

    Of each platform's rules, those that are valid today (UTC) are in it. The files are read again after one has
    changed; until then, each call is cheap.

    A client whose own file is wrong is listed in the result's `broken_clients`. That client's shots are not processed;
    other clients are not affected.

    Raises:
        ConfigError: a file that all clients share is wrong. The message names file, line and field.
    """
    folder = get_settings().configs
    return _loaded(folder, _stamp(folder)).on(datetime.now(UTC).date())


def fingerprint(configs: Configs, *, client: str) -> str:
    """Return a hash of all configs that a client's masters and plans depend on: the first 16 hex digits of a SHA-256.

    If the hash is another one than when a shot was mastered, the shot's plan may be out of date. Other clients' style
    guides and colour profiles are left out of the hash; so a new client does not cause the shots of all other clients
    to be mastered again. Configs that only reports read are left out too.

    Args:
        configs: all configs, as `configs_in_force` returns them.
        client: the client's short name, for example ``acme``.
    """
    guide = configs.clients.get(client) or configs.clients.get(FALLBACK_CLIENT)
    press = guide.cmyk_profile if guide else ""
    own = configs.model_copy(
        update={
            "clients": {client: guide} if guide else {},
            "broken_clients": {name: why for name, why in configs.broken_clients.items() if name == client},
            "press_profiles": {file: one for file, one in configs.press_profiles.items() if file == press},
        }
    )
    return hashlib.sha256(own.model_dump_json(exclude={"returns", "daily"}).encode()).hexdigest()[:16]


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(folder.rglob("*.yaml"))
    return tuple((str(file), (status := file.stat()).st_mtime_ns, status.st_size) for file in files)


@lru_cache(maxsize=2)
def _loaded(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> Configs:
    return load_for_the_line(folder)
