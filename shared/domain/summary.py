"""What of an activation is nobody's secret: its state, its times and what it cost."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.activation import WAITING, Activation, Usage


class Summary(BaseModel):
    """An activation without its user, goal, profile and step.

    For counting: a reader that never gets what is personal can't show it, and reads less.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    activation_id: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: AwareDatetime
    status: str
    source: str | None = None
    fallback_reason: str | None = None
    model: str | None = None
    usage: Usage = Usage()

    @classmethod
    def of(cls, activation: Activation) -> Summary:
        return cls.model_validate(activation.model_dump(include=set(cls.model_fields)))

    @property
    def waiting(self) -> bool:
        return self.status in WAITING
