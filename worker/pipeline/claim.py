"""Claim an activation, so that only one worker at a time calls Gemini for it.

The fast path is a single conditional write on the version that the message carries, without a read
or a transaction. It reads only after a conflict.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shared.clock import Clock
from shared.domain.activation import Activation
from shared.domain.messages import ActivationMessage
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore, Stored

NotTaken = Literal[
    "gone",  # erased or expired
    "done",  # completed or cancelled already
    "leased",  # another worker holds a live lease
    "not_yet",  # released until `not_before`, or in a status of a later release, which may claim it
]

TRIES = 4
"""Each conflict is a write by somebody else in between; four in a row are not expected."""


def new_claim_id() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, kw_only=True)
class Claimer:
    store: ActivationStore
    lease: timedelta
    clock: Clock
    claim_id: Callable[[], str] = new_claim_id

    def claim(self, message: ActivationMessage) -> Stored | NotTaken:
        """The claimed activation, or why there is none. Raises StoreUnavailable."""
        activation, version = message.activation, message.version
        # Only a queued one without a pause can be claimed unread: whether a pause has ended is for
        # the store's time to say.
        version_is_trusted = activation.status == "queued" and activation.not_before is None
        for _ in range(TRIES):
            claim_id = self.claim_id()
            if version_is_trusted and (written := self._write(activation, version, claim_id)):
                return written
            current = self.store.get(activation.activation_id)
            if current is None:
                return "gone"
            if current.activation.claim_id == claim_id and current.activation.waiting:
                return current  # our write was applied, and its response lost
            reason = self._reason_not_to(current)
            if reason is not None:
                return reason
            activation, version = current.activation, current.version
            version_is_trusted = True
        raise StoreUnavailable("every claim met a conflict")

    def _write(self, activation: Activation, version: str, claim_id: str) -> Stored | None:
        """None after a conflict."""
        wanted = activation.claimed(claim_id=claim_id, now=self.clock(), lease=self.lease)
        try:
            return self.store.replace(wanted, version)
        except Conflict:
            return None

    def _reason_not_to(self, current: Stored) -> NotTaken | None:
        if current.activation.done:
            return "done"
        if not current.activation.waiting:
            return "not_yet"
        if current.lease_is_live(self.lease):
            return "leased"
        not_before = current.activation.not_before
        if not_before is not None and current.read_at < not_before:
            return "not_yet"
        return None
