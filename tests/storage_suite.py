"""What Packshot needs of an S3 server, tried on yours: ``python -m tests.storage_suite``.

The server is that of the settings: PACKSHOT_S3_ENDPOINT_URL, PACKSHOT_S3_ACCESS_KEY, PACKSHOT_S3_SECRET_KEY,
PACKSHOT_S3_REGION, PACKSHOT_S3_BUCKET. The bucket must be there. All objects lie below ``batches/suite-...`` and
``leases/probe-...``, and are removed at the end. The exit status is not 0 if a check fails.
"""

from __future__ import annotations

import hashlib
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

from botocore.exceptions import ClientError

from packshot.errors import ObjectMissingError, PackshotError
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.links import link_to
from tasks.storage.requests import MULTIPART_FROM_BYTES
from tasks.storage.server_checks import CONDITIONS, clock_skew_s

MOST_SKEW_S = 60
BINARY = "application/octet-stream"
Check = Callable[[Storage, str], str]
"""Given a storage and a prefix of its own; returns an empty text, or what is wrong."""


def what_was_put_is_what_is_got(storage: Storage, prefix: str) -> str:
    for size in (0, 1, 100_000):
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        storage.put(f"{prefix}{size}", data, content_type=BINARY)
        if storage.get(f"{prefix}{size}") != data:
            return f"an object of {size} bytes came back changed"
    return ""


def metadata_and_type_are_kept(storage: Storage, prefix: str) -> str:
    put = storage.put(f"{prefix}a", b"hello", content_type="text/plain")
    found = storage.head(f"{prefix}a")
    wanted = (hashlib.sha256(b"hello").hexdigest(), "text/plain", put.etag)
    return "" if (found.sha256, found.content_type, found.etag) == wanted else f"HEAD says {found}"


def a_missing_object_is_said_to_be_missing(storage: Storage, prefix: str) -> str:
    with suppress(ObjectMissingError):
        storage.head(f"{prefix}none")
        return "HEAD of an object that is not there succeeds"
    return ""


def garbled_bytes_are_refused(storage: Storage, prefix: str) -> str:
    wrong = "A" * 43 + "="  # the checksum of other bytes
    with suppress(ClientError):
        storage._client.put_object(Bucket=storage.bucket, Key=f"{prefix}a", Body=b"hello", ChecksumSHA256=wrong)
        return "it stored bytes that do not have the checksum they were sent with"
    return ""


def big_objects_go_in_parts(storage: Storage, prefix: str) -> str:
    data = bytes(range(256)) * (MULTIPART_FROM_BYTES // 256 + 5)
    storage.put(f"{prefix}big", data, content_type=BINARY)
    found = storage.head(f"{prefix}big").sha256
    return "" if storage.get(f"{prefix}big") == data and found else "an object sent in parts came back changed"


def a_copy_has_the_same_bytes(storage: Storage, prefix: str) -> str:
    storage.put(f"{prefix}a", b"hello", content_type="text/plain")
    storage.copy(f"{prefix}a", f"{prefix}b")
    return "" if storage.get(f"{prefix}b") == b"hello" else "a copy made in the storage differs"


def a_copy_of_an_earlier_version_is_refused(storage: Storage, prefix: str) -> str:
    earlier = storage.put(f"{prefix}a", b"hello", content_type="text/plain").etag
    storage.put(f"{prefix}a", b"other", content_type="text/plain", replaces=True)
    source = {"Bucket": storage.bucket, "Key": f"{prefix}a"}
    with suppress(ClientError):
        storage._client.copy_object(
            Bucket=storage.bucket, Key=f"{prefix}b", CopySource=source, CopySourceIfMatch=earlier
        )
        return "it copied an object although the etag was of an earlier version"
    return "it refused a copy, but made it" if storage.exists(f"{prefix}b") else ""


def odd_names_work(storage: Storage, prefix: str) -> str:
    names = ["a b", "ä", "a+b", "a%20b", "a&b=c", "日本", "sub/a'b(c)"]
    for name in names:
        storage.put(prefix + name, name.encode(), content_type="text/plain")
    found = {one.key.removeprefix(prefix) for one in storage.list(prefix)}
    wrong = [name for name in names if name not in found or storage.get(prefix + name) != name.encode()]
    return f"lost or changed under these names: {wrong}" if wrong else ""


def more_than_a_page_is_listed_whole_in_order(storage: Storage, prefix: str) -> str:
    names = [f"{prefix}{number:04}" for number in range(1005)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: storage._client.put_object(Bucket=storage.bucket, Key=key, Body=b"x"), names))
    found = [one.key for one in storage.list(prefix)]
    if found != names:
        return (
            f"of {len(names)} objects {len(set(found))} were listed, {'not ' if found != sorted(found) else ''}in order"
        )
    return ""


