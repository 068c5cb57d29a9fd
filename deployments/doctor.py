"""Check everything that a night needs (``packshot doctor``). Each check is one function with one line of output."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import prefect

from packshot.errors import ConfigError, PackshotError, StorageUnavailableError
from packshot.figures import counted
from packshot.keys import COLLECTION_LEASE
from packshot.specs.stages import ApartLimits
from tasks.environment.configs import configs_in_force
from tasks.environment.settings import get_settings
from tasks.index.database import IndexAwayError, shared
from tasks.processing.children import children
from tasks.processing.networks import cached_model
from tasks.queries.comparing import standing_of
from tasks.runs.parts import EXPEDITED, ORDINARY, PARTS_POOL
from tasks.runs.schedules import COLLECT
from tasks.storage.bucket import open_storage
from tasks.storage.leases import is_held
from tasks.storage.server_checks import broken_conditions, clock_skew_s

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import Worker

SKEW_S, MOST_SKEW_S = 60, 300
"""Largest difference of this machine's clock from the storage's: for a warning, for a failure.

S3 refuses requests that are 15 minutes off.
"""
LEAST_DISK_BYTES = 2_000_000_000
RUN_BYTES = 2_300_000_000
"""Memory of a run with photographs of 12 megapixels (docs/performance.md)."""
NETWORK_BYTES = 1_500_000_000
"""Memory of a run besides the photographs that it works on: Python, the network (docs/performance.md)."""
NIGHT = "nightly/nightly"
STATUS_FILE = "status.json"
"""What the supervisor of `packshot up` writes into its state folder."""


class Health(StrEnum):
    """How well one thing is that ``packshot doctor`` has checked.

    Values:
        OK: all is well.
        WARNING: Packshot works, but a person should change something.
        FAILED: a night would fail or not start; the exit status is 1.
        SKIPPED: not checked, because another check that it needs has failed.
    """

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Outcome(NamedTuple):
    """What one check of ``packshot doctor`` has found: one line of its output.

    Attributes:
        check: name of the check, a key of `CHECKS`, such as ``disk``.
        health: the result: ok, a warning, failed or skipped.
        found: what the check found, in words.
        next_step: what a person can do; empty if nothing needs to be done.
    """

    check: str
    health: Health
    found: str
    next_step: str = ""

    def plain(self) -> dict[str, str]:
        """Return the outcome for JSON: ``check``, ``verdict`` (the health), ``found`` and ``next_step``."""
        return {"check": self.check, "verdict": self.health.value, "found": self.found, "next_step": self.next_step}


Found = tuple[Health, str, str]


def examine() -> Iterator[Outcome]:
    """Make all checks of ``packshot doctor``, and yield the outcome of each, in the order of `CHECKS`.

    A check is skipped, and says so, if another check that it needs has failed. An error in a check is its outcome, too;
    nothing is raised.
    """
    ground: dict[str, bool] = {}
    for name, (needs, check) in CHECKS.items():
        if needs and not ground.get(needs):
            yield Outcome(name, Health.SKIPPED, f"not looked at: {needs} comes first")
            continue
        try:
            health, found, next_step = check()
        except PackshotError as error:
            health, found, next_step = Health.FAILED, str(error).replace("\n", " "), error.next_step
        except Exception as error:  # noqa: BLE001  a check that fails in a new way must not hide the others
            health, found, next_step = Health.FAILED, f"{type(error).__name__}: {error}"[:300].replace("\n", " "), ""
        ground[name] = health is not Health.FAILED
        yield Outcome(name, health, found, next_step)


def _configs() -> Found:
    found = configs_in_force()
    return Health.OK, f"{get_settings().configs} with {len(found.clients)} clients' style guides", ""


def _storage() -> Found:
    storage, settings = open_storage(), get_settings()
    where = settings.s3_endpoint_url or f"AWS S3, {settings.s3_region}"
    try:
        next(storage.list("batches/"), None)
    except StorageUnavailableError as error:
        return Health.FAILED, str(error), "Start the storage, or correct PACKSHOT_S3_ENDPOINT_URL."
    return Health.OK, f"{where}, bucket {settings.s3_bucket}: it answers, keys and bucket are right", ""


def _conditions() -> Found:
    found = broken_conditions(open_storage())
    if found:
        return Health.FAILED, "; ".join(found), "Use another S3 server or version: python -m tests.storage_suite"
    return Health.OK, "of 32 writes at once exactly one wins, by If-None-Match and by If-Match", ""


def _clock() -> Found:
    skew = clock_skew_s(open_storage())
    if skew is None:
        return Health.WARNING, "the storage does not state its time", "Check this machine's clock by hand."
    health = Health.OK if abs(skew) <= SKEW_S else Health.WARNING if abs(skew) <= MOST_SKEW_S else Health.FAILED
    side = "ahead of" if skew > 0 else "behind"
    return health, f"{abs(skew):.0f} s {side} the storage's", "" if health is Health.OK else "Synchronise it (NTP)."


def _disk() -> Found:
    settings = get_settings()
    written_to = (
        settings.scratch_dir,
        Path(tempfile.gettempdir()),
        settings.models_dir,
        settings.results_key_file.parent,
    )
    for folder in dict.fromkeys(map(_existing, written_to)):
        free = shutil.disk_usage(folder).free
        if free < LEAST_DISK_BYTES:
            found = f"{free / 1e9:.1f} GB free at {folder}"
            return Health.FAILED, found, "Free space, or point PACKSHOT_SCRATCH_DIR, TMPDIR or the folder elsewhere."
    folder = _existing(settings.scratch_dir)
    free = shutil.disk_usage(folder).free
    used = sum(path.stat().st_size for path in settings.scratch_dir.rglob("*") if path.is_file())
    wanted = max(settings.scratch_max_bytes - used, 0)
    found = f"{free / 1e9:.1f} GB free at {folder}; the scratch folder may still grow by {wanted / 1e9:.1f} GB"
    if free < wanted:
        return Health.WARNING, found, "Free space, or lower PACKSHOT_SCRATCH_MAX_BYTES."
    return Health.OK, found, ""


def _memory() -> Found:
    total, at_once = memory_bytes(), get_settings().runs_at_once
    found = f"{total / 1e9:.1f} GB; {at_once} runs at once, of about {RUN_BYTES / 1e9:.1f} GB each while they edit"
    if total < RUN_BYTES:
        return Health.FAILED, found, "One batch needs more memory than there is."
    if total < (most := _largest_bytes()):
        found = f"{found}; a photograph of the largest accepted size takes {most / 1e9:.1f} GB"
        return Health.WARNING, found, "Lower max_working_bytes in ingest.yaml: larger photographs are then refused."
    if total < RUN_BYTES * (at_once - 1):
        return Health.WARNING, found, "Lower PACKSHOT_RUNS_AT_ONCE if many batches come in one night."
    return Health.OK, found, ""


def _largest_bytes() -> int:
    """Return what a run takes with a photograph of the largest accepted size; 0 if the configs cannot be read."""
    try:
        return configs_in_force().ingest.max_working_bytes + NETWORK_BYTES
    except ConfigError:
        return 0  # the check of the configs says so


def memory_bytes() -> int:
    """Return how much memory this process may use, in bytes.

    That is the machine's memory, or the limit of the process's control group if that is lower.
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def _models() -> Found:
    settings = get_settings()
    missing = [
        name for name, model in configs_in_force().models.items() if not cached_model(model, folder=settings.models_dir)
    ]
    if not missing:
        return Health.OK, f"all are in {settings.models_dir}, with the right SHA-256", ""
    health = Health.FAILED if settings.segmenter in missing else Health.WARNING
    return health, f"missing or changed in {settings.models_dir}: {', '.join(missing)}", "packshot models fetch"


