"""A push as Pub/Sub sends it to the worker."""

import base64

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.domain.messages import Message

AUDIENCE = "https://worker.example/pubsub/push"
ACCOUNT = "pusher@innerjourney.iam.gserviceaccount.com"


def envelope(message: Message, message_id: str = "1") -> dict[str, object]:
    return {
        "message": {
            "data": base64.b64encode(message.data).decode(),
            "attributes": message.attributes,
            "messageId": message_id,
            "publishTime": "2026-11-23T12:00:00Z",
        },
        "subscription": "projects/p/subscriptions/s",
    }


def push(client: FlaskClient, message: Message, path: str = "/pubsub/push") -> TestResponse:
    return client.post(path, json=envelope(message))
