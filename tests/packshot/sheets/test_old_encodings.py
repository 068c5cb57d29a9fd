"""Texts in encodings of one byte a letter come back as they were written, or are asked back."""

from __future__ import annotations

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from packshot.sheets.encoding import decoded

WESTERN = """Größe Straße Käse ÄPFEL Öl Übergröße weiß Tür café élégant naïve garçon hôtel OEUVRE œuvre être à où
español niño señora corazón CAÑÓN città perché così però ação coração irmã pão três één ideeën Curaçao smørrebrød Åse
blåbær CREMÉ Fußmatte Müller Kühlschrank Schüssel Gläser"""
POLISH = "łyżka żółty źródło ćma BŁĘKITNY Łódź śliwka gęś pięć kość ŻABA książka"
RUSSIAN = "кружка Чашка БЕЛАЯ тарелка нож вилка Ёлка"
CODECS = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman", "cp850": "DOS code page 850"}


def table(words: list[str]) -> str:
    return "\r\n".join(f"{number:03};{word} A-{number};{word}-{number}.jpg" for number, word in enumerate(words))


@given(st.lists(st.sampled_from(WESTERN.split()), min_size=3, unique=True), st.sampled_from(sorted(CODECS)))
def test_a_western_text_is_read_as_it_was_written_and_the_encoding_named(words: list[str], codec: str) -> None:
    text = table(words)
    try:
        data = text.encode(codec)
    except UnicodeEncodeError:
        assume(False)
    try:
        found = decoded(data)
    except ValueError as error:
        event("asked back")
        found = (text, CODECS[codec]) if codec != "cp1252" and f"in {CODECS[codec]}" in str(error) else ("", "")
    assert found == (text, CODECS[codec])


@given(st.lists(st.sampled_from(POLISH.split()), min_size=3, unique=True))
def test_a_polish_text_is_read_as_it_was_written(words: list[str]) -> None:
    assert decoded(table(words).encode("cp1250")) == (table(words), "Windows-1250")


@given(st.lists(st.sampled_from(RUSSIAN.split()), min_size=3, unique=True))
def test_a_russian_text_is_read_as_it_was_written(words: list[str]) -> None:
    assert decoded(table(words).encode("cp1251")) == (table(words), "Windows-1251")


@pytest.mark.parametrize(
    "text", ["5 ½ – 7°", "Nike®", "l’eau", "“Deluxe”", "20 € – 30 €", "• one", "100 ‰", "±5", "Ø 5", "¢"]
)
def test_signs_beside_words_leave_the_usual_encoding(text: str) -> None:
    assert decoded(text.encode("cp1252")) == (text, "Windows-1252")


def test_one_word_that_two_encodings_spell_is_asked_back_with_both_readings() -> None:
    with pytest.raises(ValueError, match=r"'kźche' in Windows-1250, 'küche' in Mac Roman"):
        decoded("küche.jpg;1".encode("mac_roman"))


def test_an_encoding_that_nothing_speaks_for_is_asked_back_with_the_readings() -> None:
    greek = table(["κούπα", "πιάτο", "μαχαίρι", "πιρούνι", "κουτάλι"])
    with pytest.raises(ValueError, match=r"encoding cannot be told \(one word is '.*' in Windows-1252.*UTF-8 is safe"):
        decoded(greek.encode("cp1253"))
