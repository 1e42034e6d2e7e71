"""Every step of the library, with where it stands."""

from collections.abc import Iterator

from shared.domain.step import Step
from worker.fallback import load_library

LIBRARY = load_library()


def shelved(language: str) -> Iterator[tuple[str, str, Step]]:
    """The theme (with its time of day, where it has one), the band and the step."""
    for theme, shelf in LIBRARY.shelves[language].items():
        for band, steps in shelf.items():
            for step in steps:
                yield theme, band, step


def words_of(step: Step) -> str:
    """All that a person reads, in lower case."""
    shown = (step.title, step.introduction_message, step.preparation_message, step.prerequisite)
    return "\n".join((*shown, step.description, step.prompt, *step.questions)).casefold()
