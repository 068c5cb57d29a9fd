"""Names that have to be taken for one person's, and those of two people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.decision import Choice, Decision, Reason
from packshot.errors import DecisionRefusedError
from packshot.handoff.deciding import decide
from packshot.handoff.people import plain_name, same_person
from packshot.record import State
from tests.packshot.handoff.test_deciding import decision, waiting

ADA = "Ada Lovelace"
DISGUISED = {
    "case": "aDA LOVELACE",
    "accents": "Ádä Lovelaće",
    "blanks": " Ada\u00a0\u3000 Lovelace\t",
    "no blank": "AdaLovelace",
    "punctuation": "Lovelace, Ada.",
    "order of words": "lovelace ada",
    "full width": "Ａｄａ　Ｌｏｖｅｌａｃｅ",
    "mathematical letters": "𝐀𝐝𝐚 𝓛𝓸𝓿𝓮𝓵𝓪𝓬𝓮",
    "soft hyphen": "A\u00adda Love\u00adlace",
    "no width": "A\u200bd\u200ca\u2060 Love\ufefflace\u200d",
    "other direction": "\u202eAda Lovelace\u202c",
    "variation selector": "A\ufe0fda Lovelace",
    "filler": "Ada\u3164 Lovelace\u115f",
    "Cyrillic": "Аdа Lоvеlасе",
    "Greek": "Αda Lονelαcε",
    "Cherokee": "Ꭺda ᏞovelacᎬ",
    "digits": "Ada L0ve1ace",
    "capital I": "Ada LoveIace",
    "dotless and barred": "Ada Łøvelace",
    "small capitals": "Aᴅa Loᴠelace".replace("ᴅ", "d"),
    "everything": "LO\u00adVЕlасе,   аDa",
}


@pytest.mark.parametrize("disguise", DISGUISED)
def test_a_person_in_disguise_is_the_same_person(disguise: str) -> None:
    assert same_person(ADA, DISGUISED[disguise])
    assert same_person(DISGUISED[disguise], ADA)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "Ada Byron"),
        ("Ada", "Bob"),
        ("Νίκος", "Μαρία"),
        ("Анна", "Ольга"),
        ("王芳", "李娜"),
        ("Jo", "Joan"),
    ],
)
def test_two_people_are_two_people(one: str, other: str) -> None:
    assert not same_person(one, other)


@pytest.mark.parametrize(("one", "other"), [("Νίκος", "νίκος"), ("АННА", "анна"), ("Bernd", "Bemd"), ("Νina", "Nina")])
def test_case_and_looks_hold_in_every_script(one: str, other: str) -> None:
    assert same_person(one, other)


@given(st.text(min_size=1, max_size=20), st.sampled_from(["\u00ad", "\u200b", "\ufeff", "\u2060"]))
def test_what_cannot_be_seen_never_makes_another_person(name: str, unseen: str) -> None:
    if plain_name(name):
        middle = len(name) // 2
        assert same_person(name, name)
        assert same_person(name, name[:middle] + unseen + name[middle:])


def test_nobody_without_letters_is_anybody() -> None:
    assert not same_person("", "")
    assert not same_person(".", "...")


def test_nobody_becomes_a_senior_by_looking_like_one() -> None:
    record = waiting(State.AWAITING_SIGNOFF)
    for name in ("Sеn Ior", "Ior Sen", "Sen 1or"):
        with pytest.raises(DecisionRefusedError, match="only a senior"):
            decide(record, decision(Choice.SIGN, by=name), seniors=("Sen Ior",))


def test_a_typed_name_stands_in_the_record_as_not_verified() -> None:
    told = {"choice": Choice.SIGN, "by": ADA, "at": "2026-05-04T03:02:01Z", "reason": Reason.OTHER, "picture": "ab"}
    assert Decision.model_validate(told).model_dump(mode="json")["verified"] is False