def _folders() -> Found:
    settings = get_settings()
    closed = [
        str(folder)
        for folder in (settings.scratch_dir, settings.models_dir)
        if not os.access(_existing(folder), os.W_OK | os.X_OK)
    ]
    if closed:
        return Health.FAILED, f"this user cannot write to {', '.join(closed)}", "Correct owner or rights."
    key = settings.results_key_file
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        return Health.WARNING, f"others can read {key}", f"chmod 600 {key}"
    if not key.exists() and "results_key_file" in settings.model_fields_set:
        return Health.FAILED, f"{key} is missing", "Copy it from another worker; all workers of a line share one."
    return Health.OK, f"{settings.scratch_dir} and {settings.models_dir} can be written to", ""


def _confinement() -> Found:
    layers = children().layers(ApartLimits())
    open_ones = [f"{name} ({why})" for name, why in layers.items() if why]
    if not open_ones:
        return Health.OK, f"all layers hold: {', '.join(layers)}", ""
    held = ", ".join(name for name, why in layers.items() if not why) or "none"
    return (
        Health.WARNING,
        f"held: {held}; not: {'; '.join(open_ones)}",
        "docs/security.md says what each does.",
    )


def _index() -> Found:
    """Look whether the index is there, and how far behind. It stops nothing, so it never fails."""
    index = shared()
    if index is None:
        step = "Set PACKSHOT_INDEX_URL, so that boards, lists and searches need not read records."
        return Health.WARNING, "each process makes one of its own when it is asked", step
    try:
        standing = standing_of(index, open_storage())
    except IndexAwayError as error:
        return Health.WARNING, f"{index.name}: {error}", "The line works without it, more slowly. Start PostgreSQL."
    if standing.whole_at is None:
        return Health.OK, f"{index.name}: empty; it is filled when it is first asked, or by packshot index rebuild", ""
    held = f"{counted(standing.shots, 'shot')} of {counted(standing.batches, 'batch', 'batches')}"
    found = f"{index.name}: {held}; {standing.behind.sentence}"
    if standing.behind.behind:
        return Health.WARNING, found, "packshot watch repairs it within minutes. At once: packshot index rebuild."
    return Health.OK, found, ""


