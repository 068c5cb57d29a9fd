"""A built wheel holds all that an installed Packshot needs, and the demo runs from it."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import pytest

import packshot

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
LEFT_OUT = {"infra/.env", "infra/.gitignore"}
"""Files of the packages that are for a checkout only."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, timeout=300)
    (made,) = folder.glob("*.whl")
    return made


def files(folder: str) -> Iterator[str]:
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT / folder).as_posix()


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    wanted = {f"{package}/{name}" for package in PACKAGES for name in files(package)} - LEFT_OUT
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


@pytest.mark.parametrize(
    ("folder", "place"), [("configs", "packshot/_configs"), ("samples/demo-batch", "deployments/_samples")]
)
def test_configs_and_sample_photographs_are_in_the_wheel(wheel: Path, folder: str, place: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if name.startswith(f"{place}/")}
    assert packed == {f"{place}/{name}": (ROOT / folder / name).read_bytes() for name in files(folder)}


def test_the_wheel_has_the_version_of_the_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (told,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        assert message_from_bytes(archive.read(told))["Version"] == packshot.__version__


def test_the_command_that_builds_the_image_names_the_version_of_the_code() -> None:
    told = (ROOT / "infra" / "Dockerfile").read_text()
    assert set(re.findall(r"packshot:(\d[\w.]*)", told)) == {packshot.__version__}


def imported_by(package: str) -> Iterator[str]:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (one.name.partition(".")[0] for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith("types_"):
                yield node.module.partition(".")[0]


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-")


def declared() -> set[str]:
    """The libraries of an installation with all extras but `dev`."""
    project = PROJECT["project"]
    extras = [one for extra, ones in project["optional-dependencies"].items() if extra != "dev" for one in ones]
    return {name_of(one) for one in [*project["dependencies"], *extras]}


COME_WITH = {
    "botocore": "boto3",
    "s3transfer": "boto3",
    "httpx": "prefect",
    "anyio": "starlette",
    "markupsafe": "jinja2",
}
"""Libraries that always come with a declared one."""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_library_that_is_imported_is_declared(package: str) -> None:
    homes = metadata.packages_distributions()
    foreign = set(imported_by(package)) - sys.stdlib_module_names - set(PACKAGES)
    sources = {name: {name_of(home) for home in homes.get(name, [name])} for name in foreign}
    assert {
        name for name, found in sources.items() if not declared() & {COME_WITH.get(one, one) for one in found}
    } == set()


SHOWN = ("manifest.csv", "BOX101_MAIN.jpg", "BOX102_MAIN.jpg", "BOX103_MAIN.jpg", "GLS501_MAIN.jpg")
"""One photograph for each way through the demo. All of them are in the wheel, as another test says."""


@pytest.mark.slow
def test_the_demo_runs_from_the_wheel_in_a_new_environment(wheel: Path, tmp_path: Path) -> None:
    """Only the wheel is installed there: the libraries are those of this environment, the checkout is not."""
    place = tmp_path / "venv"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True, timeout=300
    )
    (installed,) = (place / "lib").glob("python*/site-packages")
    libraries = Path(pytest.__file__).parents[1]
    (installed / "libraries_of_the_tests.pth").write_text(f"{libraries}\n")  # its own .pth files are not followed
    (place / "bin" / "weed").symlink_to(Path(sys.executable).parent / "weed")

    where = "import deployments.demo as d; print(d.__file__); print(d.SAMPLES)"
    told = subprocess.run([python, "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert all(Path(line).is_relative_to(installed) for line in told.splitlines())

    for sample in (installed / "deployments" / "_samples").iterdir():
        if sample.name not in SHOWN:
            sample.unlink()
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PREFECT_"))}
    demo = subprocess.run(
        [place / "bin" / "packshot", "demo"], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=1500
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    shown = set(re.findall(r"^(\w+)  +delivered", demo.stdout, re.MULTILINE))
    (certificate,) = (tmp_path / ".packshot" / "deliveries").rglob("certificate.json")
    certified = json.loads(certificate.read_text())["shots"]
    reviewed = set(re.findall(r"^(\w+)  +waiting .* a reviewer", demo.stdout, re.MULTILINE))
    assert "BOX102_MAIN" in shown, demo.stdout
    # Approved, too, and drawn for an audit by the hash of the original; it looks like any other review.
    assert "BOX101_MAIN" in reviewed, demo.stdout
    assert re.search(r"^BOX103_MAIN +refused", demo.stdout, re.MULTILINE), demo.stdout
    assert re.search(r"^GLS501_MAIN +waiting +an editor", demo.stdout, re.MULTILINE), demo.stdout
    assert {one["shot"] for one in certified} == shown
    assert all((certificate.parent / file).is_file() for one in certified for file in one["files"])
