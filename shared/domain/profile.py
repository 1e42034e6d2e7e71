"""What users have told about themselves, as today's frontend sends it."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from shared.domain.text import cleaned

ShortText = Annotated[
    str,
    StringConstraints(max_length=200),
    # Not refused: users don't see what the frontend sends, and a stored profile must stay readable.
    BeforeValidator(lambda value: cleaned(value) if isinstance(value, str) else value),
]
LARGEST_NUMBER = 10**9


def _one_plain_value(value: Any) -> Any:
    """A flag or a score, however today's frontend writes it. Nothing that a store can't hold."""
    short = isinstance(value, str) and len(value) <= 200
    number = isinstance(value, (int, float)) and abs(value) <= LARGEST_NUMBER
    if value is None or short or number:
        return cleaned(value) if isinstance(value, str) else value
    raise PydanticCustomError("plain_value", "must be true, false, a number or a short text")


Scalar = Annotated[
    bool | int | float | str,
    BeforeValidator(_one_plain_value),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER},
                {"type": "string", "maxLength": 200},
            ]
        }
    ),
]


class ProfilePart(BaseModel):
    """Base of the profile's parts: what today's frontend sends; unknown keys are dropped."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )


Traits = Annotated[tuple[ShortText, ...], Field(max_length=50)]


def _none_is_empty(value: Any) -> Any:
    return () if value is None else value


class PersonalityType(ProfilePart):
    traits: Annotated[
        Traits, BeforeValidator(_none_is_empty, json_schema_input_type=Traits | None)
    ] = ()


class NeuroTendencies(ProfilePart):
    adhd_score: Scalar | None = Field(default=None, alias="adhdScore")


class WellbeingFlags(ProfilePart):
    suicide_risk: Scalar | None = Field(default=None, alias="suicideRisk")
    depression_risk: Scalar | None = Field(default=None, alias="depressionRisk")


class Profile(ProfilePart):
    """What the user has told about themselves. It may hold health data: see `completed`."""

    focus_area: ShortText | None = Field(default=None, alias="focusArea")
    personality_type: PersonalityType | None = Field(default=None, alias="personalityType")
    neuro_tendencies: NeuroTendencies | None = Field(default=None, alias="neuroTendencies")
    wellbeing_flags: WellbeingFlags | None = Field(default=None, alias="wellbeingFlags")
