"""What Gemini is told: instructions that are ours alone, and the user's words as delimited data."""

import json
from pathlib import Path

from shared.domain.step import Step
from worker.gemini.port import StepRequest

MAX_OUTPUT_TOKENS = 8192
"""A step is about 400 tokens; models that think spend theirs from the same allowance."""

TEMPERATURE = 0.9

VERSION = "step.v1"
"""Of the instruction, logged with what a call cost. A changed text is a new file and a new name."""

SYSTEM_INSTRUCTION = (Path(__file__).parent / "prompts" / f"{VERSION}.txt").read_text("utf-8")


def user_message(request: StepRequest) -> str:
    """The data between its delimiters, and after them what was wrong with the last answer.

    In JSON with `<` and `>` escaped no user text can write the closing delimiter.
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
        # Places and rules only (response.py): the model's own words are not repeated.
        message += f"\nYour last answer was not valid: {request.complaint}. Answer again."
    return message


def step_schema() -> dict[str, object]:
    """The step's JSON schema in the subset that Gemini's `response_schema` takes."""
    schema = Step.model_json_schema()
    properties = {name: _for_gemini(field) for name, field in schema["properties"].items()}
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
