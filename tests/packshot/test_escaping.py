"""Each function against all hostile texts and against whatever Hypothesis thinks of."""

from __future__ import annotations

import html
import json
from email import message_from_bytes
from email.message import EmailMessage

import jinja2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packshot import escaping
from packshot.escaping import ASIDE
from tests.hostile_texts import (
    EVERYTHING,
    TEXTS,
    links_of_markdown,
    on_one_line,
    seen_in_markdown,
    steering,
    tags_of_html,
)

PARTS = st.sampled_from([*"[!<>@`|#x", "](", "]:", "http://a.b", "www.", "a.b", "\n", " ", "\\", "&lt;", "\x1b"])
WRITTEN = st.one_of(st.text(max_size=40), st.lists(PARTS, max_size=12).map("".join), st.sampled_from(TEXTS))


@given(WRITTEN)
@example(EVERYTHING)
def test_markdown_shows_what_was_written_and_nothing_else(text: str) -> None:
    for escaped in (escaping.markdown(text), f"# {escaping.markdown(text)}", f"- {escaping.markdown(text)}"):
        assert not links_of_markdown(escaped)
    assert seen_in_markdown("x " + escaping.markdown(text)).removeprefix("x").strip() == on_one_line(text)


@given(WRITTEN)
@example(EVERYTHING)
def test_a_row_of_a_markdown_table_keeps_its_columns(text: str) -> None:
    tokens = escaping.markdown(text).replace("\\|", "")
    assert "|" not in tokens
    assert "\n" not in tokens


@given(WRITTEN)
@example(EVERYTHING)
def test_code_shows_what_was_written(text: str) -> None:
    assert not links_of_markdown(f"put it into {escaping.code(text)}, please")
    assert on_one_line(text).strip("` ") in seen_in_markdown(f"put it into {escaping.code(text)}, please")


@given(WRITTEN)
@example(EVERYTHING)
def test_a_cell_is_no_link_and_looks_the_same_as_plain_text(text: str) -> None:
    shown = escaping.cell(text)
    assert not links_of_markdown(shown)
    assert shown.replace(ASIDE, "") == on_one_line(text)


@pytest.mark.parametrize("text", ["spring_26", "A1_MAIN.jpg", "score 96.4", "on hold", "home: simple (2 of 3)", "é 猫"])
def test_usual_texts_stay_as_they_are(text: str) -> None:
    for place in (escaping.cell, escaping.chat, escaping.header, escaping.body, escaping.terminal, escaping.json_text):
        assert place(text) == text


@given(WRITTEN)
@example(EVERYTHING)
def test_a_chat_calls_nobody_and_links_nothing(text: str) -> None:
    shown = escaping.chat(text)
    assert not {"<", ">", "\n"} & set(shown)
    assert not [call for call in ("@e", "@h", "://") if call in shown]
    assert not links_of_markdown(shown)
    assert html.unescape(shown).replace(ASIDE, "") == on_one_line(text)
    assert not steering(shown)


@given(WRITTEN)
@example(EVERYTHING)
def test_a_mail_has_the_headers_that_the_line_gave_it(text: str) -> None:
    mail = EmailMessage()
    mail["Subject"] = escaping.header(f"Packshot: {text}")
    mail.set_content(escaping.body(text) + "\n")
    read = message_from_bytes(mail.as_bytes())
    assert set(read.keys()) == {"Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert len(escaping.header(text)) <= escaping.LONGEST_HEADER
    assert not steering(escaping.body(text))


@given(WRITTEN)
@example(EVERYTHING)
def test_a_terminal_is_not_steered_and_a_line_stays_as_long_as_it_was(text: str) -> None:
    shown = escaping.terminal(text)
    assert len(shown) == len(text)
    assert "\n" not in shown
    assert not steering(shown)


@given(WRITTEN)
@example(EVERYTHING)
def test_json_says_the_same_without_steering_a_terminal(text: str) -> None:
    shown = escaping.json_text(json.dumps({"name": text}, ensure_ascii=False, indent=1))
    assert json.loads(shown) == {"name": text}
    assert not steering(shown)
    assert ASIDE not in shown
    shown.encode()


def page(text: str) -> str:
    environment = escaping.page_environment("packshot.outcomes")
    environment.loader = jinja2.DictLoader({"page": '<p title="{{ text }}">{{ text }}{{ "<b>" | safe }}</p>'})
    return environment.get_template("page").render(text=text)


@given(WRITTEN)
@example(EVERYTHING)
def test_a_page_has_only_the_tags_of_its_template(text: str) -> None:
    shown = page(text)
    assert [(tag, set(attributes)) for tag, attributes in tags_of_html(shown)] == [("p", {"title"}), ("b", set())]
    assert all(one.isspace() for one in steering(shown))


def test_the_checks_themselves_catch_what_is_not_escaped() -> None:
    """Of the texts that are attacks on Markdown, HTML or a terminal, none passes as it is."""
    assert [bool(links_of_markdown(text)) for text in TEXTS[:5]] == [True] * 5
    assert [tag for tag, _ in tags_of_html(TEXTS[2])] == ["img", "script"]
    assert all(steering(text) for text in (TEXTS[7], TEXTS[8], TEXTS[10]))
