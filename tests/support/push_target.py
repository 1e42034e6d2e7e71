"""An HTTP endpoint that receives pushes and answers what a test tells it to."""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any


@dataclass(frozen=True)
class Push:
    """One delivery as the worker would see it."""

    path: str
    envelope: dict[str, Any]
    at: float

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.envelope["message"]["data"])

    @property
    def attributes(self) -> dict[str, str]:
        found: dict[str, str] = self.envelope["message"].get("attributes", {})
        return found

    @property
    def message_id(self) -> str:
        return str(self.envelope["message"]["messageId"])


class PushTarget:
    """Acks with 204 unless `plan` says otherwise; a callable in the plan decides when called."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.plan: deque[int | Callable[[], int]] = deque()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> "PushTarget":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def to(self, path: str) -> list[Push]:
        with self._lock:
            return [push for push in self.pushes if push.path == path]

    def receive(self, push: Push) -> int:
        with self._lock:
            self.pushes.append(push)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            planned = self.plan.popleft() if self.plan and push.path == "/push" else 204
        try:
            return planned if isinstance(planned, int) else planned()
        finally:
            with self._lock:
                self._at_once -= 1


def _handler(target: PushTarget) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = target.receive(Push(self.path, json.loads(body), monotonic()))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
