"""Upload a batch's files to the inbox, and then close the batch. This runs on the client's side.

All other modules only read the inbox (`tasks.storage.bucket`).
"""

from __future__ import annotations

import hashlib

from packshot.errors import StorageDeniedError
from packshot.keys import inbox_key
from packshot.naming import READY, BatchId
from tasks.environment.settings import Settings
from tasks.storage.bucket import ObjectInfo, Storage, has_bytes


class Inbox(Storage):
    """The bucket for a client who uploads a batch: besides all that `Storage` does, it can write to the inbox.

    `open_inbox` makes it. Only `packshot batch submit`, the demo and tests use one: all other code never
    writes to the inbox.
    """

    def upload(self, batch: BatchId, path: str, data: bytes, *, content_type: str) -> ObjectInfo:
        """Store a file of a client's upload in the inbox, and return the object's metadata.

        If the same file is there already, nothing is sent. As long as the batch is open, a different file of the same
        path is replaced.

        Args:
            path: relative to the batch's folder in the inbox, such as ``BTL201_MAIN.jpg``.
            content_type: media type of the file.
        Raises:
            StorageDeniedError: the batch is closed, and this file is new or has changed.
        """
        key = inbox_key(batch, path)
        present = self._find(key)
        sha256 = hashlib.sha256(data).hexdigest()
        if present and has_bytes(present, sha256=sha256, size=len(data), content_type=content_type):
            return present
        if self.exists(inbox_key(batch, READY)):
            raise StorageDeniedError(
                "the batch is closed, so its files cannot be changed",
                key,
                next_step="Submit the file in a new batch.",
            )
        return self._put(key, data, content_type=content_type)

    def close(self, batch: BatchId) -> ObjectInfo:
        """Mark a batch as completely uploaded, with the empty object ``READY``; return that object's metadata.

        Packshot works on a batch only after that.

        Raises:
            StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        """
        return self._put(inbox_key(batch, READY), b"", content_type="text/plain")


def open_inbox(settings: Settings | None = None) -> Inbox:
    """Return the inbox of the storage that the settings name, for a client's upload.

    Args:
        settings: None means the settings that the environment variables give.
    """
    return Inbox.opened(settings)
