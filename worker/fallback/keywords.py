"""What a goal is about, told by its words."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Keywords:
    """Topics, each with the words that point to it: "oro*" begins a word, "arg" is a whole one."""

    by_topic: Mapping[str, tuple[str, ...]]

    def first_topic_in(self, goal: str) -> str | None:
        """The topic that the goal mentions first (of two at one word, the one listed first); None
        without a keyword.

        Linear in the goal: each keyword, of a few dozen characters, is looked for once.
        """
        words = _normalised(goal)
        found = {topic: _first(words, keys) for topic, keys in self.by_topic.items()}
        topic = min(found, key=lambda name: found[name], default=None)
        return None if topic is None or found[topic] == len(words) else topic


def keywords(topics: Mapping[str, Mapping[str, Iterable[str]]]) -> Keywords:
    """From words by topic and language. A goal may be in another language than the answer, so all
    languages count."""
    return Keywords(
        {
            topic: tuple(_pattern(word) for words in by_language.values() for word in words)
            for topic, by_language in topics.items()
        }
    )


def _first(words: str, keys: Iterable[str]) -> int:
    """Where the first key is; the end where there is none."""
    return min((at for key in keys if (at := words.find(key)) >= 0), default=len(words))


def _pattern(word: str) -> str:
    written = _normalised(word)
    return written.rstrip(" ") if word.endswith("*") else written


def _normalised(text: str) -> str:
    """Words in lower case with a space around each. Å, ä and ö stay: våga is not väga."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(sign if sign.isalnum() else " " for sign in plain).split()
    return f" {' '.join(words)} "
