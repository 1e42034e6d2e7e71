"""A Gemini that speaks the real wire format and does what a test tells it to.

In a test: `with FakeGemini() as gemini: gemini.next(error(503), answer())`. For a person:
`python -m tests.fake_gemini --port 9090 --latency 0.5`, then start the pipeline with
`GEMINI_API_KEY=fake GEMINI_API_ENDPOINT=http://127.0.0.1:9090`.
"""

import argparse
import json
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.builders import step_fields

LOOPBACK = "127.0.0.1"
LONGEST_HANG_SECONDS = 60.0


@dataclass(frozen=True)
class Call:
    """One request as Gemini saw it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def user_text(self) -> str:
        return str(self.body["contents"][0]["parts"][0]["text"])

    @property
    def system_text(self) -> str:
        return str(self.body["systemInstruction"]["parts"][0]["text"])


class FakeGemini:
    """Serves from `__enter__` to `__exit__`. Behaviours given to `next` come first, in order."""

    def __init__(self, port: int = 0, default: "Behaviour | None" = None) -> None:
        self.calls: list[Call] = []
        self.connections = 0
        self.most_at_once = 0
        self._at_once = 0
        self.default = default or answer()
        self.released = threading.Event()
        self._script: deque[Behaviour] = deque()
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._server = _Server((LOOPBACK, port), _Handler)
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

    def next(self, *behaviours: "Behaviour") -> None:
        with self._lock:
            self._script.extend(behaviours)

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

    def serve(self, call: Call) -> "Behaviour":
        with self._lock:
            behaviour = self._script.popleft() if self._script else self.default
        with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        return behaviour


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    gemini: FakeGemini

    def handle_error(self, *_: object) -> None:
        """A client that gives up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.gemini.count_connection()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        gemini = self.server.gemini
        gemini.count_at_once(+1)
        try:
            gemini.serve(Call(self.path, headers, body))(self, gemini)
        finally:
            gemini.count_at_once(-1)

    def reply(
        self, status: int, body: bytes, content_type: str = "application/json", **headers: str
    ) -> None:
        if "enum-encoding" in self.path:
            body = in_numbers(body)
        self.start_reply(status, len(body), content_type, **headers)
        self.wfile.write(body)

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


Behaviour = Callable[[_Handler, FakeGemini], None]


FINISH_REASONS = [
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"),
    *("LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL"),
    "IMAGE_SAFETY",
]
BLOCK_REASONS = ["BLOCK_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"]
NEWER_THAN_THE_SDK = 99
_ENUM = re.compile(rb'"(finishReason|blockReason)": "(\w+)"')


def in_numbers(body: bytes) -> bytes:
    """As Gemini answers google-generativeai, which asks for `$alt=json;enum-encoding=int`."""

    def number(found: re.Match[bytes]) -> bytes:
        names = FINISH_REASONS if found[1] == b"finishReason" else BLOCK_REASONS
        name = found[2].decode()
        value = names.index(name) if name in names else NEWER_THAN_THE_SDK
        return b'"%s": %d' % (found[1], value)

    return _ENUM.sub(number, body)


def response(*texts: str, finish: str = "STOP", **more: Any) -> bytes:
    parts = [{"text": text} for text in texts]
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0}
    return json.dumps(
        {
            "candidates": [candidate],
            "usageMetadata": {
                "promptTokenCount": 321,
                "candidatesTokenCount": 123,
                "totalTokenCount": 444,
            },
            "modelVersion": "fake",
            **more,
        }
    ).encode()


def raw(body: bytes, status: int = 200, content_type: str = "application/json") -> Behaviour:
    return lambda handler, _: handler.reply(status, body, content_type)


def texts(*parts: str, finish: str = "STOP") -> Behaviour:
    return raw(response(*parts, finish=finish))


def answer(**changes: Any) -> Behaviour:
    """A valid step, or one made invalid by the changes."""
    return texts(json.dumps(step_fields(**changes)))


def finish(reason: str) -> Behaviour:
    return texts("", finish=reason)


def blocked_prompt(reason: str = "SAFETY") -> Behaviour:
    return raw(json.dumps({"promptFeedback": {"blockReason": reason}}).encode())


def no_candidate() -> Behaviour:
    return raw(b"{}")


def error(
    status: int,
    name: str = "UNKNOWN",
    *,
    retry_delay: str | None = None,
    quota_id: str | None = None,
    retry_after: str | None = None,
) -> Behaviour:
    """Google's error body; `retry_delay` as in "53s"."""
    details: list[dict[str, Any]] = []
    if quota_id:
        violation = {"quotaId": quota_id, "quotaMetric": "requests"}
        details.append(
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}
        )
    if retry_delay:
        details.append(
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay}
        )
    body = {"error": {"code": status, "message": "told to", "status": name, "details": details}}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return lambda handler, _: handler.reply(status, json.dumps(body).encode(), **headers)


def hang() -> Behaviour:
    """No byte until the test releases it or the server stops."""

    def behave(handler: _Handler, gemini: FakeGemini) -> None:
        gemini.released.wait(LONGEST_HANG_SECONDS)
        handler.close_connection = True

    return behave


def held() -> Behaviour:
    """A valid answer, once the test releases it."""

    def behave(handler: _Handler, gemini: FakeGemini) -> None:
        gemini.released.wait(LONGEST_HANG_SECONDS)
        answer()(handler, gemini)

    return behave


def late(seconds: float, then: Behaviour) -> Behaviour:
    def behave(handler: _Handler, gemini: FakeGemini) -> None:
        gemini.released.wait(seconds)
        then(handler, gemini)

    return behave


def drip(every_seconds: float) -> Behaviour:
    """A valid answer, a byte at a time: no read timeout ever sees it stall."""

    def behave(handler: _Handler, gemini: FakeGemini) -> None:
        body = response(json.dumps(step_fields()))
        handler.start_reply(200, len(body))
        for index in range(len(body)):
            if gemini.released.wait(every_seconds):
                return
            handler.wfile.write(body[index : index + 1])
            handler.wfile.flush()

    return behave


def cut() -> Behaviour:
    """Promises a whole body and sends half of it."""

    def behave(handler: _Handler, _: FakeGemini) -> None:
        body = response(json.dumps(step_fields()))
        handler.start_reply(200, len(body))
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return behave


def reset() -> Behaviour:
    """A TCP reset instead of an answer."""

    def behave(handler: _Handler, _: FakeGemini) -> None:
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()
        handler.close_connection = True

    return behave


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_gemini")
    parser.add_argument("--port", type=int, default=9090)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    with FakeGemini(options.port, late(options.latency, answer())) as gemini:
        print(f"fake Gemini at {gemini.url}; Ctrl-C stops it", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{len(gemini.calls)} calls", flush=True)


if __name__ == "__main__":
    main()
