"""The server: it takes a request, looks whether Gemini would refuse it, and plays the script."""

import json
import re
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fake_gemini.behaviours import MODEL_THAT_ANSWERS, Behaviour, answer

LOOPBACK = "127.0.0.1"
ALIASES = {"gemini-flash-latest": "gemini-3.8-flash"}
FINISH_REASONS = [
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"),
    *("LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL"),
    "IMAGE_SAFETY",
]
BLOCK_REASONS = ["BLOCK_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"]
CATEGORIES = {
    "HARM_CATEGORY_HARASSMENT": 7,
    "HARM_CATEGORY_HATE_SPEECH": 8,
    "HARM_CATEGORY_SEXUALLY_EXPLICIT": 9,
    "HARM_CATEGORY_DANGEROUS_CONTENT": 10,
}
PROBABILITIES = ["HARM_PROBABILITY_UNSPECIFIED", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH"]
NUMBERS = {
    "finishReason": {name: number for number, name in enumerate(FINISH_REASONS)},
    "blockReason": {name: number for number, name in enumerate(BLOCK_REASONS)},
    "category": CATEGORIES,
    "probability": {name: number for number, name in enumerate(PROBABILITIES)},
}
NEWER_THAN_THE_SDK = 99
_ENUM = re.compile(rb'"(%s)": "(\w+)"' % "|".join(NUMBERS).encode())


@dataclass(frozen=True)
class Call:
    """One request as Gemini saw it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def model(self) -> str:
        """The one that was asked, in the Gemini API's path or in Vertex AI's."""
        return self.path.rpartition("/models/")[2].partition(":")[0]

    @property
    def user_text(self) -> str:
        return str(self.body["contents"][0]["parts"][0]["text"])

    @property
    def system_text(self) -> str:
        return str(self.body["systemInstruction"]["parts"][0]["text"])


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
        self.released = threading.Event()
        self._script: dict[str | None, deque[Behaviour]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._server = _Server((LOOPBACK, port), Handler)
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
        return self._planned(call.model)

    def _planned(self, model: str) -> Behaviour:
        with self._lock:
            for script in (self._script[model], self._script[None]):
                if script:
                    return script.popleft()
            return self.defaults.get(model, self.default)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    gemini: FakeGemini

    def handle_error(self, *_: object) -> None:
        """A client that gives up is part of the play."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    call: Call

    def setup(self) -> None:
        super().setup()
        self.server.gemini.count_connection()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        gemini = self.server.gemini
        gemini.count_at_once(+1)
        try:
            self.call = Call(self.path, headers, body)
            gemini.serve(self.call)(self, gemini)
        finally:
            gemini.count_at_once(-1)

    def as_sent(self, body: bytes) -> bytes:
        """With the name of the model, and enums as the SDK asked for them."""
        model = ALIASES.get(self.call.model, self.call.model)
        named = body.replace(MODEL_THAT_ANSWERS, model.encode())
        return in_numbers(named) if "enum-encoding" in self.path else named

    def reply(
        self, status: int, body: bytes, content_type: str = "application/json", **headers: str
    ) -> None:
        sent = self.as_sent(body)
        self.start_reply(status, len(sent), content_type, **headers)
        self.wfile.write(sent)

    def start_reply(
        self, status: int, length: int, content_type: str = "application/json", **headers: str
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: a request line could hold a key."""


def in_numbers(body: bytes) -> bytes:
    """As Gemini answers google-generativeai, which asks for `$alt=json;enum-encoding=int`."""

    def number(found: re.Match[bytes]) -> bytes:
        value = NUMBERS[found[1].decode()].get(found[2].decode(), NEWER_THAN_THE_SDK)
        return b'"%s": %d' % (found[1], value)

    return _ENUM.sub(number, body)