def _processes() -> Found:
    """Check the processes that `packshot up` or `packshot serve` keeps running here."""
    key = get_settings().results_key_file
    if not (key.parent / STATUS_FILE).exists():
        return Health.OK, "none that packshot up looks after: your own servers and workers", ""
    from infra.local.supervisor import read_status

    parts, trouble = read_status(key.parent)
    if not trouble:
        return Health.OK, f"{counted(len(parts), 'process', 'processes')} of {key.parent}: all work", ""
    stopped = not parts or any(one.trouble and one.needed for one in parts)
    said = f"Its log is in {key.parent}; serve.log there says when it was started again."
    return Health.FAILED if stopped else Health.WARNING, trouble, said


def _client() -> SyncPrefectClient:
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True)


def _prefect() -> Found:
    with _client() as client:
        if (trouble := client.api_healthcheck()) is not None:
            step = "Start the server, or correct PREFECT_API_URL."
            return Health.FAILED, f"{client.api_url} does not answer: {trouble}"[:300], step
        server = client.api_version()
        found = f"server {server} at {client.api_url}, this client {prefect.__version__}"
        if _numbers(server) < _numbers(prefect.__version__):
            return Health.FAILED, found, "The server is older: upgrade it first, then its clients."
        client.read_work_pools(limit=200)  # fails if the password is wrong
    return Health.OK, found, ""


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _pool() -> Found:
    from prefect.exceptions import ObjectNotFound

    from deployments.registry import QUEUE, WATCH, WORK_POOL

    limit = get_settings().runs_at_once
    with _client() as client:
        pools = {pool.name: pool for pool in client.read_work_pools(limit=200)}
        if WORK_POOL not in pools:
            return Health.FAILED, f"there is no work pool {WORK_POOL}", "packshot register"
        workers = client.read_workers_for_work_pool(WORK_POOL, offset=0, limit=200)
        try:
            queues = {name: client.read_work_queue_by_name(name, work_pool_name=WORK_POOL) for name in (WATCH, QUEUE)}
        except ObjectNotFound:
            return Health.FAILED, f"{WORK_POOL} lacks one of its queues {WATCH} and {QUEUE}", "packshot register"
    online = _online(workers)
    pool = pools[WORK_POOL]
    found = f"{WORK_POOL}: {online} workers online, at most {queues[QUEUE].concurrency_limit} runs at once"
    if pool.is_paused:
        return Health.FAILED, f"{found}; it is paused", f"prefect work-pool resume {WORK_POOL}"
    paused = [name for name, queue in queues.items() if queue.is_paused]
    if paused:
        step = f"prefect work-queue resume {paused[0]} --pool {WORK_POOL}"
        return Health.FAILED, f"{found}; its queue {paused[0]} is paused", step
    if not online:
        step = f"packshot up, or: prefect worker start --type process --pool {WORK_POOL}"
        return Health.FAILED, found, step
    if (pool.concurrency_limit, queues[QUEUE].concurrency_limit) != (None, limit):
        return Health.WARNING, f"{found}; PACKSHOT_RUNS_AT_ONCE here is {limit}", "packshot register"
    return Health.OK, found, ""


