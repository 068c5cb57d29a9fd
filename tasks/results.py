"""Where Prefect keeps task results: the same bucket, below ``prefect-results/``.

Prefect wants a saved block. Ours holds no credentials: it opens the storage that the settings name at the moment of
use, so Prefect's database never sees a secret. Results are plain data under the line's seal. What has no good seal is
as if it were not there: it is neither parsed nor believed. What has one is still read by a serializer that calls
nothing the data name; Prefect's own would call whatever stands in ``__class__``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.filesystems import WritableFileSystem
from prefect.serializers import Serializer
from pydantic import Field

from packshot.errors import ObjectMissingError, PackshotError
from packshot.naming import result_key
from packshot.types import Value
from tasks.handovers import KINDS
from tasks.seals import line_key, seal, unseal
from tasks.storage import open_storage

SERIALIZER = "packshot"
BLOCK_NAME = "default"
BLOCK = f"packshot-results/{BLOCK_NAME}"

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK": BLOCK, "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json"}
)
"""What every process that runs flows is told. Without it each task run asks the server where results go.

The serializer is for what nobody keeps: what is to be found again names ours, see `tasks.cache_keys.unit`.
"""


class PlainSerializer(Serializer):
    """Plain JSON, and the line's own handovers by name. What is read can name nothing else, and calls nothing."""

    type: str = Field(default=SERIALIZER, frozen=True)

    def dumps(self, obj: Any) -> bytes:
        """Return the result as JSON.

        Raises:
            TypeError: it is neither plain data, nor a handover, nor an error.
        """
        if isinstance(obj, BaseException):
            record: dict[str, object] = {"error": f"{type(obj).__name__}: {obj}"}
        elif isinstance(obj, Value):
            kind = type(obj).__name__
            if KINDS.get(kind) is not type(obj):
                raise TypeError(f"a {kind} is no handover: add it to KINDS in tasks/handovers.py")
            record = {"kind": kind, "value": obj.model_dump(mode="json")}
        else:
            record = {"plain": obj}
        return json.dumps(record).encode()

    def loads(self, blob: bytes) -> Any:
        """Return the result that `dumps` was given; of an error, its words.

        Raises:
            ValueError: it is not what `dumps` writes.
        """
        record = json.loads(blob)
        match record:
            case {"kind": str(kind), "value": value} if kind in KINDS:
                return KINDS[kind].model_validate_json(json.dumps(value))
            case {"plain": value}:
                return value
            case {"error": str(words)}:
                return PackshotError(words)
        raise ValueError("this is not the result of a task")


class ResultsInBucket(WritableFileSystem):
    """Task results in Packshot's own bucket. Holds no settings: each process uses its own ``PACKSHOT_`` variables."""

    _block_type_name = "Packshot results"
    _block_type_slug = "packshot-results"

    def read_path(self, path: str, *, _sync: bool = True) -> bytes:  # type: ignore[override]  # Prefect asks by _sync
        """Return the record of a result.

        Raises:
            ObjectMissingError: there is none, or none that this line wrote for this key.
        """
        key = result_key(path)
        content = unseal(key, open_storage().get(key))
        if content is None or not _is_ours(content):
            raise ObjectMissingError("there is no result of this line", key, next_step="The task runs again.")
        return content

    def write_path(self, path: str, content: bytes, *, _sync: bool = True) -> None:  # type: ignore[override]
        """Store the record of a result under the line's seal."""
        key = result_key(path)
        open_storage().put(key, seal(key, content), content_type="application/octet-stream")

    async def aread_path(self, path: str) -> bytes:
        """Return the record of a result without blocking the event loop."""
        return await asyncio.to_thread(self.read_path, path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """Store the record of a result without blocking the event loop."""
        await asyncio.to_thread(self.write_path, path, content)


def register_results() -> str:
    """Save the block, make it the server's default for results, and return its name. Safe to repeat.

    Raises:
        ConfigError: the key that seals results is not usable.
    """
    line_key()  # a line without it does not start
    ResultsInBucket.register_type_and_schema()
    block_id = cast(UUID, ResultsInBucket().save(BLOCK_NAME, overwrite=True))
    with get_client(sync_client=True) as client:
        client.update_server_default_result_storage(block_id)
    return BLOCK


def _is_ours(content: bytes) -> bool:
    """A record says itself how it is to be read, down to the function that decodes it: only our own way is followed."""
    try:
        return bool(json.loads(content)["metadata"]["serializer"] == {"type": SERIALIZER})
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
