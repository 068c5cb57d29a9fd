"""Which routing model serves, on a real S3 server."""

from __future__ import annotations

import pytest

from packshot.errors import ModelError, RecordDamagedError
from packshot.keys import routing_model_key, routing_service_key
from packshot.learning.service import SHIPPED, ModelInService
from packshot.routing.model import shipped_model
from tasks.learning.routing_model import change_service, forget_service, load_version, service, store_model
from tasks.records.bookkeeping import now
from tasks.storage.bucket import Storage
from tests.packshot.routing.models import model_of


def promoted(version: str) -> ModelInService:
    return change_service(lambda one: one.promote(version, at=now(), by="Ada", why="better"))


def test_until_another_is_promoted_the_shipped_model_serves(storage: Storage) -> None:
    assert service() == ModelInService()
    assert load_version(SHIPPED) == shipped_model()


def test_a_stored_model_is_read_as_it_was_trained(storage: Storage) -> None:
    store_model(model_of())
    assert load_version(model_of().version) == model_of()


def test_promotion_and_the_way_back_are_kept_in_storage(storage: Storage) -> None:
    promoted("v1")
    promoted("v2")
    assert service().version == "v2"
    change_service(lambda one: one.roll_back(at=now(), by="Ada", why="worse"))
    assert service().version == "v1"
    assert [one.version for one in service().changes] == ["v1", "v2", "v1"]


def test_a_change_that_changes_nothing_writes_nothing(storage: Storage) -> None:
    change_service(lambda one: one)
    assert not storage.exists(routing_service_key())


def test_a_model_that_somebody_changed_in_storage_never_serves(storage: Storage) -> None:
    model = model_of(before="texture")
    changed = model.model_dump_json().replace('"slope":2.0', '"slope":0.1')
    storage.put(routing_model_key(model.version), changed.encode(), content_type="application/json")
    with pytest.raises(ModelError, match="not the one that was trained"):
        load_version(model.version)


def test_a_damaged_pointer_says_what_to_do(storage: Storage) -> None:
    storage.put(routing_service_key(), b"{", content_type="application/json")
    forget_service()
    with pytest.raises(RecordDamagedError, match="Delete it"):
        service()
