"""How many crises the phrases find by themselves, and how often they are wrong, by language."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.tables import RecordProperty
from worker.safety import LANGUAGES, signals_self_harm


def read(name: str) -> dict[str, Any]:
    file = Path(__file__).with_name(f"{name}.json")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


SETS = {name: read(name) for name in ("working", "held_out")}
HARD = read("hard")

LEAST_RECALL = {language: 0.95 if language in ("sv", "en") else 0.8 for language in LANGUAGES}
LEAST_RECALL_OF_HARD = 0.95
MOST_FALSE_ALARMS = 0.02
"""Of the everyday goals of all languages together: one in fifty."""


@dataclass(frozen=True)
class Figures:
    found: int
    signals: int
    false_alarms: int
    everyday: int

    def __str__(self) -> str:
        found, false = (
            f"{self.found:>3} of {self.signals}",
            f"{self.false_alarms} of {self.everyday}",
        )
        return f"found {found:<9} false {false}"


def measured(of: dict[str, Any], language: str) -> Figures:
    signals, everyday = of["signal"][language], of["everyday"][language]
    return Figures(
        found=sum(signals_self_harm(goal, None) for goal in signals),
        signals=len(signals),
        false_alarms=sum(signals_self_harm(goal, None) for goal in everyday),
        everyday=len(everyday),
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SETS)
def test_most_crises_are_found_in_every_language(name: str, language: str) -> None:
    figures = measured(SETS[name], language)
    assert figures.found / figures.signals >= LEAST_RECALL[language]


@pytest.mark.parametrize("name", SETS)
def test_hardly_any_everyday_goal_is_taken_for_a_crisis(name: str) -> None:
    figures = [measured(SETS[name], language) for language in LANGUAGES]
    wrong = sum(one.false_alarms for one in figures)
    assert wrong / sum(one.everyday for one in figures) <= MOST_FALSE_ALARMS


def test_most_hard_sentences_are_found_since_they_were_mended() -> None:
    assert len(found_of_hard()) / len(hard()) >= LEAST_RECALL_OF_HARD


def test_hardly_any_hard_everyday_goal_is_taken_for_a_crisis() -> None:
    wrong = [goal for goal in HARD["everyday"] if signals_self_harm(goal, None)]
    assert len(wrong) / len(HARD["everyday"]) <= MOST_FALSE_ALARMS


def hard() -> list[str]:
    return [goal for one in HARD["rounds"] for goal in one["signal"]]


def found_of_hard() -> list[str]:
    return [goal for goal in hard() if signals_self_harm(goal, None)]


def test_the_figures_are_printed_when_the_tests_end(record_property: RecordProperty) -> None:
    lines = list(table())
    record_property("crises found by phrases alone", "\n".join(lines))
    assert len(lines) == len(LANGUAGES) + 3


def table() -> Iterator[str]:
    yield f"{'':<6}{'sentences worked on':<36}sentences held out (first run: {first_run()})"
    for language in LANGUAGES:
        worked, held = (str(measured(of, language)) for of in SETS.values())
        yield f"{language:<6}{worked:<36}{held}"
    firsts = ", ".join(f"{one['first_run']}" for one in HARD["rounds"])
    each = len(HARD["rounds"][0]["signal"])
    now = f"{len(found_of_hard())} of {len(hard())}"
    yield f"hard on purpose: {firsts} of {each} when first run; since mended, {now} together"
    yield "written by the author of the phrases: expect real goals to be missed more often"


def first_run() -> str:
    first = SETS["held_out"]["first_run"]
    return f"{first['found']} of {first['signals']}, false {first['false_alarms']}"


def test_every_hard_round_is_as_long_as_the_others() -> None:
    assert {len(one["signal"]) for one in HARD["rounds"]} == {40}


def test_there_are_enough_sentences_and_none_twice() -> None:
    for kind in ("signal", "everyday"):
        goals = [goal for of in SETS.values() for some in of[kind].values() for goal in some]
        assert len(goals) == len(set(goals)) >= 120
        assert all(set(of[kind]) == set(LANGUAGES) for of in SETS.values())


@pytest.mark.parametrize(
    "goal",
    [
        "ich will die Küche aufräumen",
        "ich plane die Woche",
        "åbne en dør",
        "lukke døra",
        "to do list",
        "hyvä tapa elää",
        "me muero de risa y mañana madrugo",
        "spela fotboll i SV Werder",
        "get up",
        "giv mor et kys",
        "override the default",
        "jamais ne pas dire bonjour",
    ],
)
def test_a_word_of_one_language_is_no_signal_of_another(goal: str) -> None:
    assert not signals_self_harm(goal, None)


@pytest.mark.parametrize(
    "goal",
    [
        "ich moechte sterben",
        "jeg vil gerne doe",
        "nie chce zyc",
        "je veux en finir, a bientot",
        "اريد ان اموت",
        "أُريدُ أن أمـوت",
        "no kiero vivir",
    ],
)
def test_a_crisis_is_found_without_dots_accents_and_marks(goal: str) -> None:
    assert signals_self_harm(goal, None)


def test_an_everyday_phrase_of_one_language_hides_no_signal_of_another() -> None:
    """ "die from work" is everyday in English and hides nothing that is German."""
    assert signals_self_harm("ich lache mich tot, but I want to die", None)
    assert signals_self_harm("to do: ich will sterben", None)
