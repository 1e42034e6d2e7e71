"""Our sentences for users, in the language that they read: English is in the code, Swedish here."""

import json
from pathlib import Path

from werkzeug.datastructures import LanguageAccept

_SWEDISH: dict[str, str] = json.loads(
    Path(__file__).with_name("translations.sv.json").read_text(encoding="utf-8")
)


def language_of_sentences(accepted: LanguageAccept) -> str:
    """`sv` where a browser prefers Swedish to English, else `en`; programs send no preference."""
    return accepted.best_match(["en", "sv"], default="en")


def say(sentence: str, language: str) -> str:
    """Sentences that only developers see have no Swedish and stay English."""
    return _SWEDISH.get(sentence, sentence) if language == "sv" else sentence
