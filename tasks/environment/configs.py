"""The configs that this process works with, and their fingerprint."""

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
    """Return the configs from the folder that the settings name, with the platform rules that are valid today.

    They are read again after a file has changed.

    A client whose own file is wrong is listed in `broken_clients`. Its shots are not processed; other clients are not
    affected.

    Raises:
        ConfigError: a file that all clients share is wrong.
    """
    folder = get_settings().configs
    return _loaded(folder, _stamp(folder)).on(datetime.now(UTC).date())


def fingerprint(configs: Configs, *, client: str) -> str:
    """Return a hash of all configs that change a client's masters or plans: the first 16 hex digits of a SHA-256.

    Other clients' style guides and profiles are not part of it: otherwise each new client would cause the unfinished
    shots of all others to be mastered again. Configs that only reports read are not part of it either.

    Args:
        client: the client's short name, as in its keys in storage.
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
