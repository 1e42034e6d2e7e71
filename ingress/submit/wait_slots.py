"""Waiting for an answer, within a bounded number of slots.

A waiting request holds a thread. The slots keep some threads free, so that waiting requests never
starve submits: a request that finds no free slot is answered at once. Each user has a share of the
slots, so that one user's polls leave room for everybody's.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from shared.ports import ActivationStore, Stored

Condition = Callable[[Stored], bool]
"""What a request waits for."""


@dataclass(frozen=True)
class Waited:
    """`stored` is None when it was erased meanwhile; `granted` is False without a free slot."""

    stored: Stored | None
    granted: bool


class WaitSlots:
    def __init__(self, store: ActivationStore, slots: int, share: int) -> None:
        """`share` is how many slots one user may hold."""
        self._store = store
        self._slots = slots
        self._share = share
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._ending = threading.Event()

    def end(self) -> None:
        """Answer all waiting requests now, and let no other wait: this process is about to end."""
        self._ending.set()

    def wait(self, stored: Stored, seconds: float, met: Condition) -> Waited:
        """Until what is stored meets the condition, at most `seconds`."""
        if met(stored):
            return Waited(stored, granted=True)
        user_id = stored.activation.user_id
        if seconds <= 0 or not self._take_slot(user_id):
            return Waited(stored, granted=False)
        try:
            return Waited(self._wait(stored, time.monotonic() + seconds, met), granted=True)
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

    def _wait(self, stored: Stored, end: float, met: Condition) -> Stored | None:
        latest: Stored | None = stored
        while latest is not None and not met(latest):
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
