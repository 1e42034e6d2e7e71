"""Our sentences for users, in the language that they read: English is in the code, Swedish here."""

import json
from pathlib import Path

from werkzeug.datastructures import LanguageAccept

_SWEDISH: dict[str, str] = json.loads(
    Path(__file__).with_name("translations.sv.json").read_text(encoding="utf-8")
)


def language_of_sentences(accepted: LanguageAccept) -> str:
    """`sv` where a browser asks for Swedish before English; who says nothing, a program as a rule,
    gets `en`."""
    return accepted.best_match(["en", "sv"], default="en")


def say(sentence: str, language: str) -> str:
    """What there is no Swedish for, because only developers see it, stays English."""
    return _SWEDISH.get(sentence, sentence) if language == "sv" else sentence
