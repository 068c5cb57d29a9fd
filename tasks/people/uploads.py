"""Take uploads of editors' finished pictures: the browser sends a file to the storage in parts, then we check it.

Each part has a presigned link. With this link one can send that part during one hour, and nothing else. The storage
knows which parts have arrived. So an interrupted upload continues with the missing parts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from packshot.errors import ObjectMissingError, RefusedInputError, StorageDeniedError
from packshot.handoff.filenames import is_litter, is_picture, is_unfinished
from packshot.keys import is_upload, job_upload_key, jobs_prefix
from packshot.naming import ShotId, path_trouble
from packshot.record import ShotRecord
from packshot.types import Finding, Value
from tasks.environment.configs import configs_in_force
from tasks.environment.settings import Settings, get_settings
from tasks.people.returned_work import take_over
from tasks.storage.bucket import open_storage
from tasks.storage.connection import connect, connect_for_links
from tasks.storage.links import link_to
from tasks.storage.s3_errors import s3_errors
from tasks.storage.shot_objects import content_type

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PART_BYTES = 8 * 1024 * 1024
"""Size of all parts but the last; S3 takes none below 5 MiB."""
LINK_S = 3600
KEPT = timedelta(days=7)
"""How long the parts of an upload that broke off are kept."""


class Upload(Value):
    """One file that an editor's browser sends to the storage in parts. `begin_upload` makes it.

    Attributes:
        shot: the shot whose finished picture it is.
        name: the file's name on the editor's machine.
        key: key of the object in storage that the parts will become.
        upload_id: the storage's id of the upload.
        size_bytes: size of the whole file.
        part_size: bytes of each part except the last one, which may be smaller.
    """

    shot: ShotId
    name: str
    key: str
    upload_id: str
    size_bytes: int
    part_size: int

    @property
    def parts(self) -> int:
        """Number of parts that the file has, at least 1."""
        return -(-self.size_bytes // self.part_size)

    def part_bytes(self, number: int) -> int:
        """Return the size of a part in bytes.

        Args:
            number: the part's number, from 1.
        """
        return min(self.part_size, self.size_bytes - (number - 1) * self.part_size)


def begin_upload(shot: ShotId, *, name: str, size_bytes: int) -> Upload:
    """Begin the upload of an editor's finished picture in parts, and return it. Nothing is sent yet.

    Args:
        name: the file's name on the editor's machine, without folders.
        size_bytes: size of the whole file.
    Raises:
        RefusedInputError: a file of this name or size is not accepted.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    most = configs_in_force().ingest.max_bytes
    if path_trouble(name) or "/" in name or not is_picture(name) or is_litter(name) or is_unfinished(name):
        raise RefusedInputError(
            "a file of this name cannot be returned",
            name,
            allowed="one name that ends with .tif, .psd, .psb, .png, .jpg or .webp",
            next_step="Save it under another name.",
        )
    if not 0 < size_bytes <= most:
        raise RefusedInputError(
            "a file of this size cannot be returned",
            name,
            found=f"{size_bytes:,} bytes",
            allowed=f"1 to {most:,} bytes",
            next_step="Save it again: whole, and with fewer layers if it is too large.",
        )
    key = job_upload_key(shot, secrets.token_hex(8), name)
    with s3_errors(key):
        begun = _client().create_multipart_upload(
            Bucket=open_storage().bucket, Key=key, ContentType=content_type(PurePosixPath(name).name)
        )
    return Upload(
        shot=shot, name=name, key=key, upload_id=begun["UploadId"], size_bytes=size_bytes, part_size=PART_BYTES
    )


def is_under_way(upload: Upload) -> bool:
    """Return True if the storage still knows an upload: its parts were neither joined nor removed."""
    try:
        _parts(upload)
    except ObjectMissingError:
        return False
    return True


