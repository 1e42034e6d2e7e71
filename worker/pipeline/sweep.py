"""Look after activations whose time has come: publish them again, or end them at their deadline.

One that fails never stops the next. One call takes passes until nothing is left or its time is
over, so that an outage's backlog is gone within minutes.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import structlog
from structlog.contextvars import bound_contextvars

from shared.clock import Clock
from shared.domain.history import Ending
from shared.domain.messages import encode
from shared.errors import Conflict, PublishFailed, StoreUnavailable
from shared.ports import ActivationStore, Publisher, Stored
from worker.pipeline.fallback_answers import FallbackAnswers
from worker.pipeline.records import write_answer

log = structlog.get_logger(__name__)

BATCH = 100
AT_ONCE = 8
"""Items handled at the same time; each waits for one or two calls of store and queue."""

TOTAL_SECONDS = 50.0
"""For one call, which Cloud Scheduler makes each minute."""

REPUBLISH_AGAIN_AFTER = timedelta(seconds=60)
"""How long a republished message may take to be claimed before it is published once more."""

NEXT_PUBLISH = timedelta(seconds=15)
"""How long after a failed publish the next one is tried."""


Outcome = Literal["republished", "completed", "skipped", "publish_failed", "failed"]
STAYS_DUE: frozenset[Outcome] = frozenset({"skipped", "failed"})


@dataclass
class SweepCounts:
    """What one call did; the answer of POST /tasks/sweep."""

    due: int = 0
    republished: int = 0
    completed: int = 0
    skipped: int = 0
    publish_failed: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    store: ActivationStore
    publisher: Publisher
    fallback: FallbackAnswers
    lease: timedelta
    clock: Clock
    batch: int = BATCH
    at_once: int = AT_ONCE
    monotonic: Callable[[], float] = time.monotonic

    def sweep(self) -> SweepCounts:
        """Raises StoreUnavailable when the store can't say what is due."""
        end = self.monotonic() + TOTAL_SECONDS
        queue_away = threading.Event()
        counts: Counter[str] = Counter()
        left: set[str] = set()
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="sweep") as pool:
            while self.monotonic() < end:
                batch = self._next_batch(left)
                if not batch:
                    break
                outcomes = pool.map(lambda one: self._try_one(one, queue_away), batch)
                for stored, outcome in zip(batch, outcomes, strict=True):
                    counts[outcome] += 1
                    if outcome in STAYS_DUE:
                        left.add(stored.activation.activation_id)
        done = SweepCounts(due=counts.total(), **counts)
        if done.due:
            log.info("sweep.done", **vars(done))
        return done

    def _next_batch(self, left: set[str]) -> list[Stored]:
        """What was left due stands first, so the batch is read from behind it."""
        due = self.store.due(self.clock(), limit=self.batch + len(left))
        return [one for one in due if one.activation.activation_id not in left][: self.batch]

    def _try_one(self, stored: Stored, queue_away: threading.Event) -> Outcome:
        with bound_contextvars(activation_id=stored.activation.activation_id):
            try:
                return self._sweep_one(stored, queue_away)
            except Conflict:
                return "skipped"  # a worker was quicker
            except StoreUnavailable as error:
                log.warning("sweep.store_unavailable", error=str(error))
                return "failed"
            except Exception as error:
                log.error("sweep.failed", error=type(error).__name__, alert=True)
                return "failed"

    def _sweep_one(self, stored: Stored, queue_away: threading.Event) -> Outcome:
        if stored.is_past_deadline():
            self._complete(stored)
            return "completed"
        if stored.lease_is_live(self.lease):
            return "skipped"
        if queue_away.is_set():
            self._requeue(stored, NEXT_PUBLISH)
            return "publish_failed"
        return self._publish_again(stored, queue_away)

    def _complete(self, stored: Stored) -> None:
        """At the deadline the queue can't help any more: the step is written from here."""
        reason = stored.activation.paused_for or "deadline"
        answer = self.fallback.instead_of_gemini(stored.activation, reason)
        ending: Ending = "deadline" if stored.lease_is_live(self.lease) else "lease_expired"
        attempts = stored.activation.interrupted(ending, stored.read_at)
        answer = answer.model_copy(update={"attempts": attempts})
        write_answer(self.store.replace, stored, answer, now=stored.read_at, by="sweep")

    def _publish_again(self, stored: Stored, queue_away: threading.Event) -> Outcome:
        """The write comes first: it fences off a worker whose lease is over, and its version is the
        one that the next claim is made on."""
        written = self._requeue(stored, REPUBLISH_AGAIN_AFTER, published=True)
        try:
            self.publisher.publish(encode(written.activation, written.version))
        except PublishFailed as error:
            queue_away.set()
            log.error("sweep.publish_failed", error=str(error), alert=True)
            # From what it was before, so that it does not say that it was published again.
            self._requeue(replace(written, activation=stored.activation), NEXT_PUBLISH)
            return "publish_failed"
        return "republished"

    def _requeue(self, stored: Stored, next_look: timedelta, *, published: bool = False) -> Stored:
        due_at = self.clock() + next_look
        wanted = stored.activation.requeued(now=stored.read_at, due_at=due_at, by_sweep=published)
        return self.store.replace(wanted, stored.version)
