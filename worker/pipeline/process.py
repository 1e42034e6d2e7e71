"""One delivery from claim to write-back: the span `process`. The same for push, pull and local
runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from opentelemetry.trace import SpanKind, get_current_span
from tenacity import Retrying, retry_if_exception_type, wait_random_exponential

from shared.domain.activation import Activation, Answer, Usage
from shared.domain.messages import ActivationMessage, Message, decode
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore, Stored
from shared.telemetry.provider import telemetry
from shared.telemetry.traces import ACTIVATION_ID, span
from worker.pipeline.claim import Claimer
from worker.pipeline.decide import Decider, Pause
from worker.pipeline.held_claims import HeldClaims
from worker.pipeline.records import ClaimEnd, Ledger, record_answer

log = structlog.get_logger(__name__)

Outcome = Literal[
    "completed",  # written back: ack
    "dropped",  # cancelled, erased or taken over while Gemini worked: ack
    "gone",
    "done",  # a duplicate of something that has ended: ack
    "released",  # until Gemini may be asked again, or because this process ends: nack
    "leased",
    "not_yet",  # somebody is at it, or will be: nack
]

ACKED: frozenset[Outcome] = frozenset({"completed", "dropped", "gone", "done"})

SPAN = {"messaging.system": "gcp_pubsub", "messaging.operation.type": "process"}


@dataclass(frozen=True, kw_only=True)
class Processor:
    store: ActivationStore
    claimer: Claimer
    decider: Decider
    ledger: Ledger
    claims: HeldClaims
    write_back_seconds: float
    """How long the result's write is tried again; what was paid for is not lost to a hiccup."""
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def receive(self, message: Message) -> Outcome:
        """Decode and process one delivery, in the current trace.

        Raises MessageNotUnderstood, and StoreUnavailable; either is a nack.
        """
        with span("process", SpanKind.CONSUMER, attributes=SPAN) as process:
            delivered = decode(message)
            process.set_attribute(ACTIVATION_ID, delivered.activation.activation_id)
            outcome = self.process(delivered)
            process.set_attribute("innerjourney.outcome", outcome)
            return outcome

    def process(self, delivered: ActivationMessage) -> Outcome:
        if self.claims.closed:
            return "released"
        claimed = self.claimer.claim(delivered)
        if not isinstance(claimed, Stored):
            log.info("activation.not_taken", **_named(delivered.activation), why=claimed)
            return claimed
        telemetry().metrics.claimed(claimed.activation, claimed.written_at)
        get_current_span().set_attribute("innerjourney.attempt", claimed.activation.attempt)
        with self.claims.holding(claimed):
            outcome = self._work(claimed)
        # A claim that was given back for our own end must be delivered again: no ack.
        return "released" if outcome == "dropped" and self.claims.closed else outcome

    def _work(self, claimed: Stored) -> Outcome:
        started = self.monotonic()
        activation = claimed.activation
        decided = self.decider.decide(activation, claimed.read_at)
        # The store's time of the claim plus what has passed since: no clock of ours decides.
        now = claimed.read_at + timedelta(seconds=self.monotonic() - started)
        if isinstance(decided, Pause):
            return self._release(claimed, decided, now)
        return self._complete(claimed, decided, now)

    def _release(self, claimed: Stored, pause: Pause, now: datetime) -> Outcome:
        wanted = claimed.activation.released(now=now, not_before=pause.until, spent=pause.spent)
        if not self._write_back(claimed, wanted, pause.spent):
            return "dropped"
        log.info("activation.released", **_named(claimed.activation), until=pause.until.isoformat())
        return "released"

    def _complete(self, claimed: Stored, answer: Answer, now: datetime) -> Outcome:
        wanted = claimed.activation.completed(answer, now=now)
        if not self._write_back(claimed, wanted, answer.usage):
            return "dropped"
        record_answer(wanted, by="worker")
        return "completed"

    def _write_back(self, claimed: Stored, wanted: Activation, spent: Usage) -> bool:
        """False when cancelled, erased or taken over meanwhile. What was spent is accounted for
        whatever happens. Raises StoreUnavailable when the time for it is over."""
        end: ClaimEnd = "unwritten"
        try:
            with span("complete" if wanted.done else "release"):
                written = self._write(claimed, wanted)
            end = "dropped"
            if written:
                end = "completed" if wanted.done else "released"
            else:
                log.warning("activation.dropped", **_named(claimed.activation))
            return written
        finally:
            self.ledger.record(claimed.activation, spent, end)

    def _write(self, claimed: Stored, wanted: Activation) -> bool:
        """Retries the write, never the call. False: the version has moved on."""
        end = self.monotonic() + self.write_back_seconds
        retrying = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            stop=lambda _: self.monotonic() >= end,
            wait=wait_random_exponential(multiplier=0.2, max=2),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            retrying(self.store.replace, wanted, claimed.version)
        except Conflict:
            return self._was_ours(wanted)
        return True

    def _was_ours(self, wanted: Activation) -> bool:
        """Whether the write that is in the way is this very one, whose answer was lost."""
        current = self.store.get(wanted.activation_id)
        if current is None:
            return False
        there = current.activation
        if wanted.status == "completed":
            return there.status == "completed" and there.claim_id == wanted.claim_id
        return there.status == wanted.status and there.not_before == wanted.not_before


def _named(activation: Activation) -> dict[str, object]:
    return {"activation_id": activation.activation_id, "attempt": activation.attempt}
