"""Read the settings of this process from environment variables whose names begin with ``PACKSHOT_``.

They are about storage, models, cache, desk, notices and others. `get_settings` returns them. If a variable has changed
since, the next call reads all settings again.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from packshot.errors import ConfigError
from packshot.specs.load import default_folder, load_for_the_line
from packshot.specs.nearest import did_you_mean

PREFIX = "PACKSHOT_"
OTHER_VARIABLES = ("PACKSHOT_STATE", "PACKSHOT_SHARED_DATA", "PACKSHOT_RESULTS_KEY", "PACKSHOT_FAMILY")
"""Variables that other parts read: the command line, the tests, the containers, the embedded servers' watchdog."""
FOLDERS = ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
"""Variables that the default folders depend on."""


def _cache_folder(name: str) -> Path:
    """Return our folder in the user's cache, by the XDG base directory specification."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "packshot" / name


def _state_folder() -> Path:
    """Return our folder for data that must last, by the XDG base directory specification."""
    root = os.environ.get("XDG_STATE_HOME", "")
    return (Path(root) if root else Path.home() / ".local" / "state") / "packshot"


class Settings(BaseSettings):
    """All settings that a process takes from its environment. `get_settings` makes the one that holds now.

    Secrets are printed as stars. Each field's `description` says what the field means; `settings_table` lists them all.
    Names that end in ``_s`` are seconds, ``_bytes`` are bytes. The field ``s3_bucket`` is set by the variable
    ``PACKSHOT_S3_BUCKET``, and so on. An empty variable counts as not set.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    s3_endpoint_url: str | None = Field(None, description="Address of the S3-compatible storage; empty: AWS")
    s3_public_endpoint_url: str | None = Field(
        None, description="Address of the same storage for browsers, used in links; empty: the endpoint itself"
    )
    s3_access_key: SecretStr | None = Field(None, description="Access key; empty: boto3's own credential chain")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key, together with the access key")
    s3_region: str = Field("us-east-1", description="Region that requests are signed for")
    s3_bucket: str = Field("packshot", description="The one bucket", min_length=3, max_length=63)
    s3_checksums: Literal["on", "off"] = Field(
        "on", description="Whether checksum headers are sent; off only for a storage that refuses them"
    )
    s3_connections: int = Field(32, description="Most connections to storage per process", ge=1, le=256)
    s3_timeout_s: float = Field(60, description="Longest wait for the storage within one request", gt=0)
    index_url: SecretStr | None = Field(
        None,
        description="PostgreSQL database of the index, such as `postgresql://user@host/prefect`; empty: each machine "
        "makes an index of its own when it is asked",
    )
    index_password: SecretStr | None = Field(None, description="Password of that user, if the address has none")
    lease_s: float = Field(
        60, description="Time without a sign of life after which another run may take over a run's work", ge=4, le=600
    )
    configs: Path = Field(default_factory=default_folder, description="Folder of the configs")
    models_dir: Path = Field(
        default_factory=lambda: _cache_folder("models"), description="Where model files are kept on this machine"
    )
    scratch_dir: Path = Field(
        default_factory=lambda: _cache_folder("scratch"),
        description="Folder for local copies of objects in storage; may be deleted",
    )
    scratch_max_bytes: int = Field(
        20_000_000_000, description="Maximum size of the scratch folder; 0: no scratch folder", ge=0
    )
    tiles_max_bytes: int = Field(
        4_000_000_000,
        description="Maximum size of the review desk's tiles, a folder in the scratch folder",
        ge=100_000_000,
    )
    results_key_file: Path = Field(
        default_factory=lambda: _state_folder() / "results-key",
        description="File with the key that seals task results; the same for all workers",
    )
    segmenter: str = Field("isnet-general-use", description="Segmentation model, a name in configs/models.yaml")
    engine: Literal["auto", "onnxruntime", "openvino", "rembg"] = Field(
        "auto", description="What runs the segmentation model"
    )
    segmenter_threads: int = Field(0, description="Threads of one segmentation; 0: the engine decides", ge=0)
    worker_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        2, description="Shots that one process works on at once"
    )
    runs_at_once: Annotated[int, Field(ge=2, le=1000)] = Field(
        8, description="Flow runs at once over all workers; each is a process, and a night needs two"
    )
    batches_at_once: Annotated[int, Field(ge=1, le=1000)] = Field(
        1,
        description="Batches that a night processes at the same time, each as a flow run; as many as there are workers",
    )
    part_size: Annotated[int, Field(ge=1, le=10_000)] = Field(
        50, description="Shots in one part of a batch; parts are shared out if workers of the pool packshot-parts run"
    )
    again_after_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        60,
        description="Pause after which a batch tries again, in the same run, what failed for want of storage, a server"
        " or disk space; once more after four times as long. 0: not before the next night",
    )
    patience_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        600,
        description="How long a run waits for a storage or a Prefect server that is away, and then goes on where it "
        "was; after that it fails. 0: it only tries each request a few times",
    )
    nightly_cron: str = Field("0 2 * * *", description="When the nightly run starts")
    nightly_timezone: str = Field("UTC", description="Time zone of that schedule, such as Europe/Berlin")

    notify_webhook_url: SecretStr | None = Field(
        None, description="Where notices (on hold, soon due, overdue) are posted as JSON; the address is a secret"
    )
    notify_smtp_host: str | None = Field(None, description="Mail server for the same notices; empty: no e-mail")
    notify_smtp_port: int = Field(587, description="Its port", ge=1, le=65535)
    notify_smtp_starttls: bool = Field(True, description="Whether the connection to it is encrypted by STARTTLS")
    notify_smtp_user: str | None = Field(None, description="User at the mail server, if it requires one")
    notify_smtp_password: SecretStr | None = Field(None, description="Password of that user")
    notify_mail_from: str | None = Field(None, description="Sender of the notices")
    notify_mail_to: str | None = Field(None, description="Receivers of the notices, separated by commas")
    heartbeat_url: SecretStr | None = Field(
        None,
        description="Address that is called after each successful look; a service there alerts people if calls stop",
    )
    desk_port: int = Field(4280, description="Port of the review desk on 127.0.0.1", ge=1, le=65535)
    desk_hosts: str = Field(
        "", description="Further host names of the review desk besides 127.0.0.1 and localhost, separated by commas"
    )
    desk_public_url: str | None = Field(
        None,
        description="Address of the review desk as people reach it, for share links and for links in forms, artifacts, "
        "tickets and notices; by default this machine's",
    )
    desk_accounts_file: Path = Field(
        default_factory=lambda: _state_folder() / "desk-accounts.json",
        description="File of the review desk's accounts; only its user can read it",
    )
    desk_proxy_header: str = Field(
        "",
        description="Header in which a reverse proxy says who somebody is; then nobody signs in by a password. Needs "
        "the addresses, too",
    )
    desk_proxy_addresses: str = Field(
        "",
        description="Addresses or networks of that proxy, separated by commas. From anywhere else the desk shows no "
        "page, whatever the header says",
    )
    desk_undo_s: float = Field(60, description="Time in which a decision at the desk can be taken back", ge=0, le=3600)
    collect_every_s: int = Field(60, description="Time between two looks into the hot folders", ge=5, le=86400)

    @field_validator("notify_webhook_url", "heartbeat_url")
    @classmethod
    def _is_a_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("http", "https"):
            raise ValueError("must be an address that begins with https:// or http://")
        return url

    @field_validator("index_url")
    @classmethod
    def _is_a_postgresql_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("postgresql", "postgresql+asyncpg"):
            raise ValueError("must be an address that begins with postgresql://")
        return url

    @field_validator("s3_endpoint_url", "s3_public_endpoint_url", "desk_public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("must be an address such as https://s3.example.com, without user or password")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> Settings:
        if (self.s3_access_key is None) != (self.s3_secret_key is None):
            raise ValueError(f"set both {PREFIX}S3_ACCESS_KEY and {PREFIX}S3_SECRET_KEY, or neither")
        return self


def get_settings() -> Settings:
    """Return the settings that the environment variables ask for now.

    Raises:
        ConfigError: a variable is wrong, lacks the other one of its pair, or begins with ``PACKSHOT_`` and is not
            known. The message names each such variable.
    """
    settings, problems = _read()
    if settings is None or problems:
        raise ConfigError(
            "environment variables are missing, wrong or unknown",
            "settings",
            found="; ".join(problems),
            next_step=f"Correct these variables. Their names begin with {PREFIX}.",
        ) from None
    return settings


def environment_problems() -> tuple[str, ...]:
    """Return one sentence for each problem of the environment variables; empty if there are none.

    A problem is a variable that is unknown or wrong, or a segmentation model that models.yaml does not list. Nothing is
    raised. ``packshot config check`` shows them.
    """
    settings, problems = _read()
    models = _models(settings.configs) if settings else ()
    if settings and models and settings.segmenter not in models:
        near = did_you_mean(settings.segmenter, models)
        return (*problems, f"{variable('segmenter')} is not a model in models.yaml: {', '.join(models)}{near}")
    return problems


def _models(folder: Path) -> tuple[str, ...]:
    """Return the names of the models in models.yaml; none if the configs can't be read, which is reported elsewhere."""
    try:
        return tuple(sorted(load_for_the_line(folder).models))
    except ConfigError:
        return ()


def _read() -> tuple[Settings | None, tuple[str, ...]]:
    """Return the settings, None if a value is wrong, and every problem of the environment.

    Reading takes a millisecond, and a shot asks more than a hundred times; so it is done once per environment.
    """
    ours = {name: value for name, value in os.environ.items() if name.upper().startswith(PREFIX) or name in FOLDERS}
    return _understood(tuple(sorted(ours.items())))


@lru_cache(maxsize=8)
def _understood(environment: tuple[tuple[str, str], ...]) -> tuple[Settings | None, tuple[str, ...]]:
    """Do what `_read` says.

    Args:
        environment: every variable of `os.environ` that matters, with its value.
    """
    known = [*map(variable, Settings.model_fields), *OTHER_VARIABLES]
    unknown = [name for name, _ in environment if name.startswith(PREFIX) and name not in known]
    problems = [f"{name} is no setting{did_you_mean(name, known)}" for name in unknown]
    try:
        return Settings(), tuple(problems)
    except ValidationError as error:
        wrong = (f"{variable(str(part['loc'][0])) if part['loc'] else ''} {part['msg']}" for part in error.errors())
        return None, (*problems, *(one.strip() for one in wrong))


def variable(field: str) -> str:
    """Return the name of the environment variable that sets a field of `Settings`.

    Example: ``s3_bucket`` -> ``PACKSHOT_S3_BUCKET``.
    """
    return PREFIX + field.removeprefix(PREFIX.lower()).upper()


def settings_table() -> str:
    """Return a Markdown table for the documentation: one row for each field of `Settings`, in the order of the class.

    The columns are variable, default and meaning. Folders are shown as ``~/...``, so that the table is the same on
    every machine.
    """
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{variable(name)}` | {_shown_default(name, field.default)} | {field.description} |")
    return "\n".join(lines)


def _shown_default(name: str, default: object) -> str:
    """Return the default as text that is the same on every machine."""
    computed = {
        "configs": "`configs/` of the checkout or of the installed package",
        "models_dir": "`~/.cache/packshot/models`",
        "scratch_dir": "`~/.cache/packshot/scratch`",
        "desk_accounts_file": "`~/.local/state/packshot/desk-accounts.json`",
        "results_key_file": "`~/.local/state/packshot/results-key`, drawn at first use",
    }
    return computed.get(name) or ("" if default is None else f"`{default}`")
