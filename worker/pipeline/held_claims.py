"""The claims that this process holds, so that it can release unfinished ones before it ends.

Cloud Run sends SIGTERM and kills the process 10 s later, but a Gemini call may take longer. The
next delivery takes up a released claim at once, instead of waiting for the end of its lease.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared.domain.activation import Usage
from shared.errors import Conflict, StoreUnavailable
from shared.ports import ActivationStore, Stored

log = structlog.get_logger(__name__)


class HeldClaims:
    def __init__(self, store: ActivationStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._held: dict[str, Stored] = {}
        self._draining = False

    @property
    def draining(self) -> bool:
        """Whether the claims were released because the process ends: claim nothing any more."""
        return self._draining

    @contextmanager
    def holding(self, claimed: Stored) -> Iterator[None]:
        """Hold the claim for as long as the block works on it."""
        key = claimed.activation.claim_id or ""
        with self._lock:
            self._held[key] = claimed
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(key, None)

    def release_all(self) -> int:
        """Release all held claims; from now on `draining` is true. Returns how many it released.

        If a block still writes its result later, that write meets a conflict and is dropped. Its
        Gemini call is paid for all the same. The attempt is not counted: the message is not to
        blame.
        """
        self._draining = True
        with self._lock:
            held = list(self._held.values())
        return sum(self._release(claimed) for claimed in held)

    def _release(self, claimed: Stored) -> bool:
        named = log.bind(activation_id=claimed.activation.activation_id)
        # The store's time of the claim is in the past, so the activation can be claimed at once.
        now = claimed.written_at
        wanted = claimed.activation.released(now=now, not_before=now, spent=Usage())
        try:
            self._store.replace(wanted, claimed.version)
        except Conflict:
            return False  # its result was written meanwhile
        except StoreUnavailable as error:
            named.error("claim.not_given_back", error=str(error))
            return False
        named.warning("claim.given_back")
        return True
