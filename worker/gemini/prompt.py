"""The prompt: our own fixed instructions, and the user's words as delimited data."""

import json
from pathlib import Path

from shared.domain.step import Step
from worker.gemini.port import StepRequest

MAX_OUTPUT_TOKENS = 8192
"""A step is about 400 tokens, but a thinking model's thoughts count towards the same limit."""

VERSION = "step.v2"
"""Version of the instruction, logged with the usage. A changed text gets a new file and version."""

SYSTEM_INSTRUCTION = (Path(__file__).parent / "prompts" / f"{VERSION}.txt").read_text("utf-8")


def user_message(request: StepRequest) -> str:
    """The user's data between delimiters, then what was wrong with the last answer, if anything.

    The data is JSON with `<` and `>` escaped, so that no user text can close the delimiter.
    """
    data = {
        "language": request.language,
        "mood": request.mood,
        "goal": request.goal,
        "profile": request.profile.model_dump(exclude_none=True) if request.profile else None,
    }
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
    message = f"<user_data>\n{text}\n</user_data>"
    if request.complaint:
        # Names of fields and rules only (response.py), never what the model wrote.
        message += f"\nYour last answer was not valid: {request.complaint}. Answer again."
    return message


AT_RISK = "person_may_be_at_risk"
"""The model's own word about the person, beside the step: never a part of it."""


def step_schema() -> dict[str, object]:
    """The JSON schema of an answer, in the subset that Gemini's `response_schema` accepts."""
    schema = Step.model_json_schema()
    properties = {name: _for_gemini(field) for name, field in schema["properties"].items()}
    properties[AT_RISK] = {
        "type": "BOOLEAN",
        "description": "Whether the person may want to die, or to hurt themselves.",
    }
    return {"type": "OBJECT", "properties": properties, "required": list(properties)}


_KEPT = ("description", "enum")


def _for_gemini(field: dict[str, object]) -> dict[str, object]:
    kept: dict[str, object] = {key: field[key] for key in _KEPT if key in field}
    kept["type"] = str(field["type"]).upper()
    if "enum" in field:
        kept["format"] = "enum"
    items = field.get("items")
    if isinstance(items, dict):
        kept["items"] = _for_gemini(items)
        # int64 travels as a string in proto3's JSON
        kept["min_items"], kept["max_items"] = str(field["minItems"]), str(field["maxItems"])
    return kept
