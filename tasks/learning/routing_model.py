"""Read the routing model in use from storage, and change which one is in use. Storage holds all versions.

The routing model estimates how likely it is that a person refuses the machine's edit of a shot. The model that comes
with Packshot is used until another one is promoted.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import lru_cache

from packshot.errors import ObjectMissingError, RecordConflictError, RecordDamagedError
from packshot.keys import routing_model_key, routing_service_key
from packshot.learning.service import SHIPPED, ModelInService
from packshot.record import ShotRecord
from packshot.routing.approve import Watch
from packshot.routing.approve import ruled_out as ruled_out_for
from packshot.routing.features import Features
from packshot.routing.model import RoutingModel, read_model, shipped_model
from packshot.specs.models import Plan
from tasks.environment.configs import configs_in_force
from tasks.environment.settings import get_settings
from tasks.storage.bucket import open_storage

_JSON = "application/json"
_TRIES = 20
SERVICE_S = 30.0
"""How long a process relies on what it has read about the serving model."""

_seen: dict[tuple[int, str | None, str], tuple[float, ModelInService]] = {}


def service() -> ModelInService:
    """Return the state of the routing model (which predicts whether a person would refuse the machine's edit): the
    version in use, and how strict its promises are.

    The state is read from storage, and used again for 30 s (`SERVICE_S`), because every shot needs it several times. If
    nobody ever changed it, the model that comes with Packshot is in use, as strict as configured.

    Raises:
        RecordDamagedError: the object in storage can't be read.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    settings = get_settings()
    whose = (os.getpid(), settings.s3_endpoint_url, settings.s3_bucket)
    found = _seen.get(whose)
    if found is None or time.monotonic() - found[0] > SERVICE_S:
        data = open_storage().get_if_there(routing_service_key())
        found = _seen[whose] = time.monotonic(), _parsed(data) if data is not None else ModelInService()
    return found[1]


def forget_service() -> None:
    """Forget the kept answer of `service`, so that its next call asks the storage."""
    _seen.clear()


def change_service(change: Callable[[ModelInService], ModelInService]) -> ModelInService:
    """Change which routing model is in use, or how strict its promises (greatest shares of wrong edits) are, and return
    the new state.

    If somebody else changes the state at the same time, `change` is called again with their state. So no update is
    lost.

    Args:
        change: gets the present state and returns the new one.
    Raises:
        RecordConflictError: others kept changing the state.
        RecordDamagedError: the object in storage can't be read.
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    storage, key = open_storage(), routing_service_key()
    for _ in range(_TRIES):
        try:
            data, etag = storage.get_with_etag(key)
        except ObjectMissingError:
            data, etag = b"", ""
        before = _parsed(data) if data else ModelInService()
        after = change(before)
        if after == before:
            return before
        written = after.model_dump_json(indent=1).encode()
        try:
            if etag:
                storage.replace_if(key, written, etag=etag, content_type=_JSON)
            else:
                storage.put_if_absent(key, written, content_type=_JSON)
        except RecordConflictError:
            continue
        forget_service()
        return after
    raise RecordConflictError("other runs keep changing which routing model serves", key, next_step="Try again.")


def load_version(version: str) -> RoutingModel:
    """Return a routing model (which predicts whether a person would refuse the machine's edit) by its version.

    A version never changes, so each is read only once in a process.

    Args:
        version: name of a stored model, or ``shipped`` (`SHIPPED`) for the one that comes with Packshot.
    Raises:
        ObjectMissingError: the storage has no such version.
        ModelError: the model is damaged.
    """
    return shipped_model() if version == SHIPPED else _stored(version)


def store_model(model: RoutingModel) -> None:
    """Store a trained routing model under its version.

    Nothing is returned. The model is not in use before it is promoted (`tasks.learning.training.promote`).

    Raises:
        StorageUnavailableError, StorageDeniedError: the storage does not answer, or refuses the request.
    """
    data = model.model_dump_json(indent=1).encode()
    open_storage().put(routing_model_key(model.version), data, content_type=_JSON)


def serving_model(plan: Plan) -> RoutingModel | None:
    """Return the routing model in use, which predicts whether a person would refuse the machine's edit; None if a
    shot's plan uses only fixed limits and no model.

    Args:
        plan: the shot's plan.
    Raises:
        ObjectMissingError: storage lacks the version that is in use.
        ModelError: the model is damaged.
    """
    return load_version(service().version) if plan.routing.model else None


def as_promised(plan: Plan) -> Plan:
    """Return a shot's plan with the error ratios that audits allow now, for routing and for approving.

    Each is the plan's ratio times the present strictness: if audits found too many mistakes, less is allowed.

    Args:
        plan: the shot's plan.
    """
    present, routing = service(), plan.routing
    promises = {"route": present.promised(routing.route), "approve": present.promised(routing.approve)}
    return plan.model_copy(update={"routing": routing.model_copy(update=promises)})


def ruled_out(plan: Plan) -> tuple[str, ...]:
    """Return the names of the categories to which a shot that the machine edits certainly does not belong.

    They are the categories that the rules always send to people. A shot of known category that goes to the machine is
    in none of them. The result is empty if the shot's category is unknown.

    Args:
        plan: the plan of a shot that goes to the machine; it has the shot's category.
    """
    return ruled_out_for(plan.category, configs_in_force().categories.values())


def watch_for(record: ShotRecord, plan: Plan) -> Watch | None:
    """Return what may stop the machine's approval of a shot: the routing model (which predicts whether a person would
    refuse the edit), the shot's measurements and the limits.

    None if the shot's plan uses no routing model.

    Args:
        record: the record of a shot for which stage 2 has decided who edits it; its ``routing`` report has the
            measurements.
        plan: the shot's plan.
    """
    model = serving_model(plan)
    if model is None:
        return None
    features = Features.model_validate(record.reports["routing"]["features"])
    category = plan.category.name if plan.category else ""
    promise, real_only = as_promised(plan).routing.approve, plan.routing.real_only
    return Watch(model, features, promise, ruled_out(plan), category, real_only, plan.approve_unproven_kinds)


def _parsed(data: bytes) -> ModelInService:
    try:
        return ModelInService.model_validate_json(data)
    except ValueError as error:
        raise RecordDamagedError(
            "the file that says which routing model serves cannot be read",
            routing_service_key(),
            next_step="Delete it. Then the model that comes with Packshot serves again.",
        ) from error


@lru_cache(maxsize=4)
def _stored(version: str) -> RoutingModel:
    key = routing_model_key(version)
    return read_model(open_storage().get(key), name=key)
