"""The routes of one activation: each parses, calls and maps; nothing is decided here."""

from dataclasses import dataclass, replace

from flask import Blueprint, Response, request
from opentelemetry.trace import get_current_span

from ingress.api import responses
from ingress.api.idempotency import checked_key
from ingress.api.identity import Identify
from ingress.api.preferences import Preferences, parse_preferences
from ingress.api.representation import Welcome
from ingress.api.request import language_of, parse_request
from ingress.submit.accept import Accepted, Acceptor
from ingress.submit.cancel import cancel
from ingress.submit.limits import BurstLimit
from ingress.submit.wait_slots import Patience, is_done
from shared.clock import Clock
from shared.domain.activation import is_activation_id
from shared.http.body import read_body
from shared.http.problems import Problem
from shared.ports import ActivationStore, Stored
from shared.telemetry.traces import ACTIVATION_ID, current_traceparent


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the routes need, wired in app.py."""

    acceptor: Acceptor
    store: ActivationStore
    patience: Patience
    identify: Identify
    per_user: BurstLimit
    clock: Clock
    sync_wait_seconds: float


def activation_routes(services: Services) -> Blueprint:
    routes = Blueprint("activations", __name__)

    @routes.get("/")
    def welcome() -> Response:
        return responses.json_answer(Welcome())

    @routes.post("/gemini/getActivation")
    def get_activation() -> Response:
        preferences = _preferences()
        accepted = _accept(services)
        seconds = _seconds_to_wait(preferences, services.sync_wait_seconds)
        waited = services.patience.wait(accepted.stored, seconds, is_done)
        latest = _not_erased(waited.stored)
        later = preferences.respond_async and not latest.activation.done
        asked = replace(preferences, respond_async=later)
        marks = _marks(accepted, asked.applied(waited=waited.granted))
        if later:
            return responses.accept(latest, services.clock(), marks=marks)
        return responses.flat(latest, services.clock(), marks)

    @routes.post("/activations")
    def submit() -> Response:
        preferences = _preferences()
        accepted = _accept(services)
        waited = services.patience.wait(accepted.stored, preferences.wait or 0, is_done)
        latest = _not_erased(waited.stored)
        in_time = preferences.wait is not None and latest.activation.done
        asked = replace(preferences, respond_async=preferences.respond_async and not in_time)
        marks = _marks(accepted, asked.applied(waited=waited.granted))
        status = 200 if in_time else 202
        return responses.accept(latest, services.clock(), status=status, marks=marks)

    @routes.get("/activations/<activation_id>")
    def show(activation_id: str) -> Response:
        preferences = _preferences()
        stored = own(services.store, services.identify, activation_id)
        waited = services.patience.wait(stored, preferences.wait or 0, _is_news)
        latest = _not_erased(waited.stored)
        answer = responses.show(latest, services.clock())
        etag, _ = answer.get_etag()
        if etag and request.if_none_match.contains_weak(etag):
            answer = responses.unchanged(latest, etag, services.clock())
        applied = replace(preferences, respond_async=False).applied(waited=waited.granted)
        if applied:
            answer.headers["Preference-Applied"] = applied
        return answer

    @routes.post("/activations/<activation_id>/cancel")
    def cancel_one(activation_id: str) -> Response:
        stored = own(services.store, services.identify, activation_id)
        cancelled = cancel(services.store, stored, services.clock())
        return responses.show(cancelled, services.clock())

    @routes.delete("/activations/<activation_id>")
    def erase_one(activation_id: str) -> Response:
        """What a worker writes later meets a conflict; what is in the queue finds nothing."""
        stored = own(services.store, services.identify, activation_id)
        services.store.delete(stored.activation.activation_id)
        return Response(status=204)

    return routes


def own(store: ActivationStore, identify: Identify, activation_id: str) -> Stored:
    """Someone else's is not found: the same answer as for one that does not exist."""
    user_id = identify(request.headers.get("Authorization"))
    stored = store.get(activation_id) if is_activation_id(activation_id) else None
    if stored is None or stored.activation.user_id != user_id:
        raise Problem(404, "There is no such activation.")
    return stored


def _accept(services: Services) -> Accepted:
    user_id = services.identify(request.headers.get("Authorization"))
    services.per_user.count(user_id)
    if request.content_encoding not in (None, "", "identity"):
        raise Problem(415, "Please send JSON as it is, without a Content-Encoding.")
    key = checked_key(request.headers.get("Idempotency-Key"))
    wanted = parse_request(read_body(), request.mimetype, request.mimetype_params.get("charset"))
    accepted = services.acceptor.accept(
        user_id,
        wanted,
        language=language_of(wanted, request.accept_languages),
        traceparent=current_traceparent(),
        key=key,
    )
    get_current_span().set_attribute(ACTIVATION_ID, accepted.stored.activation.activation_id)
    return accepted


def _preferences() -> Preferences:
    return parse_preferences(request.headers.getlist("Prefer"))


def _seconds_to_wait(preferences: Preferences, at_most: float) -> float:
    """RFC 7240 section 4.3: `respond-async, wait=5` is "answer within 5 s, else take your time"."""
    unsaid = 0.0 if preferences.respond_async else at_most
    return min(unsaid if preferences.wait is None else preferences.wait, at_most)


def _is_news(stored: Stored) -> bool:
    """Different from what the client has; for one that has nothing, done."""
    if stored.activation.done or not request.if_none_match:
        return stored.activation.done
    return not request.if_none_match.contains_weak(responses.etag_now(stored))


def _not_erased(stored: Stored | None) -> Stored:
    if stored is None:
        raise Problem(404, "There is no such activation.")
    return stored


def _marks(accepted: Accepted, applied: str | None) -> dict[str, str]:
    """Headers that say how the request was taken, whatever the answer is."""
    marks = {"Idempotency-Replayed": "true"} if accepted.replayed else {}
    return {**marks, **({"Preference-Applied": applied} if applied else {})}
