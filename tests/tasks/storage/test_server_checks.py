"""The suite for S3 servers on the embedded one, and on servers that fail as others have."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from packshot.errors import StorageDeniedError
from tasks.storage.bucket import Storage
from tasks.storage.server_checks import broken_conditions, require_conditions
from tests.storage_suite import CHECKS, main, tried


@pytest.mark.parametrize("name", CHECKS)
def test_the_embedded_server_holds(name: str, storage: Storage) -> None:
    assert tried(CHECKS[name], storage) == ""
    assert not list(storage.list("")), "the check left objects behind"


class Broken:
    """A client whose server fails at conditions: it ignores them, or, if it `looks`, looks first and writes then."""

    def __init__(self, client: Any, *, looks: bool) -> None:
        self._client, self._looks = client, looks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, *, IfNoneMatch: str = "", IfMatch: str = "", **rest: Any) -> Any:  # noqa: N803
        if self._looks and (IfNoneMatch or IfMatch):
            found = self._etag(rest)
            if found is not None if IfNoneMatch else found != IfMatch:
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        return self._client.put_object(**rest)

    def copy_object(self, *, CopySourceIfMatch: str = "", **rest: Any) -> Any:  # noqa: N803
        return self._client.copy_object(**rest)

    def _etag(self, rest: dict[str, Any]) -> Any:
        try:
            return self._client.head_object(Bucket=rest["Bucket"], Key=rest["Key"])["ETag"]
        except ClientError:
            return None


def test_a_server_that_ignores_conditions_is_refused_with_a_sentence_for_each(storage: Storage) -> None:
    broken = Storage(Broken(storage._client, looks=False), bucket=storage.bucket)  # type: ignore[arg-type]
    assert [found.partition(":")[0] for found in broken_conditions(broken, rounds=1)] == list(CHECKS)[:5]
    with pytest.raises(StorageDeniedError, match="it accepted 32 instead of one") as refused:
        require_conditions(broken)
    assert storage._client.meta.endpoint_url in refused.value.subject
    assert not list(storage.list(""))


def test_a_server_that_looks_first_and_writes_then_fails_under_contention_only(storage: Storage) -> None:
    broken = Storage(Broken(storage._client, looks=True), bucket=storage.bucket)  # type: ignore[arg-type]
    found = " ".join(broken_conditions(broken))
    assert "If-None-Match, 32 at once: of 32 writes at once, it accepted" in found
    assert "If-Match, 32 at once: of 32 writes at once, it accepted" in found
    assert "an earlier version" not in found


def test_a_server_that_copies_whatever_version_is_there_fails_the_suite(storage: Storage) -> None:
    broken = Storage(Broken(storage._client, looks=False), bucket=storage.bucket)  # type: ignore[arg-type]
    said = tried(CHECKS["a copy of an earlier version is refused"], broken)
    assert said == "it copied an object although the etag was of an earlier version"


def test_a_user_runs_the_suite_on_a_server(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    """Two checks of it; all ran above."""
    fast = {name: CHECKS[name] for name in ("what was put is what is got", "folders are listed")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.storage_suite.CHECKS", fast)
        assert main() == 0
        patch.setitem(fast, "a check", lambda storage, prefix: "it does not hold")
        assert main() == 1
    said = capsys.readouterr().out
    assert "2 of 2 checks hold." in said
    assert "FAILED a check: it does not hold\n2 of 3 checks hold." in said
