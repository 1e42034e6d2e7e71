"""What Gemini sees of us while it is down: the whole client, as worker/wiring.py builds it."""

import pytest

from shared.domain.activation import Answer
from shared.settings import Settings
from tests.builders import NOON, a_decider, an_activation
from tests.fake_gemini import FakeGemini, error
from worker.wiring import build_gemini

ACTIVATIONS = 100


@pytest.mark.parametrize("sdk", ["google-generativeai", "google-genai"])
def test_while_gemini_is_down_at_most_a_tenth_as_many_retries_as_activations_are_sent(
    sdk: str,
) -> None:
    with FakeGemini(default=error(503)) as gemini:
        settings = Settings(
            gemini_sdk=sdk,
            gemini_api_key="k",
            gemini_api_endpoint=gemini.url,
            gemini_max_sleep_seconds=0.01,
        )
        decider = a_decider(build_gemini(settings))
        ended = [decider.decide(an_activation(), NOON) for _ in range(ACTIVATIONS)]
        sent = len(gemini.calls)
    assert {one.source for one in ended if isinstance(one, Answer)} == {"fallback"}
    calls = [one.usage.gemini_calls for one in ended]
    assert sum(calls) == sent
    assert 0 < sum(max(0, one - 1) for one in calls) <= ACTIVATIONS / 10
