"""Process one delivery: decode it, claim the activation, decide its answer, write it, record it.

Push, pull and local runs all call `Processor.process`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import structlog
from opentelemetry.trace import SpanKind
from structlog.contextvars import bound_contextvars
from tenacity import Retrying, retry_if_exception_type, wait_random_exponential

from shared.domain.activation import Activation, Answer
from shared.domain.history import Attempt
from shared.domain.messages import ActivationMessage, Message, decode
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore, Stored
from shared.telemetry.traces import ACTIVATION_ID, span
from worker.gemini.calls import telling_of_calls
from worker.gemini.port import ProcessEnds
from worker.pipeline.claim import Claimer
from worker.pipeline.decide import Decider, Pause
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.records import ClaimEnd, record_claim, record_usage, write_answer

log = structlog.get_logger(__name__)

Outcome = Literal[
    "completed",  # the answer is written: ack
    "dropped",  # cancelled, erased or taken over while Gemini worked: ack
    "gone",  # erased or expired: ack
    "done",  # a duplicate of one that is completed or cancelled: ack
    "paused",  # until Gemini may be asked again, when the sweep publishes it: ack
    "released",  # because this process ends: nack
    "leased",  # another worker holds the lease: nack
    "not_yet",  # released until later, or in a later release's status: nack
]
ACKED: frozenset[Outcome] = frozenset({"completed", "dropped", "gone", "done", "paused"})

SPAN_ATTRIBUTES = {"messaging.system": "gcp_pubsub", "messaging.operation.type": "process"}


@dataclass(frozen=True, kw_only=True)
class Processor:
    store: ActivationStore
    claimer: Claimer
    claims: HeldClaims
    decider: Decider
    write_back_seconds: float
    """How long to retry the write of a result, so that a short outage does not waste a paid one."""
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def process(self, message: Message) -> Outcome:
        """Handle one delivery, in a span that is a child of the current one.

        Raises MessageNotUnderstood and StoreUnavailable: nack in both cases.
        """
        with span("process", SpanKind.CONSUMER, attributes=SPAN_ATTRIBUTES) as current:
            delivered = decode(message)
            activation_id = delivered.activation.activation_id
            current.set_attribute(ACTIVATION_ID, activation_id)
            with bound_contextvars(activation_id=activation_id):
                outcome = self._claim_and_answer(delivered)
            current.set_attribute("innerjourney.outcome", outcome)
            return outcome

    def _claim_and_answer(self, delivered: ActivationMessage) -> Outcome:
        if self.claims.draining:
            return "released"
        claimed = self.claimer.claim(delivered)
        if not isinstance(claimed, Stored):
            log.info("activation.not_taken", **_log_fields(delivered.activation), why=claimed)
            return claimed
        record_claim(claimed)
        if not self.claims.hold(claimed):
            return "released"
        try:
            with telling_of_calls(partial(self.claims.calls_begin, claimed)):
                outcome = self._answer(claimed)
        finally:
            self.claims.drop(claimed)
        # If this process released the claim because it ends, the message must be delivered again.
        return "released" if outcome == "dropped" and self.claims.given_back.is_set() else outcome

    def _answer(self, claimed: Stored) -> Outcome:
        started = self.monotonic()
        try:
            decision = self.decider.decide(claimed.activation, claimed.read_at)
        except ProcessEnds as error:
            # HeldClaims gives the claim back. A fallback from here could be written before that.
            record_usage(claimed.activation, error.usage_by_model, "released")
            return "released"
        # The store's time of the claim plus what has passed since: a worker's clock may be wrong.
        now = claimed.read_at + timedelta(seconds=self.monotonic() - started)
        end: ClaimEnd = "unwritten"
        try:
            end = self._write_back(claimed, decision, now)
            return "paused" if end == "released" else end
        finally:
            record_usage(claimed.activation, decision.usage_by_model, end)

    def _write_back(
        self, claimed: Stored, decision: Answer | Pause, now: datetime
    ) -> Literal["completed", "released", "dropped"]:
        """Raises StoreUnavailable when the store stays away for `write_back_seconds`."""
        try:
            if isinstance(decision, Answer):
                self._complete(claimed, decision, now)
                return "completed"
            self._release(claimed, decision, now)
        except Conflict:
            log.warning("activation.dropped", **_log_fields(claimed.activation))
            return "dropped"
        return "released"

    def _complete(self, claimed: Stored, answer: Answer, now: datetime) -> None:
        attempts = answer.attempts or _of_the_claim(claimed, now, answer.fallback_reason or "ok")
        listed = answer.model_copy(update={"attempts": attempts})
        write_answer(self._replace, claimed, listed, now=now, by="worker")

    def _release(self, claimed: Stored, pause: Pause, now: datetime) -> None:
        activation = claimed.activation
        released = activation.released(
            now=now,
            not_before=pause.until,
            spent=pause.usage,
            attempts=pause.attempts or _of_the_claim(claimed, now, pause.reason),
        )
        self._replace(released, claimed.version)
        log.info("activation.released", **_log_fields(activation), until=pause.until.isoformat())

    def _replace(self, wanted: Activation, version: str) -> None:
        """Raises Conflict where the activation was cancelled, erased or taken over meanwhile."""
        with span("complete" if wanted.done else "release"):
            written = self._write(wanted, version)
        # Raised outside the span: a result that came too late is no error to be traced.
        if not written:
            raise Conflict("cancelled, erased or taken over meanwhile")

    def _write(self, wanted: Activation, version: str) -> bool:
        """Retries the write, never the call to Gemini. False: the version has changed."""
        end = self.monotonic() + self.write_back_seconds
        retrying = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            stop=lambda _: self.monotonic() >= end,
            wait=wait_random_exponential(multiplier=0.2, max=2),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            retrying(self.store.replace, wanted, version)
        except Conflict:
            return self._is_written(wanted)
        return True

    def _is_written(self, wanted: Activation) -> bool:
        """Whether the conflict is with this very write, applied before its answer was lost."""
        current = self.store.get(wanted.activation_id)
        if current is None:
            return False
        # The claim id would not prove it: at the deadline the sweep completes a claimed one.
        there = current.activation
        return (there.status, there.attempts) == (wanted.status, wanted.attempts)


def _of_the_claim(claimed: Stored, now: datetime, outcome: str) -> tuple[Attempt]:
    """The entry of a claim that called nobody, by the store's clock."""
    milliseconds = round((now - claimed.written_at).total_seconds() * 1000)
    return (Attempt(at=claimed.written_at, outcome=outcome, ms=milliseconds),)


def _log_fields(activation: Activation) -> dict[str, object]:
    return {"activation_id": activation.activation_id, "attempt": activation.attempt}
