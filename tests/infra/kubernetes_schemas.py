"""Take what the manifests need from Kubernetes' own schemas.

    python -m tests.infra.kubernetes_schemas FOLDER apps/v1/Deployment v1/Service ...

FOLDER is the strict schemas of one version, as the package kubernetes-validate brings them (those of all versions take
more than 100 MB). The result, `kubernetes_schemas.json` beside this file, has a definition for each kind and all that
these refer to, without the descriptions. Kubernetes' schemas are under Apache-2.0, as this project is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")


def main(folder: str, *kinds: str) -> None:
    whole = json.loads((Path(folder) / "_definitions.json").read_text())["$defs"]
    wanted = {name: one for name, one in whole.items() if _kind(one) in kinds}
    to_see = list(wanted.values())
    while to_see:
        for name in _referred(to_see.pop()) - set(wanted):
            wanted[name] = whole[name]
            to_see.append(whole[name])
    version = Path(folder).name.removesuffix("-local-strict")
    found = {"version": version, "$defs": {name: _bare(one) for name, one in sorted(wanted.items())}}
    FILE.write_text(json.dumps(found, separators=(",", ":"), sort_keys=True) + "\n")


def _kind(definition: dict[str, Any]) -> str:
    named = definition.get("x-kubernetes-group-version-kind", [])
    return f"{named[0]['group']}/{named[0]['version']}/{named[0]['kind']}".lstrip("/") if len(named) == 1 else ""


def _referred(found: Any) -> set[str]:
    if isinstance(found, dict):
        own = {found["$ref"].rpartition("/")[2]} if isinstance(found.get("$ref"), str) else set()
        return own.union(*map(_referred, found.values()))
    return set().union(*map(_referred, found)) if isinstance(found, list) else set()


def _bare(found: Any) -> Any:
    """Return a definition without what only people read."""
    if isinstance(found, dict):
        return {key: _bare(one) for key, one in found.items() if key != "description" or not isinstance(one, str)}
    if isinstance(found, list):
        return [_bare(one) for one in found]
    return f"#/$defs/{found.rpartition('/')[2]}" if isinstance(found, str) and "#/$defs/" in found else found


if __name__ == "__main__":
    main(*sys.argv[1:])
