"""Ghost-mannequin jobs: the ticket lists the layered file, and what comes back is checked for a mannequin."""

from __future__ import annotations

import io
import shutil
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from psd_tools import PSDImage

from deployments.demo import environment
from packshot.colour.spaces import working_profile
from packshot.keys import job_out_key
from packshot.naming import BatchId, batch_id
from packshot.specs.load import default_folder
from packshot.types import Matte, Pixels8, Status
from tasks.people import drafts
from tasks.people.holds import hold_back
from tasks.people.jobs import open_job
from tasks.people.returned_work import take_over
from tasks.people.tickets import TICKET_HTML, ticket_of
from tasks.records.stored import load_record
from tasks.results.handovers import RoutedShot
from tasks.stages.groups import group_shots
from tasks.stages.shot_stages import master_shot, route_shot
from tasks.storage.bucket import Storage, open_storage
from tests import drawn_products
from tests.drawn_mannequins import RED, SKIN, Garment, similarity
from tests.tasks.in_runs import in_a_run
from tests.tasks.shots import submitted

SHIRT = Garment(SKIN, RED, pointed=True, depth=220, width=1050, height=1400)
MOVED = similarity(scale=1.15, degrees=2, shift=(15, 30), about=(525, 350))
JOINT = ("neck_filled", "mannequin_left", "joint_outline", "joint_line")


@pytest.fixture(scope="module")
def ghosts(nobody_takes_runs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A line whose client wants neck joints."""
    configs = tmp_path_factory.mktemp("ghosts") / "configs"
    shutil.copytree(default_folder(), configs)
    (configs / "clients" / "acme.yaml").write_text(
        "title: Acme\nplatforms: [shopify]\nhandoff: {ghost_mannequin: true}\n"
    )
    with environment({"PACKSHOT_CONFIGS": str(configs)}):
        yield open_storage()


def photographed(batch: BatchId, views: dict[str, Pixels8]) -> dict[str, RoutedShot]:
    """A garment's views after stage 2."""
    product = batch.batch.upper()  # no other test has it
    rows = "".join(f"{view}.png,{product},,clothing,{view},shopify\n" for view in views)
    files = {f"{view}.png": drawn_products.encoded(picture, compress_level=1) for view, picture in views.items()}
    stock = submitted(batch, files, rows=rows)
    mastered = [master_shot.fn(ref, configs_fingerprint=stock.configs_fingerprint) for ref in stock.shots]
    groups = group_shots.fn(batch, mastered)
    return {one.name: route_shot.fn(one, group=groups[one.name]) for one in mastered}


@pytest.fixture(scope="module")
def job(ghosts: Storage) -> RoutedShot:
    """A shirt on its mannequin in an editor's hands; its neck shot was in the same batch. The tests only look at it."""
    batch = batch_id("acme", f"batch-{uuid.uuid4().hex[:8]}")
    shots = photographed(batch, {"MAIN": SHIRT.worn(), "NECK": SHIRT.neck(MOVED)[0]})
    assert in_a_run(lambda: hold_back.fn(batch, list(shots.values()))).names == ()
    in_a_run(lambda: open_job.fn(shots["MAIN"]))
    return shots["MAIN"]


def returned(picture: Pixels8, matte: Matte) -> bytes:
    alpha = np.rint(matte * 255).astype(np.uint8)
    return drawn_products.encoded(np.dstack([picture, alpha]), "PNG", compress_level=1)


def test_the_ticket_lists_the_layered_file_with_its_proof(job: RoutedShot, ghosts: Storage) -> None:
    ticket = ticket_of(job.shot)
    (file,) = [one for one in ticket.take if one.key == job_out_key(job.shot, "neck_joint.psd")]
    assert "both photographs as layers" in file.what
    document = PSDImage.open(io.BytesIO(ghosts.get(file.key)))
    assert [one.name for one in document] == ["Neck (inside)", "Exterior without mannequin"]
    assert (document.depth, (document.width, document.height)) == (16, ticket.size_px)
    assert working_profile() in ghosts.get(file.key)
    assert "A draft" in ticket.neck_joint["mannequin mask"]
    assert "Aligned by" in ticket.neck_joint["neck shot"]
    page = ghosts.get(job_out_key(job.shot, TICKET_HTML)).decode()
    assert "neck_joint.psd" in page
    assert "Aligned by" in page


def test_returned_work_is_checked_for_the_joint(job: RoutedShot) -> None:
    record = load_record(job.shot)
    good = take_over(record, returned(SHIRT.joined(), SHIRT.joined_matte), name="good.png")
    assert not good.failed, good.failed
    assert {one.code for one in good.checks if one.status is Status.PASSED} >= set(JOINT)
    bad = take_over(record, returned(SHIRT.worn(), SHIRT.matte), name="bad.png")
    assert "mannequin_left" in {one.code for one in bad.failed}


def test_the_head_start_itself_reads_back_as_one_picture(job: RoutedShot, ghosts: Storage) -> None:
    taken = take_over(load_record(job.shot), ghosts.get(job_out_key(job.shot, "neck_joint.psd")), name="joint.psd")
    assert not taken.failed, taken.failed
    matte = taken.edit().matte
    assert (matte > 0.5)[SHIRT.opening].mean() > 0.95


def test_without_a_neck_shot_the_ticket_says_so_and_the_mask_is_there(ghosts: Storage, batch: BatchId) -> None:
    shots = photographed(batch, {"MAIN": SHIRT.worn()})
    in_a_run(lambda: open_job.fn(shots["MAIN"]))
    ticket = ticket_of(shots["MAIN"].shot)
    assert ticket.neck_joint["neck shot"] == "There is none."
    assert "neck_joint_missing" in {one.code for one in ticket.findings}
    assert not [one for one in ticket.take if "neck_joint" in one.key]
    assert drafts.joint_draft(load_record(shots["MAIN"].shot)) is not None
