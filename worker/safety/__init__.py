"""When help is shown instead of a task: goals that signal self-harm, and the step they get.

The phrases (phrases.json, which also says how to write one) are made by hand and meant to be
reviewed by people who speak the languages. They are no clinical instrument: they diagnose
nothing, and a goal without a match may still come from a person at risk.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.domain.profile import Profile, Scalar
from shared.domain.step import Step

_HERE = Path(__file__).parent

_INVISIBLE = ("Mn", "Me", "Cf")
"""Unicode categories that we drop: accents (after decomposition) and zero-width characters."""

_NO_DECOMPOSITION = str.maketrans({"ø": "o", "æ": "a"})
_LEET = str.maketrans("013457@$", "oieastas")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_INSIDE_A_WORD = re.compile(r"(?<=\w)['’´`*]+(?=\w)")
_NO_WORD = re.compile(r"[\W_]+")
_SPELT_OUT = re.compile(r"\b\w(?: \w){2,}\b")
_REPEATED_LETTER = re.compile(r"([^\W\d_])\1+")

_PIECE = re.compile(r"\{(?P<list>\w+)\}|(?P<sign>[()\[\]|~$])|(?P<word>[^\s()\[\]{}|~$]+)")
_SIGNS = {"(": "(?:", ")": ")", "[": "(?:", "]": ")?", "|": "|", "$": r"\Z"}

_NUMBER = re.compile(r"(?P<number>[+-]?\d+(?:[.,]\d+)?)\s*(?:%|/\s*\d+)?")
"""3, 0.4, 0,4, 40 % and 3/10."""


def signals_self_harm(goal: str, profile: Profile | None) -> bool:
    """Whether to answer with the caring step, and to send nothing to Gemini.

    Swedish and English. Where a goal is ambiguous ("jag orkar inte mer") it signals, and so do
    negation, recovery and worry for someone else ("I don't want to kill myself, I want help"):
    care that was not needed costs one step, care that was missing may cost a life.

    `suicide_risk` signals when it is true, a number above 0 or any text but the ones listed as no
    risk. Nothing says which scale the number is on (0 to 1, 0 to 10), so no threshold is right;
    a client whose score is never exactly 0 must send a level or a boolean instead.
    """
    flags = profile.wellbeing_flags if profile else None
    if flags is not None and _signals_risk(flags.suicide_risk):
        return True
    return _phrases().signal_in(goal)


def caring_step(language: str) -> Step:
    """The step with real help: Swedish for `sv` and its regions, otherwise English."""
    spoken = language.lower().replace("_", "-").partition("-")[0]
    return _steps()["sv" if spoken == "sv" else "en"]


@dataclass(frozen=True)
class _Phrases:
    signals: re.Pattern[str]
    everyday: re.Pattern[str]
    no_risk: frozenset[str]

    def signal_in(self, text: str) -> bool:
        """Cuts out everyday phrases and searches the rest, so that "dör av skratt" is no signal but
        can't hide one beside it."""
        words = " " + _normalised(text)
        return self.signals.search(self.everyday.sub(" #", words)) is not None


@cache
def _phrases() -> _Phrases:
    listed = _read("phrases.json")
    words = listed["words"]
    return _Phrases(
        signals=_one_pattern(_all_phrases(listed["signals"]), words),
        everyday=_one_pattern(_all_phrases(listed["everyday"]), words),
        no_risk=frozenset(_normalised(word) for word in listed["no_risk"]["words"]),
    )


@cache
def _steps() -> Mapping[str, Step]:
    steps = _read("steps.json")["steps"]
    return {language: Step.model_validate(step) for language, step in steps.items()}


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_HERE / name).read_text(encoding="utf-8"))
    return content


def _all_phrases(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    return [phrase for group in groups for phrase in group["phrases"]]


def _signals_risk(flag: Scalar | None) -> bool:
    if flag is None:
        return False
    if not isinstance(flag, str):
        return flag > 0
    if number := _NUMBER.fullmatch(flag.strip()):
        return float(number["number"].replace(",", ".")) > 0
    return _normalised(flag) not in _phrases().no_risk


def _normalised(text: str) -> str:
    """Words in lower case, one space apart, without accents, doubled letters and disguise.

    Å, ä and ö become a, a and o: people leave the dots out, and so do keyboards abroad.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    visible = "".join(sign for sign in decomposed if unicodedata.category(sign) not in _INVISIBLE)
    plain = _INSIDE_A_WORD.sub("", visible.translate(_NO_DECOMPOSITION))
    words = _NO_WORD.sub(" ", " ".join(_without_leet(word) for word in plain.split())).strip()
    joined = _SPELT_OUT.sub(lambda spelt: spelt[0].replace(" ", ""), words)
    return _REPEATED_LETTER.sub(r"\1", joined)


def _without_leet(word: str) -> str:
    """A word of digits only stays a number: "10 kms" is a run."""
    return word.translate(_LEET) if _HAS_LETTER.search(word) else word


def _one_pattern(phrases: Iterable[str], words: Mapping[str, list[str]]) -> re.Pattern[str]:
    """Linear: every part of a phrase is a fixed word or repeated at most three times."""
    parts = "|".join(_translated(phrase, words) for phrase in phrases)
    return re.compile(rf"(?:{parts})(?= |\Z)")


def _translated(phrase: str, words: Mapping[str, list[str]]) -> str:
    """A phrase as a regular expression; each word includes the space before it."""
    return "".join(_translated_piece(piece, words) for piece in _PIECE.finditer(phrase))


def _translated_piece(piece: re.Match[str], words: Mapping[str, list[str]]) -> str:
    if piece["list"]:
        return _any_of(words[piece["list"]])
    if piece["sign"] == "~":
        return _any_of(words["filler"]) + "{0,3}"
    if piece["sign"]:
        return _SIGNS[piece["sign"]]
    return _word(piece["word"])


def _any_of(entries: Iterable[str]) -> str:
    return f"(?:{'|'.join(''.join(_word(word) for word in entry.split()) for entry in entries)})"


def _word(word: str) -> str:
    stem = "".join(f" {part}" for part in _normalised(word).split())
    return stem + r"\w*" if word.endswith("*") else stem
