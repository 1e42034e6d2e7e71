"""The routes of one activation: each parses, calls and maps; nothing is decided here."""

from dataclasses import dataclass, replace

from flask import Blueprint, Response, request
from opentelemetry.trace import get_current_span

from ingress.api.callers import Callers
from ingress.api.idempotency import checked_key
from ingress.api.preferences import Preferences, parse_preferences
from ingress.api.representation import Welcome
from ingress.api.request import language_of, parse_request
from ingress.api.responses import (
    accepted_response,
    current_etag,
    flat_response,
    json_response,
    not_modified,
    representation_response,
)
from ingress.submit.accept import Accepted, Acceptor
from ingress.submit.cancel import cancel
from ingress.submit.wait_slots import WaitSlots, is_done
from shared.clock import Clock
from shared.domain.activation import is_activation_id
from shared.http.problems import Problem
from shared.ports import ActivationStore, Stored
from shared.telemetry.logs import log_activation
from shared.telemetry.traces import ACTIVATION_ID, current_traceparent


@dataclass(frozen=True, kw_only=True)
class ActivationRoutes:
    acceptor: Acceptor
    store: ActivationStore
    wait_slots: WaitSlots
    callers: Callers
    clock: Clock
    sync_wait_seconds: float

    def blueprint(self) -> Blueprint:
        routes = Blueprint("activations", __name__)
        routes.get("/")(self.welcome)
        routes.post("/gemini/getActivation")(self.get_activation)
        routes.post("/activations")(self.submit)
        routes.get("/activations/<activation_id>")(self.show)
        routes.post("/activations/<activation_id>/cancel")(self.cancel)
        routes.delete("/activations/<activation_id>")(self.erase)
        return routes

    def welcome(self) -> Response:
        return json_response(Welcome())

    def get_activation(self) -> Response:
        preferences = _preferences()
        accepted = self._accept()
        seconds = _seconds_to_wait(preferences, self.sync_wait_seconds)
        waited = self.wait_slots.wait(accepted.stored, seconds, is_done)
        latest = _not_erased(waited.stored)
        later = preferences.respond_async and not latest.activation.done
        asked = replace(preferences, respond_async=later)
        headers = _accepted_headers(accepted, asked.applied(waited=waited.granted))
        if later:
            return accepted_response(latest, self.clock(), headers=headers)
        return flat_response(latest, self.clock(), headers)

    def submit(self) -> Response:
        preferences = _preferences()
        accepted = self._accept()
        waited = self.wait_slots.wait(accepted.stored, preferences.wait or 0, is_done)
        latest = _not_erased(waited.stored)
        in_time = preferences.wait is not None and latest.activation.done
        asked = replace(preferences, respond_async=preferences.respond_async and not in_time)
        headers = _accepted_headers(accepted, asked.applied(waited=waited.granted))
        status = 200 if in_time else 202
        return accepted_response(latest, self.clock(), status=status, headers=headers)

    def show(self, activation_id: str) -> Response:
        preferences = _preferences()
        stored = self._own(activation_id)
        waited = self.wait_slots.wait(stored, preferences.wait or 0, _has_changed)
        latest = _not_erased(waited.stored)
        response = representation_response(latest, self.clock())
        etag, _ = response.get_etag()
        if etag and request.if_none_match.contains_weak(etag):
            response = not_modified(latest, etag, self.clock())
        applied = replace(preferences, respond_async=False).applied(waited=waited.granted)
        if applied:
            response.headers["Preference-Applied"] = applied
        return response

    def cancel(self, activation_id: str) -> Response:
        cancelled = cancel(self.store, self._own(activation_id), self.clock())
        return representation_response(cancelled, self.clock())

    def erase(self, activation_id: str) -> Response:
        """A worker that writes later meets a conflict; a message in the queue finds nothing."""
        user_id = self.callers.user_id()
        # Its owner alone: a document that this release can't read is erased like any other.
        owner = self.store.owner(activation_id) if is_activation_id(activation_id) else None
        if owner != user_id:
            raise _not_found()
        log_activation(activation_id)
        self.store.delete(activation_id)
        return Response(status=204)

    def _accept(self) -> Accepted:
        user_id = self.callers.counted()
        if request.content_encoding not in (None, "", "identity"):
            raise Problem(415, "Please send JSON as it is, without a Content-Encoding.")
        key = checked_key(request.headers.get("Idempotency-Key"))
        charset = request.mimetype_params.get("charset")
        wanted = parse_request(request.get_data(), request.mimetype, charset)
        accepted = self.acceptor.accept(
            user_id,
            wanted,
            language=language_of(wanted, request.accept_languages),
            traceparent=current_traceparent(),
            key=key,
        )
        get_current_span().set_attribute(ACTIVATION_ID, accepted.stored.activation.activation_id)
        return accepted

    def _own(self, activation_id: str) -> Stored:
        """Someone else's is not found: the same answer as for one that does not exist."""
        user_id = self.callers.user_id()
        stored = self.store.get(activation_id) if is_activation_id(activation_id) else None
        if stored is None or stored.activation.user_id != user_id:
            raise _not_found()
        log_activation(activation_id)
        return stored


def _preferences() -> Preferences:
    return parse_preferences(request.headers.getlist("Prefer"))


def _seconds_to_wait(preferences: Preferences, at_most: float) -> float:
    """RFC 7240 section 4.3: `respond-async, wait=5` is "answer within 5 s, else take your time"."""
    unsaid = 0.0 if preferences.respond_async else at_most
    return min(unsaid if preferences.wait is None else preferences.wait, at_most)


def _has_changed(stored: Stored) -> bool:
    """Whether it differs from what the client has; without an ETag, whether it is done."""
    if stored.activation.done or not request.if_none_match:
        return stored.activation.done
    return not request.if_none_match.contains_weak(current_etag(stored))


def _not_erased(stored: Stored | None) -> Stored:
    if stored is None:
        raise _not_found()
    return stored


def _not_found() -> Problem:
    return Problem(404, "There is no such activation.")


def _accepted_headers(accepted: Accepted, applied: str | None) -> dict[str, str]:
    headers = {"Idempotency-Replayed": "true"} if accepted.replayed else {}
    return {**headers, **({"Preference-Applied": applied} if applied else {})}
