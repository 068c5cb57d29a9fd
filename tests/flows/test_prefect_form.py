"""Answers in Prefect's own pages in Chromium: what the person sees of one that counts, and of one that is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.schemas.objects import FlowRun

from infra.local.stack import Stack
from packshot.keys import job_returned_prefix
from packshot.naming import batch_id
from packshot.record import State
from tasks.environment.desk_pages import desk_page
from tasks.records.stored import load_record
from tasks.runs.suspended import REFUSED
from tasks.storage.bucket import Storage
from tests.chromium import ARGUMENTS, CHROMIUM, needs_chromium
from tests.flows.line import Line, sample_folder
from tests.flows.people import returned_picture, settled

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [needs_chromium, pytest.mark.slow]

BATCH = batch_id("acme", "prefect-form")
GLASS = BATCH.shot("GLS501_MAIN")
"""What a client's rule always gives to an editor."""
LONG_MS = 120_000
WIDE = {"width": 1400, "height": 1000}
FORM = "[role=dialog], .p-modal"


@pytest.fixture(scope="module")
def waiting(line: Line, tmp_path_factory: pytest.TempPathFactory) -> FlowRun:
    """The run that waits for the glass's editor."""
    line.submit(BATCH, sample_folder(tmp_path_factory.mktemp("form"), [f"{GLASS.shot}.jpg"]))
    line.run("process-batch/process-batch", {"client": BATCH.client, "batch": BATCH.batch})
    (run,) = line.waiting_runs(BATCH)
    return run


@pytest.fixture
def page(prefect_stack: Stack) -> Iterator[Any]:
    """A page of a browser that knows the password already, as one that was asked for it once."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS])
        page = browser.new_context(viewport=WIDE).new_page()
        page.set_default_timeout(LONG_MS)
        page.add_init_script(f"localStorage.setItem('prefect-password', btoa('{prefect_stack.prefect_password}'))")
        yield page
        browser.close()


UNCUT = """(found) => found.some((one) => {
  for (let at = one; at; at = at.parentElement)
    if (at.clientHeight === 0 && getComputedStyle(at).overflowY !== "visible") return false;
  return true;
})"""


def seen(page: Any, words: str) -> None:
    """Words stand in the form where a person sees them: its Markdown has no height if there are many fields."""
    found = page.locator(FORM).get_by_text(words)
    found.first.wait_for(state="attached")
    assert found.evaluate_all(UNCUT), words


def test_a_refused_answer_is_seen_on_the_page_of_its_run(
    waiting: FlowRun, line: Line, prefect_stack: Stack, page: Any
) -> None:
    address = f"{prefect_stack.prefect_ui_url}/runs/flow-run/{waiting.id}"
    page.goto(address)
    page.get_by_role("button", name="Resume").first.click()
    seen(page, f"Look at it at full size: {desk_page(GLASS)}")
    name = page.locator(FORM).locator("textarea").first
    name.fill("Ada Editor")  # the form proposes to use the returned file; none was returned
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("Flow run resumed").first.wait_for()  # Prefect's own word, before anybody has read the answer
    assert settled(line, waiting).state
    assert load_record(GLASS).state is State.AWAITING_EDITOR
    page.goto(address)
    page.get_by_text(REFUSED, exact=True).first.wait_for()
    page.get_by_text("Details", exact=True).last.click()
    page.get_by_text("Your answer was refused: ").first.wait_for()
    page.get_by_role("button", name="Resume").first.click()
    seen(page, "Not accepted: ")
    assert "no file was returned. Put the finished picture there." in page.locator(FORM).first.inner_text()


def test_an_answer_that_counts_looks_so_although_the_run_waits_for_the_next_person(
    waiting: FlowRun, line: Line, prefect_stack: Stack, page: Any, storage: Storage
) -> None:
    """Kind of test that was missing: one in which the run is suspended again, as after a refused answer."""
    address = f"{prefect_stack.prefect_ui_url}/runs/flow-run/{waiting.id}"
    key = f"{job_returned_prefix(GLASS)}glass.png"
    storage.put_if_absent(key, returned_picture(f"{GLASS.shot}.jpg"), content_type="image/png")
    before = line.read(waiting.id)
    page.goto(address)
    page.get_by_role("button", name="Resume").first.click()
    page.locator(FORM).locator("textarea").first.fill("Ada Editor")
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("Flow run resumed").first.wait_for()
    assert settled(line, before).state
    assert load_record(GLASS).state is State.AWAITING_SIGNOFF
    page.goto(address)
    page.get_by_text("Details", exact=True).last.click()
    page.get_by_text("The last answer was followed: use the returned file").first.wait_for()
    assert not page.get_by_text(REFUSED, exact=True).count()
