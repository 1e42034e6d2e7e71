"""A client around doubles of its models, with a time that the test owns."""

import threading
from itertools import count

from tests.doubles import FakeTime, ScriptedGemini
from worker.gemini.breaker import Breaker
from worker.gemini.calls import Model
from worker.gemini.client import GeminiClient
from worker.gemini.plan import Limits
from worker.gemini.port import Gemini, GeminiError, Generated, StepRequest

REQUEST = StepRequest(mood=2, goal="komma igång", language="sv")
NEVER = 3600.0
"""Seconds in which a breaker does not recover during a test."""


def a_model(adapter: Gemini, name: str, failures: int = 50) -> Model:
    breaker = Breaker(name, failures=failures, recovery_seconds=NEVER)
    return Model(name=name, adapter=adapter, breaker=breaker)


def a_client(
    time: FakeTime,
    *adapters: Gemini,
    attempts: int = 3,
    attempt_seconds: float = 20,
    given_back: threading.Event | None = None,
    failures: int = 50,
) -> GeminiClient:
    """Its models are named m1, m2 …"""
    names = (f"m{number}" for number in count(1))
    return GeminiClient(
        [a_model(adapter, name, failures) for adapter, name in zip(adapters, names, strict=False)],
        Limits(attempts=attempts, attempt_seconds=attempt_seconds, max_sleep_seconds=5),
        given_back=given_back,
        clock=time.now,
        monotonic=time.monotonic,
        sleep=time.sleep,
    )


class SlowGemini(ScriptedGemini):
    """Each call takes so many seconds of the test's time."""

    def __init__(self, time: FakeTime, seconds: float, *script: GeminiError) -> None:
        super().__init__(*script)
        self._time = time
        self._takes = seconds

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        self._time.advance(self._takes)
        return super().generate(request, seconds=seconds)
