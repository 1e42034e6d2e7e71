"""How a process ends: what it does between SIGTERM and its exit, within Cloud Run's 10 s."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

GRACE_SECONDS = 9.0
"""From SIGTERM to the exit. Cloud Run kills after 10 s (page: Container runtime contract)."""

GIVE_BACK_AFTER_SECONDS = 6.0
"""Work that is not finished by then is given back, which leaves 3 s to write it."""

EXPORT_AFTER_SECONDS = 7.5
"""What is left of the telemetry is sent from then on (END_SECONDS in telemetry/export.py)."""

Finish = Callable[[float], bool]
"""Goes on with what is under way, for so many seconds at most; whether nothing is left of it."""


def _nothing() -> None:
    pass


@dataclass
class Drain:
    """What the parts of a process want done when it ends. Each part sets its own step."""

    end_waits: Callable[[], object] = _nothing
    """At once, on the main thread, so it must not block: end waiting polls, claim nothing new."""

    give_back: Callable[[], object] = _nothing
    """Only where work is still under way when its time is up."""

    export_rest: Callable[[], object] = _nothing
    """Last."""

    given_back: threading.Event = field(default_factory=threading.Event)
    """Set by `give_back`: nobody may work any more on what was given back."""

    def run(self, finish: Finish) -> None:
        """Returns after GRACE_SECONDS at the latest, whatever a step does."""
        began = time.monotonic()

        def left(until: float) -> float:
            return max(0.0, began + until - time.monotonic())

        self.end_waits()
        steps = []
        if not finish(GIVE_BACK_AFTER_SECONDS):
            steps.append(_started(self.give_back))
            finish(left(EXPORT_AFTER_SECONDS))
        steps.append(_started(self.export_rest))
        for step in steps:
            step.join(left(GRACE_SECONDS))


class StopSignals:
    """Whether SIGTERM or SIGINT has come.

    A handler may interrupt the main thread while that holds a lock. So it sets a flag, and calls
    `wake`, which must take no lock.
    """

    def __init__(self, wake: Callable[[], object] = _nothing) -> None:
        self.came = False
        self._wake = wake
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _: int, __: Any) -> None:
        self.came = True
        self._wake()


def _started(step: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=step, daemon=True)
    thread.start()
    return thread
