"""The manifests keep to Kubernetes' own strict schemas, to compose.yaml and to the settings. No cluster runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from jsonschema import Draft202012Validator
from prefect.client.orchestration import get_client

import packshot
from benchmarks.several_servers import SHARED_BY_SERVERS
from deployments.demo import environment as environment_of
from deployments.registry import JOB_TEMPLATE, register_pool
from infra import prefect_services
from infra.local.stack import Stack
from infra.prefect_app import parser
from tasks.environment.settings import Settings, variable
from tasks.results.block import ENVIRONMENT
from tasks.runs.parts import PARTS_POOL
from tests.infra.kubernetes_schemas import FILE
from tests.infra.test_compose import FILLED, SECRET_FILES, Compose, env_file, read_compose

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "kubernetes"
JOBS = FOLDER / "parts-as-jobs"
TEMPLATE = json.loads((JOBS / "base-job-template.json").read_text())
SECRETS = env_file(FOLDER / "secrets.env.example")
LINE = ("register", "worker", "parts", "watch", "desk")
BIN = Path(sys.executable).parent


@cache
def manifests(folder: Path = FOLDER) -> tuple[dict[str, Any], ...]:
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(file.name for file in folder.glob("*.yaml"))
    return tuple(one for name in listed for one in yaml.safe_load_all((folder / name).read_text()))


def everything() -> list[dict[str, Any]]:
    return [*manifests(), *manifests(JOBS), job_of_a_part()]


def job_of_a_part() -> dict[str, Any]:
    """The Job of the template, without the two fields that Prefect's worker wants to find at a place of its own."""
    job: dict[str, Any] = json.loads(json.dumps(TEMPLATE["job_configuration"]["job_manifest"]))
    pod = job["spec"]["template"]["spec"]
    assert (pod.pop("parallelism"), pod.pop("completions")) == (1, 1)
    return job


def called(kind: str, name: str, folder: Path = FOLDER) -> dict[str, Any]:
    (found,) = (one for one in manifests(folder) if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in everything():
        if one["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield one["metadata"].get("name", "part"), one["spec"]["template"]


def container(name: str) -> dict[str, Any]:
    (found,) = dict(pods())[name]["spec"]["containers"]
    return dict(found)


def environment(name: str) -> dict[str, str]:
    """What a container is given; a value from the Secret reads ``secret:KEY``."""
    found = container(name)
    given = dict(called("ConfigMap", "packshot-settings")["data"]) if found.get("envFrom") else {}
    for one in found["env"]:
        secret = one.get("valueFrom", {}).get("secretKeyRef")
        assert one["name"] not in given, one["name"]
        given[one["name"]] = f"secret:{secret['key']}" if secret else one["value"]
    return given


@pytest.fixture(scope="module")
def compose() -> Compose:
    return read_compose(FILLED)


# --- by themselves ----------------------------------------------------------------------------------------------------


def troubles(manifest: Mapping[str, Any]) -> list[str]:
    """What Kubernetes' strict schema of a kind says of a manifest."""
    whole = json.loads(FILE.read_text())
    group, _, version = manifest["apiVersion"].rpartition("/")
    wanted = {"group": group, "kind": manifest["kind"], "version": version}
    (name,) = (name for name, one in whole["$defs"].items() if wanted in one.get("x-kubernetes-group-version-kind", []))
    validator = Draft202012Validator({"$defs": whole["$defs"], "$ref": f"#/$defs/{name}"})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


def test_every_manifest_keeps_to_the_strict_schema_of_its_kind() -> None:
    found = everything()
    assert len(found) > 20
    for one in found:
        assert troubles(one) == [], one["metadata"]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("spec", "replica"), 2),
        (("spec", "replicas"), "2"),
        (("spec", "template", "spec", "containers", 0, "livenessProbe", "period"), 3),
        (("spec", "template", "spec", "terminationGracePeriodSeconds"), "60s"),
    ],
)
def test_the_schema_finds_a_field_that_does_not_exist_and_a_value_of_another_type(
    path: tuple[str | int, ...], wrong: object
) -> None:
    worker = json.loads(json.dumps(called("Deployment", "worker")))
    inner: Any = worker
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = wrong
    assert troubles(worker)


