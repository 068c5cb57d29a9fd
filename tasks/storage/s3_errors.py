"""Translate errors of botocore, the library below boto3, into Packshot's own.

No other module knows botocore's errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ResponseStreamingError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from s3transfer.exceptions import RetriesExceededError

from packshot.errors import (
    ObjectMissingError,
    PackshotError,
    RecordConflictError,
    StorageDeniedError,
    StorageUnavailableError,
)

BROKEN_OFF = (ResponseStreamingError, IncompleteReadError)
"""What the client raises if an object's bytes break off on the way. It does not ask for them again by itself."""

_MISSING = frozenset({"NoSuchKey", "NoSuchUpload", "NotFound", "NoSuchVersion", "404"})
_CONFLICT = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
_OVERLOADED = frozenset(
    {
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "RequestTimeout",
    }
)
_FULL = frozenset({"XMinioStorageFull", "InsufficientStorage", "QuotaExceeded"})
_GARBLED = frozenset({"BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"})

_IF_DAMAGED = (
    "A task tries again by itself. If it happens often, look at the network between this machine and the storage."
)


@contextmanager
def s3_errors(subject: str) -> Iterator[None]:
    """Return a context manager. A botocore error in its block is raised as one of Packshot's own errors instead.

    Args:
        subject: the key or bucket that the request is about, for the message.
    Raises:
        ObjectMissingError: there is no such object.
        RecordConflictError: a condition (If-Match, If-None-Match) was not met: somebody else wrote first.
        StorageUnavailableError: no answer, a status of 500 or more, overload, a full disk, or damaged bytes. Transient.
        StorageDeniedError: wrong credentials, bucket or permission, or a request that the storage doesn't support.
    """
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, subject) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StorageDeniedError(
            "no complete credentials for the storage",
            subject,
            found=_words(error),
            next_step="Set PACKSHOT_S3_ACCESS_KEY and PACKSHOT_S3_SECRET_KEY.",
        ) from error
    except (HTTPClientError, BotoConnectionError, IncompleteReadError, RetriesExceededError) as error:
        raise StorageUnavailableError(
            "the storage did not answer, or its answer broke off",
            subject,
            found=_words(error),
            next_step="Check that it runs and that PACKSHOT_S3_ENDPOINT_URL is its address.",
        ) from error
    except FlexibleChecksumError as error:
        raise StorageUnavailableError(
            "the bytes were damaged during the transfer", subject, found=_words(error), next_step=_IF_DAMAGED
        ) from error
    except BotoCoreError as error:
        raise StorageDeniedError(
            "the request could not be made",
            subject,
            found=_words(error),
            next_step="Check the PACKSHOT_S3_ variables: packshot doctor tries them.",
        ) from error


def _words(error: Exception) -> str:
    return str(error).strip().rstrip(".")


def _from_answer(error: ClientError, subject: str) -> PackshotError:
    """Return the error that corresponds to an error response of the storage."""
    answer = error.response.get("Error", {})
    code, text = str(answer.get("Code", "")), str(answer.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    found = f"{status} {code}: {text}".rstrip(".: ")
    if code == "NoSuchBucket":
        return StorageDeniedError(
            "the bucket does not exist", subject, found=found, next_step="Create it or correct PACKSHOT_S3_BUCKET."
        )
    if code in _MISSING:
        return ObjectMissingError(
            "there is no such object in storage",
            subject,
            next_step="Restore it from the bucket's versions or a backup, or correct the name.",
        )
    if code in _CONFLICT:
        return RecordConflictError(
            "somebody else changed the object first", subject, next_step="Try again: the next try reads it anew."
        )
    if code in _FULL or status == 507:
        return StorageUnavailableError(
            "the storage is full", subject, found=found, next_step="Make room. Failed work is then tried again."
        )
    if "checksum" in text.lower() and code not in _GARBLED and status in (400, 501):
        return StorageDeniedError(
            "the storage does not accept checksum headers",
            subject,
            found=found,
            next_step="Set PACKSHOT_S3_CHECKSUMS=off, or use a storage that accepts them; see docs/settings.md.",
        )
    if code == "NotImplemented" or status == 501:
        return StorageDeniedError(
            "the storage lacks a feature that Packshot needs",
            subject,
            found=found,
            next_step="Use another S3 server or version; docs/settings.md lists what it needs.",
        )
    if code in _OVERLOADED or status >= 500:
        return StorageUnavailableError(
            "the storage is overloaded or broken",
            subject,
            found=found,
            next_step="Failed work is tried again. If it lasts: has the storage's disk room? packshot status, doctor.",
        )
    if code in _GARBLED:
        return StorageUnavailableError(
            "the bytes were damaged during the transfer", subject, found=found, next_step=_IF_DAMAGED
        )
    return StorageDeniedError(
        "the storage refused the request",
        subject,
        found=found,
        next_step="Check credentials, permissions on the bucket and this machine's clock.",
    )
