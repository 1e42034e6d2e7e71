"""Which goals get help instead of a task, and the step that they get."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.domain.profile import Profile, Scalar, WellbeingFlags
from shared.domain.step import Step
from worker.safety import LANGUAGES, caring_step, signals_self_harm

EXAMPLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("examples.json").read_text(encoding="utf-8")
)
TUNED = EXAMPLES["tuned"]
ROUNDS: list[dict[str, Any]] = EXAMPLES["held_out"]
NEEDED = 1.0
"""Recall and precision over the examples: every one of them is a decision that was made."""

RISK_NUMBERS = (True, 1, 7, 0.01, 0.4, "1", "0.3", "0,3", "3/10", "40 %")
NO_RISK_NUMBERS = (None, False, 0, 0.0, -1, "0", "0.0", "0,0", "0/10", "0 %")

LONGEST_GOAL = 500
HELP = ("112", "90101", "1177", "findahelpline.com")


@dataclass(frozen=True)
class Figures:
    found: int
    signals: int
    false_alarms: int

    @property
    def recall(self) -> float:
        return self.found / self.signals

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false_alarms)

    def __str__(self) -> str:
        return f"recall {self.recall:.3f}, precision {self.precision:.3f}"


def measured(examples: dict[str, Any]) -> Figures:
    return Figures(
        found=_count(examples["signal"]),
        signals=len(examples["signal"]),
        false_alarms=_count(examples["everyday"]),
    )


def _count(goals: Iterable[str]) -> int:
    return sum(signals_self_harm(goal, None) for goal in goals)


def profile_with(suicide_risk: Scalar | None) -> Profile:
    return Profile(wellbeing_flags=WellbeingFlags(suicide_risk=suicide_risk))


@pytest.mark.parametrize("goal", TUNED["signal"])
def test_a_goal_that_signals_self_harm_is_recognised(goal: str) -> None:
    assert signals_self_harm(goal, None)


@pytest.mark.parametrize("goal", TUNED["everyday"])
def test_an_everyday_goal_is_no_signal(goal: str) -> None:
    assert not signals_self_harm(goal, None)


def test_recall_and_precision_over_the_examples(
    capsys: pytest.CaptureFixture[str], record_property: Any
) -> None:
    figures = measured(TUNED)
    record_property("safety_examples", str(figures))
    with capsys.disabled():
        size = f"{len(TUNED['signal'])} + {len(TUNED['everyday'])}"
        print(f"\nsafety, {size} examples that the phrases were made with: {figures}")  # noqa: T201
    assert figures.recall >= NEEDED
    assert figures.precision >= NEEDED


@pytest.mark.parametrize("held_out", ROUNDS, ids=lambda held_out: f"round {held_out['round']}")
def test_recall_and_precision_over_what_was_held_out(
    capsys: pytest.CaptureFixture[str], record_property: Any, held_out: dict[str, Any]
) -> None:
    first = Figures(signals=len(held_out["signal"]), **held_out["first_run"])
    now = measured(held_out)
    record_property(f"safety_held_out_{held_out['round']}", f"{first}; mended: {now}")
    with capsys.disabled():
        size = f"{len(held_out['signal'])} + {len(held_out['everyday'])}"
        print(  # noqa: T201
            f"\nsafety, held out {held_out['round']}, {size}: when first run {first};"
            f" mended since {now}"
        )
    assert now.recall >= NEEDED
    assert now.precision >= NEEDED


def test_there_are_enough_examples_and_none_twice() -> None:
    for goals in (TUNED["signal"], TUNED["everyday"]):
        assert len(goals) >= 70
        assert len(set(goals)) == len(goals)
        assert all(len(goal) <= LONGEST_GOAL for goal in goals)


@pytest.mark.parametrize(
    "disguised",
    [
        "själv\u200bmord",
        "kill\u00ad my\u200dself",
        "sja\u0308lvmord",
        "ＳＵＩＣＩＤＥ",
        "VILL  INTE\tLEVA",
        "jag vill ... dö!!!",
        "i dont\u2019 want to die",
        "s-u-i-c-i-d-e",
    ],
)
def test_disguise_does_not_hide_a_signal(disguised: str) -> None:
    assert signals_self_harm(disguised, None)


def test_an_everyday_phrase_does_not_hide_the_signal_beside_it() -> None:
    assert not signals_self_harm("suicide squad", None)
    assert signals_self_harm("watch suicide squad and think about suicide", None)


@pytest.mark.parametrize(
    "risk",
    [*RISK_NUMBERS, "high", "hög", "Hög ", "medium", "MEDEL", "yes", "ja", "true", "elevated"],
)
def test_a_suicide_risk_in_the_profile_signals_whatever_the_goal(risk: Scalar) -> None:
    assert signals_self_harm("sova bättre", profile_with(risk))


@pytest.mark.parametrize(
    "risk",
    [*NO_RISK_NUMBERS, "low", "Low", "none", "no", "nej", "låg", "lag", "false", "", "  ", "n/a"],
)
def test_a_profile_without_suicide_risk_is_no_signal(risk: Scalar | None) -> None:
    assert not signals_self_harm("sova bättre", profile_with(risk))


def test_an_unknown_word_for_the_risk_signals() -> None:
    assert signals_self_harm("sova bättre", profile_with("a word nobody has thought of"))


TOLD = [
    {"focusArea": "jag vill dö"},
    {"personalityType": {"traits": ["nyfiken", "I want to kill myself"]}},
    {"personalityType": {"traits": [*map(str, range(49)), "quiero morir"]}},
    {"wellbeingFlags": {"depressionRisk": "jag vill dö"}},
    {"neuroTendencies": {"adhdScore": "jag vill dö"}},
]


@pytest.mark.parametrize("told", TOLD, ids=str)
def test_what_is_told_in_the_profile_signals_as_a_goal_does(told: dict[str, Any]) -> None:
    assert signals_self_harm("sova bättre", Profile.model_validate(told))


def test_two_texts_of_a_profile_are_not_read_as_one_sentence() -> None:
    told = {
        "personalityType": {"traits": ["jag vill", "dö av skratt", "jag vill", "död mans hand"]}
    }
    assert not signals_self_harm("sova bättre", Profile.model_validate(told))


def test_everyday_words_of_a_profile_are_no_signal() -> None:
    traits = ["nyfiken", "lugn", "trött", "känslig", "ensamvarg", "perfektionist", "introvert"]
    told = {
        "focusArea": "stress och sömn",
        "personalityType": {"traits": [*traits, "INFP", "sensitive", "anxious", "overthinker"]},
        "neuroTendencies": {"adhdScore": "high"},
        "wellbeingFlags": {"depressionRisk": "high", "suicideRisk": "none"},
    }
    assert not signals_self_harm("sova bättre", Profile.model_validate(told))


@pytest.mark.parametrize("profile", [None, Profile(), profile_with(None), profile_with("none")])
def test_a_profile_without_risk_does_not_silence_the_goal(profile: Profile | None) -> None:
    assert signals_self_harm("jag vill dö", profile)
    assert not signals_self_harm("sova bättre", profile)


@pytest.mark.parametrize(
    "goal",
    [
        "bara " * 100,
        "vill inte " * 50,
        "want to " * 70,
        "i " * 250,
        "a" * LONGEST_GOAL,
        "önskar jag inte " * 40,
        "better off if i was " * 30,
        "\ufdfa" * LONGEST_GOAL,  # one character that normalisation makes eighteen
        "\u200b" * LONGEST_GOAL,
    ],
)
def test_the_longest_goal_made_of_half_phrases_is_answered(goal: str) -> None:
    assert not signals_self_harm(goal[:LONGEST_GOAL], None)


def test_the_same_goal_always_gets_the_same_answer() -> None:
    goals: Sequence[str] = TUNED["signal"] + TUNED["everyday"]
    first = [signals_self_harm(goal, None) for goal in goals]
    assert [signals_self_harm(goal, None) for goal in goals] == first


@pytest.mark.parametrize("language", [*LANGUAGES, "sv-SE", "SV-fi", "en-GB", "tr", ""])
def test_the_caring_step_is_a_whole_step_that_names_real_help(language: str) -> None:
    step = caring_step(language)
    assert Step.model_validate(step.model_dump()) == step
    assert all(name in step.description for name in HELP)


def test_every_language_has_a_caring_step_of_its_own() -> None:
    assert len({caring_step(language).description for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *(("sv-SE", "sv"), ("de_AT", "de"), ("AR-eg", "ar"), ("es-419", "es")),
        *(("nb", "no"), ("nn", "no"), ("nb-NO", "no"), ("no", "no")),
        *(("tr", "en"), ("svx", "en"), ("", "en")),
    ],
)
def test_a_region_keeps_its_language_and_an_unknown_language_reads_english(
    tag: str, language: str
) -> None:
    assert caring_step(tag) == caring_step(language)


@pytest.mark.parametrize("language", sorted({*LANGUAGES} - {"sv"}))
def test_help_for_any_country_is_named_before_the_next_steps(language: str) -> None:
    description = caring_step(language).description
    assert description.index("findahelpline.com") < len(description) * 3 / 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_caring_step_needs_nobody_and_nothing_first(language: str) -> None:
    step = caring_step(language)
    assert step.activation_type == "social"
    assert step.duration <= 10
    assert any((step.coach_approval_required, step.net_enabled, step.ai_assessment)) is False
    assert step.prerequisite == ""
