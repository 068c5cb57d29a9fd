"""The bucket: every read and write of an object, verified by its SHA-256.

Writes can be repeated: an object that already has these bytes is not written again. Every object carries the SHA-256 of
its bytes as metadata. The storage checks it on arrival, and each read checks it again. The inbox belongs to the client:
nothing here writes to it except `upload_to_inbox` and `close_inbox`, which run on the client's side.

If the storage is away, every request of a run waits for it (`tasks.storage.patience`).
"""

from __future__ import annotations

import base64
import hashlib
import io
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from boto3.s3.transfer import TransferConfig

from packshot.errors import (
    ObjectMissingError,
    PackshotError,
    RecordConflictError,
    StorageDeniedError,
    StorageUnavailableError,
)
from packshot.handoff.upload_form import FILE_TYPE, UploadForm
from packshot.keys import inbox_key, lease_key
from packshot.naming import READY, BatchId
from packshot.types import Value
from tasks.environment.settings import Settings, get_settings
from tasks.storage.connection import connect, connect_for_links
from tasks.storage.patience import outlasting
from tasks.storage.s3_errors import s3_errors

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

R = TypeVar("R")

MULTIPART_FROM_BYTES = 32 * 1024 * 1024
PART_BYTES = 16 * 1024 * 1024
PARTS_AT_ONCE = 4
LONGEST_LINK_S = 7 * 24 * 3600
"""Longest lifetime of a presigned URL (AWS Signature Version 4), in seconds."""

_SHA256, _WRITE_ID, _COPIED_FROM = "sha256", "write-id", "copied-etag"
_TRANSFER = TransferConfig(
    multipart_threshold=MULTIPART_FROM_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=PARTS_AT_ONCE
)


class ObjectInfo(Value):
    """Metadata of an object.

    Attributes:
        key: the object's key in the bucket.
        etag: the storage's mark of this version, usually with quotation marks; it changes with the content.
        sha256: hash of the bytes, hex; empty if we did not write the object, and in listings.
        content_type: media type; empty in listings.
        modified: time of the last write, by the storage's clock; None if it was not asked for, as just after a write.
    """

    key: str
    size_bytes: int
    etag: str
    sha256: str = ""
    content_type: str = ""
    modified: datetime | None = None


