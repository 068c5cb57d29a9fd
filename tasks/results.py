"""Where Prefect keeps task results: the same bucket, below ``prefect-results/``.

Prefect wants a saved block. Ours holds no credentials: it opens the storage that the settings name at the moment of
use, so Prefect's database never sees a secret. Results are JSON, and a result that claims to be anything else is
not read: unpickling what somebody put into a bucket would run their code.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.filesystems import WritableFileSystem
from prefect.serializers import JSONSerializer

from packshot.errors import RecordDamagedError
from packshot.naming import result_key
from tasks.storage import open_storage

SERIALIZER = "json"
BLOCK_NAME = "default"
BLOCK = f"packshot-results/{BLOCK_NAME}"

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK": BLOCK, "PREFECT_RESULTS_DEFAULT_SERIALIZER": SERIALIZER}
)
"""What every process that runs flows is told. Without it each task run asks the server where results go."""


class ResultsInBucket(WritableFileSystem):
    """Task results in Packshot's own bucket. Holds no settings: each process uses its own ``PACKSHOT_`` variables."""

    _block_type_name = "Packshot results"
    _block_type_slug = "packshot-results"

    def read_path(self, path: str, *, _sync: bool = True) -> bytes:  # type: ignore[override]  # Prefect asks by _sync
        """Return the record of a result.

        Raises:
            ObjectMissingError: there is none.
            RecordDamagedError: it is not JSON all through.
        """
        content = open_storage().get(result_key(path))
        _refuse_all_but_json(path, content)
        return content

    def write_path(self, path: str, content: bytes, *, _sync: bool = True) -> None:  # type: ignore[override]
        """Store the record of a result."""
        open_storage().put(result_key(path), content, content_type="application/json")

    async def aread_path(self, path: str) -> bytes:
        """Return the record of a result without blocking the event loop."""
        return await asyncio.to_thread(self.read_path, path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """Store the record of a result without blocking the event loop."""
        await asyncio.to_thread(self.write_path, path, content)


def register_results() -> str:
    """Save the block, make it the server's default for results, and return its name. Safe to repeat."""
    ResultsInBucket.register_type_and_schema()
    block_id = cast(UUID, ResultsInBucket().save(BLOCK_NAME, overwrite=True))
    with get_client(sync_client=True) as client:
        client.update_server_default_result_storage(block_id)
    return BLOCK


def _refuse_all_but_json(path: str, content: bytes) -> None:
    """A record says itself how it is to be read, down to the function that decodes it: only our own way is followed."""
    try:
        written_with = json.loads(content)["metadata"]["serializer"]
    except (ValueError, KeyError, TypeError) as error:
        raise RecordDamagedError("this is not the record of a result", result_key(path)) from error
    if written_with != JSONSerializer().model_dump(mode="json"):
        raise RecordDamagedError(
            "this result cannot be trusted",
            result_key(path),
            found=f"serializer {str(written_with)[:100]}",
            allowed="Prefect's JSON serializer as it comes",
            next_step="Give the task result_serializer='json'. If it is not ours, see who can write to the bucket.",
        )
