"""What the name of a Gemini model says: how it is told to think, and with which levels.

Sources: Gemini API's pages "Thinking" (levels since 3, a budget in 2.5, never both) and "Gemini 3";
can1357/oh-my-pi#10543 and fishjar/kiss-translator#1048 quote the 400 for `minimal`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

ThinkingLevel = Literal["minimal", "low", "medium", "high"]
Location = Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z0-9-]*$")]
"""Of Vertex AI: a region, `eu`, `us` or `global`. It becomes a part of the host's name."""

_BUDGETS: dict[ThinkingLevel, int] = {"minimal": 512, "low": 1024, "medium": 4096, "high": 6144}
"""Tokens, for 2.5. `low` is what Google's OpenAI-compatible endpoint makes of it; `minimal` is the
least that every 2.5 model takes. Google's `medium` and `high`, 8,192 and 24,576, would leave no
room for the answer within prompt.MAX_OUTPUT_TOKENS, of which thoughts are a part."""

_WITHOUT_MINIMAL = (
    *("gemini-3.7", "gemini-3.8", "gemini-3-pro", "gemini-3.1-pro"),
    "gemini-flash-latest",  # 3.8 since September 2026
)


def _is_a_name(name: str) -> str:
    letters = name.replace("-", "").replace(".", "")
    if not (letters.isascii() and letters.isalnum() and name == name.lower() and name[0].isalpha()):
        raise ValueError("expected the name of a model, such as gemini-3.8-flash, and no path")
    return name


ModelName = Annotated[str, AfterValidator(_is_a_name)]
"""Lower-case letters, digits, dots and hyphens. `models/…` is refused: the SDKs add it, and Vertex
AI has another path."""


def thinking_config(model: str, level: ThinkingLevel | None) -> dict[str, str | int] | None:
    """The `thinkingConfig` of a request, as JSON; None sends none, and the model decides.

    A model that we don't know, or an alias, takes a level: so do all since Gemini 3.
    """
    if level is None:
        return None
    if model.startswith("gemini-2.5"):
        return {"thinkingBudget": _BUDGETS[level]}
    return {"thinkingLevel": level}


def takes_level(model: str, level: ThinkingLevel | None) -> bool:
    """False where Gemini would answer each request with a 400."""
    return level != "minimal" or not model.startswith(_WITHOUT_MINIMAL)
