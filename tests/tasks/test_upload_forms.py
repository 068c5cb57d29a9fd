"""Forms that put files into one place without a key: place, size, type and time are bound by the signature."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest

from packshot.errors import ObjectMissingError
from packshot.handoff.upload_form import FILE_TYPE, UploadForm
from packshot.keys import batch_from_ready_key, inbox_key, job_out_key, job_returned_prefix, shot_from_returned_key
from packshot.naming import READY, BatchId, batch_id
from tasks.batches.submitting import invite
from tasks.people.jobs import open_job
from tasks.storage.bucket import Storage
from tasks.storage.links import upload_form
from tests.chromium import needs_chromium
from tests.flows.line import poll
from tests.infra.local.chromium import report_of
from tests.patience import PATIENCE_S
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import routed

BATCH = batch_id("acme", "spring")
RETURNED = job_returned_prefix(BATCH.shot("A1"))


def post(form: UploadForm, data: bytes, *, name: str = "a.tif", **changed: str) -> int:
    """Post a file as a browser does; return the status."""
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in {**form.fields, **changed}.items()
    ]
    file = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'
    )
    body = b"".join([*parts, file.encode(), data, f"\r\n--{mark}--\r\n".encode()])
    request = urllib.request.Request(form.url, body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_form_puts_a_file_where_it_says_as_what_it_says(storage: Storage) -> None:
    form = upload_form(RETURNED, most_bytes=10, expires_s=60)
    assert post(form, b"0123456789") in (200, 201, 204)
    found = storage.head(f"{RETURNED}a.tif")
    assert found.size_bytes == 10
    assert found.content_type in (
        FILE_TYPE,
        "image/tiff",
    )  # SeaweedFS goes by the file's name


@pytest.mark.parametrize(
    ("data", "changed"),
    [
        (b"0" * 11, {}),
        (b"", {}),
        (b"0", {"Content-Type": "text/html"}),
        (b"0", {"key": "batches/acme/spring/batch.json"}),
        (b"0", {"key": "jobs/acme/spring/B2/returned/x.tif"}),
        (b"0", {"key": f"{RETURNED}../../../../../batches/x"}),
        (b"0", {"policy": "e30="}),
        (b"0", {"x-amz-signature": "0" * 64}),
        (b"0", {"x-amz-credential": "other/20260101/us-east-1/s3/aws4_request"}),
    ],
)
def test_what_differs_from_a_form_is_refused(storage: Storage, data: bytes, changed: dict[str, str]) -> None:
    form = upload_form(RETURNED, most_bytes=10, expires_s=60)
    assert post(form, data, **changed) in (400, 403)
    assert not list(storage.list(""))


@pytest.mark.parametrize("name", ["../../x.tif", "/batches/x", "..\\..\\x", "%2e%2e/%2e%2e/x"])
def test_no_name_of_a_file_leads_out_of_the_place(storage: Storage, name: str) -> None:
    post(upload_form(RETURNED, most_bytes=10, expires_s=60), b"0", name=name)
    assert all(one.key.startswith(RETURNED) for one in storage.list(""))


def test_a_form_ends(storage: Storage) -> None:
    assert post(upload_form(RETURNED, most_bytes=10, expires_s=-1), b"0") in (400, 403)
    assert not list(storage.list(""))


def test_a_client_uploads_and_closes_a_batch_by_its_forms_alone(storage: Storage) -> None:
    forms = invite(BATCH, hours=1)
    for name in ("A1.jpg", "manifest.csv"):
        assert post(forms["files"], b"data", name=name) in (200, 201, 204)
    with pytest.raises(ObjectMissingError):
        storage.head(inbox_key(BATCH, READY))
    assert post(forms["close"], b"x") in (400, 403)
    assert post(forms["close"], b"", name="anything") in (200, 201, 204)
    assert batch_from_ready_key(inbox_key(BATCH, READY)) == BATCH
    assert {one.key for one in storage.list("")} == {inbox_key(BATCH, one) for one in ("A1.jpg", "manifest.csv", READY)}


PUT_BACK = """
<script>
const form = document.querySelector('form'), files = new DataTransfer();
files.items.add(new File(['a finished picture'], 'A1.tif', {type: 'text/html'}));
form.querySelector('input[type=file]').files = files.files;
const frame = document.createElement('iframe');
frame.name = form.target = 'answer';
document.body.append(frame);
form.querySelector('button').click();
report(form.action);
</script>
"""


@needs_chromium
def test_the_form_on_a_ticket_s_page_puts_the_picture_back(line: Storage, batch: BatchId, tmp_path: Path) -> None:
    """The page as it lies in storage, in a browser that knows no key: a file is chosen, the button clicked."""
    (shot,) = routed(batch, {"A1": 0.43}, category="glassware")
    in_a_run(lambda: open_job.fn(shot))
    page = line.get(job_out_key(shot.shot, "ticket.html")).decode()
    key = f"{job_returned_prefix(shot.shot)}A1.tif"
    assert not line.exists(key)
    report_of(
        page + PUT_BACK,
        tmp_path / "profile",
        before_it_closes=lambda: poll(lambda: line.exists(key) or None, until="the picture is in its place"),
    )
    assert line.get(key) == b"a finished picture"
    assert line.head(key).content_type in (FILE_TYPE, "image/tiff")
    assert shot_from_returned_key(key) == shot.shot