def missing_parts(upload: Upload) -> list[int]:
    """Return the numbers of the parts, from 1, that have not arrived, or have arrived with a wrong size.

    Raises:
        ObjectMissingError: the upload was finished or removed.
    """
    there = {number: part["Size"] for number, part in _parts(upload).items()}
    return [number for number in range(1, upload.parts + 1) if there.get(number) != upload.part_bytes(number)]


def part_links(upload: Upload, numbers: Iterable[int]) -> Mapping[int, str]:
    """Return presigned links by which a browser sends parts with PUT: part number -> link. They are valid for one hour.

    Args:
        numbers: of the parts, from 1.
    Raises:
        StorageDeniedError: there are no credentials to sign the links with.
    """
    client, bucket = connect_for_links(_unchecked()), open_storage().bucket
    with s3_errors(upload.key):
        return {
            number: client.generate_presigned_url(
                "upload_part",
                Params={"Bucket": bucket, "Key": upload.key, "UploadId": upload.upload_id, "PartNumber": number},
                ExpiresIn=LINK_S,
            )
            for number in numbers
        }


def finish_upload(upload: Upload) -> None:
    """Join the parts of an upload to one object in storage, under the upload's key.

    Raises:
        RefusedInputError: a part is missing, or has another size than announced.
        ObjectMissingError: the upload was finished or removed before.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    missing = missing_parts(upload)
    if missing:
        raise RefusedInputError(
            "the file has not arrived whole",
            upload.name,
            found=f"{len(missing)} of {upload.parts} parts are missing",
            next_step="Choose it again: it goes on where it stopped.",
        )
    parts = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in sorted(_parts(upload).items())]
    with s3_errors(upload.key):
        _client().complete_multipart_upload(
            Bucket=open_storage().bucket,
            Key=upload.key,
            UploadId=upload.upload_id,
            MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
        )


def abort_broken_off(*, before: datetime) -> int:
    """Remove the parts of editors' uploads that were never finished; return the number of these uploads.

    Without this, the bucket would keep the parts and charge for them for ever. They appear in no list of its objects.

    Args:
        before: only uploads that were begun before this time, with a time zone.
    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    client, bucket, gone = _client(), open_storage().bucket, 0
    with s3_errors(jobs_prefix()):
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=jobs_prefix())
        for one in [one for page in pages for one in page.get("Uploads", ())]:
            if is_upload(one["Key"]) and one["Initiated"] < before:
                client.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])
                gone += 1
    return gone


def checks_of(record: ShotRecord, upload: Upload) -> tuple[Finding, ...]:
    """Return the results of the machine's checks of an editor's finished picture, passed ones too.

    The same checks are made when the picture is handed in.

    Args:
        record: the shot's record.
        upload: the finished upload of the picture.
    Raises:
        RefusedInputError: the picture can't be read, or does not fit the shot's master.
        ObjectMissingError: the upload was not finished.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    return take_over(record, open_storage().get(upload.key), name=upload.name).checks


def storage_origin() -> str:
    """Return the address at which browsers reach the storage, such as ``https://s3.example.com``.

    It has scheme, host and port. A page must name it to be allowed to send files there. The result is empty if there
    are no credentials to sign links with.
    """
    try:
        address = urlsplit(link_to("any", expires_s=1))
    except StorageDeniedError:
        return ""
    return f"{address.scheme}://{address.netloc}"


def _parts(upload: Upload) -> dict[int, Any]:
    pages = (
        _client()
        .get_paginator("list_parts")
        .paginate(Bucket=open_storage().bucket, Key=upload.key, UploadId=upload.upload_id)
    )
    with s3_errors(upload.key):
        return {part["PartNumber"]: part for page in pages for part in page.get("Parts", ())}


def _client() -> S3Client:
    return connect(_unchecked())


def _unchecked() -> Settings:
    """Return the settings without checksums of boto3's own: a browser's parts have none, so the upload must not ask."""
    return get_settings().model_copy(update={"s3_checksums": "off"})
