"""Set the options for retries and caching that all stage tasks share.

A cache key is built from content: the stage, the pipeline version, and the hashes of the task's parameters (original,
plan). The key never contains the run. So a retried run, or a new run over the same batch, repeats only what is not done
yet. A new pipeline version, config or original gives a new key.
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
from tasks.environment.disk import is_full
from tasks.results.block import SERIALIZER

_BUSY = frozenset({408, 429})
RETRIES = 3
FIRST_PAUSE_S = 2.0
JITTER = 0.5


class UnitOptions(TypedDict):
    """Options of Prefect's ``@task`` for a task that is cached and retried as a whole. `unit` makes them.

    The fields are parameters of Prefect's ``task``.
    """

    retries: int
    retry_delay_seconds: Callable[[int], list[float]]
    retry_jitter_factor: float
    retry_condition_fn: Callable[[Task[..., Any], TaskRun, State[Any]], bool]
    cache_policy: CacheKeyFnPolicy
    persist_result: bool
    result_serializer: str


def unit(stage: str, *, retries: int = RETRIES, knows: Callable[[], str] = lambda: "") -> UnitOptions:
    """Return the options for the task of a stage, to be used as ``@task(**unit("edit"))``.

    Transient errors are retried after about 2, 4 and 8 s. Other errors are not retried. The result is stored as JSON; a
    later run with the same key takes the result and does not run the task.

    Args:
        stage: name of the stage; part of the cache key.
        retries: how many times a transient error is retried at most; by default 3.
        knows: returns a text that is hashed into the key as well. It is called in the worker, just before the task
            runs. Use it if the result depends on more than the parameters, for example on a model's version.
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
    """Return a function that gives a task's cache key from its parameters. Prefect calls it before the task runs.

    A key is, for example, ``edit-14-`` and 32 hex digits: stage, pipeline version, and `fingerprint_of` the parameters.

    Args:
        stage: name of the stage.
        knows: called without arguments for each key; returns a text that is hashed as well. It says what the result
            depends on besides the parameters, for example a model's version.
    """

    def key(context: TaskRunContext, parameters: Mapping[str, Any]) -> str:
        return f"{stage}-{PIPELINE_VERSION}-{fingerprint_of(dict(parameters), knows())}"

    return key


def fingerprint_of(values: object, knows: str) -> str:
    """Return a hash of a task's parameters and of a text: the first 32 hex digits of a SHA-256.

    Of a value that has an attribute ``content`` (a text), only that text is hashed.

    Args:
        values: the parameters: plain data, Pydantic models, and mappings and sequences of them.
        knows: the text, for what the parameters don't say; may be empty.
    Raises:
        TypeError: a value has no stable form as text, for example bytes.
    """
    text = json.dumps(_content_of(values), sort_keys=True, separators=(",", ":")) + knows
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Return True if a failed task may be retried, because its error may pass by itself (`may_pass`).

    Prefect calls this function after each failure.

    Args:
        task, run: as Prefect passes them; not used.
        state: the failed state, which holds the error.
    """
    return any(may_pass(error) for error in (state.data, getattr(state.data, "result", None)))


def may_pass(error: object) -> bool:
    """Return True if an error may pass by itself, so that trying again makes sense.

    Such errors are: a server does not answer or is overloaded (408, 429, 500 and more), another program wrote first, a
    full disk, and every `TransientError` of Packshot.

    Args:
        error: anything; what is no error gives False.
    """
    if isinstance(error, httpx.HTTPStatusError):  # includes Prefect's own subclass
        return error.response.status_code in _BUSY or error.response.status_code >= 500
    return isinstance(error, TransientError | httpx.TransportError | ConnectionError) or is_full(error)


def _content_of(value: object) -> Any:
    """Return what a parameter adds to the cache key: its ``content`` if it has one, else its whole value.

    Raises:
        TypeError: the value has no stable text form.
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
