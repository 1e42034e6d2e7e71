"""Hand-written doubles of the ports, and a clock that a test owns."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from shared.domain.activation import Activation, Usage
from shared.domain.messages import DeadLetter, Message
from shared.domain.summary import Summary
from shared.errors import PublishFailed
from shared.ports import ActivationStore, Page, Stored
from tests.builders import NOON, a_step
from worker.gemini.port import GeminiError, Generated, Health, StepRequest


class FakeTime:
    """Wall clock, monotonic clock and sleep in one; only `advance` and `sleep` move it."""

    def __init__(self, start: datetime = NOON) -> None:
        self._start = start
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def advance(self, seconds: float) -> None:
        self.passed += seconds


class FakePublisher:
    """Keeps what was published; `broken` makes it refuse."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.refused = 0
        self.broken = False

    def publish(self, message: Message) -> None:
        if self.broken:
            self.refused += 1
            raise PublishFailed("told to")
        self.published.append(message)

    def ping(self) -> None:
        if self.broken:
            raise PublishFailed("told to")


class ScriptedGemini:
    """Answers from a script of errors and callables, then with a step. It stands for an adapter or
    for the client: then what a call cost is that of the claim."""

    def __init__(self, *script: GeminiError | Callable[[], None], model: str = "fake") -> None:
        self.requests: list[StepRequest] = []
        self._model = model
        self.seconds: list[float] = []
        self._script = deque(script)

    def plan(self, *more: GeminiError | Callable[[], None]) -> None:
        self._script.extend(more)

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        self.requests.append(request)
        self.seconds.append(seconds)
        planned = self._script.popleft() if self._script else None
        if isinstance(planned, GeminiError):
            planned.usage_by_model = {self._model: planned.usage}
            raise planned
        if planned is not None:
            planned()
        usage = Usage(gemini_calls=1, prompt_tokens=10, output_tokens=20, gemini_ms=30)
        by_model = {self._model: usage}
        return Generated(step=a_step(), model=self._model, usage=usage, usage_by_model=by_model)

    def health(self) -> Health:
        return Health(key="ok", breakers={self._model: "closed"})


class StoreWithFaults:
    """Wraps a store: counts reads, and fails `replace` before or after it is applied."""

    def __init__(self, store: ActivationStore) -> None:
        self._store = store
        self.reads = 0
        self.raises: deque[BaseException] = deque()
        self.applied_but_raises: deque[Exception] = deque()

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        if self.raises:
            raise self.raises.popleft()
        written = self._store.replace(activation, expected_version)
        if self.applied_but_raises:
            raise self.applied_but_raises.popleft()
        return written

    def get(self, activation_id: str) -> Stored | None:
        self.reads += 1
        return self._store.get(activation_id)

    def create(self, activation: Activation, *, daily_limit: int = 0) -> Stored:
        if self.raises:
            raise self.raises.popleft()
        written = self._store.create(activation, daily_limit=daily_limit)
        if self.applied_but_raises:
            raise self.applied_but_raises.popleft()
        return written

    def owner(self, activation_id: str) -> str | None:
        return self._store.owner(activation_id)

    def delete(self, activation_id: str) -> None:
        self._store.delete(activation_id)

    def delete_all(self, user_id: str) -> None:
        self._store.delete_all(user_id)

    def page(self, user_id: str, *, limit: int, cursor: str | None = None) -> Page:
        return self._store.page(user_id, limit=limit, cursor=cursor)

    def due(self, now: datetime, *, limit: int) -> list[Stored]:
        return self._store.due(now, limit=limit)

    def recent(self, since: datetime, *, limit: int) -> list[Summary]:
        if self.raises:
            raise self.raises.popleft()
        return self._store.recent(since, limit=limit)

    def count_dead_letters(self, *, up_to: int) -> int:
        return self._store.count_dead_letters(up_to=up_to)

    def wait(
        self, activation_id: str, *, seen: str, seconds: float, stop: Event | None = None
    ) -> Stored | None:
        return self._store.wait(activation_id, seen=seen, seconds=seconds, stop=stop)

    def keep_dead_letter(self, letter: DeadLetter) -> None:
        self._store.keep_dead_letter(letter)

    def ping(self) -> None:
        if self.raises:
            raise self.raises.popleft()
        self._store.ping()
