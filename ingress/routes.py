"""The routes: each parses, calls and maps; nothing is decided here."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ingress.accept import Acceptor
from ingress.activation_request import language_of, parse_request
from ingress.cancel import cancel
from ingress.identity import Identify
from ingress.patience import Patience
from ingress.representation import flat_answer, representation
from ingress.trace import traceparent
from shared.clock import Clock
from shared.ports import ActivationStore, Stored
from shared.problems import Problem

RETRY_AFTER_SECONDS = 1
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
PRIVATE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the routes need, wired in app.py."""

    acceptor: Acceptor
    store: ActivationStore
    patience: Patience
    identify: Identify
    clock: Clock
    sync_wait_seconds: float


def public_routes(services: Services) -> Blueprint:
    routes = Blueprint("public", __name__)

    @routes.get("/")
    def welcome() -> Response:
        return jsonify(message="Welcome to InnerJourney Backend")

    @routes.post("/gemini/getActivation")
    def get_activation() -> tuple[Response, int, dict[str, str]]:
        stored = _accept(services)
        latest = services.patience.wait_until_done(stored, services.sync_wait_seconds)
        return _flat(latest or stored)

    @routes.post("/activations")
    def submit() -> tuple[Response, int, dict[str, str]]:
        return _accepted(_accept(services))

    @routes.get("/activations/<activation_id>")
    def show(activation_id: str) -> tuple[Response, int, dict[str, str]]:
        return _shown(_own(services, activation_id))

    @routes.post("/activations/<activation_id>/cancel")
    def cancel_one(activation_id: str) -> tuple[Response, int, dict[str, str]]:
        stored = _own(services, activation_id)
        return _shown(cancel(services.store, stored, services.clock()))

    return routes


def _accept(services: Services) -> Stored:
    user_id = services.identify(request.headers.get("Authorization"))
    wanted = parse_request(
        request.get_data(), request.mimetype, request.mimetype_params.get("charset")
    )
    return services.acceptor.accept(
        user_id,
        wanted,
        language=language_of(wanted, request.accept_languages),
        traceparent=traceparent(request.headers.get("traceparent")),
    )


def _own(services: Services, activation_id: str) -> Stored:
    """Someone else's is not found: the same answer as for one that does not exist."""
    user_id = services.identify(request.headers.get("Authorization"))
    stored = services.store.get(activation_id) if _ID.fullmatch(activation_id) else None
    if stored is None or stored.activation.user_id != user_id:
        raise Problem(404, "There is no such activation.")
    return stored


def _shown(stored: Stored) -> tuple[Response, int, dict[str, str]]:
    headers = dict(PRIVATE)
    if not stored.activation.done:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return jsonify(representation(stored.activation)), 200, headers


def _accepted(stored: Stored) -> tuple[Response, int, dict[str, str]]:
    headers = {**PRIVATE, **_where_to_look(stored)}
    return jsonify(representation(stored.activation)), 202, headers


def _flat(stored: Stored) -> tuple[Response, int, dict[str, str]]:
    activation = stored.activation
    if activation.step is not None:
        return jsonify(flat_answer(activation, activation.step)), 200, PRIVATE
    if activation.done:
        raise Problem(409, "This activation was cancelled.", **_named(stored))
    raise Problem(
        504,
        "Your step is still being written. It will be ready in a moment.",
        headers=_where_to_look(stored),
        **_named(stored),
    )


def _where_to_look(stored: Stored) -> dict[str, str]:
    return {
        "Location": f"/activations/{stored.activation.activation_id}",
        "Retry-After": str(RETRY_AFTER_SECONDS),
    }


def _named(stored: Stored) -> dict[str, Any]:
    return {"activation_id": stored.activation.activation_id}