def test_every_name_that_is_referred_to_is_there() -> None:
    there = {(one["kind"], one["metadata"].get("name")) for one in everything()} | {("Secret", "packshot")}
    generated = yaml.safe_load((JOBS / "kustomization.yaml").read_text())["configMapGenerator"]
    there |= {("ConfigMap", one["name"]) for one in generated}
    for name, pod in pods():
        spec = pod["spec"]
        volumes = {one["name"] for one in spec.get("volumes", [])}
        volumes |= {
            claim["metadata"]["name"]
            for one in manifests()
            if one["metadata"]["name"] == name
            for claim in one["spec"].get("volumeClaimTemplates", [])
        }
        for one in (*spec["containers"], *spec.get("initContainers", [])):
            assert {mount["name"] for mount in one.get("volumeMounts", [])} <= volumes, name
            for source in one.get("envFrom", []):
                assert ("ConfigMap", source["configMapRef"]["name"]) in there
            for entry in one.get("env", []):
                secret = entry.get("valueFrom", {}).get("secretKeyRef")
                assert secret is None or (secret["name"] == "packshot" and secret["key"] in SECRETS), entry
        for volume in spec.get("volumes", []):
            for kind, key in (("ConfigMap", "configMap"), ("Secret", "secret"), ("PVC", "persistentVolumeClaim")):
                source = volume.get(key)
                if source:
                    referred = source.get("name") or source.get("secretName") or source["claimName"]
                    assert ({"PVC": "PersistentVolumeClaim"}.get(kind, kind), referred) in there, volume
    for service in (one for one in manifests() if one["kind"] == "Service"):
        chosen = [pod for _, pod in pods() if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()]
        assert len(chosen) == 1, service["metadata"]
        ports = {port["name"] for one in chosen[0]["spec"]["containers"] for port in one.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_no_secret_stands_in_a_file_and_every_one_is_used() -> None:
    assert set(SECRETS.values()) == {""}
    used = {
        entry["valueFrom"]["secretKeyRef"]["key"]
        for _, pod in pods()
        for one in pod["spec"]["containers"]
        for entry in one.get("env", [])
        if "valueFrom" in entry
    }
    as_files = {
        item["key"]
        for _, pod in pods()
        for volume in pod["spec"].get("volumes", [])
        for item in volume.get("secret", {}).get("items", [])
    }
    assert used | as_files == set(SECRETS)
    assert as_files == SECRET_FILES
    assert not used & as_files
    assert "secrets.env" in (ROOT / "infra" / ".gitignore").read_text().splitlines()


def test_pods_ask_for_no_right_and_only_one_may_speak_to_the_cluster() -> None:
    for name, pod in pods():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] == (name == "parts-as-jobs"), name
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for one in (*spec["containers"], *spec.get("initContainers", [])):
            assert one["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        assert all("limits" in one["resources"] for one in spec["containers"]), name
    (rights,) = (one for one in manifests(JOBS) if one["kind"] == "Role")
    changing = {"create", "delete", "patch", "update"}
    may_change = {kind for rule in rights["rules"] if changing & set(rule["verbs"]) for kind in rule["resources"]}
    assert may_change == {"jobs"}


def test_who_runs_for_ever_is_probed() -> None:
    for one in everything():
        if one["kind"] in ("Deployment", "StatefulSet"):
            for inner in one["spec"]["template"]["spec"]["containers"]:
                assert "livenessProbe" in inner, one["metadata"]
    for service in (one for one in manifests() if one["kind"] == "Service"):
        assert "readinessProbe" in container(service["metadata"]["name"]), service["metadata"]


def test_policies_refuse_everything_and_then_allow_what_the_pods_need() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in manifests() if one["kind"] == "NetworkPolicy"}
    assert policies["nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ours = [name for name, pod in pods() if pod["metadata"]["labels"].get("packshot/is") == "line"]
    assert sorted(ours) == sorted([*LINE, "part", "parts-pool", "parts-as-jobs"])
    ports = {name: {port["port"] for port in called("Service", name)["spec"]["ports"]} for name in ("prefect", "desk")}
    for name, found in ports.items():
        (rule,) = policies[name]["ingress"]
        assert {port["port"] for port in rule["ports"]} == found
    reached = [to for rule in policies["line"]["egress"] for to in rule["to"]]
    for name in ("prefect", "database"):
        assert {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}} in reached


# --- against compose.yaml, the settings and the program --------------------------------------------------------------

ELSEWHERE = {
    "PACKSHOT_S3_ENDPOINT_URL",
    "PACKSHOT_S3_PUBLIC_ENDPOINT_URL",
    "PACKSHOT_CONFIGS",
    "PACKSHOT_RUNS_AT_ONCE",
    "PACKSHOT_BATCHES_AT_ONCE",
}
"""Variables with another value than in compose.yaml: a storage outside, configs in the image, more machines."""


@pytest.mark.parametrize("name", ["prefect", *LINE])
def test_a_container_gets_the_variables_that_its_twin_in_compose_yaml_gets(compose: Compose, name: str) -> None:
    here, there = environment(name), compose.services[name].environment
    assert set(here) - {"PACKSHOT_TILES_MAX_BYTES"} == set(there) - {"PACKSHOT_TILES_MAX_BYTES"}
    for key, value in here.items():
        if key not in ELSEWHERE and not value.startswith("secret:"):
            assert value == there[key], key


