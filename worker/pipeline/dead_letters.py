"""Answer activations whose messages the queue gave up on; keep messages that nobody can read."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from structlog.contextvars import bound_contextvars

from shared.clock import Clock
from shared.domain.messages import DeadLetter, Message, decode
from shared.errors import Conflict, MessageNotUnderstood, StoreUnavailable
from shared.ports import ActivationStore, Stored
from worker.pipeline.fallback_answers import FallbackAnswers
from worker.pipeline.records import write_answer

log = structlog.get_logger(__name__)

TRIES = 4
KEPT_BYTES = 512 * 1024
"""A Firestore document holds 1 MiB, a Pub/Sub message up to 10 MB."""


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    store: ActivationStore
    fallback: FallbackAnswers
    lease: timedelta
    clock: Clock

    def handle(self, message_id: str, message: Message) -> bool:
        """Complete the activation with a fallback step, or keep a message that can't be decoded.

        False while a worker holds a live lease on it: nack. Raises StoreUnavailable.
        """
        try:
            activation_id = decode(message).activation.activation_id
        except MessageNotUnderstood as error:
            self._keep(message_id, message, str(error))
            return True
        with bound_contextvars(activation_id=activation_id):
            return self._complete(activation_id)

    def _keep(self, message_id: str, message: Message, why: str) -> None:
        letter = DeadLetter(
            message_id=message_id,
            data=message.data[:KEPT_BYTES],
            attributes=message.attributes,
            why=why,
            received_at=self.clock(),
        )
        self.store.keep_dead_letter(letter)
        log.error("dead_letter.kept", message_id=message_id, why=why, alert=True)

    def _complete(self, activation_id: str) -> bool:
        for _ in range(TRIES):
            stored = self.store.get(activation_id)
            if stored is None or not stored.activation.waiting:
                return True
            if stored.lease_is_live(self.lease):
                return False
            if stored.activation.status == "queued" and not stored.is_past_deadline():
                return True  # it only waits: the sweep publishes it again, or ends it in time
            try:
                self._write(stored)
            except Conflict:
                continue
            return True
        raise StoreUnavailable("every write met a conflict")

    def _write(self, stored: Stored) -> None:
        answer = self.fallback.instead_of_gemini(stored.activation, "undeliverable")
        attempts = stored.activation.interrupted("lease_expired", stored.read_at)
        answer = answer.model_copy(update={"attempts": attempts})
        write_answer(self.store.replace, stored, answer, now=stored.read_at, by="dead letter")
        activation_id = stored.activation.activation_id
        log.error("activation.undeliverable", activation_id=activation_id, alert=True)
