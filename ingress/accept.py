"""Accept a request: write it, publish it, in that order.

Once it is written it is never lost: when the publish fails the user gets the same 202, and the
sweeper publishes it later.
"""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog

from ingress.activation_request import ActivationRequest
from shared.activation import Activation, accepted
from shared.clock import Clock
from shared.errors import AlreadyExists, Conflict, PublishFailed, StoreUnavailable
from shared.messages import encode
from shared.ports import ActivationStore, Publisher, Stored
from shared.problems import Problem

log = structlog.get_logger(__name__)

A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Acceptor:
    store: ActivationStore
    publisher: Publisher
    clock: Clock
    time_to_answer: timedelta
    time_to_live: timedelta
    daily_limit: int

    def accept(
        self, user_id: str, request: ActivationRequest, *, language: str, traceparent: str
    ) -> Stored:
        """The activation as written. Raises Problem (429) and StoreUnavailable; nothing is
        published then."""
        self._refuse_over_limit(user_id)
        stored = self._create(
            accepted(
                # 128 random bits: unguessable, and spread over Firestore's key space.
                activation_id=secrets.token_hex(16),
                user_id=user_id,
                mood=request.mood,
                goal=request.goal,
                language=language,
                profile=request.profile,
                now=self.clock(),
                time_to_answer=self.time_to_answer,
                time_to_live=self.time_to_live,
            )
        )
        self._publish(stored, traceparent)
        return stored

    def _refuse_over_limit(self, user_id: str) -> None:
        if not self.daily_limit:
            return
        if self.store.count_since(user_id, self.clock() - A_DAY) >= self.daily_limit:
            raise Problem(
                429,
                f"You have reached today's limit of {self.daily_limit} activations. "
                "Please come back tomorrow.",
                headers={"Retry-After": "3600"},
            )

    def _create(self, activation: Activation) -> Stored:
        try:
            return self.store.create(activation)
        except AlreadyExists:
            # Nobody else can have drawn this id: our own write was applied and its answer lost.
            stored = self.store.get(activation.activation_id)
            if stored is None:
                raise StoreUnavailable("the write can't be read back") from None
            return stored

    def _publish(self, stored: Stored, traceparent: str) -> None:
        activation = stored.activation
        named = log.bind(activation_id=activation.activation_id, traceparent=traceparent)
        try:
            self.publisher.publish(encode(activation, stored.version, traceparent))
            named.info("activation.accepted", mood=activation.mood, language=activation.language)
        except PublishFailed as error:
            named.error("activation.publish_failed", error=str(error), alert=True)
            self._make_due_now(stored)

    def _make_due_now(self, stored: Stored) -> None:
        """Let the next sweep publish it, instead of waiting until it is overdue."""
        now = self.clock()
        # On an error it did arrive and is claimed already, or it is swept a little later.
        with contextlib.suppress(Conflict, StoreUnavailable):
            self.store.replace(stored.activation.requeued(now=now, due_at=now), stored.version)
