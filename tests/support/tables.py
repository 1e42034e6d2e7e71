"""What tests measure and `make test` prints at its end: whatever they give to `record_property`.

pytest carries it from the process that ran the test to the one that prints.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

RecordProperty = Callable[[str, object], None]
"""pytest's fixture: a section's title, and its lines."""

GEMINI = "what becomes of what Gemini does (the waiting is injected)"
ISOLATION = "who may not see what"


@dataclass(frozen=True)
class Row:
    behaviour: str
    sdk: str
    asked: str
    """The models in the order of their calls: 1 is the first, 2 the second."""
    waited: float
    ends: str

    def __str__(self) -> str:
        return (
            f"{self.behaviour:<26} {self.sdk:<20} {self.asked:>5} {self.waited:>9.2f}  {self.ends}"
        )


def isolation(method: str, route: str, caller: str, answer: str) -> str:
    return f"{method:<8} {route:<26} {caller:<15} {answer}"


HEADS = {
    GEMINI: f"{'Gemini does':<26} {'SDK':<20} {'asked':>5} {'waited s':>9}  ends as",
    ISOLATION: isolation("method", "route", "caller", "answer"),
}


def sections(recorded: Iterable[tuple[str, object]]) -> dict[str, list[str]]:
    """By title, the lines in the order of the tests, each once."""
    found: dict[str, list[str]] = {}
    for title, text in recorded:
        lines = found.setdefault(title, [HEADS[title]] if title in HEADS else [])
        lines += [line for line in str(text).splitlines() if line not in lines]
    return found
