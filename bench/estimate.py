"""`python -m bench.estimate`: what an activation will cost, before there is a bill to read."""

import json
from datetime import date
from statistics import mean

from shared.domain.activation import Usage
from worker.fallback import load_library
from worker.gemini.port import StepRequest
from worker.gemini.prices import load_prices
from worker.gemini.prompt import SYSTEM_INSTRUCTION, step_schema, user_message

CHARACTERS_A_TOKEN = 4
"""Gemini API's page "Understand and count tokens"."""

GOAL = "komma igång med träningen efter en lång vinter"
MODELS = ("gemini-3.8-flash", "gemini-3.5-flash-lite")
"""GEMINI_MODEL and GEMINI_FALLBACK_MODEL, where nothing else is set."""

DAYS = (date(2026, 11, 24), date(2027, 1, 1))
"""3.8 Flash has an introductory price until the end of 2026."""

THOUGHTS = {"none": 0, "low": 70, "high": 1_094}
"""Of one prompt that others measured (github.com/genkit-ai/genkit, issue 6051): yours will differ.
"""


def estimate(thoughts: int = 0) -> Usage:
    """Tokens of one activation, with a step as long as those of our own library."""
    request = StepRequest(mood=2, goal=GOAL, language="sv")
    told = SYSTEM_INSTRUCTION + user_message(request) + json.dumps(step_schema())
    shelves = load_library().shelves["sv"].values()
    steps = [step for shelf in shelves for band in shelf.values() for step in band]
    said = mean(len(step.model_dump_json()) for step in steps)
    return Usage(
        gemini_calls=1,
        prompt_tokens=round(len(told) / CHARACTERS_A_TOKEN),
        output_tokens=round(said / CHARACTERS_A_TOKEN),
        thought_tokens=thoughts,
    )


def usd_per_thousand(model: str, thoughts: int, on: date) -> float:
    cost = load_prices().cost(model, estimate(thoughts), on)
    assert cost is not None
    return 1000 * cost


def main() -> None:
    usage = estimate()
    print(f"{usage.prompt_tokens} tokens in, {usage.output_tokens} out, and the thoughts;")
    print("USD per 1,000 activations at the list price of the day")
    print(f"{'model':<24}{'thinking':<10}{'thoughts':>8}" + "".join(f"{day!s:>12}" for day in DAYS))
    for model in MODELS:
        for level, thoughts in THOUGHTS.items():
            costs = "".join(f"{usd_per_thousand(model, thoughts, day):>12.2f}" for day in DAYS)
            print(f"{model:<24}{level:<10}{thoughts:>8}{costs}")


if __name__ == "__main__":
    main()
