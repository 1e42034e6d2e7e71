"""Subscribe again when the Pub/Sub emulator was restarted: it keeps nothing across a restart."""

import threading
from collections.abc import Callable

import structlog
from google.api_core.exceptions import GoogleAPIError

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0


class SubscriptionKeeper:
    """A thread of its own between `start` and `stop`."""

    def __init__(self, are_missing: Callable[[], bool], subscribe: Callable[[], None]) -> None:
        self._are_missing = are_missing
        self._subscribe = subscribe
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="subscriptions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                if self._are_missing():
                    self._subscribe()
                    log.warning("subscriptions.created_again")
            except GoogleAPIError as error:
                log.warning("subscriptions.not_created", error=type(error).__name__)
