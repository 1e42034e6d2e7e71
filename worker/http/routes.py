"""The worker's HTTP: Pub/Sub's pushes and Cloud Scheduler's sweep.

204 acks; after every other status Pub/Sub delivers again, later and later.
"""

from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, jsonify, request

from shared.domain.messages import Message
from shared.errors import MessageNotUnderstood
from shared.http.problems import Problem, to_response
from shared.telemetry.logs import log_activation
from shared.telemetry.request_traces import continue_trace
from worker.http.envelope import unwrap
from worker.http.push_auth import Authorize
from worker.pipeline.dead_letters import DeadLetters
from worker.pipeline.process import ACKED, Processor
from worker.pipeline.sweep import Sweeper

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class WorkerRoutes:
    authorize: Authorize
    processor: Processor
    dead_letters: DeadLetters
    sweeper: Sweeper

    def blueprint(self) -> Blueprint:
        routes = Blueprint("worker", __name__)
        routes.before_request(_refuse_browsers)
        routes.before_request(self._authorize)
        routes.register_error_handler(MessageNotUnderstood, _not_understood)
        routes.post("/pubsub/push")(self.push)
        routes.post("/pubsub/dead-letter")(self.dead_letter)
        routes.post("/tasks/sweep")(self.sweep)
        return routes

    def push(self) -> tuple[str, int]:
        _, message = _read_message()
        outcome = self.processor.process(message)
        return _ack_or_nack(outcome in ACKED, outcome)

    def dead_letter(self) -> tuple[str, int]:
        message_id, message = _read_message()
        return _ack_or_nack(self.dead_letters.handle(message_id, message), "leased")

    def sweep(self) -> Response:
        return jsonify(vars(self.sweeper.sweep()))

    def _authorize(self) -> None:
        self.authorize(request.headers.get("Authorization"))


def _refuse_browsers() -> None:
    """A page of any origin can make a browser POST here, and the browser says so. Pub/Sub, Cloud
    Scheduler and our own timers send neither header. Raises Problem (403)."""
    site = request.headers.get("Sec-Fetch-Site", "none")
    if "Origin" in request.headers or site not in ("none", "same-origin"):
        raise Problem(403, "Web pages may not call this.")


def _not_understood(error: MessageNotUnderstood) -> Response:
    log.error("push.not_understood", path=request.path, error=str(error))
    return to_response(Problem(400, "This is not one of our messages."))


def _read_message() -> tuple[str, Message]:
    """The pushed message and its id. The rest of the request continues the message's trace, and its
    log lines name the activation."""
    message_id, message = unwrap(request.get_data())
    log_activation(message.attributes.get("activation_id", ""))
    continue_trace(message.attributes.get("traceparent"))
    return message_id, message


def _ack_or_nack(acked: bool, why_not: str) -> tuple[str, int]:
    if not acked:
        raise Problem(503, f"Not now: {why_not}.")
    return "", 204
