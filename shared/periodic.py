"""A thread that calls a function at an interval, for hosts that nothing outside calls."""

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Periodic:
    """Calls `task` in a thread of its own: at `start`, and then every `seconds` until `stop`.

    The interval counts from start to start; a task that takes longer is called again at once. An
    error of the task is logged, and the next interval goes on.
    """

    def __init__(
        self,
        name: str,
        seconds: float,
        task: Callable[[], object],
        *,
        stopping: threading.Event | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._task = task
        self._stopping = stopping or threading.Event()
        self._monotonic = monotonic
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns at once; a call that is under way goes on while `runs`."""
        self._stopping.set()

    @property
    def runs(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = self._monotonic()
            try:
                self._task()
            except Exception as error:
                log.warning("periodic.failed", task=self._name, error=type(error).__name__)
            self._stopping.wait(max(0.0, began + self._seconds - self._monotonic()))
