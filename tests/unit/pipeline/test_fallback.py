"""The library of steps that answers where Gemini can't."""

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from typing import get_args

import pytest

from shared.domain.step import CategoryId, Step
from tests import ROOT
from worker.fallback import LANGUAGES, FallbackLibrary, load_library

MOODS = (1, 2, 3, 4, 5)
LOW_MOODS = (1, 2)
STRUCTURE = (
    "duration",
    "activation_type",
    "category_id",
    "log_type",
    "repetitions",
    "ai_assessment",
    "coach_approval_required",
    "net_enabled",
)
"""What a step and its counterpart in the other language have in common."""

IDS = [f"activation-{number}" for number in range(200)]


@pytest.fixture(scope="module")
def library() -> FallbackLibrary:
    return load_library()


def steps(library: FallbackLibrary, language: str, mood: int) -> set[Step]:
    """Every step that can be drawn, found by drawing for many ids."""
    return {library.step_for(name, mood=mood, language=language) for name in IDS}


def texts(value: object) -> Iterator[str]:
    """Every text in parsed JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def written(language: str) -> list[str]:
    """The texts as they stand in the data file, before the model cleans them."""
    file = ROOT / "worker" / "fallback" / f"{language}.json"
    return list(texts(json.loads(file.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_has_at_least_five_steps(
    library: FallbackLibrary, language: str, mood: int
) -> None:
    assert len(library._by_language[language][mood]) >= 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_occurs(library: FallbackLibrary, language: str) -> None:
    by_mood = library._by_language[language].values()
    categories = {step.category_id for of_mood in by_mood for step in of_mood}
    assert categories == set(get_args(CategoryId))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mood", MOODS)
def test_every_mood_has_a_step_for_the_evening(
    library: FallbackLibrary, language: str, mood: int
) -> None:
    assert "sleep" in {step.category_id for step in library._by_language[language][mood]}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mood", LOW_MOODS)
def test_low_moods_get_short_steps(library: FallbackLibrary, language: str, mood: int) -> None:
    assert max(step.duration for step in library._by_language[language][mood]) <= 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_plain(language: str) -> None:
    """No markup, no control or invisible characters, no line breaks, no straight quotes."""
    for text in written(language):
        assert not set(text) & set('<>&"'), text
        assert not [sign for sign in text if unicodedata.category(sign)[0] == "C"], text
        assert text == unicodedata.normalize("NFC", " ".join(text.split()))


@pytest.mark.parametrize(("language", "opening"), [("sv", "”"), ("en", "“")])
def test_quotation_marks_are_those_of_the_language(language: str, opening: str) -> None:
    for text in written(language):
        marks = [sign for sign in text if sign in "“”„«»"]
        assert marks == [opening, "”"] * (len(marks) // 2), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_steps_for_the_five_moods_alone(library: FallbackLibrary, language: str) -> None:
    assert sorted(library._by_language[language]) == list(MOODS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mood", MOODS)
def test_ids_are_spread_over_all_steps(library: FallbackLibrary, language: str, mood: int) -> None:
    assert steps(library, language, mood) == set(library._by_language[language][mood])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", ["title", "description"])
def test_no_two_steps_of_a_language_share(
    library: FallbackLibrary, language: str, field: str
) -> None:
    by_mood = library._by_language[language].values()
    values = [getattr(step, field) for of_mood in by_mood for step in of_mood]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("mood", MOODS)
def test_both_languages_have_as_many_steps(library: FallbackLibrary, mood: int) -> None:
    swedish, english = (library._by_language[language][mood] for language in ("sv", "en"))
    assert len(swedish) == len(english)


@pytest.mark.parametrize("mood", MOODS)
def test_steps_correspond_pairwise(library: FallbackLibrary, mood: int) -> None:
    swedish, english = (library._by_language[language][mood] for language in ("sv", "en"))
    for ours, theirs in zip(swedish, english, strict=True):
        differing = [f for f in STRUCTURE if getattr(ours, f) != getattr(theirs, f)]
        assert differing == [], (ours.title, theirs.title)
        assert len(ours.questions) == len(theirs.questions)
        assert bool(ours.prerequisite) == bool(theirs.prerequisite)


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize(
    "field", ["title", "description", "prompt", "introduction_message", "preparation_message"]
)
def test_swedish_and_english_differ(library: FallbackLibrary, mood: int, field: str) -> None:
    values = [
        {getattr(step, field) for step in library._by_language[language][mood]}
        for language in ("sv", "en")
    ]
    assert values[0].isdisjoint(values[1])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mood", MOODS)
def test_no_step_needs_more_than_a_person_alone(
    library: FallbackLibrary, language: str, mood: int
) -> None:
    for step in library._by_language[language][mood]:
        assert (step.coach_approval_required, step.ai_assessment) == (False, False)
        assert step.activation_type in ("meditation", "physical", "social")


def test_the_step_is_the_same_for_the_same_id_in_every_process() -> None:
    """A redelivery may meet another process, whose `hash` of a text is another one."""
    program = (
        "from worker.fallback import load_library\n"
        "library = load_library()\n"
        "for number in range(50):\n"
        "    print(library.step_for(f'activation-{number}', mood=3, language='sv').title)\n"
    )
    drawn = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("tag", "spoken"),
    [
        ("sv", "sv"),
        ("sv-SE", "sv"),
        ("SV-fi", "sv"),
        ("sv-Latn-SE", "sv"),
        ("en", "en"),
        ("en-GB", "en"),
        ("de", "en"),
        ("zh-Hant", "en"),
        ("svx", "en"),
        ("", "en"),
    ],
)
def test_a_language_tag_finds_its_language_or_english(
    library: FallbackLibrary, tag: str, spoken: str
) -> None:
    assert steps(library, tag, 2) == set(library._by_language[spoken][2])