@pytest.mark.parametrize("name", [*LINE, "part"])
def test_every_setting_reaches_those_who_use_it(name: str) -> None:
    the_desks = {field for field in Settings.model_fields if field.startswith(("desk_", "tiles_"))}
    used = set(Settings.model_fields) - (the_desks if name != "desk" else set())
    assert set(map(variable, used)) - set(environment(name)) == set()


def test_the_settings_can_be_read_and_runs_are_told_where_results_go() -> None:
    given = environment("worker")
    ours = {key: value for key, value in given.items() if key.startswith("PACKSHOT_")}
    plain = {key: value for key, value in ours.items() if value and not value.startswith("secret:")}
    Settings.model_validate({key.removeprefix("PACKSHOT_").lower(): value for key, value in plain.items()})
    for name in ("worker", "parts", "part"):
        assert {key: environment(name)[key] for key in ENVIRONMENT} == dict(ENVIRONMENT)


def test_commands_images_and_health_checks_are_those_of_compose_yaml(compose: Compose) -> None:
    for name in ("prefect", "database", *LINE):
        here, there = container(name), compose.services[name]
        assert here.get("command") or here["args"] == there.command, name
        assert here.get("command", there.command) == there.command, name
        assert here["image"] == there.image, name
        if there.healthcheck and not there.healthcheck.disable:
            assert here["livenessProbe"]["exec"]["command"] == (there.healthcheck.test or [])[1:], name
        if there.stop_grace_period:
            grace_s = dict(pods())[name]["spec"]["terminationGracePeriodSeconds"]
            assert f"{grace_s}s" == there.stop_grace_period, name
    ours = {one["image"] for _, pod in pods() for one in pod["spec"]["containers"]}
    assert ours == {
        f"packshot:{packshot.__version__}",
        compose.services["database"].image,
        f"prefecthq/prefect:{_locked('prefect')}-python3.11-kubernetes",
    }


