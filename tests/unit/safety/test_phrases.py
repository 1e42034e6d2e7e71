"""The data files: a slip in a phrase must fail here, for the pattern would just never match."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from worker.safety import LANGUAGES, signals_self_harm
from worker.safety.phrase_language import FOLDER

FILES = sorted(FOLDER.glob("*.json"))
SPELT = re.compile(r"[\w \'*{}()\[\]|~$^.]+")
EMPTY_CHOICE = re.compile(r"[(\[|]\s*[|)\]]")
LEAST_GROUPS, LEAST_PHRASES = 8, 80


def read(language: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return content


def phrases(language: str) -> list[str]:
    listed = read(language)
    groups = [*listed["signals"], *listed["everyday"]]
    return [phrase for group in groups for phrase in group["phrases"]]


def test_every_language_has_a_file_and_every_file_is_read() -> None:
    assert {file.stem for file in FILES} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_is_made_of_words_and_signs(language: str) -> None:
    odd = [p for p in phrases(language) if not SPELT.fullmatch(p) or EMPTY_CHOICE.search(p)]
    assert odd == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_stands_twice(language: str) -> None:
    assert [p for p, times in Counter(phrases(language)).items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_of_words_is_used_and_there(language: str) -> None:
    named = set(re.findall(r"\{(\w+)\}", " ".join(phrases(language))))
    assert named | {"filler"} == set(read(language)["words"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_filler_is_one_word(language: str) -> None:
    assert [word for word in read(language)["words"]["filler"] if " " in word] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_covers_all_groups(language: str) -> None:
    signals = read(language)["signals"]
    assert len(signals) >= LEAST_GROUPS
    assert sum(len(group["phrases"]) for group in signals) >= LEAST_PHRASES


@pytest.mark.parametrize("text", ["", " ", "#", "a", "_", "…", "🙂"])
def test_nothing_is_no_signal(text: str) -> None:
    assert not signals_self_harm(text, None)
