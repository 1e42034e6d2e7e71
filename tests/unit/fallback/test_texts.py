"""What the steps of the library say, as far as a program can judge it."""

import unicodedata
from collections import Counter
from typing import get_args

import pytest

from shared.domain.step import CategoryId, Step
from tests.unit.fallback.shelves import LIBRARY, shelved, words_of
from worker.fallback import BANDS, GENERAL, LANGUAGES

STRUCTURE = ("duration", "activation_type", "category_id")
"""What a step and its counterpart in the other language have in common."""

NOT_WHEN_LOW = (
    *("fönster", "balkong", "bro ", "håll andan", "hårdaste", "värsta", "spring", "raskt"),
    *("window", "balcony", "bridge", "hold your breath", "harshest", "worst", "jogg", "brisk"),
)
NEVER = (
    *("håll andan", "spela in", "filma", "tala in", "läs upp", "ladda upp", "visa oss", "i rad"),
    *("hold your breath", "record a", "film yourself", "upload", "show us", "streak"),
    *("du kommer att må", "garanterat", "you will feel", "guarantee", "terapi", "therapy"),
    *(
        "gästen",
        "vad hände i dig",
        "what happened in you",
        "put something in store",
        "dare to call",
    ),
    *("what was it that fluttered", "take something to write with", "gone for ever"),
)
TIMES_OF_DAY = {
    "sv": ("kväll", "natt", "morgon", "morgn", "frukost", "lunch", "middag", "läggdags"),
    "en": ("evening", "night", "morning", "breakfast", "lunch", "dinner", "afternoon", "bedtime"),
}
NO_TIME_OF_DAY = ("i morgon", "morgondag")
"""A day, which begins whenever the reader's does."""

PHONE_AWAY = ("telefonen i ett annat rum", "bort telefonen", "undan telefonen", "leave your phone")
CLOCKS = ("timer", "klocka", "larm", "alarm")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_theme_and_band_has_at_least_four_steps(language: str) -> None:
    themes = {*LIBRARY.themes.by_topic, GENERAL}
    timed = {f"{theme}_{time}" for theme in themes for time in LIBRARY.times_of_day.by_topic}
    shelves = LIBRARY.shelves[language]
    assert themes < set(shelves) < themes | timed
    for name, shelf in shelves.items():
        assert set(shelf) == set(BANDS.values())
        assert min(map(len, shelf.values())) >= 4, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_occurs_and_sleep_is_for_sleep(language: str) -> None:
    found = {(theme.startswith("sleep"), step.category_id) for theme, _, step in shelved(language)}
    others = set(get_args(CategoryId)) - {"sleep"}
    assert found == {(True, "sleep"), *((False, category) for category in others)}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", ["title", "description", "introduction_message"])
def test_no_two_steps_of_a_language_share(language: str, field: str) -> None:
    values = Counter(getattr(step, field) for *_, step in shelved(language))
    assert [value for value, times in values.items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_steps_of_a_theme_and_band_are_not_all_of_a_kind(language: str) -> None:
    kinds: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for theme, band, step in shelved(language):
        kinds.setdefault((theme, band), set()).add((step.activation_type, step.category_id))
    assert [where for where, found in kinds.items() if len(found) < 2] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_step_for_a_low_mood_is_short_and_asks_for_nobody_else(language: str) -> None:
    for _, band, step in shelved(language):
        if band == "low":
            assert (step.duration <= 10, step.activation_type) in [
                (True, "meditation"),
                (True, "physical"),
            ], step.title
            assert len(step.questions) == 1, step.title


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_step_for_a_low_mood_has_no_heights_no_strain_and_no_harsh_thoughts(
    language: str,
) -> None:
    for _, band, step in shelved(language):
        said = [word for word in NOT_WHEN_LOW if word in words_of(step)]
        assert band != "low" or said == [], step.title


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_step_asks_for_more_than_text_promises_or_treats(language: str) -> None:
    for *_, step in shelved(language):
        assert [word for word in NEVER if word in words_of(step)] == [], step.title
        assert step.log_type == "text"
        assert (step.coach_approval_required, step.ai_assessment, step.net_enabled) == (False,) * 3
        assert step.activation_type in ("meditation", "physical", "social")


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_step_for_a_time_of_day_names_one(language: str) -> None:
    for theme, _, step in shelved(language):
        words = words_of(step)
        for day in NO_TIME_OF_DAY:
            words = words.replace(day, "")
        named = any(word in words for word in TIMES_OF_DAY[language])
        assert named == theme.endswith(("_evening", "_morning")), step.title


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_that_is_put_away_is_no_timer(language: str) -> None:
    away = [step for *_, step in shelved(language) if _mentions(step, PHONE_AWAY)]
    assert away
    assert [step.title for step in away if _mentions(step, CLOCKS)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_plain(language: str) -> None:
    """No markup, no control or invisible characters, no line breaks, no straight quotes."""
    for text in (text for *_, step in shelved(language) for text in _texts(step)):
        assert not set(text) & set('‹›<>&"'), text
        assert ".." not in text
        assert not [sign for sign in text if unicodedata.category(sign)[0] == "C"], text
        assert text == unicodedata.normalize("NFC", " ".join(text.split()))


@pytest.mark.parametrize(("language", "opening"), [("sv", "”"), ("en", "“")])
def test_quotation_marks_are_those_of_the_language(language: str, opening: str) -> None:
    for text in (text for *_, step in shelved(language) for text in _texts(step)):
        marks = [sign for sign in text if sign in "“”„«»"]
        assert marks == [opening, "”"] * (len(marks) // 2), text


def test_swedish_and_english_correspond_pairwise_and_differ() -> None:
    pairs = zip(_by_theme("sv"), _by_theme("en"), strict=True)
    for (shelf, ours), (other_shelf, theirs) in pairs:
        assert shelf == other_shelf
        assert [f for f in STRUCTURE if getattr(ours, f) != getattr(theirs, f)] == [], ours.title
        assert len(ours.questions) == len(theirs.questions), ours.title
        assert bool(ours.prerequisite) == bool(theirs.prerequisite), ours.title
        shared = set(_texts(ours)) & set(_texts(theirs)) - {""}
        assert shared == set(), ours.title


def _by_theme(language: str) -> list[tuple[tuple[str, str], Step]]:
    listed = [((theme, band), step) for theme, band, step in shelved(language)]
    return sorted(listed, key=lambda one: one[0])


def _mentions(step: Step, words: tuple[str, ...]) -> bool:
    return any(word in words_of(step) for word in words)


def _texts(step: Step) -> tuple[str, ...]:
    shown = (step.title, step.introduction_message, step.preparation_message, step.prerequisite)
    return (*shown, step.description, step.prompt, *step.questions)
