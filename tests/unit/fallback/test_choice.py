"""Which step of the library a wish gets."""

import json
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

import worker.fallback
from tests import ROOT
from tests.unit.fallback.shelves import LIBRARY
from worker.fallback import BANDS, GENERAL, LANGUAGES

EXAMPLES = json.loads(
    (Path(worker.fallback.__file__).parent / "examples.json").read_text(encoding="utf-8")
)
IDS = [f"activation-{number}" for number in range(200)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["goal"])
def test_a_goal_gets_the_theme_that_it_is_about(example: dict[str, str]) -> None:
    assert (LIBRARY.themes.first_topic_in(example["goal"]) or GENERAL) == example["theme"]


def test_the_examples_are_of_all_themes_bands_and_languages() -> None:
    assert len(EXAMPLES) >= 30
    found = {(example["theme"], example["language"]) for example in EXAMPLES}
    themes = {*LIBRARY.themes.by_topic, GENERAL}
    assert found >= {(theme, language) for theme in themes for language in LANGUAGES}
    assert {BANDS[example["mood"]] for example in EXAMPLES} == set(BANDS.values())


def test_each_example_is_printed_with_its_step() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "worker.fallback"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    ).stdout.splitlines()
    assert len(printed) == len(EXAMPLES)
    assert all(
        example["goal"] in line and " min)" in line
        for example, line in zip(EXAMPLES, printed, strict=True)
    )


@pytest.mark.parametrize(
    ("goal", "theme"),
    [
        ("SOVA BÄTTRE!", "sleep"),
        ("sova bättre", "sleep"),
        ("“sova”", "sleep"),
        (unicodedata.normalize("NFD", "få bättre sömn"), "sleep"),
        ("jag är orolig och kan inte sova", "worry"),
        ("less social media", "focus"),
        ("be more social", "courage"),
        ("väga mindre", None),
        ("ha tydligare mål", None),
        ("lyckas med min firma", None),
        ("Margareta", None),
        ("", None),
        ("🎈", None),
    ],
)
def test_case_signs_and_decomposed_letters_hide_no_keyword_and_the_first_one_counts(
    goal: str, theme: str | None
) -> None:
    assert LIBRARY.themes.first_topic_in(goal) == theme


def test_no_keyword_belongs_to_two_themes() -> None:
    keys = Counter(key for keys in LIBRARY.themes.by_topic.values() for key in set(keys))
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize(
    ("goal", "shelf"),
    [
        ("sova bättre", "sleep"),
        ("sleep through the night", "sleep"),
        ("somna i kväll", "sleep_evening"),
        ("fall asleep tonight", "sleep_evening"),
        ("komma igång på morgonen", "getting_started_morning"),
        ("get going in the morning", "getting_started_morning"),
        ("vara mindre arg på morgonen", "anger"),
    ],
)
@pytest.mark.parametrize("mood", BANDS)
def test_a_step_for_a_time_of_day_is_for_goals_that_name_it(
    goal: str, shelf: str, mood: int
) -> None:
    steps = LIBRARY.steps_for(mood=mood, goal=goal, language="sv")
    assert steps == LIBRARY.shelves["sv"][shelf][BANDS[mood]]


@pytest.mark.parametrize("mood", BANDS)
def test_ids_are_spread_over_all_steps_that_fit(mood: int) -> None:
    fitting = LIBRARY.steps_for(mood=mood, goal="sova", language="sv")
    drawn = Counter(
        LIBRARY.step_for(name, mood=mood, goal="sova", language="sv").title for name in IDS
    )
    assert set(drawn) == {step.title for step in fitting}
    assert min(drawn.values()) >= len(IDS) / len(fitting) / 2


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["goal"])
def test_six_activations_with_the_same_wish_give_at_least_three_steps(
    example: dict[str, str],
) -> None:
    mood, goal, language = int(example["mood"]), example["goal"], example["language"]
    drawn = {LIBRARY.step_for(name, mood=mood, goal=goal, language=language) for name in IDS[:6]}
    assert len(drawn) >= 3


def test_the_step_is_the_same_for_the_same_id_in_every_process() -> None:
    """A redelivery may meet another process, whose `hash` of a text is another one."""
    program = (
        "from worker.fallback import load_library\n"
        "library = load_library()\n"
        "for name in map(str, range(50)):\n"
        "    print(library.step_for(name, mood=3, goal='sova', language='sv').title)\n"
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
def test_a_language_tag_finds_its_language_or_english(tag: str, spoken: str) -> None:
    found = LIBRARY.steps_for(mood=2, goal="sova", language=tag)
    assert found == LIBRARY.shelves[spoken]["sleep"]["low"]
