"""The step: what an activation gives the user, whoever wrote it (Gemini, our library, safety).

`Step`, which is strict, is the source of truth for Gemini's response schema, for the validation of
what Gemini answers, for the fallback library and for what clients read. `StoredStep`, which is
tolerant, is the same step read back.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.domain.text import cleaned, looks_empty

ActivationType = Literal["meditation", "physical", "social", "ai_assessment", "live_event"]
CategoryId = Literal["inner_child", "manifest", "shadows", "brainsync", "sleep"]
LogType = Literal["text", "video", "audio"]


def neutral(text: str) -> str:
    """Without control, bidi and zero-width characters, and with no character that could begin or
    end HTML; empty where it looks empty.

    Clients should escape what they show; a step is harmless where one forgets to.
    """
    shown = cleaned(text).replace("<", "‹").replace(">", "›")
    return "" if looks_empty(shown) else shown


Neutral = BeforeValidator(lambda value: neutral(value) if isinstance(value, str) else value)

Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), Neutral
]
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600), Neutral
]
Paragraph = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1200), Neutral
]
OptionalSentence = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=600),
    Neutral,
    BeforeValidator(lambda value: "" if value is None else value),
]


class Step(BaseModel):
    """One small, concrete thing to do. The descriptions are read by Gemini as well as by people."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    title: Title = Field(description="Short name of the step, at most 80 characters.")
    description: Paragraph = Field(
        description="What to do and how, concretely, at most 1200 characters."
    )
    duration: int = Field(ge=1, le=120, description="Minutes the step takes, 1 to 120.")
    activation_type: ActivationType
    category_id: CategoryId
    prompt: Sentence = Field(description="One sentence that invites the user to log how it went.")
    log_type: LogType = Field(description="How the user is invited to log it.")
    prerequisite: OptionalSentence = Field(
        description="What must be at hand before starting; empty when nothing is needed."
    )
    repetitions: int = Field(ge=0, le=100, description="How many times to do it.")
    questions: tuple[Sentence, ...] = Field(
        min_length=1, max_length=5, description="One to five questions for reflection afterwards."
    )
    ai_assessment: bool = Field(description="Whether the log is to be assessed by AI.")
    coach_approval_required: bool = Field(description="Whether a coach must approve the log.")
    net_enabled: bool = Field(description="Whether the step needs an internet connection.")
    introduction_message: Sentence = Field(description="A warm sentence before the step is shown.")
    preparation_message: Sentence = Field(description="A sentence that helps the user get ready.")


class StoredStep(BaseModel):
    """A step from the store or the queue, where a later release may have written it: keys that this
    release does not know are dropped, and no list of values or limit is checked."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    title: str
    description: str
    duration: int
    activation_type: str
    category_id: str
    prompt: str
    log_type: str
    prerequisite: str
    repetitions: int
    questions: tuple[str, ...]
    ai_assessment: bool
    coach_approval_required: bool
    net_enabled: bool
    introduction_message: str
    preparation_message: str
