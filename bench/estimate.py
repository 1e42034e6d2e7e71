"""`python -m bench.estimate`: what an activation will cost, before there is a bill to read."""

import json
from statistics import mean

from shared.domain.activation import Usage
from worker.fallback import load_library
from worker.gemini.port import StepRequest
from worker.gemini.prices import load_prices
from worker.gemini.prompt import SYSTEM_INSTRUCTION, step_schema, user_message

CHARACTERS_A_TOKEN = 4
"""Gemini API's page "Understand and count tokens"."""

GOAL = "komma igång med träningen efter en lång vinter"
MODEL = "gemini-flash-latest"


def estimate() -> Usage:
    """Tokens of one activation, with a step as long as those of our own library."""
    request = StepRequest(mood=2, goal=GOAL, language="sv")
    told = SYSTEM_INSTRUCTION + user_message(request) + json.dumps(step_schema())
    library = load_library()
    steps = [
        library.step_for(str(number), mood=mood, language="sv")
        for mood in range(1, 6)
        for number in range(200)
    ]
    said = mean(len(step.model_dump_json()) for step in steps)
    return Usage(
        gemini_calls=1,
        prompt_tokens=round(len(told) / CHARACTERS_A_TOKEN),
        output_tokens=round(said / CHARACTERS_A_TOKEN),
    )


def main() -> None:
    usage = estimate()
    cost = load_prices().cost(MODEL, usage)
    assert cost is not None
    print(
        f"{usage.prompt_tokens} tokens in, {usage.output_tokens} out: "
        f"{1000 * cost:.2f} USD per 1,000 activations with {MODEL}, before thoughts"
    )


if __name__ == "__main__":
    main()
