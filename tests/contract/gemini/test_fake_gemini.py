"""The fake refuses what Gemini refuses, so that what it takes is what Gemini takes."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fake_gemini import FakeGemini, answer, error

LITE = "gemini-3.5-flash-lite"


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini() as gemini:
        yield gemini


def ask(
    gemini: FakeGemini, model: str = "gemini-3.8-flash", **given: Any
) -> tuple[int, dict[str, Any]]:
    """Status and body; `given` goes into `generationConfig`, `headers` and `more` beside it."""
    headers = {"x-goog-api-key": "k", **given.pop("headers", {})}
    more = given.pop("more", {})
    contents = [{"role": "user", "parts": [{"text": "<user_data>"}]}]
    answered = requests.post(
        f"{gemini.url}/v1beta/models/{model}:generateContent",
        json={"contents": contents, "generationConfig": given, **more},
        headers=headers,
        timeout=5,
    )
    return answered.status_code, answered.json()


def thinking(**config: object) -> dict[str, object]:
    return {"thinkingConfig": config}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("temperature", {"temperature": 0.9}, 'Unknown name "temperature"'),
    ("topP", {"topP": 0.9}, 'Unknown name "topP"'),
    ("candidateCount", {"candidateCount": 1}, 'Unknown name "candidateCount"'),
    ("snake case", {"top_k": 3}, 'Unknown name "topK"'),
    ("unknown", {"frobnicate": 1}, 'Unknown name "frobnicate"'),
    ("unknown at the top", {"more": {"frobnicate": 1}}, 'Unknown name "frobnicate"'),
    ("minimal", thinking(thinkingLevel="minimal"), "'minimal' is not a supported"),
    ("no level", thinking(thinkingLevel="deep"), "'deep' is not a supported"),
    ("both", thinking(thinkingLevel="low", thinkingBudget=1), "only set one of"),
    ("a schema's keyword", {"responseSchema": {"additionalProperties": False}}, "Unknown name"),
    (
        "a keyword further in",
        {"responseSchema": {"properties": {"a": {"const": 1}}}},
        "response_schema.properties[a]",
    ),
    ("a deadline", {"headers": {"X-Server-Timeout": "8"}}, "Manually set deadline 8s is too short"),
    ("a harm", {"more": {"safetySettings": [{"category": "RUDE"}]}}, "safety_settings"),
]


@pytest.mark.parametrize(
    ("given", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_it_is_a_400_in_googles_form(gemini: FakeGemini, given: dict[str, Any], said: str) -> None:
    status, body = ask(gemini, **given)
    assert (status, body["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert said in body["error"]["message"]


def test_a_level_is_a_400_on_2_5(gemini: FakeGemini) -> None:
    assert ask(gemini, "gemini-2.5-flash", **thinking(thinkingLevel="low"))[0] == 400


@pytest.mark.parametrize(
    ("model", "config"),
    [
        ("gemini-3.8-flash", thinking(thinkingLevel="low")),
        ("gemini-3.8-flash", thinking(thinking_level="LOW")),
        (LITE, thinking(thinkingLevel="minimal")),
        ("gemini-2.5-flash", thinking(thinkingBudget=512)),
        ("gemini-3.8-flash", {"headers": {"X-Server-Timeout": "10"}}),
    ],
)
def test_it_takes_what_gemini_takes(gemini: FakeGemini, model: str, config: dict[str, Any]) -> None:
    assert ask(gemini, model, **config)[0] == 200


def test_deprecated_fields_are_ignored_where_a_test_says_so(gemini: FakeGemini) -> None:
    gemini.refuses_deprecated = False
    assert ask(gemini, temperature=0.9, topK=1)[0] == 200


def test_a_key_that_is_not_valid_is_a_400_with_googles_reason(gemini: FakeGemini) -> None:
    gemini.keys = {"another"}
    status, body = ask(gemini)
    assert (status, body["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")


def test_a_retired_model_is_a_404_that_names_its_successor(gemini: FakeGemini) -> None:
    status, body = ask(gemini, "gemini-2.0-flash")
    assert status == 404
    assert body["error"]["message"].endswith("Use gemini-3.8-flash.")


def test_a_refused_request_uses_up_nothing_of_the_script(gemini: FakeGemini) -> None:
    gemini.next(error(503))
    assert ask(gemini, temperature=1)[0] == 400
    assert ask(gemini)[0] == 503


def test_each_model_has_a_script_of_its_own_before_that_for_all(gemini: FakeGemini) -> None:
    gemini.next(error(500))
    gemini.next(error(429), model=LITE)
    gemini.defaults[LITE] = answer()
    gemini.default = error(503)
    asked = [LITE, LITE, LITE, "gemini-3.8-flash"]
    assert [ask(gemini, model)[0] for model in asked] == [429, 500, 200, 503]
