from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot import keys, name_templates, naming, shot_names
from packshot.errors import NamingError
from packshot.naming import BatchId, ShotId

good_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}(\.[A-Za-z0-9]{1,5})?", fullmatch=True)
batches = st.builds(BatchId, client=good_names, batch=good_names)
shots = st.builds(ShotId, client=good_names, batch=good_names, shot=good_names)
paths = st.lists(
    st.text("aAbB 1-_.é/:\\日", min_size=1, max_size=8).filter(lambda part: part not in (".", "..")),
    min_size=1,
    max_size=3,
).map(lambda parts: "/".join(parts).strip("/") + ".jpg")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


files = st.dictionaries(paths, st.sampled_from("abc").map(sha256), max_size=12)


@given(files)
def test_every_file_gets_one_name_and_no_two_the_same_whatever_its_case(files: dict[str, str]) -> None:
    names = shot_names.shot_names(files)
    assert set(names) == set(files)
    assert len({name.lower() for name in names.values()}) == len(files)


@given(files)
def test_every_shot_name_can_stand_in_a_key(files: dict[str, str]) -> None:
    for name in shot_names.shot_names(files).values():
        assert naming.checked_name(name, what="shot") == name


@given(files, st.randoms())
def test_the_same_files_get_the_same_names_in_any_order(files: dict[str, str], random: object) -> None:
    turned = dict(reversed(files.items()))
    assert shot_names.shot_names(turned) == shot_names.shot_names(files)


def test_a_name_says_which_file_it_is() -> None:
    names = shot_names.shot_names({"front/SKU 12é.jpg": "0" * 64, "SKU_13.tif": "1" * 64})
    assert names == {"front/SKU 12é.jpg": "front--SKU-12e", "SKU_13.tif": "SKU_13"}


@given(st.text(min_size=1, max_size=40))
def test_a_plain_name_is_one_name_in_every_unicode_form_and_loses_no_letter(text: str) -> None:
    plain = shot_names.plain_name(text)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", plain)
    assert plain == shot_names.plain_name(unicodedata.normalize("NFD", unicodedata.normalize("NFC", text)))
    assert shot_names.plain_name(plain) == plain


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Кружка-1", "Kruzhka-1"),
        ("Größe 42", "Grosse-42"),
        ("Ü-100", "U-100"),
        ("マグ 1", "magu-1"),
        ("SKU_13", "SKU_13"),
    ],
)
def test_a_name_in_another_script_keeps_its_letters(name: str, plain: str) -> None:
    assert shot_names.plain_name(name) == plain


def test_letters_that_nobody_can_write_in_latin_ones_stay_two_names() -> None:
    names = {shot_names.plain_name(one) for one in ("\U00010900-1", "\U00010901-1", "1")}
    assert len(names) == 3


def test_files_that_differ_by_suffix_only_are_told_apart_by_content() -> None:
    names = shot_names.shot_names({"a.jpg": "1" * 64, "a.tif": "2" * 64, "A.png": "1" * 64})
    assert names == {"A.png": "A-11111111", "a.jpg": "a-11111111-2", "a.tif": "a-22222222"}


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a..b", "a/b", "a b", "-a", ".a", "_a", "é", "a\n", "a" * 101, "a\\b", "a?b"]
)
def test_a_name_that_cannot_stand_in_a_key_is_refused(name: str) -> None:
    with pytest.raises(NamingError, match="allowed letters"):
        naming.checked_name(name, what="batch")


def test_a_batch_with_a_name_that_cannot_stand_in_a_key_is_refused() -> None:
    with pytest.raises(NamingError, match="this client"):
        naming.batch_id("two words", "spring")
    assert str(naming.batch_id("acme", "spring-24")) == "acme/spring-24"


@given(batches)
def test_the_ready_key_leads_back_to_its_batch(batch: BatchId) -> None:
    assert keys.batch_from_ready_key(keys.inbox_key(batch, naming.READY)) == batch


@pytest.mark.parametrize(
    "key",
    ["inbox/acme/READY", "inbox/acme/b/c/READY", "inbox/acme/b/ready", "READY", "x/acme/b/READY"],
)
def test_a_key_that_closes_no_batch_leads_to_none(key: str) -> None:
    assert keys.batch_from_ready_key(key) is None


@given(batches, paths.filter(lambda path: not naming.path_trouble(path)))
def test_a_path_comes_back_out_of_its_inbox_key(batch: BatchId, path: str) -> None:
    assert keys.path_in_inbox(batch, keys.inbox_key(batch, path)) == path


