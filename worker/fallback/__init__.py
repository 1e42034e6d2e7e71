"""Our own library of steps, for when Gemini can't answer: data files, validated when loaded.

The choice is deterministic by activation id, so that a redelivery writes the same step.
"""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path

from shared.domain.step import Step

LANGUAGES = ("sv", "en")
DEFAULT_LANGUAGE = "en"
"""Used for a language that the library does not have."""

Steps = Mapping[int, tuple[Step, ...]]


class FallbackLibrary:
    """Steps by language and mood."""

    def __init__(self, by_language: Mapping[str, Steps]) -> None:
        self._by_language = by_language

    def step_for(self, activation_id: str, *, mood: int, language: str) -> Step:
        spoken = language.lower().partition("-")[0]
        steps = self._by_language.get(spoken, self._by_language[DEFAULT_LANGUAGE])[mood]
        return steps[zlib.crc32(activation_id.encode()) % len(steps)]


def load_library() -> FallbackLibrary:
    """Raises pydantic.ValidationError when an entry of a data file is not a valid step."""
    return FallbackLibrary({language: _load(language) for language in LANGUAGES})


def _load(language: str) -> Steps:
    file = Path(__file__).with_name(f"{language}.json")
    by_mood = json.loads(file.read_text(encoding="utf-8"))
    return {
        int(mood): tuple(Step.model_validate(step) for step in steps)
        for mood, steps in by_mood.items()
    }
