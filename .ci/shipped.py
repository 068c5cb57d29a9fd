"""Write what is shipped: a CycloneDX list of all parts, and a table of their licences.

    .venv-tools/bin/python .ci/shipped.py [FOLDER]     # dist/, unless another is named

The libraries are those that `pip install 'packshot[local]'` brings, as they are installed in .venv. Libraries that only
development needs are left out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
EXTRAS = ("local", "several-servers")
Bill = dict[str, Any]


def main() -> int:
    """Write both files and print their names."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist")
    folder.mkdir(parents=True, exist_ok=True)
    version = version_of((ROOT / "packshot" / "__init__.py").read_text())
    parts = tomllib.loads((ROOT / ".ci" / "shipped.toml").read_text())["part"]
    found = distributions(path=[str(path) for path in VENV.glob("lib/python*/site-packages")])
    wanted = needed(declared((ROOT / "pyproject.toml").read_text()), found)
    bill = shipped(installed(), wanted, version=version, parts=parts)
    for name, text in (
        (f"packshot-{version}.cdx.json", json.dumps(bill, indent=2) + "\n"),
        (f"packshot-{version}-licences.md", licences(bill)),
    ):
        (folder / name).write_text(text)
        print(folder / name)
    return 0


def installed() -> Bill:
    """Return CycloneDX's list of everything that is installed in .venv."""
    command = [Path(sys.executable).parent / "cyclonedx-py", "environment", "--pyproject", "pyproject.toml"]
    done = subprocess.run(
        [*command, "--output-reproducible", VENV / "bin" / "python"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(done.stdout))


def version_of(code: str) -> str:
    """Return the version that a module states."""
    (version,) = re.findall(r'^__version__ = "(.+)"$', code, re.MULTILINE)
    return str(version)


def declared(pyproject: str) -> list[Requirement]:
    """Return the libraries that the project declares for those who use it."""
    project = tomllib.loads(pyproject)["project"]
    extras = (one for extra in EXTRAS for one in project["optional-dependencies"][extra])
    return [Requirement(one) for one in [*project["dependencies"], *extras]]


def needed(wanted: Iterable[Requirement], found: Iterable[Distribution]) -> set[str]:
    """Return the names of the wanted libraries and of all that these need on this machine, extras as asked for.

    Raises:
        ValueError: one of them is not installed.
    """
    known = {_name(one.name): one for one in found}
    done: set[tuple[str, str]] = set()
    left = list(wanted)
    while left:
        requirement = left.pop()
        name = _name(requirement.name)
        if name not in known:
            raise ValueError(f"{name} is not installed in .venv. Run `make setup`.")
        for extra in {"", *requirement.extras}:
            if (name, extra) not in done:
                done.add((name, extra))
                parts = map(Requirement, known[name].requires or [])
                left += [one for one in parts if one.marker is None or one.marker.evaluate({"extra": extra})]
    return {name for name, _ in done}


def shipped(bill: Bill, wanted: Iterable[str], *, version: str, parts: Iterable[Mapping[str, str]]) -> Bill:
    """Return the list with only what users get: the wanted libraries, and the parts that are no library."""
    names = set(wanted)
    kept = {one["bom-ref"] for one in bill["components"] if _name(one["name"]) in names}
    others = [_component(part) for part in parts]
    root = bill["metadata"]["component"]
    root["version"] = version
    bill["components"] = [one for one in bill["components"] if one["bom-ref"] in kept] + others
    bill["dependencies"] = [
        {**entry, "dependsOn": [one for one in entry.get("dependsOn", []) if one in kept]}
        for entry in bill["dependencies"]
        if entry["ref"] in kept | {root["bom-ref"]}
    ]
    for entry in bill["dependencies"]:
        if entry["ref"] == root["bom-ref"]:
            entry["dependsOn"] += [one["bom-ref"] for one in others]
    return bill


def _component(part: Mapping[str, str]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "bom-ref": part["name"],
        "type": "machine-learning-model" if part.get("file", "").endswith(".onnx") else "data",
        "name": part["name"],
        "description": part["what"],
        "licenses": [{"license": {"id": part["licence"]}}],
    }
    if part.get("file", "").endswith(".js"):
        component["type"] = "library"
    if part["version"]:
        component["version"] = part["version"]
    if "sha256" in part:
        component["hashes"] = [{"alg": "SHA-256", "content": part["sha256"]}]
    return component


def licences(bill: Bill) -> str:
    """Return a table of all parts with their licences as their authors declare them."""
    rows = sorted(
        (one["name"].lower(), f"| {one['name']} | {one.get('version', '')} | {licence_of(one)} |")
        for one in bill["components"]
    )
    root = bill["metadata"]["component"]
    return "\n".join(
        [
            f"# Licences of what comes with Packshot {root['version']}",
            "",
            "Made by `make release`. Each licence is the one that the part's authors declare. Libraries in C and Go",
            "inside a wheel stand in that wheel's own licence files.",
            "",
            "| part | version | licence |",
            "|---|---|---|",
            *(row for _, row in rows),
            "",
        ]
    )


def licence_of(component: Mapping[str, Any]) -> str:
    """Return a part's licences as its authors declare them: SPDX identifiers first, then their own words."""
    told = component.get("licenses", [])
    exact = [one.get("expression") or one.get("license", {}).get("id") for one in told]
    words = [one.get("license", {}).get("name", "").rpartition(" :: ")[2] for one in told]
    return " / ".join(dict.fromkeys(filter(None, [*exact, *words]))) or "not declared"


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
