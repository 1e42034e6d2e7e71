"""What travels through the queue: the activation as stored, with the version to claim it by.

Data is JSON `{"version": …, "activation": {…}}`; attributes are `activation_id`, `schema`,
`traceparent`. Carrying the version lets a worker claim with one conditional write and no read.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.domain.activation import Activation, is_activation_id
from shared.errors import MessageNotUnderstood

SCHEMA = "1"
DEAD_LETTERS_KEPT = timedelta(days=30)
"""They hold what users wrote, so they go when an activation goes by default."""


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


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that nobody could read, as it came."""

    message_id: str
    data: bytes
    attributes: dict[str, str]
    why: str
    received_at: datetime


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
