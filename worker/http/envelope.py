"""Pub/Sub's wrapped push envelope (page: Push subscriptions, 'Receive messages')."""

import base64
import binascii

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.domain.messages import Message
from shared.errors import MessageNotUnderstood


class _PubsubMessage(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    message_id: str = Field(alias="messageId", pattern=r"^[A-Za-z0-9_.-]{1,128}$")
    data: str = ""
    attributes: dict[str, str] = {}


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    message: _PubsubMessage


def unwrap(body: bytes) -> tuple[str, Message]:
    """The message's id, and the message. Raises MessageNotUnderstood."""
    try:
        wrapped = _Envelope.model_validate_json(body).message
        data = base64.b64decode(wrapped.data, validate=True)
    except ValidationError as error:
        raise MessageNotUnderstood(f"envelope: {error.errors()[0]['type']}") from None
    except binascii.Error:
        raise MessageNotUnderstood("envelope: data is not base64") from None
    return wrapped.message_id, Message(data, wrapped.attributes)
