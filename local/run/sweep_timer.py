"""Call the worker's sweep at an interval, as Cloud Scheduler does in production."""

import threading

import requests
import structlog

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 60.0


class SweepTimer:
    """A thread of its own between `start` and `stop`."""

    def __init__(self, url: str, *, interval_seconds: float) -> None:
        self._url = url
        self._interval_seconds = interval_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep-timer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between us and loopback
            while not self._stopping.wait(self._interval_seconds):
                try:
                    session.post(self._url, timeout=TIMEOUT_SECONDS)
                except requests.RequestException as error:
                    log.warning("sweep.failed", error=type(error).__name__)
