"""What an activation keeps of each call of Gemini and each claim that ended without one, so that
one look tells its story."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

MOST_KEPT = 16
"""The history keeps this many of a kind, the latest ones."""

Ending = Literal[
    "shutdown",  # its process had to end and gave it back
    "lease_expired",  # its worker fell silent; written by whoever takes the activation over
    "deadline",  # the sweep answered at the deadline, while the worker was still at it
    "cancelled",  # the user cancelled meanwhile
]
"""How a claim ended that came to no decision of its own."""


class Attempt(BaseModel):
    """One call of Gemini, or one claim that ended without any: when it began, what came of it and
    how long it took. `model` names itself, or is the one asked where it gave no answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    model: str | None = None
    outcome: str  # `ok`, a FallbackReason or an Ending; a later release may know more
    ms: int
