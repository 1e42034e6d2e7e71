"""What Gemini refuses: unknown and deprecated fields, a level that the model does not take, a
deadline that is too short, a key that is not valid, a model that is retired.

From Google's API reference (GenerateContentRequest, GenerationConfig, Schema) and from what other
projects quote: livekit/agents#3723, fishjar/kiss-translator#1048, can1357/oh-my-pi#10543,
continuedev/continue#9330 and #12720, jt196/vanilla-cookbook#421.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fake_gemini.behaviours import error
from tests.fake_gemini.wire import Behaviour, Call

RETIRED = {"gemini-2.0-flash": "gemini-3.8-flash", "gemini-1.5-flash": "gemini-3.8-flash"}
SHORTEST_DEADLINE_SECONDS = 10
DEPRECATED = {"temperature", "topP", "topK", "candidateCount"}
REQUEST = {
    *("contents", "systemInstruction", "generationConfig", "safetySettings"),
    *("tools", "toolConfig", "cachedContent"),
}
GENERATION = {
    *("responseMimeType", "responseSchema", "responseJsonSchema", "maxOutputTokens"),
    *("thinkingConfig", "stopSequences", "seed", "responseLogprobs", "logprobs"),
    *("presencePenalty", "frequencyPenalty", "mediaResolution", "responseModalities"),
    *("speechConfig", "enableEnhancedCivicAnswers"),
}
THINKING = {"thinkingLevel", "thinkingBudget", "includeThoughts"}
LEVELS = {"low", "medium", "high"}
SCHEMA = {
    *("type", "format", "title", "description", "nullable", "enum", "items", "properties"),
    *("minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength"),
    *("minimum", "maximum", "pattern", "required", "anyOf", "propertyOrdering", "default"),
    "example",
}
CATEGORIES = {
    *("HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH"),
    *("HARM_CATEGORY_SEXUALLY_EXPLICIT", "HARM_CATEGORY_DANGEROUS_CONTENT"),
    *(7, 8, 9, 10),  # the same, as google-generativeai writes enums
}
_MINIMAL_REFUSED = re.compile(r"gemini-(3\.[78]|3-pro|3\.1-pro)")


def refusal(call: Call, *, deprecated: bool, keys: set[str] | None) -> Behaviour | None:
    """What Gemini answers instead of asking the model, or None.

    `keys`: those that are valid; None takes each. `deprecated`: whether to refuse the fields that
    Gemini still ignores.
    """
    key = call.headers.get("x-goog-api-key")
    if keys is not None and key not in keys:
        message = "API key not valid. Please pass a valid API key."
        return error(400, "INVALID_ARGUMENT", reason="API_KEY_INVALID", message=message)
    if call.model in RETIRED:
        gone = f"This model models/{call.model} is no longer available to new users. "
        return error(404, "NOT_FOUND", message=f"{gone}Use {RETIRED[call.model]}.")
    if not call.model.startswith("gemini-"):
        gone = f"models/{call.model} is not found for API version v1beta, or is not supported for "
        return error(404, "NOT_FOUND", message=f"{gone}generateContent. Call ListModels.")
    for problem in _problems(call, deprecated):
        return error(400, "INVALID_ARGUMENT", message=problem)
    return None


def _problems(call: Call, deprecated: bool) -> Iterator[str]:
    yield from _of_the_deadline(call.headers.get("x-server-timeout"))
    body = _in_camel_case(call.body)
    config = body.get("generationConfig", {})
    known = GENERATION if deprecated else GENERATION | DEPRECATED
    thinking = config.get("thinkingConfig", {})
    yield from _unknown(body, REQUEST, "request")
    yield from _unknown(config, known, "generation_config")
    yield from _unknown(thinking, THINKING, "generation_config.thinking_config")
    yield from _of_thinking(thinking, call.model)
    yield from _of_the_schema(config.get("responseSchema", {}), "response_schema")
    yield from _of_safety(body.get("safetySettings", []))


def _of_the_deadline(seconds: str | None) -> Iterator[str]:
    if seconds is not None and float(seconds) < SHORTEST_DEADLINE_SECONDS:
        yield (
            f"Manually set deadline {seconds}s is too short. "
            f"Minimum allowed deadline is {SHORTEST_DEADLINE_SECONDS}s."
        )


def _unknown(found: Mapping[str, Any], known: set[str], where: str) -> Iterator[str]:
    for name in found:
        if name not in known:
            yield (
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': "
                "Cannot find field."
            )


def _of_thinking(thinking: Mapping[str, Any], model: str) -> Iterator[str]:
    level = str(thinking.get("thinkingLevel", "low")).lower()
    if {"thinkingLevel", "thinkingBudget"} <= set(thinking):
        yield "You can only set one of thinking budget and thinking level."
    if "thinkingLevel" in thinking and model.startswith("gemini-2.5"):
        yield "Thinking level is not supported for this model."
    minimal_refused = _MINIMAL_REFUSED.match(model) or model == "gemini-flash-latest"
    if level not in LEVELS and (level != "minimal" or minimal_refused):
        yield (
            f"'{level}' is not a supported thinking level for this model. "
            "Allowed values are: medium, low, high."
        )


def _of_the_schema(schema: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _unknown(schema, SCHEMA, where)
    for name, inner in schema.get("properties", {}).items():
        yield from _of_the_schema(inner, f"{where}.properties[{name}]")
    if "items" in schema:
        yield from _of_the_schema(schema["items"], f"{where}.items")


def _of_safety(settings: list[Mapping[str, Any]]) -> Iterator[str]:
    named = [setting.get("category") for setting in settings]
    if len(set(named)) != len(named) or not set(named) <= CATEGORIES:
        yield "Invalid value at 'safety_settings'."


def _in_camel_case(value: Any) -> Any:
    """Gemini takes names in both spellings. What stands in `properties` is ours and no name."""
    if isinstance(value, list):
        return [_in_camel_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        _camel(name): (
            {ours: _in_camel_case(inner) for ours, inner in item.items()}
            if name == "properties"
            else _in_camel_case(item)
        )
        for name, item in value.items()
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
