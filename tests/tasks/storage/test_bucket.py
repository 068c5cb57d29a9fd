from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from packshot.errors import (
    ObjectMissingError,
    RecordConflictError,
    StorageDeniedError,
    StorageUnavailableError,
)
from packshot.naming import batch_id
from tasks.environment.settings import Settings
from tasks.storage.bucket import Storage, open_storage
from tasks.storage.requests import MULTIPART_FROM_BYTES

TEXT = "text/plain"
BINARY = "application/octet-stream"
BATCH = batch_id("acme", "spring")


def requests_of(storage: Storage) -> list[str]:
    """The operations that a storage sends from now on, by name, in order."""
    sent: list[str] = []
    events = storage._client.meta.events
    events.register("before-send.s3", lambda event_name, **_: sent.append(event_name.split(".")[-1]))
    return sent


def test_what_was_put_is_what_is_got(storage: Storage) -> None:
    info = storage.put("batches/a", b"hello", content_type=TEXT)
    assert storage.get("batches/a") == b"hello"
    assert info.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert storage.head("batches/a").model_copy(update={"modified": None}) == info


def test_a_new_object_is_one_request(storage: Storage) -> None:
    sent = requests_of(storage)
    storage.put("batches/a", b"hello", content_type=TEXT)
    assert sent == ["PutObject"]


def test_the_same_bytes_are_not_written_twice(storage: Storage) -> None:
    storage.put("batches/a", b"hello", content_type=TEXT)
    written = storage.head("batches/a")
    sent = requests_of(storage)
    assert storage.put("batches/a", b"hello", content_type=TEXT) == written
    assert sent == ["PutObject", "HeadObject"], "the first is refused by its condition"


def test_what_is_known_to_be_there_is_replaced_in_one_request(storage: Storage) -> None:
    storage.put("batches/a", b"hello", content_type=TEXT)
    sent = requests_of(storage)
    storage.put("batches/a", b"world", content_type=TEXT, replaces=True)
    assert sent == ["PutObject"]
    assert storage.get("batches/a") == b"world"


def test_what_is_usually_missing_is_asked_for_without_an_error(storage: Storage) -> None:
    statuses: list[int] = []
    storage._client.meta.events.register(
        "after-call.s3", lambda http_response, **_: statuses.append(http_response.status_code)
    )
    assert storage.get_if_there("batches/a") is None
    storage.put("batches/ab", b"another", content_type=TEXT)
    assert storage.get_if_there("batches/a") is None
    storage.put("batches/a", b"hello", content_type=TEXT)
    assert storage.get_if_there("batches/a") == b"hello"
    assert 404 not in statuses


def test_a_copy_is_made_once_and_has_the_hash(storage: Storage) -> None:
    sha256 = storage.put("batches/a", b"hello", content_type=TEXT).sha256
    copied = storage.copy_verified("batches/a", "deliveries/a", sha256=sha256, is_new=True)
    assert (copied.sha256, copied.content_type) == (sha256, TEXT)
    sent = requests_of(storage)
    assert storage.copy_verified("batches/a", "deliveries/a", sha256=sha256) == copied
    assert "CopyObject" not in sent


def test_other_bytes_replace_the_object(storage: Storage) -> None:
    storage.put("batches/a", b"hello", content_type=TEXT)
    storage.put("batches/a", b"world", content_type=TEXT)
    assert storage.get("batches/a") == b"world"


