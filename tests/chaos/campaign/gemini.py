"""The fake Gemini of a campaign: what it answers follows from the seed, the marker in the goal and
how often that was asked before; what it served is recorded."""

import random
import threading
import time
from collections import Counter

from tests.chaos.campaign.history import Call
from tests.chaos.campaign.plan import markers_in
from tests.fake_gemini import (
    Behaviour,
    FakeGemini,
    Handler,
    Playing,
    answer,
    blocked_prompt,
    cut,
    drip,
    error,
    hang,
    late,
    reset,
    texts,
)
from tests.fake_gemini import Call as Asked

LONG_PAUSE = "37s"
BEYOND_THE_LEASE_SECONDS = 33.0
USUAL = {
    "answer": 1000,
    "error 500": 15,
    "error 503": 15,
    "quota": 15,
    "quota for long": 6,
    "malformed": 15,
    "blocked": 8,
    "cut": 6,
    "reset": 6,
    "hang": 4,
    "drip": 3,
    "beyond the lease": 3,
}
"""Of so many calls. Those that hang hold a worker's thread, and one of two pushes, until they time
out, so there are few."""

STORMS = {"gemini quota": "quota", "gemini overloaded": "error 503"}
PAID = frozenset({"answer", "drip", "beyond the lease"})


class CampaignGemini(FakeGemini):
    def __init__(self, seed: int, *, slowest_seconds: float) -> None:
        super().__init__()
        self.served: list[Call] = []
        self.storm: str | None = None
        """The kind of every answer while it lasts."""
        self._seed = seed
        self._slowest_seconds = slowest_seconds
        self._asked: Counter[str] = Counter()
        self._counting = threading.Lock()

    def serve(self, call: Asked) -> Behaviour:
        super().serve(call)
        marker = next(iter(markers_in(call.user_text)), "")
        with self._counting:
            self._asked[marker] += 1
            nth = self._asked[marker]
        dice = random.Random(f"gemini {self._seed} {marker} {nth}")
        kind = self.storm or dice.choices([*USUAL], [*USUAL.values()])[0]
        pause = dice.choice((0.0, 0.0, dice.uniform(0, self._slowest_seconds)))
        return self._recorded(call, marker, kind, late(pause, _behaviour(kind, marker)))

    def _recorded(self, asked: Asked, marker: str, kind: str, behave: Behaviour) -> Behaviour:
        started = time.time()

        def recorded(handler: Handler, gemini: Playing) -> None:
            received = True
            try:
                behave(handler, gemini)
            except OSError:
                received = False
                raise
            finally:
                self.served.append(
                    Call(
                        marker=marker,
                        worker=asked.headers.get("x-goog-api-key", "?").replace("-", " "),
                        kind=kind if received else f"{kind}, not received",
                        started=started,
                        ended=time.time(),
                        paid=kind in PAID,
                    )
                )

        return recorded


def _behaviour(kind: str, marker: str) -> Behaviour:
    good = answer(title=f"Steg {marker}")
    return {
        "answer": good,
        "error 500": error(500, "INTERNAL"),
        "error 503": error(503, "UNAVAILABLE"),
        "quota": error(429, "RESOURCE_EXHAUSTED", retry_delay="2s"),
        "quota for long": error(429, "RESOURCE_EXHAUSTED", retry_delay=LONG_PAUSE),
        "malformed": texts('{"title": '),
        "blocked": blocked_prompt(),
        "cut": cut(),
        "reset": reset(),
        "hang": hang(),
        "drip": drip(0.05),
        "beyond the lease": late(BEYOND_THE_LEASE_SECONDS, good),
    }[kind]
