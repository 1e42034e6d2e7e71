"""Wake who waits for an activation when any process of the local run has written it."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from local.sqlite.bell import Bell

LOOK_SECONDS = 1.0


class Changes:
    """The waits of this process. Its thread is started by the first one."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, list[threading.Event]] = defaultdict(list)
        self._thread: threading.Thread | None = None

    @contextmanager
    def of(self, activation_id: str) -> Iterator[threading.Event]:
        """Set from now on whenever the activation was written."""
        changed = threading.Event()
        with self._lock:
            self._waiting[activation_id].append(changed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="changes", daemon=True)
                self._thread.start()
        try:
            yield changed
        finally:
            with self._lock:
                self._waiting[activation_id].remove(changed)
                if not self._waiting[activation_id]:
                    del self._waiting[activation_id]

    def _listen(self) -> None:
        listener = self._bell.listen()
        while True:
            for activation_id in listener.wait(LOOK_SECONDS):
                with self._lock:
                    waiting = list(self._waiting.get(activation_id, ()))
                for changed in waiting:
                    changed.set()
