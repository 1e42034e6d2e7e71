"""Our own library of steps, for when Gemini can't answer: data files, validated when loaded.

`steps/<language>/<theme>.json` has the steps by mood (low, middle, high). Those that speak of a
time of day have a file of their own (`sleep_evening`), for goals that name it. `themes.json` has
the words that tell what a goal is about. Among the steps that fit, the activation id decides, so
that a redelivery writes the same step. `python -m worker.fallback` shows which goals get which.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.domain.step import Step
from worker.fallback.keywords import Keywords, keywords

LANGUAGES = ("sv", "en")
DEFAULT_LANGUAGE = "en"
"""Used for a language that the library does not have."""

BANDS = {1: "low", 2: "low", 3: "middle", 4: "high", 5: "high"}
"""By mood: the lower it is, the smaller the step."""

GENERAL = "getting_started"
"""The theme of a goal without a keyword: its steps fit any goal."""

SAME_IN_ALL = {
    "log_type": "text",
    "repetitions": 1,
    "ai_assessment": False,
    "coach_approval_required": False,
    "net_enabled": False,
}

Shelf = Mapping[str, tuple[Step, ...]]
"""The steps of a theme, or of a theme at a time of day, by band."""


@dataclass(frozen=True)
class FallbackLibrary:
    """Steps by language, then theme (`sleep`) or theme and time of day (`sleep_evening`)."""

    shelves: Mapping[str, Mapping[str, Shelf]]
    themes: Keywords
    times_of_day: Keywords

    def step_for(self, activation_id: str, *, mood: int, goal: str, language: str) -> Step:
        steps = self.steps_for(mood=mood, goal=goal, language=language)
        return steps[zlib.crc32(activation_id.encode()) % len(steps)]

    def steps_for(self, *, mood: int, goal: str, language: str) -> tuple[Step, ...]:
        """All that fit: those for a time of day where the theme has some and the goal names it."""
        spoken = language.lower().partition("-")[0]
        shelves = self.shelves.get(spoken, self.shelves[DEFAULT_LANGUAGE])
        theme = self.themes.first_topic_in(goal) or GENERAL
        time_of_day = self.times_of_day.first_topic_in(goal)
        return shelves.get(f"{theme}_{time_of_day}", shelves[theme])[BANDS[mood]]


def load_library() -> FallbackLibrary:
    """Raises pydantic.ValidationError when an entry of a data file is not a valid step."""
    here = Path(__file__).parent
    words = _read(here / "themes.json")
    return FallbackLibrary(
        shelves={language: _shelves(here / "steps" / language) for language in LANGUAGES},
        themes=keywords(words["themes"]),
        times_of_day=keywords(words["times_of_day"]),
    )


def _shelves(folder: Path) -> dict[str, Shelf]:
    return {file.stem: _shelf(file) for file in folder.glob("*.json")}


def _shelf(file: Path) -> Shelf:
    return {
        band: tuple(Step.model_validate({**SAME_IN_ALL, **step}) for step in steps)
        for band, steps in _read(file).items()
    }


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
