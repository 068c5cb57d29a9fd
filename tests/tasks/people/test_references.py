"""The reference photograph that an editor compares with: the one that the line measured, whatever its client does."""

from __future__ import annotations

import io
import urllib.request
import zipfile

import numpy as np
import pytest

from desk.work.job_files import zip_of
from packshot.handoff.ticket import JobTicket
from packshot.keys import inbox_key
from packshot.naming import BatchId, ShotId
from packshot.record import ShotRecord
from tasks.people.jobs import open_job
from tasks.people.tickets import TICKET_HTML, issue_ticket, ticket_of
from tasks.records.stored import change_record, load_batch, load_record
from tasks.results.handovers import RoutedShot
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot, route_shot
from tasks.storage.bucket import Storage
from tests import drawn_products
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import photograph, submitted

RED, BLUE = (
    drawn_products.encoded(np.full((300, 300, 3), colour, np.uint8)) for colour in ((150, 40, 30), (30, 60, 150))
)
PATH, NAMED = "refs/Swatch red.PNG", "swatch red.png"
MANIFEST = f"file,sku,category,view,platforms,reference\nA1.jpg,A1,glassware,MAIN,shopify,{NAMED}\n".encode()


def routed_with_reference(batch: BatchId) -> RoutedShot:
    files = {"A1.jpg": photograph(radius_ratio=0.43), PATH: RED, "manifest.csv": MANIFEST}
    stock = submitted(batch, files)
    (ref,) = stock.shots
    mastered = master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint)
    return route_shot.fn(mastered, group=group_shots.fn(batch, [mastered])["A1"])


def by_its_client(line: Storage, batch: BatchId, data: bytes | None) -> None:
    """What a client's own S3 tool does to the reference: it puts other bytes there, or deletes it."""
    key = inbox_key(batch, PATH)
    if data is None:
        line._client.delete_object(Bucket=line.bucket, Key=key)
    else:
        line._client.put_object(Bucket=line.bucket, Key=key, Body=data)


def as_an_earlier_version_left_it(record: ShotRecord) -> ShotRecord:
    """A record of a shot whose group kept no copy of its reference."""
    group = {name: value for name, value in record.reports["group"].items() if name != "reference_file"}
    return record.model_copy(update={"reports": {**record.reports, "group": group}})


def reference_of(ticket: JobTicket) -> str:
    (file,) = [one for one in ticket.take if one.what == "reference"]
    return file.key


def issued_again(shot: ShotId) -> JobTicket:
    return issue_ticket(load_record(shot), why="its links have expired")


@pytest.mark.parametrize("changed", [BLUE, None], ids=["replaced", "deleted"])
def test_an_editor_gets_the_reference_that_was_measured(line: Storage, batch: BatchId, changed: bytes | None) -> None:
    job = routed_with_reference(batch)
    by_its_client(line, batch, changed)
    in_a_run(lambda: open_job.fn(job))
    ticket = ticket_of(job.shot)
    key = reference_of(ticket)
    assert line.get(key) == RED
    with urllib.request.urlopen(next(one.link for one in ticket.take if one.key == key)) as answer:
        assert answer.read() == RED
    assert reference_of(issued_again(job.shot)) == key
    assert line.get(key) == RED
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_of(job.shot)))) as files:
        assert files.read("reference.png") == RED
    assert load_record(job.shot).reports["group"]["reference_lab"][2] > 0  # red, not blue


@pytest.mark.parametrize("changed", [BLUE, None], ids=["replaced", "deleted"])
def test_a_reference_of_which_no_copy_was_kept_is_given_as_it_was_listed(
    line: Storage, batch: BatchId, changed: bytes | None
) -> None:
    job = routed_with_reference(batch)
    change_record(job.shot, as_an_earlier_version_left_it)
    assert load_batch(batch).references[PATH]
    in_a_run(lambda: open_job.fn(job))
    key = reference_of(ticket_of(job.shot))
    assert line.get(key) == RED
    by_its_client(line, batch, changed)
    assert reference_of(issued_again(job.shot)) == key
    assert line.get(key) == RED


@pytest.mark.parametrize("changed", [BLUE, None], ids=["replaced", "deleted"])
def test_a_reference_that_is_gone_before_the_first_ticket_is_said_to_be(
    line: Storage, batch: BatchId, changed: bytes | None
) -> None:
    job = routed_with_reference(batch)
    change_record(job.shot, as_an_earlier_version_left_it)
    by_its_client(line, batch, changed)
    in_a_run(lambda: open_job.fn(job))
    ticket = ticket_of(job.shot)
    assert [one for one in ticket.take if one.what == "reference"] == []
    assert "replaced or deleted" in ticket.colour["reference_photograph"]
    page = line.get(f"jobs/{batch.client}/{batch.batch}/A1/out/{TICKET_HTML}").decode()
    assert ticket.colour["reference_photograph"] in page