def _locked(name: str) -> str:
    found = re.search(rf"^{name}==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_index_gets_its_place_in_the_database_as_in_compose_yaml() -> None:
    given = called("ConfigMap", "database-first-start")["data"]["index.sh"]
    assert given == (ROOT / "infra" / "postgres" / "index.sh").read_text()


def test_a_scratch_folder_stays_below_its_volume() -> None:
    scratch_bytes = int(called("ConfigMap", "packshot-settings")["data"]["PACKSHOT_SCRATCH_MAX_BYTES"])
    for name, pod in pods():
        sizes = [one["emptyDir"]["sizeLimit"] for one in pod["spec"].get("volumes", []) if one["name"] == "scratch"]
        assert all(int(size.removesuffix("Gi")) * 2**30 > scratch_bytes for size in sizes), name


# --- parts as Jobs ---------------------------------------------------------------------------------------------------


def test_a_part_s_job_is_given_what_a_worker_of_parts_is_given() -> None:
    part, worker = dict(pods())["part"]["spec"], dict(pods())["parts"]["spec"]
    assert part["initContainers"] == worker["initContainers"]
    assert part["volumes"] == worker["volumes"]
    (here,), (there,) = part["containers"], worker["containers"]
    for key in ("image", "envFrom", "resources", "securityContext", "volumeMounts"):
        assert here[key] == there[key], key
    # The worker gives each Job Prefect's password by the name of its Secret.
    missing = {"PREFECT_WORKER_QUERY_SECONDS", "PREFECT_API_AUTH_STRING"}
    assert {one["name"] for one in there["env"]} - {one["name"] for one in here["env"]} == missing
    worker_env = environment("parts-as-jobs")
    prefix = "PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_AUTH_STRING_SECRET"
    assert (worker_env[f"{prefix}_NAME"], worker_env[f"{prefix}_KEY"]) == ("packshot", "PREFECT_PASSWORD")


def test_nobody_gives_a_job_a_command_an_image_or_an_environment() -> None:
    assert TEMPLATE["variables"] == JOB_TEMPLATE["variables"]
    assert "{{" not in json.dumps(TEMPLATE)
    assert not {"env", "command"} & set(TEMPLATE["job_configuration"])


def test_registration_keeps_the_type_and_the_template_of_an_operator_s_pool(prefect_stack: Stack) -> None:
    name = f"jobs-{uuid4().hex[:8]}"
    command = [name if word == PARTS_POOL else word for word in container("parts-pool")["command"]]
    at = command.index("/template/base-job-template.json")
    command[at] = str(JOBS / "base-job-template.json")
    made = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        env={**os.environ, **prefect_stack.environment()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    with environment_of(prefect_stack.environment()), get_client(sync_client=True) as client:
        register_pool(client, name, {"default": None})
        found = client.read_work_pool(name)
    assert (found.type, found.base_job_template) == ("kubernetes", TEMPLATE)


# --- several servers of Prefect --------------------------------------------------------------------------------------

SEVERAL = FOLDER / "several-servers"
SHARED = ("PREFECT_REDIS_", "PREFECT_SERVER_DOCKET_", "PREFECT_SERVER_EVENTS_", "PREFECT_SERVER_CONCURRENCY_")


def several() -> dict[tuple[str, str], dict[str, Any]]:
    """The manifests of the folder, and the server's of the folder above with the patch: (kind, name) -> manifest."""
    listed = yaml.safe_load((SEVERAL / "kustomization.yaml").read_text())
    patches = [one["path"] for one in listed["patches"]]
    assert sorted([*listed["resources"], *patches]) == sorted(
        ["..", *(file.name for file in SEVERAL.glob("*.yaml") if file.name != "kustomization.yaml")]
    )
    files = (SEVERAL / name for name in listed["resources"] if name != "..")
    found = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    server = json.loads(json.dumps(called("Deployment", "prefect")))
    (patch,) = (yaml.safe_load((SEVERAL / name).read_text()) for name in patches)
    spec, new = server["spec"], patch["spec"]
    spec.update({key: value for key, value in new.items() if key != "template"})
    (inner,), (changed,) = spec["template"]["spec"]["containers"], new["template"]["spec"]["containers"]
    assert inner["name"] == changed["name"]
    inner.update({**changed, "env": [*inner["env"], *changed["env"]]})
    return {(one["kind"], one["metadata"]["name"]): one for one in [*found, server]}


def variables(workload: Mapping[str, Any]) -> dict[str, Any]:
    (inner,) = workload["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in inner["env"]}


def test_several_servers_keep_to_the_schemas_and_ask_for_no_right() -> None:
    for (kind, name), one in several().items():
        assert troubles(one) == [], name
        if kind in ("Deployment", "StatefulSet"):
            spec = one["spec"]["template"]["spec"]
            assert not spec["automountServiceAccountToken"]
            assert spec["securityContext"]["runAsNonRoot"]
            (inner,) = spec["containers"]
            assert inner["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
            assert "limits" in inner["resources"]


def test_servers_and_services_share_what_prefect_s_servers_keep_in_memory_by_default() -> None:
    server, services = (variables(several()["Deployment", name]) for name in ("prefect", "prefect-services"))
    here, there = (
        {name: value for name, value in one.items() if name.startswith(SHARED)} for one in (server, services)
    )
    assert here == there
    assert set(here) == {"PREFECT_REDIS_MESSAGING_URL", "PREFECT_SERVER_DOCKET_URL", *SHARED_BY_SERVERS}
    assert {name: here[name] for name in SHARED_BY_SERVERS} == SHARED_BY_SERVERS
    database = {name: value for name, value in server.items() if "DATABASE" in name}
    assert database == {name: value for name, value in services.items() if "DATABASE" in name}


def test_background_work_is_done_once() -> None:
    server, services = several()["Deployment", "prefect"], several()["Deployment", "prefect-services"]
    command = server["spec"]["template"]["spec"]["containers"][0]["command"]
    given = parser().parse_args(command[3:])
    assert given.without_services
    assert server["spec"]["replicas"] > 1
    assert services["spec"]["replicas"] == 1
    assert services["spec"]["strategy"] == {"type": "Recreate"}, "the next one begins when the last has ended"
    (inner,) = services["spec"]["template"]["spec"]["containers"]
    assert inner["command"] == ["python", "-m", prefect_services.__name__]


def test_redis_is_reached_by_servers_and_services_alone_and_its_password_stands_in_no_file() -> None:
    (rule,) = several()["NetworkPolicy", "redis"]["spec"]["ingress"]
    (who,) = rule["from"]
    (names,) = who["podSelector"]["matchExpressions"]
    assert sorted(names["values"]) == ["prefect", "prefect-services"]
    assert env_file(SEVERAL / "redis.env.example") == {"REDIS_PASSWORD": ""}
    assert "redis.env" in (ROOT / "infra" / ".gitignore").read_text().splitlines()
    for kind, name in (("Deployment", "prefect"), ("Deployment", "prefect-services"), ("StatefulSet", "redis")):
        given = variables(several()[kind, name])["REDIS_PASSWORD"]
        assert given == {"secretKeyRef": {"name": "packshot-redis", "key": "REDIS_PASSWORD"}}
