"""One bounded pass over what is due: activations never published, or claimed and never finished."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock
from shared.domain.messages import encode
from shared.errors import Conflict, PublishFailed
from shared.ports import ActivationStore, Publisher, Stored
from worker.pipeline.fallback_answers import FallbackAnswers
from worker.pipeline.records import write_answer

log = structlog.get_logger(__name__)

BATCH = 100
REPUBLISH_AGAIN_AFTER = timedelta(seconds=60)
"""How long a republished message may take to be claimed before it is published once more."""


@dataclass
class SweepCounts:
    """What one pass did; the response of POST /tasks/sweep."""

    due: int = 0
    republished: int = 0
    completed: int = 0
    skipped: int = 0
    publish_failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    store: ActivationStore
    publisher: Publisher
    fallback: FallbackAnswers
    lease: timedelta
    clock: Clock
    batch: int = field(default=BATCH)

    def sweep(self) -> SweepCounts:
        """Raises StoreUnavailable. Ends early when the queue refuses a message."""
        counts = SweepCounts()
        for stored in self.store.due(self.clock(), limit=self.batch):
            counts.due += 1
            try:
                self._sweep_one(stored, counts)
            except Conflict:
                counts.skipped += 1  # somebody has changed it since it was read
            except PublishFailed as error:
                counts.publish_failed += 1
                log.error("sweep.publish_failed", error=str(error), alert=True)
                break
        if counts.due:
            log.info("sweep.done", **vars(counts))
        return counts

    def _sweep_one(self, stored: Stored, counts: SweepCounts) -> None:
        if stored.lease_is_live(self.lease):
            counts.skipped += 1
        elif stored.read_at >= stored.activation.deadline:
            self._complete(stored)
            counts.completed += 1
        else:
            self._publish_again(stored)
            counts.republished += 1

    def _complete(self, stored: Stored) -> None:
        """Past the deadline a delivery would come too late, so the sweep writes the answer."""
        answer = self.fallback.instead_of_gemini(stored.activation, "deadline")
        write_answer(self.store.replace, stored, answer, now=stored.read_at, by="sweep")

    def _publish_again(self, stored: Stored) -> None:
        """Write before publishing: the write fences off a worker whose lease has expired, and the
        message carries its version to claim by."""
        written = self._requeue(stored, due_at=self.clock() + REPUBLISH_AGAIN_AFTER)
        try:
            self.publisher.publish(encode(written.activation, written.version))
        except PublishFailed:
            self._requeue(written, due_at=self.clock())  # so that the next pass tries again
            raise

    def _requeue(self, stored: Stored, *, due_at: datetime) -> Stored:
        wanted = stored.activation.requeued(now=stored.read_at, due_at=due_at)
        return self.store.replace(wanted, stored.version)
