"""The commands that need storage, on a real S3 server: what they print and which status they end with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments import command_line
from infra.local.processes import free_ports
from infra.local.s3 import S3Access
from packshot.batch import BatchRecord, ShotRef
from packshot.cli.ending import EXIT_STATUSES, Exit
from packshot.keys import inbox_key, inbox_prefix
from packshot.naming import BatchId, batch_id
from packshot.record import ShotRecord, Source, State
from tasks.environment.settings import get_settings
from tasks.records.stored import create_batch, create_record
from tasks.storage.bucket import Storage, open_storage
from tests.terminal import packshot

BUCKET = f"packshot-test-{uuid.uuid4().hex[:8]}"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def storage(s3_server: S3Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """A bucket on the real server that the commands use too."""
    monkeypatch.setenv("PACKSHOT_S3_ENDPOINT_URL", s3_server.endpoint_url)
    monkeypatch.setenv("PACKSHOT_S3_ACCESS_KEY", s3_server.access_key)
    monkeypatch.setenv("PACKSHOT_S3_SECRET_KEY", s3_server.secret_key)
    monkeypatch.setenv("PACKSHOT_S3_REGION", s3_server.region)
    monkeypatch.setenv("PACKSHOT_S3_BUCKET", BUCKET)
    monkeypatch.setenv("COLUMNS", "200")
    opened = open_storage()
    opened.ensure_bucket()
    return opened


@pytest.fixture
def batch() -> BatchId:
    """A batch that no other test has, of a client that has a style guide."""
    return batch_id("demo", f"b{uuid.uuid4().hex[:8]}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a photograph, one below it, and a manifest."""
    folder = tmp_path / "photographs"
    (folder / "details").mkdir(parents=True)
    (folder / "A1_MAIN.jpg").write_bytes(b"first")
    (folder / "details" / "A1_PT01.jpg").write_bytes(b"second")
    (folder / "manifest.csv").write_text("file,sku\nA1_MAIN.jpg,A1\n")
    return folder


@pytest.fixture
def names(batch: BatchId) -> tuple[str, ...]:
    return ("--client", batch.client, "--batch", batch.batch)


def processed(batch: BatchId, **states: State) -> None:
    """Records of a batch whose shots have come to these states."""
    refs = []
    for name, state in states.items():
        shot = batch.shot(name)
        key = inbox_key(batch, f"{name}.jpg")
        refs.append(ShotRef(shot=shot, path=f"{name}.jpg", key=key, etag="0", size_bytes=1))
        record = ShotRecord(shot=shot, source=Source(key=key, sha256="", size_bytes=1))
        path = {
            State.REFUSED: [State.REFUSED],
            State.AWAITING_EDITOR: [State.MASTERED, State.ROUTED, State.AWAITING_EDITOR],
            State.FAILED: [State.MASTERED, State.FAILED],
        }[state]
        for step in path:
            record = record.advance(step, at=NOW, actor="test", why=f"{name} is {step}")
        create_record(record)
    create_batch(BatchRecord(batch=batch, received_at=NOW, shots=tuple(refs)))


def test_submit_uploads_a_folder_and_closes_the_batch(
    storage: Storage, batch: BatchId, folder: Path, names: tuple[str, ...]
) -> None:
    said = packshot("batch", "submit", folder, *names)
    assert said.status == Exit.OK
    assert f"{batch}: 3 files uploaded and the batch closed" in said.out
    keys = [info.key.removeprefix(inbox_prefix(batch)) for info in storage.list(inbox_prefix(batch))]
    assert sorted(keys) == ["A1_MAIN.jpg", "READY", "details/A1_PT01.jpg", "manifest.csv"]
    assert storage.get(inbox_key(batch, "details/A1_PT01.jpg")) == b"second"


@pytest.mark.parametrize(("client", "meant"), [("exampel", " (did you mean example?)"), ("northwind", "")])
def test_without_a_terminal_an_unknown_client_is_refused_unless_it_is_said_to_be_new(
    storage: Storage, folder: Path, client: str, meant: str
) -> None:
    """A script with a misspelt name had its whole shoot done by the default style guide: there was nobody to ask."""
    batch = batch_id(client, uuid.uuid4().hex[:8])
    named = ("--client", client, "--batch", batch.batch)
    for words in (("submit", folder), ("invite",)):
        said = packshot("batch", *words, *named)
        assert said.status == Exit.CONFIG, words
        assert f"{client}: this client has no style guide; allowed default, demo, example{meant}." in said.error
        assert f"write configs/clients/{client}.yaml" in said.error
        assert "add --new-client" in said.error
        assert said.out == ""
    assert not list(storage.list(inbox_prefix(batch)))
    for words in (("submit", folder), ("invite",)):
        said = packshot("batch", *words, *named, "--new-client")
        assert said.status == Exit.OK, words
        assert f"{client!r} has no style guide{meant}. The default one will be used." in said.error
    assert len(list(storage.list(inbox_prefix(batch)))) == 4


