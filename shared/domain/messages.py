"""What travels through the queue: the activation as stored, with the version to claim it by.

Data is JSON `{"version": …, "activation": {…}}`; attributes are `activation_id`, `schema`,
`traceparent`. Carrying the version lets a worker claim with one conditional write and no read.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from shared.domain.activation import Activation, is_activation_id
from shared.errors import MessageNotUnderstood

SCHEMA = "1"
DEAD_LETTERS_KEPT = timedelta(days=30)
"""They hold what users wrote, so they go when an activation goes by default."""

LONGEST_USER_ID = 128
"""Of Firebase Auth's (page: Import users)."""


@dataclass(frozen=True)
class Message:
    """A queue message, whoever carries it."""

    data: bytes
    attributes: dict[str, str] = field(default_factory=dict)


class ActivationMessage(BaseModel):
    """The decoded message: an activation and the version that it had when it was published."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: str
    activation: Activation


class Owner(NamedTuple):
    """Whose a dead letter is, as far as it says so."""

    activation_id: str | None
    user_id: str | None


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that nobody could read, as it came."""

    message_id: str
    data: bytes
    attributes: dict[str, str]
    why: str
    received_at: datetime

    @property
    def owner(self) -> Owner:
        """By which erasing finds it: read from JSON that may be cut off or of another schema."""
        named = _texts_of_the_activation(self.data)
        activation_id = self.attributes.get("activation_id") or named.get("activation_id", "")
        user_id = named.get("user_id", "")
        return Owner(
            activation_id if is_activation_id(activation_id) else None,
            user_id if 0 < len(user_id) <= LONGEST_USER_ID else None,
        )


def _texts_of_the_activation(data: bytes) -> dict[str, str]:
    """Those of its fields that are text, where there are any."""
    try:
        message = from_json(data, allow_partial=True)
    except ValueError:
        return {}
    activation = message.get("activation") if isinstance(message, dict) else None
    fields = activation if isinstance(activation, dict) else {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def encode(activation: Activation, version: str) -> Message:
    attributes = {"activation_id": activation.activation_id, "schema": SCHEMA}
    if activation.traceparent:
        attributes["traceparent"] = activation.traceparent
    payload = ActivationMessage(version=version, activation=activation)
    return Message(payload.model_dump_json(exclude_none=True).encode(), attributes)


def decode(message: Message) -> ActivationMessage:
    """Raises MessageNotUnderstood for another schema, bad JSON or a shape that is not ours.

    The error names the place, never the value: messages carry what users wrote.
    """
    schema = message.attributes.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise MessageNotUnderstood(f"schema {schema[:20]!r}, expected {SCHEMA!r}")
    try:
        decoded = ActivationMessage.model_validate_json(message.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise MessageNotUnderstood(f"/{place}: {first['type']}") from None
    if not is_activation_id(decoded.activation.activation_id):
        raise MessageNotUnderstood("/activation/activation_id: not an id of ours")
    return decoded
