"""Waiting for an answer, within a bounded number of slots.

A waiting request holds a thread. Slots keep some threads free, so that waiting never starves
submits: without a free slot a request does not wait at all.
"""

import threading
import time

from shared.ports import ActivationStore, Stored


class Patience:
    def __init__(self, store: ActivationStore, slots: int) -> None:
        self._store = store
        self._slots = threading.BoundedSemaphore(slots)

    def wait_until_done(self, stored: Stored, seconds: float) -> Stored | None:
        """The activation when it is done or the `seconds` are over; None when it was erased."""
        if stored.activation.done or not self._slots.acquire(blocking=False):
            return stored
        try:
            return self._wait(stored, time.monotonic() + seconds)
        finally:
            self._slots.release()

    def _wait(self, stored: Stored, end: float) -> Stored | None:
        latest: Stored | None = stored
        while latest is not None and not latest.activation.done:
            left = end - time.monotonic()
            if left <= 0:
                break
            latest = self._store.wait(
                latest.activation.activation_id, seen=latest.version, seconds=left
            )
        return latest