KEYS: dict[str, Callable[[ShotId], str]] = {
    "inbox/{client}/{batch}/f.jpg": lambda shot: keys.inbox_key(shot.in_batch, "f.jpg"),
    "batches/{client}/{batch}/batch.json": lambda shot: keys.batch_record_key(shot.in_batch),
    "batches/{client}/{batch}/shots/{shot}/record.json": keys.record_key,
    "batches/{client}/{batch}/shots/{shot}/master.tif": lambda shot: keys.shot_key(shot, "master.tif"),
    "jobs/{client}/{batch}/{shot}/out/ticket.json": lambda shot: keys.job_out_key(shot, "ticket.json"),
    "jobs/{client}/{batch}/{shot}/returned/": keys.job_returned_prefix,
    "deliveries/{client}/{batch}/2/shopify/a.webp": lambda shot: keys.delivery_key(shot.in_batch, 2, "shopify/a.webp"),
    "batches/{client}/": lambda shot: keys.batches_prefix(shot.client),
    "quarantine/{client}/{batch}/f.jpg": lambda shot: keys.quarantine_key(shot.in_batch, "f.jpg"),
    "quarantine/{client}/{batch}/f.jpg.reason.json": lambda shot: keys.quarantine_reason_key(shot.in_batch, "f.jpg"),
}


@pytest.mark.parametrize("layout", KEYS)
@given(shot=shots)
def test_keys_follow_the_storage_contract(layout: str, shot: ShotId) -> None:
    assert KEYS[layout](shot) == layout.format(client=shot.client, batch=shot.batch, shot=shot.shot)


@given(st.dates())
def test_only_a_day_s_figures_lead_back_to_their_date(date: dt.date) -> None:
    assert keys.date_from_daily_figures_key(keys.daily_figures_key(date)) == date
    assert keys.date_from_daily_figures_key(keys.daily_page_key(date)) is None
    assert keys.date_from_daily_figures_key(keys.daily_page_key(date)) is None
    assert keys.daily_figures_key(date).startswith(keys.daily_prefix())


@pytest.mark.parametrize("name", ["2026-13-01", "2026-02-30", "0000-01-01", "٢٠٢٦-01-01", "latest"])
def test_what_is_named_like_a_day_and_is_none_is_nobody_s_figures(name: str) -> None:
    assert keys.date_from_daily_figures_key(f"{keys.daily_prefix()}{name}.json") is None


@given(shots, shots)
def test_two_shots_never_share_a_key(one: ShotId, other: ShotId) -> None:
    if one != other:
        assert keys.record_key(one) != keys.record_key(other)
        assert keys.job_out_key(one, "m.tif") != keys.job_out_key(other, "m.tif")


FIELDS = ("sku", "view", "asin", "gtin14")
values = st.fixed_dictionaries(dict.fromkeys(FIELDS, good_names))
templates = st.lists(
    st.sampled_from([f"{{{field}}}" for field in FIELDS]) | st.text("abc.-_", min_size=1, max_size=3),
    min_size=1,
    max_size=6,
).map("".join)


@given(templates, values)
def test_a_filled_template_has_each_value_in_its_place(template: str, values: dict[str, str]) -> None:
    assert name_templates.fill_template(template, values, subject="s") == template.format(**values)
    assert set(name_templates.template_fields(template)) == set(re.findall(r"\{(\w+)\}", template))


@given(st.sampled_from(FIELDS), values)
def test_a_template_that_needs_what_is_not_known_says_what(field: str, values: dict[str, str]) -> None:
    with pytest.raises(NamingError, match=f"the name needs '{field}'"):
        name_templates.fill_template("{%s}" % field, {**values, field: ""}, subject="acme/b/s shopify")  # noqa: UP031


@given(values, st.text(min_size=1, max_size=5).filter(lambda text: not re.fullmatch(r"[A-Za-z0-9._-]+", text)))
def test_no_name_gets_characters_that_marketplaces_refuse(values: dict[str, str], odd: str) -> None:
    with pytest.raises(NamingError, match="characters"):
        name_templates.fill_template("{sku}-{view}", {**values, "sku": odd}, subject="s")


@pytest.mark.parametrize("template", ["{sku", "sku}", "{SKU}", "{}", "{{sku}}", "{sku!r}", "{sku.x}", "{0}"])
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(NamingError, match="malformed"):
        name_templates.template_fields(template)


@given(st.lists(st.tuples(st.sampled_from(["a.jpg", "A.jpg", "b.jpg", "c.webp"]), good_names), max_size=8))
def test_collisions_are_exactly_the_names_wanted_twice_whatever_their_case(wanted: list[tuple[str, str]]) -> None:
    found = name_templates.collisions(wanted)
    for name in {name.lower() for name, _ in wanted}:
        takers = sorted(shot for other, shot in wanted if other.lower() == name)
        assert found.get(name) == (tuple(takers) if len(takers) > 1 else None)
