"""Store the results of Prefect tasks in Packshot's bucket, below ``prefect-results/``.

Prefect needs a saved block for this: an object in its database that says where results are. The block holds no
credentials: it opens the storage from the settings when it is used. So Prefect's database never contains a secret.

Results are plain data with Packshot's seal: an HMAC that proves that Packshot wrote them (`tasks.storage.seals`). A
result without a valid seal is treated as missing and is not parsed. A sealed result is read with a serializer that
never calls anything named in the data. Prefect's own serializer would call anything that ``__class__`` names.
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

from packshot.errors import NamingError, ObjectMissingError, PackshotError
from packshot.keys import result_key
from packshot.types import Value
from tasks.results.handovers import KINDS
from tasks.storage.bucket import open_storage
from tasks.storage.seals import line_key, seal, unseal

SERIALIZER = "packshot"
BLOCK_NAME = "default"
BLOCK = f"packshot-results/{BLOCK_NAME}"

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK": BLOCK, "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json"}
)
"""Environment variables for every process that runs flows.

Without them, each task run asks the server where to store results.

The default serializer only applies to results that are not cached; cached ones use ours, see
`tasks.results.cache_keys.unit`.
"""


class PlainSerializer(Serializer):
    """Writes task results as JSON, and reads them back: plain data, and the classes in `tasks.results.handovers.KINDS`.

    The data can name no other class, and reading it calls nothing. So a forged result can't run code. Prefect finds
    this class by its type ``packshot``.
    """

    type: str = Field(default=SERIALIZER, frozen=True)

    def dumps(self, obj: Any) -> bytes:
        """Return a result as JSON, in UTF-8. Of an error only its type and text are kept.

        Args:
            obj: plain data, an instance of a class in `KINDS`, or an error.
        Raises:
            TypeError: the result is none of the three.
        """
        if isinstance(obj, BaseException):
            record: dict[str, object] = {"error": f"{type(obj).__name__}: {obj}"}
        elif isinstance(obj, Value):
            kind = type(obj).__name__
            if KINDS.get(kind) is not type(obj):
                raise TypeError(f"a {kind} is no handover: add it to KINDS in tasks/results/handovers.py")
            record = {"kind": kind, "value": obj.model_dump(mode="json")}
        else:
            record = {"plain": obj}
        return json.dumps(record).encode()

    def loads(self, blob: bytes) -> Any:
        """Return the result that `dumps` was called with. An error comes back as a `PackshotError` with type and text.

        Args:
            blob: what `dumps` returned.
        Raises:
            ValueError: `dumps` did not write these bytes.
        """
        record = json.loads(blob)
        match record:
            case {"kind": str(kind), "value": value} if kind in KINDS:
                try:
                    return KINDS[kind].model_validate_json(json.dumps(value))
                except NamingError as error:
                    raise ValueError(str(error)) from error
            case {"plain": value}:
                return value
            case {"error": str(words)}:
                return PackshotError(words)
        raise ValueError("this is not the result of a task")


class ResultsInBucket(WritableFileSystem):
    """The Prefect block that stores task results in Packshot's bucket.

    `register_results` saves it at the Prefect server, and Prefect makes one in each process that needs it. It has no
    fields: each process opens the bucket that its own ``PACKSHOT_`` variables name.
    """

    _block_type_name = "Packshot results"
    _block_type_slug = "packshot-results"

    def read_path(self, path: str, *, _sync: bool = True) -> bytes:  # type: ignore[override]  # Prefect passes _sync
        """Return a stored result as it was given to `write_path`, without the seal (the HMAC that proves that Packshot
        wrote it).

        Args:
            path: the result's name, as Prefect chooses it; its key in storage is `packshot.keys.result_key`.
            _sync: has no effect; Prefect may pass it.
        Raises:
            ObjectMissingError: there is no such result, its seal is not valid, or another serializer wrote it. Prefect
                then runs the task again.
            StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        """
        key = result_key(path)
        sealed = open_storage().get_if_there(key)  # most tasks run for the first time
        content = None if sealed is None else unseal(key, sealed)
        if content is None or not _is_ours(content):
            raise ObjectMissingError("there is no task result with this key", key, next_step="The task runs again.")
        return content

    def write_path(self, path: str, content: bytes, *, _sync: bool = True) -> None:  # type: ignore[override]
        """Store a result with Packshot's seal, an HMAC which proves that Packshot wrote the result.

        Nothing is returned.

        Args:
            path: the result's name, as Prefect chooses it; its key in storage is `packshot.keys.result_key`.
            content: the serialized result.
            _sync: has no effect; Prefect may pass it.
        Raises:
            ConfigError: the secret key that seals results can't be used.
            StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        """
        key = result_key(path)
        open_storage().put(key, seal(key, content), content_type="application/octet-stream")

    async def aread_path(self, path: str) -> bytes:
        """Return a stored result as it was given to `write_path`, without the seal (the HMAC that proves that Packshot
        wrote it).

        The call does not block the event loop.

        Args:
            path: the result's name, as Prefect chooses it.
        Raises:
            ObjectMissingError: there is no such result, its seal is not valid, or another serializer wrote it.
        """
        return await asyncio.to_thread(self.read_path, path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """Store a result with Packshot's seal (an HMAC), without blocking the event loop. Nothing is returned.

        Args:
            path: the result's name, as Prefect chooses it.
            content: the serialized result.
        Raises:
            ConfigError: the secret key that seals results can't be used.
            StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        """
        await asyncio.to_thread(self.write_path, path, content)


def register_results() -> str:
    """Save the block for results at the Prefect server as the server's default storage, and return the block's name.

    The name is ``packshot-results/default``. The call can be repeated.

    Raises:
        ConfigError: the secret key that seals results can't be used.
    """
    line_key()  # fail now if there is no usable key
    ResultsInBucket.register_type_and_schema()
    block_id = cast(UUID, ResultsInBucket().save(BLOCK_NAME, overwrite=True))
    with get_client(sync_client=True) as client:
        client.update_server_default_result_storage(block_id)
    return BLOCK


def _is_ours(content: bytes) -> bool:
    """Return whether a result names our serializer. Prefect would use whichever serializer the stored data names."""
    try:
        return bool(json.loads(content)["metadata"]["serializer"] == {"type": SERIALIZER})
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
