"""How every stage's task is tried again and found again.

A result is found again by what it depends on: the stage, the pipeline's version, and the content of what the task was
given (the original's hash, the plan's fingerprint), never by the run. So a retried run, and a new one over the same
batch, redo only what is not done. A new pipeline version, config or original gives a new key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import httpx
from prefect import Task
from prefect.cache_policies import CacheKeyFnPolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff
from pydantic import BaseModel

from packshot import PIPELINE_VERSION
from packshot.errors import TransientError
from tasks.results import SERIALIZER

_BUSY = frozenset({408, 429})
RETRIES = 3
FIRST_PAUSE_S = 2.0
JITTER = 0.5


class UnitOptions(TypedDict):
    """Options of ``@task`` for one unit of retry and of caching."""

    retries: int
    retry_delay_seconds: Callable[[int], list[float]]
    retry_jitter_factor: float
    retry_condition_fn: Callable[[Task[..., Any], TaskRun, State[Any]], bool]
    cache_policy: CacheKeyFnPolicy
    persist_result: bool
    result_serializer: str


def unit(stage: str, *, retries: int = RETRIES, knows: Callable[[], str] = lambda: "") -> UnitOptions:
    """Return the options of a stage's task: ``@task(**unit("edit"))``.

    Transient errors are tried again after 2, 4 and 8 s, spread out; nothing else is. The result is kept as JSON.

    Args:
        stage: its name, part of the key.
        knows: says what else the result depends on, in the worker that is about to make it.
    """
    return UnitOptions(
        retries=retries,
        retry_delay_seconds=exponential_backoff(FIRST_PAUSE_S),
        retry_jitter_factor=JITTER,
        retry_condition_fn=is_transient,
        cache_policy=CacheKeyFnPolicy(cache_key_fn=key_of(stage, knows=knows)),
        persist_result=True,
        result_serializer=SERIALIZER,
    )


def key_of(stage: str, *, knows: Callable[[], str] = lambda: "") -> Callable[[TaskRunContext, Mapping[str, Any]], str]:
    """Return the function that gives the cache key of a stage's task for its parameters; see `unit`."""

    def key(context: TaskRunContext, parameters: Mapping[str, Any]) -> str:
        text = json.dumps(_content_of(dict(parameters)), sort_keys=True, separators=(",", ":")) + knows()
        return f"{stage}-{PIPELINE_VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    return key


def is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task is worth trying again: storage or Prefect's API did not answer, or was overtaken."""
    return any(may_pass(error) for error in (state.data, getattr(state.data, "result", None)))


def may_pass(error: object) -> bool:
    """Whether an error may be gone on the next try."""
    if isinstance(error, httpx.HTTPStatusError):  # Prefect's own kind among them
        return error.response.status_code in _BUSY or error.response.status_code >= 500
    return isinstance(error, TransientError | httpx.TransportError | ConnectionError)


def _content_of(value: object) -> Any:
    """What a parameter contributes to the key: its own word for its content, or all of it.

    Raises:
        TypeError: it is nothing that always looks the same as text.
    """
    content = getattr(value, "content", None)
    if isinstance(content, str):
        return content
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): _content_of(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [_content_of(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a {type(value).__name__} cannot be part of a cache key: pass a reference or a hash")