def test_big_objects_go_in_parts_and_come_back_whole(storage: Storage, tmp_path: Path) -> None:
    data = bytes(range(256)) * (MULTIPART_FROM_BYTES // 256 + 5)
    sent = requests_of(storage)
    info = storage.put("batches/big", data, content_type=BINARY)
    assert sent.count("UploadPart") == 3
    assert info.sha256 == hashlib.sha256(data).hexdigest()
    assert storage.get("batches/big") == data
    storage.get_file("batches/big", tmp_path / "sub" / "big")
    assert (tmp_path / "sub" / "big").read_bytes() == data
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["big"]


def test_a_file_is_stored_once(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    first = storage.put_file("batches/file", path, content_type=BINARY)
    sent = requests_of(storage)
    assert storage.put_file("batches/file", path, content_type=BINARY) == first
    assert sent == ["ListObjectsV2", "HeadObject"]


def test_a_missing_object_is_an_error_that_names_it(storage: Storage) -> None:
    for ask in (storage.get, storage.head):
        with pytest.raises(ObjectMissingError, match="batches/none"):
            ask("batches/none")
    assert not storage.exists("batches/none")


def test_a_missing_bucket_is_said_to_be_missing(s3_settings: Settings) -> None:
    with pytest.raises(StorageDeniedError, match="bucket does not exist"):
        open_storage(s3_settings.model_copy(update={"s3_bucket": "no-such-bucket"})).get("batches/a")


def test_wrong_credentials_are_a_refusal_not_an_outage(s3_settings: Settings) -> None:
    wrong = s3_settings.model_copy(update={"s3_secret_key": SecretStr("wrong-secret")})
    with pytest.raises(StorageDeniedError) as caught:
        open_storage(wrong).get("batches/a")
    assert "wrong-secret" not in str(caught.value)


def test_a_storage_that_does_not_listen_is_an_outage() -> None:
    nobody = Settings(s3_endpoint_url="http://127.0.0.1:9", s3_access_key="a", s3_secret_key="b")
    with pytest.raises(StorageUnavailableError, match="batches/a"):
        open_storage(nobody).get("batches/a")


def test_bytes_that_do_not_match_their_hash_are_never_handed_out(storage: Storage, tmp_path: Path) -> None:
    storage._client.put_object(
        Bucket=storage.bucket, Key="batches/bad", Body=b"garbled", Metadata={"sha256": hashlib.sha256(b"x").hexdigest()}
    )
    with pytest.raises(StorageUnavailableError, match="not the bytes that were written"):
        storage.get("batches/bad")
    with pytest.raises(StorageUnavailableError, match="not the bytes that were written"):
        storage.get_file("batches/bad", tmp_path / "bad")
    assert list(tmp_path.glob("bad*")) == []


def test_listing_goes_over_pages_and_leaves_out_folders(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: storage.put_if_absent(f"jobs/{n:04}", b"x", content_type=TEXT), range(1005)))
    storage._client.put_object(Bucket=storage.bucket, Key="jobs/folder/", Body=b"")
    storage.put("batches/other", b"x", content_type=TEXT)
    assert [info.key for info in storage.list("jobs/")] == [f"jobs/{n:04}" for n in range(1005)]


def test_a_free_key_is_taken_by_exactly_one(storage: Storage) -> None:
    start = threading.Barrier(16)

    def take(who: int) -> bool:
        start.wait()
        try:
            storage.put_if_absent("batches/one", str(who).encode(), content_type=TEXT)
        except RecordConflictError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = [who for who, took in enumerate(pool.map(take, range(16))) if took]
    assert len(won) == 1
    assert storage.get("batches/one") == str(won[0]).encode()


def test_an_object_that_changed_is_not_replaced(storage: Storage) -> None:
    first = storage.put_if_absent("batches/r", b"1", content_type=TEXT)
    second = storage.replace_if("batches/r", b"2", etag=first.etag, content_type=TEXT)
    with pytest.raises(RecordConflictError):
        storage.replace_if("batches/r", b"3", etag=first.etag, content_type=TEXT)
    assert storage.get_with_etag("batches/r") == (b"2", second.etag)


@pytest.mark.parametrize("key", ["batches/new", "batches/old"])
def test_a_write_whose_answer_was_lost_is_not_taken_for_a_conflict(storage: Storage, key: str) -> None:
    etag = storage.put_if_absent("batches/old", b"1", content_type=TEXT).etag
    sent = requests_of(storage)
    events = storage._client.meta.events
    events.register("needs-retry.s3.PutObject", send_again_once, unique_id="lost")
    try:
        if key == "batches/old":
            storage.replace_if(key, b"2", etag=etag, content_type=TEXT)
        else:
            storage.put_if_absent(key, b"2", content_type=TEXT)
    finally:
        events.unregister("needs-retry.s3.PutObject", unique_id="lost")
    assert sent == ["PutObject", "PutObject", "HeadObject"]
    assert storage.get(key) == b"2"


def send_again_once(attempts: int, **_: object) -> int | None:
    """Make the client behave as if the first answer had not arrived."""
    return 0 if attempts == 1 else None


def test_a_copy_is_made_once_and_follows_its_source(storage: Storage) -> None:
    storage.put("batches/source", b"one", content_type=TEXT)
    first = storage.copy("batches/source", "deliveries/copy")
    assert (first.sha256, first.content_type) == (hashlib.sha256(b"one").hexdigest(), TEXT)
    sent = requests_of(storage)
    storage.copy("batches/source", "deliveries/copy")
    assert "CopyObject" not in sent
    storage.put("batches/source", b"two", content_type=TEXT)
    storage.copy("batches/source", "deliveries/copy")
    assert storage.get("deliveries/copy") == b"two"


def test_the_inbox_cannot_be_written(storage: Storage, tmp_path: Path) -> None:
    storage.put("batches/a", b"x", content_type=TEXT)
    (tmp_path / "f").write_bytes(b"x")
    key = "inbox/acme/spring/a.jpg"
    for write in (
        lambda: storage.put(key, b"x", content_type=TEXT),
        lambda: storage.put_file(key, tmp_path / "f", content_type=TEXT),
        lambda: storage.put_if_absent(key, b"x", content_type=TEXT),
        lambda: storage.replace_if(key, b"x", etag='"x"', content_type=TEXT),
        lambda: storage.copy("batches/a", key),
        lambda: storage.copy_verified("batches/a", key, sha256=hashlib.sha256(b"x").hexdigest()),
    ):
        with pytest.raises(StorageDeniedError, match="read-only"):
            write()
    assert list(storage.list("inbox/")) == []


def test_folders_are_named_once_however_much_they_hold_and_files_are_none(storage: Storage) -> None:
    for key in ("a/1/x", "a/1/y", "a/2/deep/z", "a/file", "b/3/x"):
        storage.put(key, b"1", content_type="text/plain")
    assert list(storage.folders("a/")) == ["1", "2"]
    assert list(storage.folders("nothing/")) == []


def test_storage_says_when_an_object_was_written(storage: Storage) -> None:
    storage.put("a", b"1", content_type="text/plain")
    written = storage.head("a").modified
    assert written is not None
    assert [one.modified for one in storage.list("a")] == [written]


def test_threads_share_the_connections_of_a_process(storage: Storage) -> None:
    assert open_storage()._client is storage._client


def test_the_same_bytes_of_another_type_are_written_again(storage: Storage) -> None:
    storage.put("batches/a", b"{}", content_type=TEXT)
    storage.put("batches/a", b"{}", content_type="application/json")
    assert storage.head("batches/a").content_type == "application/json"


def test_a_file_that_another_program_replaces_in_that_moment_is_not_taken_for_stored(
    s3_settings: Settings, storage: Storage, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"mine")

    def interfere(**said: object) -> None:
        storage._client.put_object(Bucket=storage.bucket, Key="batches/a", Body=b"theirs")

    mine = open_storage(s3_settings.model_copy(update={"s3_connections": 3}))
    assert mine._client is not storage._client
    mine._client.meta.events.register("after-call.s3.PutObject", interfere)
    with pytest.raises(StorageUnavailableError, match="not the one just written"):
        mine.put_file("batches/a", tmp_path / "f", content_type=TEXT)
    assert storage.get("batches/a") == b"theirs"


@pytest.mark.parametrize(("operation", "n_bytes"), [("PutObject", 5), ("UploadPart", MULTIPART_FROM_BYTES)])
def test_bytes_are_sent_with_their_sha256_whole_or_in_parts(storage: Storage, operation: str, n_bytes: int) -> None:
    sent: list[dict[str, str]] = []
    events = storage._client.meta.events
    events.register(f"before-send.s3.{operation}", lambda request, **_: sent.append(dict(request.headers)))
    storage.put("batches/a", b"x" * n_bytes, content_type=BINARY)
    heads = [{name.lower() for name in one} | {str(one.get("X-Amz-Trailer", "")).lower()} for one in sent]
    assert heads
    assert all("x-amz-checksum-sha256" in one for one in heads)