class Storage:
    """One S3 bucket: its objects are read and written here. Thread-safe; all instances in a process share their
    connections.

    Attributes:
        bucket: name of the bucket.
    """

    def __init__(
        self, client: S3Client, *, bucket: str, public_client: S3Client | None = None, checksums: bool = True
    ) -> None:
        """Use `open_storage` instead, which reads the settings."""
        self._client = client
        self._checksums = checksums
        self._public_client = public_client or client
        self.bucket = bucket

    def get(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match their hash.
        """
        return self.get_with_etag(key)[0]

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        """Return an object's bytes and its ETag, for `replace_if`.

        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match their hash.
        """
        data, answer = self._read(key)
        return data, answer["ETag"]

    def get_with_age(self, key: str) -> tuple[bytes, str, timedelta]:
        """Return an object's bytes, its ETag, and the time since it was written.

        Both times come from the storage's clock. If the response has no date, the age is zero.

        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match their hash.
        """
        data, answer = self._read(key)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        age = parsedate_to_datetime(date) - answer["LastModified"] if date else timedelta(0)
        return data, answer["ETag"], max(age, timedelta(0))

    def _read(self, key: str) -> tuple[bytes, Any]:
        def read() -> tuple[bytes, Any]:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            return answer["Body"].read(), answer

        data, answer = self._ask(key, read)
        _check_bytes(key, hashlib.sha256(data).hexdigest(), expected=answer["Metadata"].get(_SHA256, ""))
        return data, answer

    def get_if_there(self, key: str) -> bytes | None:
        """Return an object's bytes; None if there is no such object.

        Use it for keys that are usually missing. It asks for a listing first, because a missing key is no error there.
        """
        return self.get(key) if self._is_listed(key) else None

    def head(self, key: str) -> ObjectInfo:
        """Return an object's metadata.

        Raises:
            ObjectMissingError: there is no such object.
        """
        return _info(key, self._head(key))

    def exists(self, key: str) -> bool:
        """Return whether there is an object under a key."""
        return self._find(key) is not None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object below a prefix, sorted by key; pages of 1,000 are read as needed.

        The empty "folder" objects that some tools create are skipped. An object has no hash and no media type here.
        """
        for page in self._pages(prefix):
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/"):
                    yield ObjectInfo(
                        key=entry["Key"],
                        size_bytes=entry["Size"],
                        etag=entry["ETag"],
                        modified=entry.get("LastModified"),
                    )

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below a prefix; pages of 1,000 are read as needed.

        Args:
            prefix: ends with ``/``. The names don't contain it.
        """
        for page in self._pages(prefix, Delimiter="/"):
            yield from (entry["Prefix"].removeprefix(prefix).rstrip("/") for entry in page.get("CommonPrefixes", ()))

    def put(self, key: str, data: bytes, *, content_type: str, replaces: bool = False) -> ObjectInfo:
        """Store bytes under a key, and return the object's metadata. Nothing is sent if they are already there.

        Args:
            key: the object's key.
            content_type: media type of the bytes.
            replaces: True if the caller knows that other bytes are there. Then they are replaced without a check.
        Raises:
            StorageDeniedError: the key is in the inbox.
            StorageUnavailableError: the stored object doesn't match the bytes that were sent.
        """
        _refuse_inbox(key)
        return self._put(key, data, content_type=content_type, replaces=replaces)

    def put_file(self, key: str, path: Path, *, content_type: str) -> ObjectInfo:
        """Store a local file under a key without loading it into memory, and return the object's metadata.

        Nothing is sent if the file is already there.

        Args:
            content_type: media type of the file.
        Raises:
            StorageDeniedError: the key is in the inbox.
            StorageUnavailableError: the stored object doesn't match the file.
        """
        _refuse_inbox(key)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        present = self._find_listed(key)
        if present and _same(present, sha256=sha256, size=size, content_type=content_type):
            return present
        self._upload(key, lambda: path.open("rb"), sha256=sha256, content_type=content_type)
        return self._verified(key, sha256=sha256, size=size)

    def get_file(self, key: str, path: Path) -> ObjectInfo:
        """Download an object to a local file in parts, and return its metadata.

        The file gets its final name only when it is complete and verified.

        Args:
            path: the file; its folder is made if it is missing.
        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match their hash.
        """
        info = self.head(key)
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            sha256 = self._ask(key, partial(self._download, key, part))
            _check_bytes(key, sha256, expected=info.sha256)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return info

    def _download(self, key: str, path: Path) -> str:
        """Download an object to a local file, and return the file's SHA-256."""
        with path.open("w+b") as file:
            self._client.download_fileobj(self.bucket, key, file, Config=_TRANSFER)
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()

    def put_if_absent(self, key: str, data: bytes, *, content_type: str) -> ObjectInfo:
        """Store bytes under a key that doesn't exist yet (If-None-Match), and return the object's metadata.

        Args:
            content_type: media type of the bytes.
        Raises:
            RecordConflictError: the key exists.
            StorageDeniedError: the key is in the inbox.
        """
        return self._put_if(key, data, content_type=content_type, condition={"IfNoneMatch": "*"})

    def replace_if(self, key: str, data: bytes, *, etag: str, content_type: str) -> ObjectInfo:
        """Replace an object that has not changed since its `etag` was read (If-Match).

        Return the new object's metadata.

        Args:
            data: the new bytes.
            etag: as `get_with_etag` returned it.
            content_type: media type of the bytes.
        Raises:
            RecordConflictError: the object has changed since.
            StorageDeniedError: the key is in the inbox.
        """
        return self._put_if(key, data, content_type=content_type, condition={"IfMatch": etag})

    def copy_verified(self, source: str, target: str, *, sha256: str, is_new: bool = False) -> ObjectInfo:
        """Copy one of our own objects inside the storage, and return the copy's metadata, for the caller to check its
        hash.

        Nothing is done if `target` has this hash already.

        Args:
            source, target: keys.
            sha256: the hash that the copy should have. A new copy is returned even if its hash is another one.
            is_new: True if the caller knows that there is no `target` yet.
        Raises:
            ObjectMissingError: there is no `source`.
            StorageDeniedError: `target` is in the inbox.
        """
        _refuse_inbox(target)
        present = None if is_new else self._find_listed(target)
        if present and present.sha256 == sha256:
            return present
        copy = partial(
            self._client.copy_object,
            Bucket=self.bucket,
            Key=target,
            CopySource={"Bucket": self.bucket, "Key": source},
            MetadataDirective="COPY",  # and with it the hash
        )
        self._ask(f"{source} -> {target}", copy)
        return self.head(target)

    def copy(self, source: str, target: str, *, etag: str = "") -> ObjectInfo:
        """Copy an object of at most 5 GB inside the storage, and return the copy's metadata.

        Its bytes don't pass through this process. Nothing is done if `target` is already a copy of the same version.

        Args:
            source, target: keys.
            etag: the version to copy, without quotes; empty: the present one.
        Raises:
            ObjectMissingError: there is no `source`.
            RecordConflictError: `source` is another version, or was replaced while it was copied.
            StorageDeniedError: `target` is in the inbox.
        """
        _refuse_inbox(target)
        origin = self._head(source)
        if etag and origin["ETag"].strip('"') != etag:
            raise RecordConflictError("the object was replaced", source, found=origin["ETag"], allowed=etag)
        present = self._find_raw(target) if self._is_listed(target) else None
        if present and present["Metadata"].get(_COPIED_FROM) == origin["ETag"]:
            return _info(target, present)
        copy = partial(
            self._client.copy_object,
            Bucket=self.bucket,
            Key=target,
            CopySource={"Bucket": self.bucket, "Key": source},
            CopySourceIfMatch=origin["ETag"],
            MetadataDirective="REPLACE",
            Metadata=_kept(origin["Metadata"]) | {_COPIED_FROM: origin["ETag"]},
            ContentType=origin.get("ContentType", "application/octet-stream"),
        )
        self._ask(f"{source} -> {target}", copy)
        return self._verified(target, sha256=origin["Metadata"].get(_SHA256, ""), size=origin["ContentLength"])

    def remove_lease(self, name: str) -> None:
        """Delete the lease of this name. No other kind of object is ever deleted."""
        key = lease_key(name)
        self._ask(key, partial(self._client.delete_object, Bucket=self.bucket, Key=key))

    def presign(self, key: str, *, expires_s: int, download_name: str = "") -> str:
        """Return a presigned URL: anyone who has it can read the object until it expires.

        Whether there is such an object is not checked.

        Args:
            expires_s: how long it is valid, in seconds, at most seven days.
            download_name: file name under which a browser saves it; empty: the browser displays it.
        Raises:
            StorageDeniedError: there are no credentials to sign with.
        """
        parameters = {"Bucket": self.bucket, "Key": key}
        if download_name:
            parameters["ResponseContentDisposition"] = f'attachment; filename="{download_name}"'
        with s3_errors(key):
            return self._public_client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=min(expires_s, LONGEST_LINK_S)
            )

    def upload_form(
        self, key: str, *, most_bytes: int, expires_s: int, least_bytes: int = 1, content_type: str = FILE_TYPE
    ) -> UploadForm:
        """Return a presigned POST form that uploads one file to `key`, or any files below it if it ends with ``/``.

        The signature covers key, type and size; the storage refuses anything else.

        Args:
            most_bytes, least_bytes: greatest and smallest size of a file.
            expires_s: how long the form is valid, in seconds, at most seven days.
            content_type: media type of the files.
        """
        below = key.endswith("/")
        bound: list[Any] = [
            {"Content-Type": content_type},
            ["content-length-range", least_bytes, most_bytes],
            *([["starts-with", "$key", key]] if below else []),
        ]
        with s3_errors(key):
            post = self._public_client.generate_presigned_post(
                self.bucket,
                f"{key}${{filename}}" if below else key,
                Fields={"Content-Type": content_type},
                Conditions=bound,
                ExpiresIn=min(expires_s, LONGEST_LINK_S),
            )
        return UploadForm(url=post["url"], fields=post["fields"], most_bytes=most_bytes)

    def upload_to_inbox(self, batch: BatchId, path: str, data: bytes, *, content_type: str) -> ObjectInfo:
        """Store a file of a client's upload, and return the object's metadata. Only the client's side calls this.

        Args:
            path: relative to the batch's folder in the inbox.
            content_type: media type of the file.
        Raises:
            StorageDeniedError: the batch is closed, and this file is new or has changed.
        """
        key = inbox_key(batch, path)
        present = self._find(key)
        sha256 = hashlib.sha256(data).hexdigest()
        if present and _same(present, sha256=sha256, size=len(data), content_type=content_type):
            return present
        if self.exists(inbox_key(batch, READY)):
            raise StorageDeniedError(
                "the batch is closed, so its files cannot be changed",
                key,
                next_step="Submit the file in a new batch.",
            )
        return self._put(key, data, content_type=content_type)

    def close_inbox(self, batch: BatchId) -> ObjectInfo:
        """Mark a batch as complete with the empty object READY, and return its metadata.

        Only the client's side calls this.
        """
        return self._put(inbox_key(batch, READY), b"", content_type="text/plain")

    def ensure_bucket(self) -> None:
        """Create the bucket if it is missing.

        This is for servers on one machine; elsewhere an administrator creates it.
        """
        try:
            self._ask(self.bucket, partial(self._client.head_bucket, Bucket=self.bucket))
        except ObjectMissingError:
            self._ask(self.bucket, partial(self._client.create_bucket, Bucket=self.bucket))

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
        return self._ask(key, partial(self._client.head_object, Bucket=self.bucket, Key=key))

    def _find_raw(self, key: str) -> Any | None:
        try:
            return self._head(key)
        except ObjectMissingError:
            return None

    def _find(self, key: str) -> ObjectInfo | None:
        answer = self._find_raw(key)
        return _info(key, answer) if answer else None

    def _put(self, key: str, data: bytes, *, content_type: str, replaces: bool = False) -> ObjectInfo:
        """Store bytes under a key, in one request if the key is new: asking first whether it is there costs another."""
        sha256 = hashlib.sha256(data).hexdigest()
        if len(data) >= MULTIPART_FROM_BYTES:
            present = self._find_listed(key)
            if present and _same(present, sha256=sha256, size=len(data), content_type=content_type):
                return present
            self._upload(key, partial(io.BytesIO, data), sha256=sha256, content_type=content_type)
            return self._verified(key, sha256=sha256, size=len(data))
        put = partial(self._put_whole, key, data, content_type=content_type, metadata={_SHA256: sha256})
        try:
            etag = put(condition={} if replaces else {"IfNoneMatch": "*"})
        except RecordConflictError:
            present = self._find(key)
            if present and _same(present, sha256=sha256, size=len(data), content_type=content_type):
                return present
            etag = put(condition={})
        return ObjectInfo(key=key, size_bytes=len(data), etag=etag, sha256=sha256, content_type=content_type)

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
        extra: dict[str, Any] = {"ContentType": content_type, "Metadata": {_SHA256: sha256}}
        if self._checksums:
            extra["ChecksumAlgorithm"] = "SHA256"

        def send() -> None:
            with opened() as file:  # anew each time: boto3 leaves it read, or closed
                self._client.upload_fileobj(file, self.bucket, key, ExtraArgs=extra, Config=_TRANSFER)

        self._ask(key, send)

    def _put_if(self, key: str, data: bytes, *, content_type: str, condition: dict[str, str]) -> ObjectInfo:
        """Store bytes under a condition.

        If the response to a request is lost, boto3 sends it again. The second request then finds the object that the
        first one wrote, and its condition fails although the write succeeded. A unique write id in the metadata shows
        whether the present object is our own.
        """
        _refuse_inbox(key)
        write_id = uuid.uuid4().hex
        sha256 = hashlib.sha256(data).hexdigest()
        metadata = {_SHA256: sha256, _WRITE_ID: write_id}
        try:
            etag = self._put_whole(key, data, content_type=content_type, metadata=metadata, condition=condition)
        except RecordConflictError:
            present = self._find_raw(key)
            if present is None or present["Metadata"].get(_WRITE_ID) != write_id:
                raise
            etag = present["ETag"]
        return ObjectInfo(key=key, size_bytes=len(data), etag=etag, sha256=sha256, content_type=content_type)

    def _is_listed(self, key: str) -> bool:
        ask = partial(self._client.list_objects_v2, Bucket=self.bucket, Prefix=key, MaxKeys=1)
        answer = self._ask(key, ask)
        return any(entry["Key"] == key for entry in answer.get("Contents", ()))  # the first key with a prefix is itself

    def _find_listed(self, key: str) -> ObjectInfo | None:
        return self._find(key) if self._is_listed(key) else None

    def _verified(self, key: str, *, sha256: str, size: int) -> ObjectInfo:
        """Return the metadata of an object just written; raise if it isn't the object that was sent."""
        info = self.head(key)
        if info.size_bytes != size or info.sha256 != sha256:
            raise StorageUnavailableError(
                "the object in storage is not the one just written",
                key,
                found=f"{info.size_bytes} bytes, SHA-256 {info.sha256[:8] or 'unknown'}",
                allowed=f"{size} bytes, SHA-256 {sha256[:8] or 'unknown'}",
                next_step="Check whether another program writes to this key. If not, the storage lost the write.",
            )
        return info


