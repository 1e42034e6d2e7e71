"""`python -m worker.fallback`: example goals, and the step of our library that each would get."""

import json
from pathlib import Path

from worker.fallback import load_library

EXAMPLES = Path(__file__).with_name("examples.json")


def main() -> None:
    library = load_library()
    for example in json.loads(EXAMPLES.read_text(encoding="utf-8")):
        mood, goal, language = example["mood"], example["goal"], example["language"]
        step = library.step_for(goal, mood=mood, goal=goal, language=language)
        print(f"{mood}  {goal:<50}  {example['theme']:<16}  {step.title} ({step.duration} min)")


if __name__ == "__main__":
    main()
