"""Threads that call a function at an interval, in place of Cloud Scheduler."""

import threading
from collections.abc import Callable

import requests
import structlog

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 15.0
SWEEP_TIMEOUT_SECONDS = 60.0


class Periodic:
    """Calls `task` every `seconds`, in a thread of its own, between `start` and `stop`.

    An error of the task is logged; the task is called again after the next interval.
    """

    def __init__(self, name: str, seconds: float, task: Callable[[], None]) -> None:
        self._name = name
        self._seconds = seconds
        self._task = task
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._task()
            except Exception as error:
                log.warning("periodic.failed", task=self._name, error=type(error).__name__)


def sweeping(worker_url: str) -> Periodic:
    """Calls the worker's sweep, as Cloud Scheduler does in production."""
    session = requests.Session()
    session.trust_env = False  # no proxy stands between us and loopback

    def sweep() -> None:
        session.post(f"{worker_url}/tasks/sweep", timeout=SWEEP_TIMEOUT_SECONDS)

    return Periodic("sweep", SWEEP_SECONDS, sweep)
