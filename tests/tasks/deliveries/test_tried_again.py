"""A delivery that fails for a passing reason is tried again by its own run: nobody has to press Retry."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from deployments.demo import environment
from flows import delivery
from flows.delivery import deliver_batch
from packshot.keys import delivery_prefix
from packshot.naming import BatchId
from packshot.record import State
from tasks.deliveries.delivering import deliver, finish_open_deliveries
from tasks.environment.settings import get_settings
from tasks.records.stored import load_batch, load_record
from tasks.storage.bucket import Storage
from tests.flows.proxy import proxy
from tests.tasks.deliveries.test_delivering import verified

NAMES = ("A1", "B1")


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_delivery_goes_on_by_itself_when_the_storage_takes_its_files_again(
    line: Storage, batch: BatchId, monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    """Kind of test that was missing: a late delivery that fails at the last try of its task."""
    verified(batch, dict.fromkeys(NAMES, 0.43))
    address = urlsplit(get_settings().s3_endpoint_url or "")
    for task in (deliver, finish_open_deliveries):  # their last try is their first
        monkeypatch.setattr(delivery, task.fn.__name__, task.with_options(retries=0))
    tried: list[list[str]] = []
    with proxy((address.hostname or "", address.port or 0)) as wire:

        def rest(names: list[str], pause_s: float) -> None:
            tried.append(names)
            if comes_back:
                wire.mend()

        monkeypatch.setattr(delivery, "rest", rest)
        with environment({"PACKSHOT_S3_ENDPOINT_URL": wire.url, "PACKSHOT_AGAIN_AFTER_S": "60"}):
            wire.cut_off(delivery_prefix(batch, 1))  # it answers everything else
            state = deliver_batch(client=batch.client, batch=batch.batch, return_state=True)
            wire.mend()
    assert len(tried) == (1 if comes_back else 2)
    assert state.is_completed() == comes_back, state
    states = {load_record(batch.shot(name)).state for name in NAMES}
    assert states == ({State.DELIVERED} if comes_back else {State.VERIFIED})
    (one,) = load_batch(batch).deliveries
    assert (one.number, bool(one.certificate_sha256)) == (1, comes_back)
