"""Accept a request: write it, publish it, in that order.

Once it is written it is never lost: when the publish fails the user gets the same 202, and the
sweeper, or the client's own retry, publishes it later.
"""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog

from ingress.api.idempotency import derived_id, fingerprint
from ingress.api.request import ActivationRequest
from ingress.api.sentences import DEADLINE_TOO_LATE
from ingress.submit.limits import daily_limit_reached
from shared.clock import Clock
from shared.domain.acceptance import accepted
from shared.domain.activation import REPUBLISH_AFTER, Activation
from shared.domain.messages import encode
from shared.errors import AlreadyExists, Conflict, LimitReached, PublishFailed, StoreUnavailable
from shared.http.problems import Problem
from shared.ports import ActivationStore, Publisher, Stored
from shared.telemetry.logs import log_activation
from shared.telemetry.provider import telemetry

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Accepted:
    """`replayed` says that an earlier request with the same key has made it."""

    stored: Stored
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Acceptor:
    store: ActivationStore
    publisher: Publisher
    clock: Clock
    time_to_answer: timedelta
    time_to_live: timedelta
    daily_limit: int

    def accept(
        self,
        user_id: str,
        request: ActivationRequest,
        *,
        language: str,
        traceparent: str | None = None,
        key: str | None = None,
    ) -> Accepted:
        """The activation as written. `key` is the Idempotency-Key.

        Raises StoreUnavailable, and Problem: 429 over the daily limit, 422 where the key was used
        for another request or the deadline asked for is too late. Nothing is published then.
        """
        wanted = self._wanted(user_id, request, language, traceparent, key)
        log_activation(wanted.activation_id)
        try:
            found = self._create(wanted)
        except LimitReached as reached:
            # A replay makes nothing new, so it is answered all the same.
            earlier = self.store.get(wanted.activation_id) if key else None
            if earlier is None:
                raise daily_limit_reached(self.daily_limit, reached, self.clock()) from None
            found = earlier
        if found.activation.creation_id != wanted.creation_id:
            return self._replay(wanted, found)
        if found.activation.status == "queued":
            self._publish(found)
        return Accepted(found)

    def _wanted(
        self,
        user_id: str,
        request: ActivationRequest,
        language: str,
        traceparent: str | None,
        key: str | None,
    ) -> Activation:
        return accepted(
            # 128 random bits: unguessable, and spread over Firestore's key space.
            activation_id=derived_id(user_id, key) if key else secrets.token_hex(16),
            user_id=user_id,
            mood=request.mood,
            goal=request.goal,
            language=language,
            profile=request.profile,
            fingerprint=fingerprint(key, request) if key else None,
            creation_id=secrets.token_hex(8),
            traceparent=traceparent,
            now=self.clock(),
            time_to_answer=self._time_to_answer(request.deadline_seconds),
            time_to_live=self.time_to_live,
        )

    def _time_to_answer(self, asked_seconds: int | None) -> timedelta:
        """Only an earlier deadline than the setting's can be asked for, never a later one."""
        if asked_seconds is None:
            return self.time_to_answer
        longest = self.time_to_answer.total_seconds()
        if asked_seconds > longest:
            error = {"pointer": "/deadline_seconds", "detail": DEADLINE_TOO_LATE}
            raise Problem(422, errors=[error], values={"longest": int(longest)})
        return timedelta(seconds=asked_seconds)

    def _create(self, wanted: Activation) -> Stored:
        """What is there after it: the wanted one, or an earlier one of the same key. Our own write
        counts as made when its answer was lost."""
        with contextlib.suppress(AlreadyExists):
            return self.store.create(wanted, daily_limit=self.daily_limit)
        found = self.store.get(wanted.activation_id)
        if found is not None:
            return found
        # An earlier one that has expired, and that the TTL policy has not deleted yet.
        self.store.delete(wanted.activation_id)
        with contextlib.suppress(AlreadyExists):
            return self.store.create(wanted, daily_limit=self.daily_limit)
        raise StoreUnavailable("the write can't be read back")

    def _replay(self, wanted: Activation, earlier: Stored) -> Accepted:
        there = earlier.activation
        if (there.user_id, there.fingerprint) != (wanted.user_id, wanted.fingerprint):
            raise Problem(422, "This Idempotency-Key was used for another request.")
        if there.awaits_publishing(self.clock()):
            earlier = self._publish_again(earlier)
        return Accepted(earlier, replayed=True)

    def _publish_again(self, earlier: Stored) -> Stored:
        """The write comes first, so that of two replays at once one publishes."""
        now = self.clock()
        again = earlier.activation.requeued(now=now, due_at=now + REPUBLISH_AFTER)
        try:
            stored = self.store.replace(again, earlier.version)
        except Conflict:
            return self.store.get(again.activation_id) or earlier
        self._publish(stored)
        return stored

    def _publish(self, stored: Stored) -> None:
        activation = stored.activation
        try:
            self.publisher.publish(encode(activation, stored.version))
            telemetry().metrics.accepted(published=True)
            log.info("activation.accepted", mood=activation.mood, language=activation.language)
        except PublishFailed as error:
            telemetry().metrics.accepted(published=False)
            log.error("activation.publish_failed", error=str(error), alert=True)
            self._make_due_now(stored)

    def _make_due_now(self, stored: Stored) -> None:
        """Let the next sweep publish it, instead of waiting until it is overdue."""
        now = self.clock()
        # On an error it did arrive and is claimed already, or it is swept a little later.
        with contextlib.suppress(Conflict, StoreUnavailable):
            self.store.replace(stored.activation.requeued(now=now, due_at=now), stored.version)
