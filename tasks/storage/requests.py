"""Make single requests to the bucket, again while the storage is away, and raise Packshot's own errors.

`tasks.storage.bucket`, which uses this module, decides what a request means, and whether it may be repeated.
"""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from boto3.s3.transfer import TransferConfig

from packshot.errors import ObjectMissingError, PackshotError, StorageUnavailableError
from tasks.storage.connection import ATTEMPTS
from tasks.storage.patience import outlasting
from tasks.storage.s3_errors import BROKEN_OFF, s3_errors

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

R = TypeVar("R")

MULTIPART_FROM_BYTES = 32 * 1024 * 1024
PART_BYTES = 16 * 1024 * 1024
PARTS_AT_ONCE = 4
SHA256 = "sha256"
"""Name of the metadata that holds the SHA-256 of an object's bytes, in hexadecimal."""

AGAIN_WITHIN_S = 0.5
"""An object is asked for again within this time if its bytes broke off."""

_TRANSFER = TransferConfig(
    multipart_threshold=MULTIPART_FROM_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=PARTS_AT_ONCE
)


class Requests:
    """Single requests to one S3 bucket, which are made again while the storage is away.

    It has no public methods. `tasks.storage.bucket.Storage`, which inherits it, is the class to use.

    Attributes:
        bucket: name of the bucket.
    """

    def __init__(self, client: S3Client, *, bucket: str, checksums: bool = True) -> None:
        """Use `tasks.storage.bucket.open_storage` instead, which makes the arguments from the settings.

        Args:
            client: boto3's client for all requests; the threads of a process share it.
            bucket: name of the bucket.
            checksums: whether checksum headers are sent; False only for a storage that refuses them.
        """
        self._client = client
        self._checksums = checksums
        self.bucket = bucket

    def _ask(self, subject: str, request: Callable[[], R]) -> R:
        """Return the storage's answer to a request, which a run makes again if the storage is away.

        Args:
            subject: the key or bucket that the request is about; named in errors.
        """

        def asked() -> R:
            with s3_errors(subject):
                return request()

        return outlasting(asked, answers=self._answers)

    def _answers(self) -> bool:
        """Return whether the storage answers at all."""
        try:
            with s3_errors(self.bucket):
                self._client.head_bucket(Bucket=self.bucket)
        except StorageUnavailableError:
            return False
        except PackshotError:
            return True
        return True

    def _pages(self, prefix: str, **more: Any) -> Iterator[Any]:
        """Yield the pages of a listing, each asked for by itself: after an error, boto3's paginator would seem done."""
        token: dict[str, Any] = {}
        while True:
            ask = partial(self._client.list_objects_v2, Bucket=self.bucket, Prefix=prefix, **more, **token)
            page: Any = self._ask(prefix, ask)
            yield page
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _head(self, key: str) -> Any:
        """Return the storage's answer about an object.

        Raises:
            ObjectMissingError: there is no such object.
        """
        return self._ask(key, partial(self._client.head_object, Bucket=self.bucket, Key=key))

    def _find_raw(self, key: str) -> Any | None:
        """Return the storage's answer about an object; None if there is no such object."""
        try:
            return self._head(key)
        except ObjectMissingError:
            return None

    def _is_listed(self, key: str) -> bool:
        """Return whether a listing has an object. A missing key is no error there."""
        ask = partial(self._client.list_objects_v2, Bucket=self.bucket, Prefix=key, MaxKeys=1)
        answer = self._ask(key, ask)
        return any(entry["Key"] == key for entry in answer.get("Contents", ()))  # the first key with a prefix is itself

    def _get(self, key: str) -> tuple[bytes, Any]:
        """Return an object's bytes, unverified, and the storage's answer."""

        def read() -> tuple[bytes, Any]:
            for attempt in count(1):
                answer = self._client.get_object(Bucket=self.bucket, Key=key)
                try:
                    return answer["Body"].read(), answer
                except BROKEN_OFF:  # the client tries a request again, but not the rest of its answer
                    if attempt == ATTEMPTS:
                        raise
                    time.sleep(random.uniform(0, AGAIN_WITHIN_S))
            raise AssertionError("unreachable")

        return self._ask(key, read)

    def _download(self, key: str, path: Path) -> str:
        """Download an object to a local file, and return the file's SHA-256."""
        with path.open("w+b") as file:
            self._client.download_fileobj(self.bucket, key, file, Config=_TRANSFER)
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _put_whole(
        self, key: str, data: bytes, *, content_type: str, metadata: Mapping[str, str], condition: dict[str, str]
    ) -> str:
        """Send bytes in one request with their checksum, which the storage verifies; return the ETag."""
        checksum = {"ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode()}
        put: Callable[[], Any] = partial(
            self._client.put_object,
            Bucket=self.bucket,
            Key=key,
            Body=data,
            ContentType=content_type,
            Metadata=metadata,
            **(checksum if self._checksums else {}),  # type: ignore[arg-type]
            **condition,  # type: ignore[arg-type]  # IfMatch or IfNoneMatch
        )
        return str(self._ask(key, put)["ETag"])

    def _upload(self, key: str, opened: Callable[[], IO[bytes]], *, sha256: str, content_type: str) -> None:
        """Send a file in parts, each with its checksum."""
        extra: dict[str, Any] = {"ContentType": content_type, "Metadata": {SHA256: sha256}}
        if self._checksums:
            extra["ChecksumAlgorithm"] = "SHA256"

        def send() -> None:
            with opened() as file:  # anew each time: boto3 leaves it read, or closed
                self._client.upload_fileobj(file, self.bucket, key, ExtraArgs=extra, Config=_TRANSFER)

        self._ask(key, send)
