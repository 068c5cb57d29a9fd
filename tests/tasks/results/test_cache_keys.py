from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect import task
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Failed

from packshot.errors import EmptySubjectError, NamingError, StorageUnavailableError
from packshot.naming import ShotId
from tasks.processing import networks
from tasks.processing.networks import LoadedModel
from tasks.results import cache_keys
from tasks.results.cache_keys import is_transient, key_of, may_pass, unit
from tasks.results.handovers import Handover
from tasks.stages.shot_stages import edit_shot
from tests.drawn_products import ContrastNetwork

CONTEXT: Any = None
RUN: Any = None


def handover(**changes: Any) -> Handover:
    values = {"shot": ShotId(client="a", batch="b", shot="c"), "source_sha256": "1", "plan_fingerprint": "2"}
    return Handover(**(values | changes))


def key(stage: str, **parameters: Any) -> str:
    return key_of(stage)(CONTEXT, parameters)


def answered(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1/api/artifacts")
    return httpx.HTTPStatusError("", request=request, response=httpx.Response(status, request=request))


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        *((answered(status), True) for status in (408, 429, 500, 502, 503, 504)),
        *((answered(status), False) for status in (400, 401, 404, 409, 422)),
        (PrefectHTTPStatusError.from_httpx_error(answered(503)), True),
        (PrefectHTTPStatusError.from_httpx_error(answered(404)), False),
        (httpx.ConnectError("refused"), True),
        (httpx.ReadTimeout("late"), True),
        (ConnectionResetError(), True),
        (StorageUnavailableError("it did not answer"), True),
        (NamingError("a blank"), False),
        (ValueError("odd"), False),
        (None, False),
    ],
)
def test_an_error_of_prefect_or_storage_that_may_pass_is_tried_again_and_no_other(error: object, passes: bool) -> None:
    assert may_pass(error) is passes


def test_the_key_follows_stage_source_plan_generation_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    original = key("edit", shot=handover())
    assert key("edit", shot=handover()) == original
    others = [
        key("export", shot=handover()),
        key("edit", shot=handover(source_sha256="x")),
        key("edit", shot=handover(plan_fingerprint="x")),
        key("edit", shot=handover(generation=1)),
        key("edit", shot=handover(shot=ShotId(client="a", batch="b", shot="d"))),
    ]
    monkeypatch.setattr(cache_keys, "PIPELINE_VERSION", "next")
    others.append(key("edit", shot=handover()))
    assert len({original, *others}) == len(others) + 1


def test_the_key_of_an_edit_follows_the_network_that_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def key_with(engine: str) -> str:
        loaded = LoadedModel("contrast", ContrastNetwork(engine=engine), ())
        monkeypatch.setattr(networks, "load_model", lambda: loaded)
        return str(edit_shot.cache_policy.cache_key_fn(CONTEXT, {"routed": handover()}))  # type: ignore[union-attr]

    assert key_with("onnxruntime") != key_with("openvino")
    assert key_with("onnxruntime") == key_with("onnxruntime")


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text())))
def test_the_key_does_not_depend_on_the_order_of_what_it_is_made_of(parameters: dict[str, Any]) -> None:
    backwards = dict(reversed(parameters.items()))
    assert key_of("edit")(CONTEXT, parameters) == key_of("edit")(CONTEXT, backwards)


def test_a_key_can_stand_in_a_path() -> None:
    assert key("edit", shot=handover()).replace("-", "").replace(".", "").isalnum()


def test_what_has_no_stable_text_is_refused() -> None:
    for value in (object(), b"pixels", bytearray(b"pixels")):
        with pytest.raises(TypeError, match="reference or a hash"):
            key("edit", shot=value)


def test_only_transient_errors_are_worth_another_try() -> None:
    assert is_transient(Mock(), RUN, Failed(data=StorageUnavailableError("down")))
    for error in (EmptySubjectError("nothing"), ValueError("bug"), MemoryError()):
        assert not is_transient(Mock(), RUN, Failed(data=error))


def test_options_go_into_a_task() -> None:
    @task(**unit("edit"))
    def edit(shot: str) -> str:
        return shot

    assert edit.persist_result
    assert edit.retries == cache_keys.RETRIES
    assert edit.retry_delay_seconds == [2.0, 4.0, 8.0]
