"""Start the parts, wait until they are ready, keep them up, and leave nothing behind."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
import urllib3

from local.run.processes import Child, NotReady, stop_all

log = structlog.get_logger(__name__)

READY_SECONDS = 60.0
READY_LOOK_SECONDS = 0.1
LOOK_SECONDS = 1.0
"""Also the pause before a restart, so that a child that ends at once takes no CPU."""

GRACE_SECONDS = 11.0
"""A little more than the services' own grace (shared/drain.py)."""


class Background(Protocol):
    """A part that runs in threads of ours."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Supervisor:
    """Children start in their order and stop all at once; background parts run while they do."""

    children: Sequence[Child]
    ready_urls: Sequence[str]
    background: Sequence[Background]
    announce: Callable[[], None]
    needs: Sequence[Child] = ()
    """Started already and stopped by others; what must be up for the children to get ready."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _running: list[Background] = field(default_factory=list)

    def run(self) -> None:
        """Until SIGINT, SIGTERM or SIGHUP. Raises NotReady."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        try:
            for child in self.children:
                child.start()
            if self._wait_until_ready():
                for part in self.background:
                    part.start()
                    self._running.append(part)
                self.announce()
                self._keep_up()
        finally:
            self._stop_everything()

    def _stop(self, _: int, __: Any) -> None:
        self._stopping.set()

    def _wait_until_ready(self) -> bool:
        """False when we were asked to stop meanwhile."""
        end = time.monotonic() + READY_SECONDS
        waiting = list(self.ready_urls)
        while waiting and not self._stopping.is_set():
            for child in (*self.needs, *self.children):
                if child.exit_code() is not None:
                    raise NotReady(f"{child.name} ended with exit code {child.exit_code()}")
            waiting = [url for url in waiting if not answers_ok(url)]
            if waiting and time.monotonic() > end:
                raise NotReady(f"{waiting[0]} was not ready within {READY_SECONDS:g} s")
            self._stopping.wait(READY_LOOK_SECONDS if waiting else 0)
        return not self._stopping.is_set()

    def _keep_up(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            for child in self.children:
                code = child.exit_code()
                if code is not None:
                    log.error("process.restarted", name=child.name, exit_code=code)
                    child.start()

    def _stop_everything(self) -> None:
        # Parts that bring new work stop first.
        for part in self._running:
            threading.Thread(target=part.stop, daemon=True).start()
        stop_all(self.children, grace_seconds=GRACE_SECONDS)


def answers_ok(url: str) -> bool:
    try:
        return urllib3.request("GET", url, timeout=5, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False
