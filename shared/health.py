"""`/livez` says that the process is up, `/readyz` that what it needs answers."""

from flask import Blueprint, Response, jsonify

from shared.errors import PublishFailed, StoreUnavailable
from shared.ports import ActivationStore, Publisher


def health_routes(store: ActivationStore, publisher: Publisher) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def livez() -> Response:
        return jsonify(status="ok")

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        reasons = _unreachable(store, publisher)
        status = "unavailable" if reasons else "ok"
        return jsonify(status=status, reasons=reasons), 503 if reasons else 200

    return routes


def _unreachable(store: ActivationStore, publisher: Publisher) -> dict[str, str]:
    reasons = {}
    try:
        store.ping()
    except StoreUnavailable as error:
        reasons["store"] = str(error)
    try:
        publisher.ping()
    except PublishFailed as error:
        reasons["queue"] = str(error)
    return reasons