def folders_are_listed(storage: Storage, prefix: str) -> str:
    for name in ("a/1", "a/2", "b/c/3", "d"):
        storage.put(prefix + name, b"x", content_type=BINARY)
    found = list(storage.folders(prefix))
    return "" if found == ["a", "b"] else f"the folders are {found} instead of a, b"


def what_was_written_is_listed_at_once(storage: Storage, prefix: str) -> str:
    for number in range(20):
        storage.put(f"{prefix}{number}", b"x", content_type=BINARY)
        if len(list(storage.list(prefix))) != number + 1:
            return "an object that had been written was not listed right after"
    return ""


def a_signed_link_is_readable_and_only_it(storage: Storage, prefix: str) -> str:
    storage.put(f"{prefix}a", b"hello", content_type="text/plain")
    link = link_to(f"{prefix}a", expires_s=60)
    with urllib.request.urlopen(link, timeout=60) as answer:
        if answer.read() != b"hello":
            return "a signed link leads to other bytes"
    with suppress(OSError):
        urllib.request.urlopen(link.partition("?")[0], timeout=60).close()
        return "an object can be read without a signature"
    return ""


def the_age_of_an_object_is_told(storage: Storage, prefix: str) -> str:
    storage.put(f"{prefix}a", b"hello", content_type="text/plain")
    time.sleep(2.1)  # whole seconds are told
    age = storage.get_with_age(f"{prefix}a")[2]
    fits = timedelta(seconds=1) <= age <= timedelta(minutes=1)
    return "" if fits else f"an object of 2 s is said to be {age.total_seconds():.0f} s old, by Date and Last-Modified"


def the_clocks_agree(storage: Storage, prefix: str) -> str:
    skew = clock_skew_s(storage)
    if skew is None:
        return "its answers have no Date"
    return "" if abs(skew) <= MOST_SKEW_S else f"this machine's clock is {skew:.0f} s ahead"


def _conditional(check: Callable[[Storage], str]) -> Check:
    return lambda storage, prefix: check(storage)


CHECKS: dict[str, Check] = {
    **{name: _conditional(check) for name, check in CONDITIONS.items()},
    **{
        check.__name__.replace("_", " "): check
        for check in (
            what_was_put_is_what_is_got,
            metadata_and_type_are_kept,
            a_missing_object_is_said_to_be_missing,
            garbled_bytes_are_refused,
            big_objects_go_in_parts,
            a_copy_has_the_same_bytes,
            a_copy_of_an_earlier_version_is_refused,
            odd_names_work,
            more_than_a_page_is_listed_whole_in_order,
            folders_are_listed,
            what_was_written_is_listed_at_once,
            a_signed_link_is_readable_and_only_it,
            the_age_of_an_object_is_told,
            the_clocks_agree,
        )
    },
}


def tried(check: Check, storage: Storage) -> str:
    """Return what is wrong; objects of the check are removed."""
    prefix = f"batches/suite-{uuid.uuid4().hex}/"
    try:
        return check(storage, prefix)
    except (PackshotError, ClientError, OSError) as error:
        return str(error)
    finally:
        _remove(storage, [one.key for one in storage.list(prefix)])


def _remove(storage: Storage, keys: list[str]) -> None:
    """Remove objects, 1,000 in a request."""
    for first in range(0, len(keys), 1000):
        found = [{"Key": key} for key in keys[first : first + 1000]]
        storage._client.delete_objects(Bucket=storage.bucket, Delete={"Objects": found})  # type: ignore[typeddict-item]


def main() -> int:
    """Try all; return 0 if all hold."""
    storage, failed = open_storage(), 0
    for name, check in CHECKS.items():
        trouble = tried(check, storage)
        failed += bool(trouble)
        sys.stdout.write(f"{'FAILED' if trouble else 'ok':7}{name}{': ' + trouble if trouble else ''}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(CHECKS) - failed} of {len(CHECKS)} checks hold.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
