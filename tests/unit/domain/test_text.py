"""What text may hold, whoever wrote it."""

import pytest

from shared.domain.text import cleaned, is_text, looks_empty

BIDI_AND_ZERO_WIDTH = "\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\u061c\ufeff"


@pytest.mark.parametrize("character", BIDI_AND_ZERO_WIDTH)
def test_bidi_and_zero_width_characters_are_dropped(character: str) -> None:
    assert cleaned(f"a{character}b") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧\u200d👦",
        "🏳\ufe0f\u200d🌈",
        "1\ufe0f\u20e3",
        "👍🏽",
        "می\u200cخواهم",
        "क्\u200dष",
        "\u06dd١",
        "한국어",
        "två\nrader",
    ],
)
def test_what_people_write_and_see_is_kept(text: str) -> None:
    assert cleaned(text) == text


def test_tags_are_dropped_because_they_hide_messages() -> None:
    assert cleaned("\U0001f3f4\U000e0067\U000e0062\U000e007f") == "\U0001f3f4"


@pytest.mark.parametrize("character", ["\u0000", "\u0085", "\ud800", "\ue000", "\uffff"])
def test_what_is_no_character_of_a_text_is_dropped(character: str) -> None:
    assert (is_text(character), cleaned(f"a{character}b")) == (False, "ab")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\n"])
def test_lines_stay_apart(separator: str) -> None:
    assert cleaned(f"a{separator}b") == "a\nb"


@pytest.mark.parametrize(
    "text", ["", " ", "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\u0301", "\ufe0f", "\u200d"]
)
def test_without_ink_a_text_looks_empty(text: str) -> None:
    assert looks_empty(text)


@pytest.mark.parametrize("text", ["a", "42", "?", "🙂", "❤\ufe0f", "眠", "\u2801"])
def test_with_ink_it_does_not(text: str) -> None:
    assert not looks_empty(text)
