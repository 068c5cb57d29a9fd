from __future__ import annotations

import base64
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.storage.bucket import Storage
from tasks.telling import artifacts
from tasks.telling.artifacts import INLINE_MAX_BYTES, artifact_key, only_shown, page_artifact, picture, table_artifact

NAMES = st.text("aAb9._- ", min_size=1, max_size=5)


@given(st.lists(NAMES, min_size=1, max_size=3), st.lists(NAMES, min_size=1, max_size=3))
def test_different_names_have_different_keys(first: list[str], second: list[str]) -> None:
    if first != second:
        assert artifact_key("shot", *first) != artifact_key("shot", *second)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_every_key_has_only_what_prefect_accepts(parts: list[str]) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", artifact_key("shot", *parts))


def test_names_that_differ_only_by_what_keys_cannot_hold_have_different_keys() -> None:
    """Of three batches of a client, each has its own table in the UI."""
    assert len({artifact_key("batch", "acme", name) for name in ("a_b", "a-b", "a.b", "A-b", "a--b", "a b")}) == 6
    assert artifact_key("batch", "a-b", "c") != artifact_key("batch", "a", "b-c")


def test_a_key_that_needs_no_change_stays_readable() -> None:
    assert artifact_key("batch", "acme", "spring-24") == "batch--acme--spring-24"


def test_a_small_picture_stands_in_the_artifact_itself() -> None:
    shown = picture("batches/x.webp", alt="before [1]", inline=b"small")
    assert shown == f"![before \\[1\\]](data:image/webp;base64,{base64.b64encode(b'small').decode()})"


def test_a_big_picture_is_a_link_that_opens(storage: Storage) -> None:
    data = b"x" * (INLINE_MAX_BYTES + 1)
    storage.put("batches/x.webp", data, content_type="image/webp")
    for inline in (data, b""):
        match = re.fullmatch(r"!\[before\]\((http://\S+)\)", picture("batches/x.webp", alt="before", inline=inline))
        assert match
        with urllib.request.urlopen(match[1]) as answer:
            assert answer.read() == data


@pytest.mark.filterwarnings("ignore:Artifact creation outside:FutureWarning")
@pytest.mark.parametrize(
    "show",
    [
        lambda: page_artifact("text", key="a-key", description=""),
        lambda: table_artifact([{"a": 1}], key="a-key", description=""),
    ],
)
def test_what_only_shows_fails_nothing_while_prefect_does_not_answer(show: Callable[[], None]) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        assert show() is None


def test_what_is_wrong_with_the_text_itself_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), only_shown():
        _ = 1 / 0


def test_nothing_shows_an_artifact_past_the_way_that_lets_it_fail() -> None:
    folder = Path(artifacts.__file__).parents[1]
    past = [one.name for one in folder.rglob("*.py") if "prefect.artifacts" in one.read_text(encoding="utf-8")]
    assert sorted(past) == ["artifacts.py", "progress.py"]


def test_what_browsers_do_not_show_is_refused() -> None:
    with pytest.raises(ValueError, match="image/tiff"):
        picture("batches/x.tif", alt="x", media_type="image/tiff")


def test_a_table_without_a_head_over_a_column_is_not_made() -> None:
    with pytest.raises(ValueError, match="every column of the-board needs a head"):
        table_artifact([{"due": "", "": "overdue"}], key="the-board", description="")
