"""Read the configs that this process works with, and tell by a fingerprint when a client's configs have changed."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from packshot.errors import ConfigError
from packshot.specs.load import load_for_the_line
from packshot.specs.models import Configs
from packshot.specs.resolve import FALLBACK_CLIENT
from tasks.environment.settings import get_settings

CLIENT_UNKNOWN = "client_unknown"
"""Code of the finding on a batch whose client has no style guide."""
SETTLE_S = 0.5
"""How long a wrong file may be one that is just being saved, in seconds."""
_LOOK_AGAIN_S = 0.05
_clients: dict[Path, frozenset[str]] = {}
"""Which clients had a style guide of their own when a folder was last read."""


def configs_in_force() -> Configs:
    """Return all configs: the YAML files of the folder that ``PACKSHOT_CONFIGS`` names, checked and as one object.

    Of each platform's rules, those that are valid today (UTC) are in it. The files are read again after one has
    changed; until then, each call is cheap.

    A client whose own file is wrong is listed in the result's `broken_clients`. That client's shots are not processed;
    other clients are not affected. A file that is just being saved may be half written, or not be there for a moment.
    So if something is wrong or a client's file is gone, and a file has changed in the last half second (`SETTLE_S`),
    the files are read again.

    Raises:
        ConfigError: a file that all clients share is wrong. The message names file, line and field.
    """
    folder, until = get_settings().configs, time.monotonic() + SETTLE_S
    while True:
        try:
            found = _loaded(folder, _stamp(folder))
        except (ConfigError, FileNotFoundError):
            if not _is_being_saved(folder, until):
                raise
        else:
            gone = _clients.get(folder, frozenset()) - found.clients.keys()
            if not (found.broken_clients or gone) or not _is_being_saved(folder, until):
                _clients[folder] = frozenset(found.clients)
                return found.on(datetime.now(UTC).date())
        time.sleep(_LOOK_AGAIN_S)


def _is_being_saved(folder: Path, until: float) -> bool:
    """Return whether a file or folder of the configs has changed within `SETTLE_S`, and it is worth while to wait."""
    if time.monotonic() >= until:
        return False
    try:
        changed = [one.stat().st_mtime for one in (folder, *folder.rglob("*"))]
    except FileNotFoundError:
        return True
    return abs(time.time() - max(changed)) < SETTLE_S


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
