"""When help is shown instead of a task: words that signal self-harm, and the step they get.

The phrases (phrases/, one file a language; README.md says how to write one) are made by hand
and meant to be reviewed by people who speak the languages. They are no clinical instrument: they
diagnose nothing, and a goal without a match may still come from a person at risk.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, reduce
from pathlib import Path

from shared.domain.profile import Profile, Scalar
from shared.domain.step import Step
from worker.safety.normalised import normalised
from worker.safety.phrase_language import FOLDER, Phrases, read_phrases

FAMILIES = (("sv", "no", "da"), ("en",), ("fi",), ("de",), ("es",), ("fr",), ("pl",), ("ar",))
"""Languages so alike that each understands the other's goals share their everyday phrases. No
others do: an everyday phrase of one language must not hide a signal of another."""

LANGUAGES = tuple(language for family in FAMILIES for language in family)
DEFAULT_LANGUAGE = "en"
"""Of the step, for a language that we don't know."""

LONGEST_PROFILE = 4000
"""Characters of a profile's texts that are searched: a tenth of a second at worst. Twenty texts of
the longest that a profile takes; a trait is a word or two."""

_NORWEGIAN = ("nb", "nn")

_HERE = Path(__file__).parent

_NUMBER = re.compile(r"(?P<number>[+-]?\d+(?:[.,]\d+)?)\s*(?:%|/\s*\d+)?")
"""3, 0.4, 0,4, 40 % and 3/10."""


def signals_self_harm(goal: str, profile: Profile | None) -> bool:
    """Whether to answer with the caring step, and to send nothing to Gemini.

    The profile's texts are searched as the goal is, for every language's phrases, whatever the
    language of the activation is: people write in their own. Where a text is ambiguous ("jag orkar
    inte mer") it signals, and so do negation, recovery and worry for someone else ("I don't want to
    kill myself, I want help"): care that was not needed costs one step, care that was missing may
    cost a life.

    `suicide_risk` signals when it is true, a number above 0 or any text but the ones listed as no
    risk. Nothing says which scale the number is on (0 to 1, 0 to 10), so no threshold is right;
    a client whose score is never exactly 0 must send a level or a boolean instead.
    """
    flags = profile.wellbeing_flags if profile else None
    if flags is not None and _signals_risk(flags.suicide_risk):
        return True
    return any(_is_signal(text) for text in (goal, *_told_in(profile)))


def caring_step(language: str) -> Step:
    """The step with real help, in the language of the tag ("sv-SE", "nb"), otherwise in English."""
    spoken = language.lower().replace("_", "-").partition("-")[0]
    spoken = "no" if spoken in _NORWEGIAN else spoken
    return _steps()[spoken if spoken in LANGUAGES else DEFAULT_LANGUAGE]


def _told_in(profile: Profile | None) -> Iterator[str]:
    """What users may have written in their own words, up to LONGEST_PROFILE characters."""
    if profile is None:
        return
    neuro, flags = profile.neuro_tendencies, profile.wellbeing_flags
    told: list[Scalar | None] = [
        profile.focus_area,
        neuro.adhd_score if neuro else None,
        flags.depression_risk if flags else None,
        *(profile.personality_type.traits if profile.personality_type else ()),
    ]
    left = LONGEST_PROFILE
    for text in told:
        if isinstance(text, str) and left > 0:
            yield text[:left]
            left -= len(text)


def _is_signal(text: str) -> bool:
    plain = normalised(text)
    return any(_signal_in(plain, family) for family in _families())


def _signal_in(goal: str, family: Sequence[Phrases]) -> bool:
    left = reduce(lambda words, phrases: phrases.without_everyday(words), family, goal)
    return any(phrases.signal_in(left) for phrases in family)


def prepare() -> None:
    """Reads the phrases and the steps, which takes about a second: no goal waits for it, and a
    broken file stops the start. Raises ValueError when a file is broken."""
    _families()
    _steps()


@cache
def _families() -> tuple[tuple[Phrases, ...], ...]:
    return tuple(
        tuple(read_phrases(FOLDER / f"{language}.json") for language in family)
        for family in FAMILIES
    )


@cache
def _no_risk() -> frozenset[str]:
    listed = json.loads((_HERE / "no_risk.json").read_text(encoding="utf-8"))
    return frozenset(normalised(word) for word in listed["words"])


@cache
def _steps() -> Mapping[str, Step]:
    files = {language: _HERE / "steps" / f"{language}.json" for language in LANGUAGES}
    return {
        language: Step.model_validate_json(file.read_text(encoding="utf-8"))
        for language, file in files.items()
    }


def _signals_risk(flag: Scalar | None) -> bool:
    if flag is None:
        return False
    if not isinstance(flag, str):
        return flag > 0
    if number := _NUMBER.fullmatch(flag.strip()):
        return float(number["number"].replace(",", ".")) > 0
    return normalised(flag) not in _no_risk()
