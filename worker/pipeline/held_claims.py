"""The claims that this process holds, to let go of those that can't be finished before it ends.

Cloud Run sends SIGTERM and kills 10 s later; a Gemini call may take longer. A claim that is given
back is taken up by the next delivery at once, instead of when its lease is over.
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
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether we have let go: nothing new is to be begun in this process."""
        return self._closed

    @contextmanager
    def holding(self, claimed: Stored) -> Iterator[None]:
        """For as long as the block works on it."""
        key = claimed.activation.claim_id or ""
        with self._lock:
            self._held[key] = claimed
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(key, None)

    def release_all(self) -> int:
        """Give back what is held. How many were.

        What the block writes later meets a conflict and is dropped: the version is the fence. The
        call that it is in is paid for; its attempt is given back, since it was not the message's
        fault.
        """
        self._closed = True
        with self._lock:
            held = list(self._held.values())
        return sum(self._give_back(claimed) for claimed in held)

    def _give_back(self, claimed: Stored) -> bool:
        named = log.bind(activation_id=claimed.activation.activation_id)
        # The store's own time of the claim: it has passed, so it may be claimed at once.
        now = claimed.written_at
        wanted = claimed.activation.released(now=now, not_before=now, spent=Usage())
        try:
            self._store.replace(wanted, claimed.version)
        except Conflict:
            return False  # it was finished meanwhile
        except StoreUnavailable as error:
            named.error("claim.not_given_back", error=str(error))
            return False
        named.warning("claim.given_back")
        return True
