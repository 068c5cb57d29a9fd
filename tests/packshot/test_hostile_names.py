"""One rule for names, and nothing gets round it: keys, ids, forms, the inbox, the hot folder, archives."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from flows.parameters import BatchName, ClientName, ShotName
from packshot import keys, naming
from packshot.errors import NamingError
from packshot.export.package import write_package
from packshot.ingest.stock import MISNAMED, StockedFile, take_stock
from packshot.naming import BatchId, ShotId
from tests.hostile_names import GOOD_NAMES, GOOD_PATHS, NAMES, PATHS

BATCH = BatchId(client="acme", batch="spring")
PIECES = st.sampled_from(["..", ".", "/", "\\", "%2e", "%2f", "%25", "a", "é", " ", "\n", "\u202e", "C:", ""])


@pytest.mark.parametrize("name", NAMES)
def test_no_id_has_a_name_that_leads_elsewhere(name: str) -> None:
    assert not naming.is_name(name)
    for make in (
        lambda: BatchId(client=name, batch="b"),
        lambda: BatchId(client="c", batch=name),
        lambda: ShotId(client="c", batch="b", shot=name),
        lambda: BATCH.shot(name),
        lambda: naming.batch_id(name, "b"),
    ):
        with pytest.raises(NamingError, match="cannot be used in a storage key"):
            make()


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_good_name_stands_in_every_id(name: str) -> None:
    assert str(naming.batch_id(name, name).shot(name)) == f"{name}/{name}/{name}"


@pytest.mark.parametrize("form", [ClientName, BatchName, ShotName])
@pytest.mark.parametrize("name", NAMES)
def test_no_form_takes_a_name_that_leads_elsewhere(form: Any, name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(form).validate_python(name)


@pytest.mark.parametrize("form", [ClientName, BatchName, ShotName])
@pytest.mark.parametrize("name", GOOD_NAMES)
def test_every_form_takes_a_good_name(form: Any, name: str) -> None:
    assert TypeAdapter(form).validate_python(name) == name


@pytest.mark.parametrize("name", NAMES)
def test_no_key_makes_an_id_of_a_name_that_leads_elsewhere(name: str) -> None:
    assert keys.batch_from_record_key(f"batches/{name}/b/batch.json") is None
    for read, found in {
        keys.batch_from_ready_key: (f"inbox/{name}/b/READY", f"inbox/a/{name}/READY"),
        keys.shot_from_returned_key: (f"jobs/a/b/{name}/returned/x.tif", f"jobs/{name}/b/s/returned/x.tif"),
        keys.batch_from_drop_key: (f"jobs/{name}/b/_returned/x.tif",),
    }.items():
        for key in found:
            try:
                assert read(key) is None, key
            except NamingError:
                continue


@pytest.mark.parametrize("path", PATHS)
def test_no_path_of_an_upload_or_a_returned_file_leads_elsewhere(path: str) -> None:
    assert naming.path_trouble(path)
    with pytest.raises(NamingError, match="uploaded file"):
        keys.inbox_key(BATCH, path)
    if path:
        with pytest.raises(NamingError, match="returned file"):
            keys.shot_from_returned_key(f"jobs/a/b/s/returned/{path}{'x' if path.endswith('/') else ''}")
        with pytest.raises(NamingError, match="returned file"):
            keys.batch_from_drop_key(f"jobs/a/b/_returned/{path}")


@pytest.mark.parametrize("path", GOOD_PATHS)
def test_a_client_s_own_names_are_kept(path: str) -> None:
    assert naming.path_trouble(path) == ""
    assert keys.path_in_inbox(BATCH, keys.inbox_key(BATCH, path)) == path


def test_a_misnamed_file_is_told_and_the_rest_of_its_batch_goes_on() -> None:
    file = StockedFile(sha256="0" * 64, size_bytes=1)
    stock = take_stock(dict.fromkeys((*PATHS, *GOOD_PATHS), file), None)
    assert set(stock.shots) == set(GOOD_PATHS)
    assert set(stock.ignored) == set(PATHS)
    assert all(why.startswith(MISNAMED) for why in stock.ignored.values())


@pytest.mark.parametrize("path", PATHS)
def test_no_member_of_an_archive_leads_out_of_it(path: str) -> None:
    with pytest.raises(NamingError, match="not allowed in an archive"):
        write_package(io.BytesIO(), [(path, b"")])


@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_is_let_through_stays_below_its_folder_however_it_is_read(path: str) -> None:
    if naming.path_trouble(path):
        return
    for spelt in (path, naming.unquote(path)):
        steps = spelt.replace("\\", "/").split("/")
        assert ".." not in steps
        assert not spelt.startswith(("/", "\\"))
        assert "\n" not in spelt
