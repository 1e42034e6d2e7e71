"""What clients see of an activation: the representation, and the first frontend's flat answer.

These models make the answers and the OpenAPI document, so the two can't differ. One thing the
document does not list: a status, source or other value that a later release has stored is shown as
it is. So the models are filled unvalidated; what fills them was validated when it was read.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.activation import Activation, FallbackReason, Source, Status, Usage
from shared.domain.history import Attempt
from shared.domain.step import Step, StoredStep


class Shown(BaseModel):
    """Base of our answers: frozen, and each key is always there."""

    model_config = ConfigDict(frozen=True)


class Welcome(Shown):
    message: str = "Welcome to InnerJourney Backend"


class Links(Shown):
    self: str = Field(description="The activation's own address.")
    cancel: str = Field(description="POST here when it is not wanted any more.")


class Representation(Shown):
    """An activation as `/activations/{id}` shows it. What the user wrote is not repeated."""

    activation_id: str
    status: Status
    done: bool = Field(description="True when nothing will change any more.")
    created_at: datetime
    updated_at: datetime
    deadline: datetime = Field(description="By then it has its step, whatever Gemini does.")
    attempt: int = Field(description="Claims that a worker has made.")
    attempts: tuple[Attempt, ...] = Field(
        description="The calls of Gemini, and the claims that ended without one; 16 at most."
    )
    step: Step | None = Field(description="Null until completed.")
    source: Source | None = Field(description="Who wrote the step; null until completed.")
    fallback_reason: FallbackReason | None = Field(description="Why Gemini did not write it.")
    model: str | None
    usage: Usage = Field(description="What it has cost so far; failed calls are counted.")
    links: Links


class ActivationPage(Shown):
    """A stretch of the caller's own activations, newest first."""

    items: tuple[Representation, ...]
    next_cursor: str | None = Field(description="For the next page; null at the end.")


class ActivationResponse(Step):
    """The first frontend's flat answer: the step's 15 fields, the id and the source, always all."""

    activation_id: str
    source: Source


def representation(activation: Activation) -> Representation:
    own = f"/activations/{activation.activation_id}"
    fields = {
        name: getattr(activation, name) for name in Representation.model_fields if name != "links"
    }
    links = Links(self=own, cancel=f"{own}/cancel")
    return Representation.model_construct(**fields, links=links)


def page_of(activations: Iterable[Activation], cursor: str | None) -> ActivationPage:
    return ActivationPage(items=tuple(map(representation, activations)), next_cursor=cursor)


def flat_answer(activation: Activation, step: StoredStep) -> ActivationResponse:
    return ActivationResponse.model_construct(
        **{
            **step.model_dump(),
            "activation_id": activation.activation_id,
            "source": activation.source,
        }
    )


def json_of(shown: BaseModel) -> str:
    """Without pydantic's warnings, which come for each value that the model does not list."""
    return shown.model_dump_json(warnings=False)


def etag_of(body: bytes) -> str:
    """A strong validator: equal bytes, equal tag, whichever process or release made them."""
    return hashlib.sha256(body).hexdigest()[:32]