def _online(workers: Iterable[Worker]) -> int:
    return sum(worker.status is not None and worker.status.value == "ONLINE" for worker in workers)


def _parts() -> Found:
    """Look whether other machines can help with a batch. Without them its run does everything, so it never fails."""
    from prefect.exceptions import ObjectNotFound

    with _client() as client:
        try:
            pool = client.read_work_pool(PARTS_POOL)
            names = (EXPEDITED, ORDINARY)
            queues = [client.read_work_queue_by_name(name, work_pool_name=PARTS_POOL) for name in names]
        except ObjectNotFound:
            found = f"there is no work pool {PARTS_POOL} with its queues {EXPEDITED} and {ORDINARY}"
            return Health.WARNING, f"{found}: no other machine can help with a batch", "packshot register"
        online = _online(client.read_workers_for_work_pool(PARTS_POOL, offset=0, limit=200))
    found = f"{PARTS_POOL}: {counted(online, 'worker')} online"
    if pool.is_paused:
        return Health.WARNING, f"{found}; it is paused: nobody helps", f"prefect work-pool resume {PARTS_POOL}"
    paused = [queue.name for queue in queues if queue.is_paused]
    if paused:
        step = f"prefect work-queue resume {paused[0]} --pool {PARTS_POOL}"
        return Health.WARNING, f"{found}; its queue {paused[0]} is paused: nobody helps with its parts", step
    limits = [limit for limit in (pool.concurrency_limit, *(queue.concurrency_limit for queue in queues)) if limit]
    if limits:
        found += f"; at most {min(limits)} parts at once on all machines together"
        return Health.WARNING, found, "packshot register takes the limit away; each worker has its own, --limit."
    return Health.OK, found if online else f"{found}; each batch's run does all of it", ""


def _schedule() -> Found:
    from prefect.exceptions import ObjectNotFound

    settings = get_settings()
    wanted = (settings.nightly_cron, settings.nightly_timezone)
    with _client() as client:
        try:
            night = client.read_deployment_by_name(NIGHT)
        except ObjectNotFound:
            return Health.FAILED, f"there is no deployment {NIGHT}", "packshot register"
        try:
            looks = client.read_deployment_by_name(COLLECT)
        except ObjectNotFound:
            looks = None
    active = [one.schedule for one in night.schedules if one.active]
    if night.paused or not active:
        return Health.FAILED, f"the schedule of {NIGHT} is off", "Switch it on in the Prefect UI, at the deployment."
    found = [(getattr(one, "cron", ""), getattr(one, "timezone", "") or "UTC") for one in active]
    words = ", ".join(f"{cron} {zone}" for cron, zone in found)
    if wanted not in found:
        return (
            Health.WARNING,
            f"{NIGHT} starts at {words}; the settings here say {' '.join(wanted)}",
            "packshot register",
        )
    is_off = looks is None or looks.paused or not any(one.active for one in looks.schedules)
    if is_off and not is_held(COLLECTION_LEASE):
        off = f"the schedule of {COLLECT} is off, and no packshot watch works: nobody makes the regular checks"
        return Health.FAILED, off, "packshot register, or start packshot watch"
    return Health.OK, f"{NIGHT} starts at {words}", ""


CHECKS: dict[str, tuple[str, Callable[[], Found]]] = {
    "configs": ("", _configs),
    "storage": ("", _storage),
    "conditional writes": ("storage", _conditions),
    "clock": ("storage", _clock),
    "index": ("storage", _index),
    "disk": ("", _disk),
    "memory": ("", _memory),
    "models": ("configs", _models),
    "folders": ("", _folders),
    "confinement": ("", _confinement),
    "processes": ("", _processes),
    "Prefect": ("", _prefect),
    "pool": ("Prefect", _pool),
    "parts": ("Prefect", _parts),
    "schedule": ("Prefect", _schedule),
}
"""Name of a check -> (name of the check that must succeed first, function)."""


def _existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
