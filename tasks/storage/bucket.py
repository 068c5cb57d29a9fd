"""Read and write the objects in storage. Every object is checked by the SHA-256 of its bytes.

A write can be repeated: if the object already has the bytes that are to be written, nothing is written. Every object
carries the SHA-256 of its bytes as metadata. The storage checks the hash on arrival, and each read checks it again. The
inbox belongs to the client. This module never writes to the inbox; only `tasks.storage.inbox` does, on the client's
side.

If the storage is away, every request of a run waits until the storage answers again (`tasks.storage.requests`).
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from packshot.errors import ObjectMissingError, RecordConflictError, StorageDeniedError, StorageUnavailableError
from packshot.keys import lease_key
from packshot.types import Value
from tasks.environment.settings import Settings, get_settings
from tasks.storage.connection import connect
from tasks.storage.requests import MULTIPART_FROM_BYTES, SHA256, Requests

_WRITE_ID, _COPIED_FROM = "write-id", "copied-etag"


class ObjectInfo(Value):
    """What the storage says about one object, without the object's bytes.

    Attributes:
        key: the object's key in the bucket.
        size_bytes: length of its bytes.
        etag: the storage's mark of this version, usually with quotation marks; it changes with the content.
        sha256: hash of the bytes, 64 hex digits; empty if another program wrote the object, and in listings.
        content_type: media type, such as ``image/tiff``; empty in listings.
        modified: time of the last write, by the storage's clock. None if the storage did not state it, as in its answer
            to a write.
    """

    key: str
    size_bytes: int
    etag: str
    sha256: str = ""
    content_type: str = ""
    modified: datetime | None = None


class Storage(Requests):
    """One S3 bucket, whose objects are read and written here. `open_storage` makes it from the settings.

    Thread-safe. All instances in a process share their connections. Every method that asks the storage can also raise
    `StorageUnavailableError` (no answer, overload; transient) and `StorageDeniedError` (wrong credentials or
    permission).

    Attributes:
        bucket: name of the bucket.
    """

    @classmethod
    def opened(cls, settings: Settings | None = None) -> Self:
        """Return the bucket that the settings name. The process's connections are used again, so the call is cheap.

        Args:
            settings: None means the settings that the environment variables give.
        Raises:
            ConfigError: `settings` is None, and an environment variable is wrong.
        """
        chosen = settings or get_settings()
        return cls(connect(chosen), bucket=chosen.s3_bucket, checksums=chosen.s3_checksums == "on")

    def get(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match the object's hash, or the storage does not answer.
        """
        return self.get_with_etag(key)[0]

    def get_with_etag(self, key: str) -> tuple[bytes, str]:
        """Return (an object's bytes, its ETag).

        The ETag marks this version of the object. `replace_if` needs it, to change the object only if nobody else has.

        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match the object's hash, or the storage does not answer.
        """
        data, answer = self._read(key)
        return data, answer["ETag"]

    def get_with_age(self, key: str) -> tuple[bytes, str, timedelta]:
        """Return (an object's bytes, its ETag, its age).

        The age is the time since the object was written, and never negative. Both times come from the storage's own
        clock, so this machine's clock does not matter. If the storage's answer has no date, the age is zero.

        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match the object's hash, or the storage does not answer.
        """
        data, answer = self._read(key)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        age = parsedate_to_datetime(date) - answer["LastModified"] if date else timedelta(0)
        return data, answer["ETag"], max(age, timedelta(0))

    def get_with_info(self, key: str) -> tuple[bytes, ObjectInfo]:
        """Return (an object's bytes, its metadata). That takes one request.

        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match the object's hash, or the storage does not answer.
        """
        data, answer = self._read(key)
        return data, _info(key, answer)

    def _read(self, key: str) -> tuple[bytes, Any]:
        data, answer = self._get(key)
        _check_bytes(key, hashlib.sha256(data).hexdigest(), expected=answer["Metadata"].get(SHA256, ""))
        return data, answer

    def get_if_there(self, key: str) -> bytes | None:
        """Return an object's bytes; None if there is no such object.

        Use it for keys that are usually missing: the storage is first asked for a listing, in which a missing key is no
        error.

        Raises:
            StorageUnavailableError: the bytes received don't match the object's hash, or the storage does not answer.
        """
        return self.get(key) if self._is_listed(key) else None

    def head(self, key: str) -> ObjectInfo:
        """Return an object's metadata, without reading its bytes.

        Raises:
            ObjectMissingError: there is no such object.
        """
        return _info(key, self._head(key))

    def exists(self, key: str) -> bool:
        """Return True if there is an object under this key.

        Raises:
            StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
        """
        return self._find(key) is not None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the metadata of every object whose key begins with `prefix`, sorted by key.

        The storage is asked for pages of 1,000 objects, each when it is needed. Hash and media type are empty, because
        a listing does not have them. The empty "folder" objects that some tools create, whose keys end with ``/``, are
        skipped.
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
        """Yield the names of the folders directly below a prefix, sorted. For ``inbox/`` these are the clients' names.

        The storage is asked for pages of 1,000 names, each when it is needed.

        Args:
            prefix: must end with ``/``. The names don't contain it.
        """
        for page in self._pages(prefix, Delimiter="/"):
            yield from (entry["Prefix"].removeprefix(prefix).rstrip("/") for entry in page.get("CommonPrefixes", ()))

    def put(self, key: str, data: bytes, *, content_type: str, replaces: bool = False) -> ObjectInfo:
        """Store bytes under a key, and return the object's metadata. An object with other bytes is replaced.

        If the same bytes with the same media type are already there, they are not written again.

        Args:
            key: the object's key.
            content_type: media type of the bytes, such as ``image/tiff``.
            replaces: True if the caller knows that other bytes are there. It only saves a request.
        Raises:
            StorageDeniedError: the key is in the inbox.
            StorageUnavailableError: the stored object doesn't match the bytes that were sent, or the storage does not
                answer.
        """
        _refuse_inbox(key)
        return self._put(key, data, content_type=content_type, replaces=replaces)

    def put_file(self, key: str, path: Path, *, content_type: str) -> ObjectInfo:
        """Store a local file under a key without loading it into memory, and return the object's metadata.

        An object with other bytes is replaced. If the same bytes with the same media type are already there, nothing is
        sent.

        Args:
            content_type: media type of the file, such as ``image/tiff``.
        Raises:
            StorageDeniedError: the key is in the inbox.
            StorageUnavailableError: the stored object doesn't match the file, or the storage does not answer.
        """
        _refuse_inbox(key)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        present = self._find_listed(key)
        if present and has_bytes(present, sha256=sha256, size=size, content_type=content_type):
            return present
        self._upload(key, lambda: path.open("rb"), sha256=sha256, content_type=content_type)
        return self._verified(key, sha256=sha256, size=size)

    def get_file(self, key: str, path: Path) -> ObjectInfo:
        """Download an object to a local file without loading it into memory, and return the object's metadata.

        The file gets its name only when it is complete and its hash is right; an existing file is replaced then.

        Args:
            path: the file; its folder is made if it is missing.
        Raises:
            ObjectMissingError: there is no such object.
            StorageUnavailableError: the bytes received don't match the object's hash, or the storage does not answer.
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

    def put_if_absent(self, key: str, data: bytes, *, content_type: str) -> ObjectInfo:
        """Store bytes under a key that doesn't exist yet (If-None-Match), and return the object's metadata.

        If several programs do so at the same time, exactly one succeeds.

        Args:
            content_type: media type of the bytes, such as ``application/json``.
        Raises:
            RecordConflictError: there is an object under this key already.
            StorageDeniedError: the key is in the inbox.
        """
        return self._put_if(key, data, content_type=content_type, condition={"IfNoneMatch": "*"})

    def replace_if(self, key: str, data: bytes, *, etag: str, content_type: str) -> ObjectInfo:
        """Replace an object if it is still the version `etag` (If-Match), and return the new object's metadata.

        So two programs that change the same object can't overwrite each other's change.

        Args:
            data: the new bytes.
            etag: the version to replace, as `get_with_etag` returned it.
            content_type: media type of the bytes, such as ``application/json``.
        Raises:
            RecordConflictError: another program has changed the object since.
            ObjectMissingError: the object was deleted meanwhile; some servers report that as a conflict.
            StorageDeniedError: the key is in the inbox.
        """
        return self._put_if(key, data, content_type=content_type, condition={"IfMatch": etag})

    def copy_verified(self, source: str, target: str, *, sha256: str, is_new: bool = False) -> ObjectInfo:
        """Copy an object that Packshot wrote to another key, and return the copy's metadata.

        The bytes don't pass through this process. If `target` has the hash `sha256` already, nothing is copied. A new
        copy may have another hash than `sha256`, if the source was replaced; the caller must compare the `sha256` of
        the result.

        Args:
            source, target: keys.
            sha256: the hash that the copy should have, 64 hex digits.
            is_new: True if the caller knows that there is no `target` yet. It only saves a request.
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
        """Copy any object of at most 5 GB, also a client's upload, to another key, and return the copy's metadata.

        The bytes don't pass through this process. If `target` is already a copy of this version of `source`, nothing is
        copied.

        Args:
            source, target: keys.
            etag: the version of `source` to copy, without quotation marks; empty: the present version.
        Raises:
            ObjectMissingError: there is no `source`.
            RecordConflictError: `source` has another version than `etag`, or was replaced while it was copied.
            StorageDeniedError: `target` is in the inbox.
            StorageUnavailableError: the copy's hash or size is not the source's, or the storage does not answer.
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
        return self._verified(target, sha256=origin["Metadata"].get(SHA256, ""), size=origin["ContentLength"])

    def remove_lease(self, name: str) -> None:
        """Delete a lease: the small object by which a run shows that it is at work. A missing lease is no error.

        A notice that waits to be sent is stored in the same way, and is deleted by this method too. No other kind of
        object is ever deleted.

        Args:
            name: the lease's name, such as ``runs/<id>``; its key is `packshot.keys.lease_key`.
        """
        key = lease_key(name)
        self._ask(key, partial(self._client.delete_object, Bucket=self.bucket, Key=key))

    def ensure_bucket(self) -> None:
        """Create the bucket if it is missing.

        This is for servers that run on one machine for trials; elsewhere an administrator creates the bucket.

        Raises:
            StorageDeniedError: the credentials may not see or create it.
        """
        try:
            self._ask(self.bucket, partial(self._client.head_bucket, Bucket=self.bucket))
        except ObjectMissingError:
            self._ask(self.bucket, partial(self._client.create_bucket, Bucket=self.bucket))

    def _find(self, key: str) -> ObjectInfo | None:
        answer = self._find_raw(key)
        return _info(key, answer) if answer else None

    def _put(self, key: str, data: bytes, *, content_type: str, replaces: bool = False) -> ObjectInfo:
        """Store bytes under a key, in one request if the key is new: asking first whether it is there costs another."""
        sha256 = hashlib.sha256(data).hexdigest()
        if len(data) >= MULTIPART_FROM_BYTES:
            present = self._find_listed(key)
            if present and has_bytes(present, sha256=sha256, size=len(data), content_type=content_type):
                return present
            self._upload(key, partial(io.BytesIO, data), sha256=sha256, content_type=content_type)
            return self._verified(key, sha256=sha256, size=len(data))
        put = partial(self._put_whole, key, data, content_type=content_type, metadata={SHA256: sha256})
        try:
            etag = put(condition={} if replaces else {"IfNoneMatch": "*"})
        except RecordConflictError:
            present = self._find(key)
            if present and has_bytes(present, sha256=sha256, size=len(data), content_type=content_type):
                return present
            etag = put(condition={})
        return ObjectInfo(key=key, size_bytes=len(data), etag=etag, sha256=sha256, content_type=content_type)

    def _put_if(self, key: str, data: bytes, *, content_type: str, condition: dict[str, str]) -> ObjectInfo:
        """Store bytes under a condition.

        If the response to a request is lost, boto3 sends it again. The second request then finds the object that the
        first one wrote, and its condition fails although the write succeeded. A unique write id in the metadata shows
        whether the present object is our own.
        """
        _refuse_inbox(key)
        write_id = uuid.uuid4().hex
        sha256 = hashlib.sha256(data).hexdigest()
        metadata = {SHA256: sha256, _WRITE_ID: write_id}
        try:
            etag = self._put_whole(key, data, content_type=content_type, metadata=metadata, condition=condition)
        except RecordConflictError:
            present = self._find_raw(key)
            if present is None or present["Metadata"].get(_WRITE_ID) != write_id:
                raise
            etag = present["ETag"]
        return ObjectInfo(key=key, size_bytes=len(data), etag=etag, sha256=sha256, content_type=content_type)

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
    """Return the bucket that the settings name, ready to be read and written.

    The process's connections are used again, so the call is cheap.

    Args:
        settings: None means the settings that the environment variables give.
    Raises:
        ConfigError: `settings` is None, and an environment variable is wrong.
    """
    return Storage.opened(settings)


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


def has_bytes(present: ObjectInfo, *, sha256: str, size: int, content_type: str) -> bool:
    """Return whether an object has these bytes and this media type.

    Args:
        present: the object's metadata.
        sha256: of the bytes, in hexadecimal.
        size: number of bytes.
        content_type: media type.
    """
    return (present.sha256, present.size_bytes, present.content_type) == (sha256, size, content_type)


def _kept(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata that stays true for a copy."""
    return {name: value for name, value in metadata.items() if name == SHA256}


def _info(key: str, answer: Any) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=answer["ContentLength"],
        etag=answer["ETag"],
        sha256=answer["Metadata"].get(SHA256, ""),
        content_type=answer.get("ContentType", ""),
        modified=answer.get("LastModified"),
    )
