"""The web half of the peers with a queue in Redis: activations as JSON in Redis, one key each."""

import json
import os
import uuid
from collections.abc import Callable

import redis
from flask import Flask, Response, request

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")


class Results:
    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(URL)

    def create(self, activation_id: str) -> None:
        self._redis.set(activation_id, json.dumps({"done": False, "step": None}))

    def complete(self, activation_id: str, step: str) -> None:
        self._redis.set(activation_id, json.dumps({"done": True, "step": json.loads(step)}))

    def get(self, activation_id: str) -> bytes | None:
        found: bytes | None = self._redis.get(activation_id)
        return found


def create_app(send: Callable[[str, int, str], object]) -> Flask:
    """`send` puts id, mood and goal into the queue."""
    app = Flask(__name__)
    results = Results()

    def submit() -> Response:
        asked = request.get_json()
        activation_id = uuid.uuid4().hex
        results.create(activation_id)
        send(activation_id, int(asked["mood"]), str(asked["goal"]))
        return Response(status=202, headers={"Location": f"/activations/{activation_id}"})

    def show(activation_id: str) -> Response:
        found = results.get(activation_id)
        return Response(found, status=200 if found else 404, mimetype="application/json")

    app.post("/activations")(submit)
    app.get("/activations/<activation_id>")(show)
    return app
