"""Waiting for an answer, within a bounded number of slots.

A waiting request holds a thread. Slots keep some threads free, so that waiting never starves
submits: without a free slot a request does not wait at all. Nor does one of a user who has taken
their share of the slots already, so that one user's polls leave room for everybody's.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from shared.ports import ActivationStore, Stored

Enough = Callable[[Stored], bool]


@dataclass(frozen=True)
class Waited:
    """`stored` is None when it was erased meanwhile; `granted` is False without a free slot."""

    stored: Stored | None
    granted: bool


class Patience:
    def __init__(self, store: ActivationStore, slots: int, share: int | None = None) -> None:
        """`share` is how many of the slots one user may have; all, unless told."""
        self._store = store
        self._slots = slots
        self._share = share or slots
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._ending = threading.Event()

    def end(self) -> None:
        """Answer all that wait, and let nobody wait any more: this process is about to end."""
        self._ending.set()

    def wait(self, stored: Stored, seconds: float, enough: Enough) -> Waited:
        """Until `enough` says so of what is stored, at most `seconds`."""
        if enough(stored):
            return Waited(stored, granted=True)
        user_id = stored.activation.user_id
        if seconds <= 0 or not self._take_slot(user_id):
            return Waited(stored, granted=False)
        try:
            return Waited(self._wait(stored, time.monotonic() + seconds, enough), granted=True)
        finally:
            self._leave(user_id)

    def _take_slot(self, user_id: str) -> bool:
        with self._lock:
            if self._waiting.total() >= self._slots or self._waiting[user_id] >= self._share:
                return False
            self._waiting[user_id] += 1
            return True

    def _leave(self, user_id: str) -> None:
        with self._lock:
            self._waiting[user_id] -= 1
            if not self._waiting[user_id]:
                del self._waiting[user_id]

    def _wait(self, stored: Stored, end: float, enough: Enough) -> Stored | None:
        latest: Stored | None = stored
        while latest is not None and not enough(latest):
            left = end - time.monotonic()
            if left <= 0 or self._ending.is_set():
                break
            latest = self._store.wait(
                latest.activation.activation_id,
                seen=latest.version,
                seconds=left,
                stop=self._ending,
            )
        return latest


def is_done(stored: Stored) -> bool:
    return stored.activation.done
