from __future__ import annotations

import pickle

import pytest
from botocore import exceptions as botocore
from s3transfer.exceptions import RetriesExceededError

from packshot.errors import (
    ObjectMissingError,
    PackshotError,
    RecordConflictError,
    StorageDeniedError,
    StorageUnavailableError,
)
from tasks.storage.s3_errors import s3_errors


def answer(status: int, code: str) -> botocore.ClientError:
    response = {"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.ClientError(response, "PutObject")


CASES = [
    (answer(404, "NoSuchKey"), ObjectMissingError),
    (answer(404, "404"), ObjectMissingError),
    (answer(404, "NoSuchBucket"), StorageDeniedError),
    (answer(412, "PreconditionFailed"), RecordConflictError),
    (answer(409, "ConditionalRequestConflict"), RecordConflictError),
    (answer(503, "SlowDown"), StorageUnavailableError),
    (answer(429, "TooManyRequests"), StorageUnavailableError),
    (answer(500, "InternalError"), StorageUnavailableError),
    (answer(502, ""), StorageUnavailableError),
    (answer(501, "NotImplemented"), StorageDeniedError),
    (answer(507, "XMinioStorageFull"), StorageUnavailableError),
    (answer(403, "QuotaExceeded"), StorageUnavailableError),
    (answer(400, "BadDigest"), StorageUnavailableError),
    (answer(400, "RequestTimeout"), StorageUnavailableError),
    (answer(403, "AccessDenied"), StorageDeniedError),
    (answer(403, "SignatureDoesNotMatch"), StorageDeniedError),
    (answer(403, "RequestTimeTooSkewed"), StorageDeniedError),
    (answer(400, "EntityTooLarge"), StorageDeniedError),
    (botocore.EndpointConnectionError(endpoint_url="http://x"), StorageUnavailableError),
    (botocore.ConnectTimeoutError(endpoint_url="http://x"), StorageUnavailableError),
    (botocore.ReadTimeoutError(endpoint_url="http://x"), StorageUnavailableError),
    (botocore.ConnectionClosedError(endpoint_url="http://x"), StorageUnavailableError),
    (botocore.ResponseStreamingError(error="cut"), StorageUnavailableError),
    (botocore.IncompleteReadError(actual_bytes=1, expected_bytes=2), StorageUnavailableError),
    (botocore.FlexibleChecksumError(error_msg="bad checksum"), StorageUnavailableError),
    (RetriesExceededError(ValueError("cut")), StorageUnavailableError),
    (botocore.NoCredentialsError(), StorageDeniedError),
    (botocore.PartialCredentialsError(provider="env", cred_var="x"), StorageDeniedError),
    (botocore.ParamValidationError(report="bad"), StorageDeniedError),
]


@pytest.mark.parametrize(("raised", "expected"), CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_botocore_raises_becomes_ours_with_the_key(raised: Exception, expected: type[PackshotError]) -> None:
    with pytest.raises(expected, match="batches/a") as caught, s3_errors("batches/a"):
        raise raised
    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised
    assert ".." not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("full", [answer(507, ""), answer(507, "XMinioStorageFull"), answer(403, "QuotaExceeded")])
def test_a_full_storage_is_told_as_such_with_what_to_do(full: Exception) -> None:
    with pytest.raises(StorageUnavailableError, match=r"the storage is full.*Make room"), s3_errors("batches/a"):
        raise full


def test_other_errors_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), s3_errors("batches/a"):
        raise ZeroDivisionError