@pytest.mark.parametrize("words", [("submit",), ("invite",)])
@pytest.mark.parametrize("option", [[], ["--new-client"]])
def test_a_client_with_a_style_guide_is_taken_without_a_word(
    storage: Storage, batch: BatchId, folder: Path, names: tuple[str, ...], words: tuple[str], option: list[str]
) -> None:
    said = packshot("batch", *words, *([folder] if words == ("submit",) else []), *names, *option)
    assert (said.status, said.error) == (Exit.OK, "")


def test_a_style_guide_that_is_wrong_is_said_where_work_for_its_client_begins(
    storage: Storage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was said to be missing, and that the default one would be used."""
    configs = Path(shutil.copytree(get_settings().configs, tmp_path / "configs"))
    (configs / "clients" / "slipped.yaml").write_text("title: Slipped\nplatfroms: [shopify]\n", encoding="utf-8")
    monkeypatch.setenv("PACKSHOT_CONFIGS", str(configs))
    name = uuid.uuid4().hex[:8]
    for words in (("submit", folder), ("invite",)):
        said = packshot("batch", *words, "--client", "slipped", "--batch", name)
        assert said.status == Exit.OK
        for part in ("The style guide of 'slipped' is wrong", "slipped.yaml", "platfroms"):
            assert part in said.error, words
        assert "default one" not in said.error


def test_a_person_who_says_that_a_client_is_new_is_not_asked(storage: Storage, folder: Path) -> None:
    batch = batch_id("exampel", uuid.uuid4().hex[:8])
    named = ("--client", batch.client, "--batch", batch.batch, "--new-client")
    said = packshot("batch", "submit", folder, *named, typed=True)
    assert said.status == Exit.OK
    assert "Submit all the same?" not in said.error


@pytest.mark.parametrize("answer", ["n\n", "y\n"])
def test_a_person_at_a_terminal_is_asked_whether_an_unknown_client_is_meant(
    storage: Storage, folder: Path, answer: str
) -> None:
    batch = batch_id("exampel", uuid.uuid4().hex[:8])
    said = packshot(
        "batch", "submit", folder, "--client", batch.client, "--batch", batch.batch, said=answer, typed=True
    )
    assert "did you mean example?" in said.error
    assert "Submit all the same?" in said.error
    assert (said.status == Exit.OK) is (answer == "y\n")
    assert bool(list(storage.list(inbox_prefix(batch)))) is (answer == "y\n")


def test_submit_prints_json_and_nothing_else_when_asked(
    storage: Storage, batch: BatchId, folder: Path, names: tuple[str, ...]
) -> None:
    said = packshot("batch", "submit", folder, *names, "--json")
    assert json.loads(said.out) == {"client": batch.client, "batch": batch.batch, "files": 3, "left_out": {}}


def test_submitting_the_same_folder_again_changes_nothing(
    storage: Storage, batch: BatchId, folder: Path, names: tuple[str, ...]
) -> None:
    packshot("batch", "submit", folder, *names)
    before = list(storage.list(inbox_prefix(batch)))
    assert packshot("batch", "submit", folder, *names).status == Exit.OK
    assert list(storage.list(inbox_prefix(batch))) == before


def test_a_closed_batch_takes_no_changed_file(
    storage: Storage, batch: BatchId, folder: Path, names: tuple[str, ...]
) -> None:
    packshot("batch", "submit", folder, *names)
    (folder / "A1_MAIN.jpg").write_bytes(b"another")
    said = packshot("batch", "submit", folder, *names)
    assert said.status == Exit.ERROR
    assert inbox_key(batch, "A1_MAIN.jpg") in said.error
    assert "Submit the file in a new batch." in said.error
    assert storage.get(inbox_key(batch, "A1_MAIN.jpg")) == b"first"


def test_a_folder_without_files_is_an_error_that_says_what_to_do(
    storage: Storage, tmp_path: Path, names: tuple[str, ...]
) -> None:
    (tmp_path / "empty").mkdir()
    said = packshot("batch", "submit", tmp_path / "empty", *names)
    assert said.status == Exit.ERROR
    assert "there are no files to submit" in said.error
    assert "Name the folder that holds them." in said.error


@pytest.mark.parametrize("name", ["../other", "a b", "", ".hidden"])
def test_a_name_that_cannot_stand_in_a_key_is_an_error(storage: Storage, folder: Path, name: str) -> None:
    said = packshot("batch", "submit", folder, "--client", "acme", "--batch", name)
    assert said.status == Exit.ERROR
    assert "this batch cannot be used in a storage key" in said.error
    assert "Rename the batch." in said.error


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path, names: tuple[str, ...]) -> None:
    said = packshot("batch", "submit", tmp_path / "nowhere", *names)
    assert said.status == Exit.USAGE
    assert "nowhere" in said.error


def test_a_missing_option_is_a_usage_error() -> None:
    said = packshot("batch", "status", "--client", "acme")
    assert said.status == Exit.USAGE
    assert "--batch" in said.error


def test_status_says_what_became_of_every_photograph(storage: Storage, batch: BatchId, names: tuple[str, ...]) -> None:
    processed(batch, GOOD=State.AWAITING_EDITOR, SMALL=State.REFUSED)
    said = packshot("batch", "status", *names)
    assert said.status == Exit.OK
    assert "2 photographs: 0 delivered, 1 waiting, 1 refused, 0 failed" in said.out
    for part in ("GOOD", "waiting", "GOOD is awaiting_editor", "SMALL", "refused"):
        assert part in said.out


def test_status_as_json_adds_up(storage: Storage, batch: BatchId, names: tuple[str, ...]) -> None:
    processed(batch, GOOD=State.AWAITING_EDITOR, SMALL=State.REFUSED)
    told = json.loads(packshot("batch", "status", *names, "--json").out)
    assert told["counts"] == {"delivered": 0, "waiting": 1, "refused": 1, "failed": 0}
    assert {fate["shot"]: fate["kind"] for fate in told["fates"]} == {"GOOD": "waiting", "SMALL": "refused"}


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_status_ends_with_1_when_a_shot_failed(
    storage: Storage, batch: BatchId, names: tuple[str, ...], option: list[str]
) -> None:
    processed(batch, GOOD=State.AWAITING_EDITOR, BAD=State.FAILED)
    said = packshot("batch", "status", *names, *option)
    assert said.status == Exit.NOT_ALL_WELL
    assert "BAD is failed" in said.out


def test_status_of_a_batch_that_is_not_there_is_an_error_that_names_it(
    storage: Storage, batch: BatchId, names: tuple[str, ...]
) -> None:
    said = packshot("batch", "status", *names)
    assert said.status == Exit.ERROR
    assert str(batch) in said.error


def test_a_storage_that_does_not_answer_is_a_transient_error(
    storage: Storage, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKSHOT_S3_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    said = packshot("batch", "status", *names)
    assert said.status == Exit.TRANSIENT
    assert "PACKSHOT_S3_ENDPOINT_URL" in said.error


def test_a_wrong_variable_is_named_and_its_value_never_shown(
    storage: Storage, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PACKSHOT_S3_ACCESS_KEY")
    said = packshot("batch", "status", *names)
    assert said.status == Exit.CONFIG
    assert "PACKSHOT_S3_ACCESS_KEY" in said.error
    assert os.environ["PACKSHOT_S3_SECRET_KEY"] not in said.err


@pytest.mark.parametrize(("set_by_the_user", "used"), [(None, "2"), ("7", "7")])
def test_a_command_does_not_ask_a_server_that_cannot_answer_for_a_minute(
    monkeypatch: pytest.MonkeyPatch, set_by_the_user: str | None, used: str
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ) | {"PREFECT_CLIENT_MAX_RETRIES": set_by_the_user or ""})
    if set_by_the_user is None:
        del os.environ["PREFECT_CLIENT_MAX_RETRIES"]
    monkeypatch.setattr(sys, "argv", ["packshot", "--help"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 0
    assert os.environ["PREFECT_CLIENT_MAX_RETRIES"] == used


def test_every_exit_status_stands_in_the_help() -> None:
    said = packshot("--help")
    text = " ".join(said.out.split())
    for code, meaning in EXIT_STATUSES.items():
        assert f"{code.value} {meaning}" in text


def test_the_installed_command_ends_its_process_with_the_status(storage: Storage, names: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", "from deployments.command_line import main; main()", "batch", "status", *names]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == Exit.ERROR
    assert ended.stderr.startswith("packshot: ")
    assert "Traceback" not in ended.stderr
