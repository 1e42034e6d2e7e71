"""Flask, Pub/Sub push and Firestore, as a tutorial does it: no claim, no lease, no deadline.

python -m bench.peers.naive_pubsub PORT [PUSH_PORT]

With PUSH_PORT it makes the topic and its push subscription to the second process, at that port.
"""

import base64
import json
import os
import sys
import uuid
from typing import Any

from flask import Flask, Response, request
from google.cloud import firestore, pubsub_v1

from bench.peers.common import SLOTS, Gemini, serve_on_loopback

PROJECT = os.environ.get("GOOGLE_CLOUD_PROJECT", "bench")


def subscribe(push_port: int) -> None:
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        topic = publisher.topic_path(PROJECT, "activations")
        publisher.create_topic(name=topic)
        endpoint = f"http://127.0.0.1:{push_port}/push"
        subscriber.create_subscription(
            name=subscriber.subscription_path(PROJECT, "push"),
            topic=topic,
            push_config={"push_endpoint": endpoint},
            ack_deadline_seconds=60,
        )


def create_app() -> Flask:
    app = Flask(__name__)
    documents = firestore.Client(PROJECT).collection("activations")
    publisher = pubsub_v1.PublisherClient()
    topic = publisher.topic_path(PROJECT, "activations")
    gemini = Gemini()

    def submit() -> Response:
        asked = request.get_json()
        activation_id = uuid.uuid4().hex
        documents.document(activation_id).set({**asked, "done": False, "step": None})
        publisher.publish(topic, activation_id.encode()).result(timeout=60)
        return Response(status=202, headers={"Location": f"/activations/{activation_id}"})

    def show(activation_id: str) -> dict[str, Any]:
        found: dict[str, Any] = documents.document(activation_id).get().to_dict()
        return found

    def push() -> Response:
        data = request.get_json()["message"]["data"]
        document = documents.document(base64.b64decode(data).decode())
        asked = document.get().to_dict()
        if not asked["done"]:
            step = json.loads(gemini.step(asked["mood"], asked["goal"]))
            document.update({"done": True, "step": step})
        return Response(status=204)

    app.post("/activations")(submit)
    app.get("/activations/<activation_id>")(show)
    app.post("/push")(push)
    return app


if __name__ == "__main__":
    if len(sys.argv) > 2:
        subscribe(int(sys.argv[2]))
    serve_on_loopback(create_app(), int(sys.argv[1]), threads=SLOTS)
