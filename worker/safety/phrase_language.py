"""The phrases of one language, and how they become one regular expression.

README.md in this folder says how to write a phrase. In short:

    (a|b c)   one of them                  word*   the word with any ending
    [a|b c]   one of them or nothing       *word   the word with any beginning
    {name}    an entry of that list        ~       up to three of the language's filler words
    ^ $       start and end of the goal    ..      up to three words, whichever they are
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from worker.safety.normalised import normalised

FOLDER = Path(__file__).with_name("phrases")

_PIECE = re.compile(r"\{(?P<list>\w+)\}|(?P<sign>\.\.|[()\[\]|~$^])|(?P<word>[^\s()\[\]{}|~$^.]+)")
_FILLER = "_"
"""Stands before a filler word, in goals and in patterns: so a pattern doesn't spell them all out
wherever a phrase says ~, and is built in a fraction of the time. Normalised text has no "_"."""

_SIGNS = {
    "(": "(?:",
    ")": ")",
    "[": "(?:",
    "]": ")?",
    "|": "|",
    "^": r"\A",
    "$": r"\Z",
    "~": rf"(?: {_FILLER}\w+){{0,3}}",
    "..": r"(?: \w+){0,3}?",
}


@dataclass(frozen=True)
class Phrases:
    """Of one language."""

    filler: frozenset[str]
    signals: re.Pattern[str]
    everyday: re.Pattern[str]

    def without_everyday(self, goal: str) -> str:
        """Cuts out everyday phrases, so that "dör av skratt" is no signal but can't hide one beside
        it. `goal` is normalised, and so is what is returned but for a "#" where something was."""
        return self.everyday.sub(" #", self._marked(goal)).replace(_FILLER, "").strip()

    def signal_in(self, goal: str) -> bool:
        return self.signals.search(self._marked(goal)) is not None

    def _marked(self, goal: str) -> str:
        return "".join(f" {_marked(word, self.filler)}" for word in goal.split())


def read_phrases(file: Path) -> Phrases:
    listed: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    language = _Language(
        words=listed["words"], filler=frozenset(map(normalised, listed["words"]["filler"]))
    )
    return Phrases(
        filler=language.filler,
        signals=_one_pattern(_all_phrases(listed["signals"]), language),
        everyday=_one_pattern(_all_phrases(listed["everyday"]), language),
    )


@dataclass(frozen=True)
class _Language:
    words: Mapping[str, list[str]]
    filler: frozenset[str]


def _all_phrases(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    return [phrase for group in groups for phrase in group["phrases"]]


def _one_pattern(phrases: Iterable[str], language: _Language) -> re.Pattern[str]:
    """Linear: every part of a phrase is a fixed word or repeated at most three times."""
    parts = "|".join(_translated(phrase, language) for phrase in phrases)
    return re.compile(rf"(?:{parts})(?= |\Z)")


def _translated(phrase: str, language: _Language) -> str:
    """A phrase as a regular expression; each word includes the space before it."""
    return "".join(_translated_piece(piece, language) for piece in _PIECE.finditer(phrase))


def _translated_piece(piece: re.Match[str], language: _Language) -> str:
    if piece["list"]:
        entries = (entry.split() for entry in language.words[piece["list"]])
        return f"(?:{'|'.join(''.join(_word(word, language) for word in e) for e in entries)})"
    if piece["sign"]:
        return _SIGNS[piece["sign"]]
    return _word(piece["word"], language)


def _word(word: str, language: _Language) -> str:
    stem = _stem(word)
    if not word.startswith("*") and not word.endswith("*"):
        return f" {_marked(stem, language.filler)}"
    before = r"\w*" if word.startswith("*") else f"{_FILLER}?"
    after = r"\w*" if word.endswith("*") else ""
    return f" {before}{stem}{after}"


@cache
def _stem(word: str) -> str:
    """Kept, because most words stand in many phrases: the patterns are built twice as fast."""
    return normalised(word)


def _marked(word: str, filler: frozenset[str]) -> str:
    return _FILLER + word if word in filler else word