def open_storage(settings: Settings | None = None) -> Storage:
    """Return the storage that the settings name. It reuses the process's connections, so the call is cheap.

    Args:
        settings: None means those of the environment.
    """
    chosen = settings or get_settings()
    return Storage(
        connect(chosen),
        bucket=chosen.s3_bucket,
        public_client=connect_for_links(chosen),
        checksums=chosen.s3_checksums == "on",
    )


def _refuse_inbox(key: str) -> None:
    if key.startswith("inbox/"):
        raise StorageDeniedError(
            "the inbox belongs to the client and is read-only here",
            key,
            next_step="This is a bug in the program: it must write below batches/, jobs/, deliveries/ or quarantine/.",
        )


def _check_bytes(key: str, sha256: str, *, expected: str) -> None:
    if expected and sha256 != expected:
        raise StorageUnavailableError(
            "the bytes read are not the bytes that were written",
            key,
            found=f"SHA-256 {sha256[:8]}",
            allowed=expected[:8],
            next_step="If this happens again, the object is damaged. Restore it, or reprocess the shot.",
        )


def _same(present: ObjectInfo, *, sha256: str, size: int, content_type: str) -> bool:
    return (present.sha256, present.size_bytes, present.content_type) == (sha256, size, content_type)


def _kept(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata that stays true for a copy."""
    return {name: value for name, value in metadata.items() if name == _SHA256}


def _info(key: str, answer: Any) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=answer["ContentLength"],
        etag=answer["ETag"],
        sha256=answer["Metadata"].get(_SHA256, ""),
        content_type=answer.get("ContentType", ""),
        modified=answer.get("LastModified"),
    )
