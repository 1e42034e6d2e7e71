"""The fake Gemini: it looks whether Gemini would refuse a request, and plays the script."""

import threading
from collections import defaultdict, deque

from tests.fake_gemini.behaviours import answer
from tests.fake_gemini.strict import refusal
from tests.fake_gemini.tokens import Tokens
from tests.fake_gemini.wire import Behaviour, Call, Handler, Server

LOOPBACK = "127.0.0.1"


class FakeGemini:
    """Serves from `__enter__` to `__exit__`. Behaviours given to `next` come first, in order."""

    def __init__(self, port: int = 0, default: Behaviour | None = None) -> None:
        self.calls: list[Call] = []
        self.connections = 0
        self.most_at_once = 0
        self._at_once = 0
        self.default = default or answer()
        self.defaults: dict[str, Behaviour] = {}
        """Of single models, in place of `default`."""
        self.keys: set[str] | None = None
        """The valid ones; None takes each."""
        self.refuses_deprecated = True
        """False: temperature and its like are ignored, as Gemini itself still does."""
        self.tokens = Tokens()
        self.released = threading.Event()
        self._script: dict[str | None, deque[Behaviour]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._server = Server((LOOPBACK, port), Handler)
        self._server.gemini = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> "FakeGemini":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def next(self, *behaviours: Behaviour, model: str | None = None) -> None:
        """With `model` they are kept for calls of that model, and come before those for any."""
        with self._lock:
            self._script[model].extend(behaviours)

    def wait_for_calls(self, number: int, seconds: float = 30) -> None:
        """Until so many calls have arrived. Raises AssertionError when they don't."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.calls) >= number, seconds)
        assert arrived, f"{len(self.calls)} calls arrived, not {number}"

    def count_connection(self) -> None:
        with self._lock:
            self.connections += 1

    def count_at_once(self, change: int) -> None:
        with self._lock:
            self._at_once += change
            self.most_at_once = max(self.most_at_once, self._at_once)

    def serve(self, call: Call) -> Behaviour:
        with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        refused = self._refused(call)
        return refused or self._planned(call.model)

    def _refused(self, call: Call) -> Behaviour | None:
        if "/projects/" in call.path:
            no_token = self.tokens.refusal(call.headers)
            return no_token or refusal(call, deprecated=self.refuses_deprecated, keys=None)
        return refusal(call, deprecated=self.refuses_deprecated, keys=self.keys)

    def _planned(self, model: str) -> Behaviour:
        with self._lock:
            for script in (self._script[model], self._script[None]):
                if script:
                    return script.popleft()
            return self.defaults.get(model, self.default)

    def issue_token(self) -> tuple[int, bytes]:
        return self.tokens.issue()
